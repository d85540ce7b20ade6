// The figure that a message of the server stands for: itself, or what has changed `since` the one
// that was sent before it (optviz/plot/writers/changes.py). Null where that one never came.
export function complete(before, message) {
  if (!message.since) return message;
  if (before?.version === message.version)
    return { ...before, ...message, data: before.data, layout: before.layout };
  if (before?.version !== message.since) return null;
  const extended = (old, value) =>
    value?.same === undefined
      ? value
      : { dtype: value.dtype, bdata: old.bdata.slice(0, value.same) + value.bdata };
  const traces = message.data.map((changed, i) => {
    const old = before.data[i],
      entries = Object.entries(changed).map(([key, value]) => [key, extended(old[key], value)]);
    return { ...old, ...Object.fromEntries(entries) };
  });
  return { ...before, ...message, data: traces, layout: { ...before.layout, ...message.layout } };
}
