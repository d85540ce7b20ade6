"""Inside a training: at an iteration, the layers of a network or its weight matrices."""

from typing import NamedTuple

import numpy as np
import streamlit as st

from optviz.experiments.activations import figures as layer_views
from optviz.experiments.activations import text as layer_text
from optviz.experiments.activations.run import hidden_layers
from optviz.experiments.initialization import figures as views
from optviz.plot import to_plotly
from optviz.plot.style import THEMES, Style
from optviz.training import Progress
from optviz.ui import old_job_runner as lab
from optviz.ui.components import plot, table, theme_name

ROWS = 256  # training rows that are sent through to look at the layers
LAYERS, SYMMETRY = "Layers at an iteration", "Symmetry"


class Look(NamedTuple):
    """What is looked at: the networks of a training by name, one of them above all, at an iteration."""

    now: Progress
    names: list[str]
    looks: list[Style]
    params: dict[int, np.ndarray]  # iteration -> (I, P), of the first seed
    shown: int
    which: int

    @property
    def training(self):
        return self.now.training

    @property
    def name(self) -> str:
        return self.names[self.which]

    @property
    def known(self) -> list[int]:
        """The iterations that stay."""
        return sorted(
            {*self.now.snapshots, *([self.now.iteration] if self.now.done else []), self.shown}
        )

    def finite(self, t: int, i: int) -> bool:
        return bool(np.isfinite(self.params[t][i]).all())

    def matrices(self, t: int, i: int) -> list[np.ndarray]:
        """The weight matrices of network i, from the first to the last."""
        network = self.training.network
        named = network.views(self.params[t][i])
        return [named[k]["W"] for k in network.affine]

    def layers(self, t: int, i: int):
        """Layers and gradients of network i on some training rows, in float64 for what is tiny."""
        data = lab.data_of(self.training)
        return hidden_layers(self.training.network, self.params[t][i].astype(float), data.x[:ROWS], data.t[:ROWS])

    def lengths(self, t: int, i: int) -> np.ndarray:
        """The length of the gradient of each weight matrix."""
        lost = np.full(len(self.training.network.affine), np.nan)
        return self._kept(
            ("lengths", t, i), lambda: self.layers(t, i)[1] if self.finite(t, i) else lost
        )

    def matrix(self, t: int, i: int, k: int) -> views.Matrix:
        """How far the units of a weight matrix tell themselves apart."""
        last = k == len(self.training.network.affine) - 1 and k > 0
        return self._kept(
            ("matrix", t, i, k), lambda: views.Matrix.of(self.matrices(t, i)[k], last)
        )

    def _kept(self, what, find):
        """Kept as long as the page shows this training: the past does not change."""
        S, key = st.session_state, lab.key_of(self.training)
        if S.setdefault("inspected", (key, {}))[0] != key:
            S["inspected"] = key, {}
        kept = S["inspected"][1]
        if what not in kept:
            kept[what] = find()
        return kept[what]


def inspection(now: Progress, names: list[str], looks: list[Style]) -> None:
    """A scrubber, a choice among the networks, and two ways to look at one."""
    training = now.training
    params = {**now.snapshots, now.iteration: now.params[:, 0]}
    wanted = _iteration(training)
    shown = max((t for t in params if t <= wanted), default=min(params))
    which = st.segmented_control(
        "Look into", list(range(len(names))), default=0, format_func=lambda i: names[i] if i < len(names) else "",
        key=f"initial-which-{len(names)}", required=True,
    )  # fmt: skip
    look = Look(now, names, looks, params, shown, which)
    seed = f", seed {training.seeds[0]}" if len(training.seeds) > 1 else ""
    st.caption(f"Shown: iteration {shown}, {look.name}{seed}.")
    tabs = st.tabs([LAYERS, SYMMETRY], key="initial-tabs", on_change="rerun")
    for tab, section in zip(tabs, (_layers, _symmetry), strict=True):
        if tab.open:
            with tab:
                section(look)


def _iteration(training):
    stops = sorted(
        {
            *range(0, training.iterations, training.snapshot_every or max(training.iterations, 1)),
            training.iterations,
        }
    )
    if len(stops) < 2:
        return stops[0]
    return st.select_slider(
        "Iteration (as far as the training has come)", stops, stops[-1], key=f"initial-at-{training.iterations}-{training.snapshot_every}"
    )  # fmt: skip


