"""The page's two components of its own: a panel of knobs that is live, and a host for figures that stays."""

import hashlib
import json
from functools import cache

import streamlit as st

from optviz.core.knobs import Knob
from optviz.ui.assets import plotly_js, script, sheet

GREEK = {
    "eta": "η", "mu": "μ", "rho": "ρ", "beta": "β", "epsilon": "ε", "lambda": "λ", "kappa": "κ", "alpha": "α",
    "gamma": "γ", "phi": "φ", "psi": "ψ",
}  # fmt: skip
LABELS = {
    "lr": "rate", "eps": "epsilon", "weight_decay": "decay", "bias_correction": "bias correction",
    "momentum_decay": "warm-up", "line_search": "line search", "saddle_free": "saddle-free", "max_norm": "longest",
    "beta1": "beta 1", "beta2": "beta 2",
}  # fmt: skip


def plain(symbol: str) -> str:
    r"""A knob's LaTeX symbol in Unicode: `\beta_1` is β₁."""
    name, _, index = symbol.lstrip("\\").partition("_")
    return GREEK.get(name, name) + index.translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _nothing():
    """A component's state exists only where a callback for it does."""


_panel = st.components.v2.component(
    "optviz_knobs",
    html='<div class="ov-panel"></div>',
    css=sheet("knobs.css"),
    js=script("knobs.js"),
    isolate_styles=False,
)
_plot = st.components.v2.component(
    "optviz_plot",
    html='<div class="ov-plot" role="img"><div class="ov-layer"></div><div class="ov-layer"></div><div class="ov-sorry"></div></div>',
    css=sheet("plot.css"), js=script("plot.js"), isolate_styles=False,
)  # fmt: skip


def _sent(key) -> dict:
    """What the browser last sent for a panel; nothing where that is not what our script sends."""
    values = (st.session_state.get(key) or {}).get("values")
    return values if isinstance(values, dict) else {}


def _right(k: Knob, value) -> bool:
    try:
        k.check(value)
    except ValueError:
        return False
    return k.kind is bool or k.low <= value <= k.high


def knob_panel(
    key: str,
    label: str,
    knobs: tuple[Knob, ...],
    values: dict,
    turned,
    notes=None,
    look=None,
    traces=None,
    rested=_nothing,
) -> None:
    """Draw the knobs at `values` (or their defaults), each with a note below it where `notes` has one.

    When a person turns one, `turned` is called with what the browser sent, as far as it is right,
    before the script runs again; `rested` when the hand has come to rest. `look` (a `Style`) puts a
    sample of the racer's line above the knobs. `traces` go straight to the plots of these names.
    """

    def arrived():
        sent = _sent(key)
        turned({k.name: sent[k.name] for k in knobs if k.name in sent and _right(k, sent[k.name])})

    data = {
        "knobs": _declared(knobs), "values": {k.name: values.get(k.name, k.default) for k in knobs}, "notes": notes or {},
        "echo": _sent(key).get("n", 0), "label": label, "prefix": "ov" + hashlib.sha1(key.encode()).hexdigest()[:8],
        "sample": look and {"color": look.color, "dashes": look.dashes}, "traces": traces,
    }  # fmt: skip
    _panel(key=key, data=data, on_values_change=arrived, on_rest_change=rested)


@cache
def _declared(knobs):
    """The knobs as the browser needs them."""
    return [
        {
            "name": k.name, "label": LABELS.get(k.name, k.name.replace("_", " ")), "symbol": plain(k.symbol), "help": k.help,
            "kind": k.kind.__name__, "whole": k.kind is int, "low": k.low, "high": k.high, "default": k.default,
            "scale": "log" if k.log else "near_one" if k.near_one else "linear",
        }
        for k in knobs
    ]  # fmt: skip


def plot(key: str, figure: dict, label: str, view: str, theme: str, base_id: str | None = None, base=None) -> None:
    """Show a figure. `view` names the frame: while it is the same, the person's zoom stays.

    `theme` is the one whose colours it has; where the browser shows another, it asks for a run.

    `base` makes the lower layer that `base_id` names; it is called, and its result sent, only when this
    browser does not have it yet.
    """
    have = st.session_state.setdefault("_bases", {}).setdefault(key, set())
    data = {
        **figure, "name": key, "label": label, "view": view, "theme": theme, "plotly": plotly_js(),
        "version": hashlib.sha1(json.dumps(figure, sort_keys=True).encode()).hexdigest()[:12],
    }  # fmt: skip
    if base_id is not None:
        data["base_id"] = base_id
        if base_id not in have:
            have.add(base_id)
            data["base"] = base()
    _plot(key=key, data=data, on_need_change=have.clear)
