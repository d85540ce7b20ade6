// What the hosts of flat pictures and of surfaces share: the newest figure is drawn, one at a time.

import { complete } from "./changes.js";
import { clock, plots } from "../page/clock.js";
import { isDark, plotly } from "./style.js";

const bases = new Map(); // lower layers by id, kept as long as the tab: the server sends each once

// A wheel over a picture scrolls the page; with Ctrl, or two fingers that spread, it zooms. Where the
// stage is alone there is nothing to scroll.
function scrolls(e) {
  if (!e.ctrlKey && !e.metaKey && !document.documentElement.hasAttribute("data-ov-present"))
    e.stopPropagation();
}

// A picture of the page. What draws it is given by who extends it: `draw(data)`.
export class Host {
  constructor(root) {
    this.root = root;
    this.size = new ResizeObserver(() => this.drawn && this.schedule(this.latest));
    this.size.observe(root);
    root.addEventListener("wheel", scrolls, { capture: true, passive: true });
  }

  // From a hyperparameter that is being dragged: another figure, or traces for some of those that
  // are shown.
  patch({ traces, ...figure }) {
    const now = this.latest;
    if (!now) return;
    if (traces) Object.assign(figure, { data: replaced(now.data, traces), arrows: null });
    this.schedule({ ...now, ...figure, version: `${now.version}+` });
  }

  // Other lines are hidden than before.
  updateVisibility() {
    if (this.latest) this.schedule(this.latest);
  }

  schedule(data) {
    this.latest = this.next = data;
    this.begin();
  }

  begin() {
    this.work ??= this.loop().finally(() => { this.work = null; });
  }

  async loop() {
    while (this.next) {
      const data = this.next;
      this.next = null;
      await this.attempt(async () => {
        this.plotly = await plotly(data.plotly, this.root);
        await this.draw(data);
      });
    }
  }

  async attempt(work) {
    const sorry = this.root.querySelector(".ov-sorry");
    try {
      await work();
      sorry.textContent = "";
    } catch (error) {
      // what it drew on was taken away meanwhile, and may have another host by now
      if (this.gone) return;
      console.error(error);
      sorry.textContent = `The picture could not be drawn: ${error.message}`;
    }
  }

  // Asks the server for another run, once for each thing that is missing.
  requestOnce(what) {
    if (this.requested !== what) this.sendNeed((this.requested = what));
  }

  // What a picture is drawn on, its lower layer and the theme that it was made for, as they are
  // here; where they are others, they are asked for.
  base(data, page) {
    if (data.base) bases.set(data.base_id, data.base);
    const base = bases.get(data.base_id), theme = isDark(page) ? "dark" : "light";
    if (data.base_id && !base) this.requestOnce(data.base_id);
    else if (data.theme !== theme) this.requestOnce(theme); // the visitor has changed it since the last run
    return base;
  }

  destroy() {
    this.gone = true;
    this.next = null;
    this.size.disconnect();
  }
}

const replaced = (data, traces) => data.map(t => traces.find(({ uid }) => uid === t.uid) ?? t);

// A host for the component's plot, made once and told of new data.
export const mounted = (Kind, { data, parentElement, setTriggerValue }) => {
  const root = parentElement.querySelector(".ov-plot");
  const host = (root.host ??= new Kind(root));
  plots.set(data.name, host);
  if ("hidden" in data) clock.setHidden(data.hidden);
  host.sendNeed = id => setTriggerValue("need", id);
  host.trigger = setTriggerValue;
  const take = message => {
    const whole = complete(host.figure, message);
    if (!whole) return setTriggerValue("need", message.version);
    root.style.setProperty("--ov-height", whole.height ?? "");
    host.schedule((host.figure = whole));
  };
  // what has grown meanwhile comes by another way, and does not go back to what stands here
  host.applyGrowth = news => {
    if (news.since && news.since !== host.figure.version) return; // a run of the page came first
    host.growth = news.since ? news : { ...host.figure, ...news, since: null };
    take(host.growth);
  };
  if (!host.growth || host.runVersion !== data.version) take(data);
  if (host.runVersion !== data.version) host.growth = null;
  host.runVersion = data.version;
  return () => {
    host.destroy();
    // its successor may be there already
    if (plots.get(data.name) === host) plots.delete(data.name);
    root.host = null;
  };
};
