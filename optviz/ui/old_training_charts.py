"""What every page with trainings shows while they grow: curves, how each stands, and what can be taken home."""

import csv
import io

import streamlit as st

from optviz.plot import old_training as views
from optviz.plot.old_training import Line
from optviz.shell import sharing
from optviz.ui.components import plot, table, theme_name

__all__ = ["Line", "curves", "curves_csv", "downloads"]


def curves(page: str, lines: list[Line], iterations: int, whose: str = "optimizer", epochs: float = 0.0) -> None:
    """Loss and accuracy of each line, over iterations, seconds, or (`epochs` iterations are one) epochs; and a table.

    `whose` says what a line is, for the table's label and the file's column.
    """
    with st.container(horizontal=True, key=f"{page}-view"):
        smooth = st.toggle("Smoothed", True, key=f"{page}-smooth")
        log = st.toggle("Logarithmic", False, key=f"{page}-log")
        axes = [along for along in views.ALONG if along != "epochs" or epochs]
        along = st.segmented_control("Along", axes, default="epochs" if epochs else "iterations", key=f"{page}-along",
                                     required=True, label_visibility="collapsed")  # fmt: skip
    scale = views.Scale(along, iterations, epochs)
    left, right = st.columns(2, gap="small")
    with left:
        plot(
            f"{page}-loss", views.losses(lines, scale, smooth, log), "Loss while training. The table says the same.",
            view=f"{log} {along}", theme=theme_name(), link=sharing.query(),
        )  # fmt: skip
    with right:
        plot(
            f"{page}-accuracy", views.accuracies(lines, scale), "Accuracy while training. The table says the same.",
            view=along, theme=theme_name(),
        )  # fmt: skip
    table(views.standings(lines, f"How every {whose} stands"), f"{page}-standings")


def downloads(page: str, lines: list[Line], whose: str = "optimizer") -> None:
    """The curves as CSV, once there are some."""
    if any(line.progress.iteration for line in lines):
        st.download_button("Curves as CSV", lambda: curves_csv(lines, whose), f"optviz-{page}.csv", "text/csv", key=f"{page}-csv",
                           icon=":material/download:", on_click="ignore")  # fmt: skip


def curves_csv(lines: list[Line], whose: str = "optimizer") -> str:
    """Every mini-batch's loss in full precision, and the accuracies where they were measured."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write([whose, "seed", "iteration", "seconds", "loss", "training_accuracy", "test_accuracy"])
    for line in lines:
        now, i = line.progress, line.i
        at = {int(t): now.accuracy[k, :, i] for k, t in enumerate(now.evaluated)}
        for s, seed in enumerate(now.training.seeds):
            for t in range(now.iteration + 1):
                found = [repr(float(a)) for a in at[t][:, s]] if t in at else ["", ""]
                before = ["", ""] if t == 0 else [repr(float(now.seconds[t - 1])), repr(float(now.loss[t - 1, i, s]))]
                write([line.name, seed, t, *before, *found])
    return out.getvalue()
