// What the hosts of flat pictures and of surfaces share: how they are made and told of new data.

import { complete } from "./changes.js";
import { clock, plots } from "../page/clock.js";

// A wheel over a picture scrolls the page; with Ctrl, or two fingers that spread, it zooms. Where the
// stage is alone there is nothing to scroll.
export function scrolls(e) {
  if (!e.ctrlKey && !e.metaKey && !document.documentElement.hasAttribute("data-ov-present"))
    e.stopPropagation();
}

export const replaced = (data, traces) =>
  data.map(t => traces.find(({ uid }) => uid === t.uid) ?? t);

// A host for the component's plot, made once and told of new data.
export const mounted = (Kind, { data, parentElement, setTriggerValue }) => {
  const root = parentElement.querySelector(".ov-plot");
  const host = (root.host ??= new Kind(root));
  plots.set(data.name, host);
  if ("sealed" in data) clock.seal(data.sealed);
  host.need = id => setTriggerValue("need", id);
  host.tell = setTriggerValue;
  const take = message => {
    const whole = complete(host.received, message);
    if (!whole) return setTriggerValue("need", message.version);
    root.style.setProperty("--ov-height", whole.height ?? "");
    host.schedule((host.received = whole));
  };
  // what has grown meanwhile comes by another way, and does not go back to what stands here
  host.grow = news => {
    if (news.since && news.since !== host.received.version) return; // a run of the page came first
    host.grown = news.since ? news : { ...host.received, ...news, since: null };
    take(host.grown);
  };
  if (!host.grown || host.told !== data.version) take(data);
  if (host.told !== data.version) host.grown = null;
  host.told = data.version;
  return () => {
    host.destroy();
    // its successor may be there already
    if (plots.get(data.name) === host) plots.delete(data.name);
    root.host = null;
  };
};
