// What the hosts of flat pictures and of surfaces share: the newest figure is drawn, one at a time.

import { complete } from "./changes.js";
import { clock, plots } from "../page/clock.js";
import { isDark, plotly } from "./style.js";

const bases = new Map(); // lower layers by id, kept as long as the tab: the server sends each once

// A wheel over a picture scrolls the page; with Ctrl, or two fingers that spread, it zooms. Where the
// stage is alone there is nothing to scroll.
function scrollPage(e) {
  if (!e.ctrlKey && !e.metaKey && !document.documentElement.hasAttribute("data-ov-present"))
    e.stopPropagation();
}

// A picture of the page. Subclasses draw it: `draw(data)`.
export class Host {
  constructor(root) {
    this.root = root;
    this.size = new ResizeObserver(() => this.drawn && this.schedule(this.latest));
    this.size.observe(root);
    root.addEventListener("wheel", scrollPage, { capture: true, passive: true });
  }

  // From a hyperparameter that is being dragged: another figure, or traces for some of those that
  // are shown.
  patch({ traces, ...figure }) {
    const { latest } = this;
    if (!latest) return;
    if (traces) Object.assign(figure, { data: replaceTraces(latest.data, traces), arrows: null });
    this.schedule({ ...latest, ...figure, version: `${latest.version}+` });
  }

  // Called when other lines are hidden than before.
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
    const complaint = this.root.querySelector(".ov-sorry");
    try {
      await work();
      complaint.textContent = "";
    } catch (error) {
      // its element was removed meanwhile, and may have another host by now
      if (this.gone) return;
      console.error(error);
      complaint.textContent = `The picture could not be drawn: ${error.message}`;
    }
  }

  // Asks the server for another run, once for each thing that is missing.
  requestOnce(what) {
    if (this.requested !== what) this.sendNeed((this.requested = what));
  }

  // The picture's lower layer. Where it is missing here, or the theme is another than the one that
  // the picture was made for, the server is asked.
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

const replaceTraces = (data, traces) => data.map(t => traces.find(({ uid }) => uid === t.uid) ?? t);

// A host for the component's plot, made once and given new data.
export const mount = (Kind, { data, parentElement, setTriggerValue }) => {
  const root = parentElement.querySelector(".ov-plot");
  const host = (root.host ??= new Kind(root));
  plots.set(data.name, host);
  if ("hidden" in data) clock.setHidden(data.hidden);
  host.sendNeed = id => setTriggerValue("need", id);
  host.trigger = setTriggerValue;
  const receive = message => {
    const figure = complete(host.figure, message);
    if (!figure) return setTriggerValue("need", message.version);
    root.style.setProperty("--ov-height", figure.height ?? "");
    host.schedule((host.figure = figure));
  };
  // growth comes on another channel, and this message's older data must not undo it
  host.applyGrowth = news => {
    if (news.since && news.since !== host.figure.version) return; // a run of the page came first
    host.growth = news.since ? news : { ...host.figure, ...news, since: null };
    receive(host.growth);
  };
  if (!host.growth || host.runVersion !== data.version) receive(data);
  if (host.runVersion !== data.version) host.growth = null;
  host.runVersion = data.version;
  return () => {
    host.destroy();
    // its successor may be there already
    if (plots.get(data.name) === host) plots.delete(data.name);
    root.host = null;
  };
};