def _gone(look):
    """Says that there is nothing to see, and from when on."""
    at = int(look.now.diverged_at[look.which, 0])
    st.markdown(f"**{look.name} has diverged** at iteration {at}: at {look.shown} it has no numbers any more. Take an earlier iteration.")  # fmt: skip


def _layers(look):
    theme, shown, which = THEMES[theme_name()], look.shown, look.which
    if not look.finite(shown, which):
        _gone(look)
    else:
        layers, lengths = look.layers(shown, which)
        if layers:
            plot(
                "initial-layers", to_plotly(layer_views.histograms(layers, theme)),
                f"Histograms of {len(layers)} hidden layers. The table below says the same.", view=f"{len(layers)}", theme=theme_name(),
            )  # fmt: skip
            table(layer_text.table(layers, f"Hidden layers of {look.name} at iteration {shown}").html(), "initial-layers")
        else:
            st.markdown("This network has no hidden layer, so there are no activations to look at.")
        weights = [np.linalg.norm(w.astype(float)) for w in look.matrices(shown, which)]
        st.markdown(views.flow(lengths, np.array(weights)))
    norms = {t: look.lengths(t, which) for t in look.known}
    plot(
        "initial-gradients", views.gradients(norms, look.training.iterations, shown, theme),
        "Length of the gradient of each weight matrix over the iterations. The table below has the iteration shown.",
        view=f"{look.training.iterations}", theme=theme_name(),
    )  # fmt: skip
    rows = [(name, look.lengths(shown, i), look.looks[i]) for i, name in enumerate(look.names)]
    table(views.lengths_table(rows, shown), "initial-lengths")
    st.caption(
        f"Activations and gradients of the mean loss on the first {ROWS} training rows, without an update."
    )


def _symmetry(look):
    theme, names, shown, which = THEMES[theme_name()], look.names, look.shown, look.which
    shapes = [w.shape for w in look.matrices(shown, 0)]
    k = st.segmented_control(
        "Weight matrix", list(range(len(shapes))), default=0, key=f"initial-matrix-{len(shapes)}", required=True,
        format_func=lambda k: f"W{k + 1} ({shapes[k][0]} × {shapes[k][1]})" if k < len(shapes) else "",
    )  # fmt: skip
    found = [look.matrix(shown, i, k) for i in range(len(names))]
    m = found[which]
    st.markdown(f"{look.name}, W{k + 1}. {views.seen(m, shown, look.lengths(shown, which)[k])}")
    others = [i for i in range(len(names)) if i != which][: views.MAX_PICTURES - 1]
    drawn = sorted([which, *others])
    plot(
        "initial-matrices", views.heatmaps([(names[i], found[i]) for i in drawn], theme),
        "Weight matrices as pictures. The table and the numbers below say the same.", view=f"{drawn} {k}", theme=theme_name(),
    )  # fmt: skip
    table(
        views.symmetry_table([(name, found[i], look.looks[i]) for i, name in enumerate(names)]),
        "initial-symmetry",
    )
    ranks = {t: [look.matrix(t, i, k).rank for i in range(len(names))] for t in look.known}
    plot(
        "initial-ranks", views.ranks(ranks, names, look.looks, min(shapes[k]), look.training.iterations, shown, theme),
        f"Rank of W{k + 1} over the iterations. The table above has the iteration shown.", view=f"{k} {look.training.iterations}", theme=theme_name(),
    )  # fmt: skip
    if np.isfinite(m.largest):
        st.markdown(
            f"{views.strengths(m)}. Some numbers of W{k + 1} of {look.name} at iteration {shown}:"
        )
        st.code(views.corner(m), language=None)
    else:
        _gone(look)
    picked = (
        f" Of long sides {views.SIDE} rows or columns are drawn, evenly picked."
        if max(m.w.shape) > views.SIDE
        else ""
    )
    st.caption(
        "“Units apart by”: the farthest that two hidden units are from each other in any of their weights, 0 where all are equal. "
        f"The rank counts the singular values above a millionth of the largest.{picked}"
    )
