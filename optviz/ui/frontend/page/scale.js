// Where the value of a hyperparameter stands on its slider, and back: linear, logarithmic, near one;
// rounded to what a person would type.

export const POSITIONS = 1000;
const PAGE = POSITIONS / 20;
// of a logarithmic slider, at most; what is smaller is typed, or the slider is moved on
const DECADES = 5;

const scales = {
  linear: { up: v => v, down: p => p },
  log: { up: v => Math.log10(v), down: p => 10 ** p },
  near_one: { up: v => -Math.log10(1.0001 - v), down: p => 1.0001 - 10 ** -p },
};

// A logarithmic hyperparameter that may also be zero has zero at its left end, five decades below
// its right one.
const scaleOf = k =>
  k.scale === "log" && k.low <= 0
    ? { up: v => Math.log10(Math.max(v, k.high * 1e-5)), down: scales.log.down }
    : (scales[k.scale] ?? scales.linear);

// Where the slider of a hyperparameter that spans many decades begins: well below its value.
export function leftEnd(k, value) {
  if (k.scale !== "log" || k.low <= 0) return k.low;
  const usual = k.high / 10 ** DECADES, below = 10 ** (Math.floor(Math.log10(value) + 1e-9) - 1);
  return Math.max(k.low, Math.min(usual, below));
}

export function position(k, value) {
  const { up } = scaleOf(k), lo = up(k.left ?? k.low), hi = up(k.high);
  return (POSITIONS * (up(Math.min(Math.max(value, k.left ?? k.low), k.high)) - lo)) / (hi - lo);
}

// What a person would type: steps of 0.05 or 0.1 of the leading digit, ten times finer where that
// is asked for.
function round(v, fine) {
  if (!v) return 0;
  const size = Math.abs(v), unit = 10 ** Math.floor(Math.log10(size) + 1e-9), lead = size / unit;
  const step = unit * (lead < 2 ? 0.05 : 0.1) * (fine ? 0.1 : 1);
  return Number((Math.round(v / step) * step).toPrecision(12));
}

export function valueAt(k, place, fine = false) {
  const low = k.left ?? k.low, { up, down } = scaleOf(k), lo = up(low), hi = up(k.high);
  if (place <= 0) return low;
  if (place >= POSITIONS) return k.high;
  const v = down(lo + ((hi - lo) * place) / POSITIONS);
  if (k.whole) return Math.round(v);
  if (k.scale === "near_one")
    return Math.min(Math.max(Number((1 - round(1 - v, fine)).toPrecision(12)), low), k.high);
  if (k.scale === "log") return Math.min(Math.max(round(v, fine), low), k.high);
  // of a linear one
  const step = 10 ** Math.floor(Math.log10((k.high - low) / 100)) / (fine ? 10 : 1);
  return Math.min(Math.max(Number((Math.round(v / step) * step).toPrecision(12)), low), k.high);
}

// The next value in a direction: the first that differs, or some positions on.
export function next(k, value, by, { fine, page }) {
  if (k.whole)
    return Math.min(
      Math.max(value + by * (page ? Math.max(1, Math.round((k.high - k.low) / 20)) : 1), k.low),
      k.high,
    );
  const from = position(k, value),
    stride = page ? PAGE : fine ? 0.05 : 0.5;
  for (let p = from + by * stride; ; p += by * stride) {
    const v = valueAt(k, p, fine);
    if ((v - value) * by > 1e-12 * Math.abs(value) || p <= 0 || p >= POSITIONS) return v;
  }
}

export const shown = v => (typeof v === "number" ? String(Number(v.toPrecision(12))) : v);

export function complaint(k, text) {
  const v = Number(text.replace(",", "."));
  if (text.trim() === "" || !Number.isFinite(v)) return "not a number";
  if (v < k.low || v > k.high) return `from ${shown(k.low)} to ${shown(k.high)}`;
  if (k.whole && !Number.isInteger(v)) return "a whole number";
  return "";
}
