"""Networks as files: one that was trained here is saved, one that was saved is asked beside the
others.
"""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from optviz.experiments.page import Widget
from optviz.plot import style
from optviz.plot.training import Network as Line
from optviz.spec import SpecError
from optviz.training import begin, check
from optviz.training.checkpoint import restore, save
from optviz.translation import _
from optviz.ui.session import session
from optviz.ui.training_jobs import data_of


@dataclass
class Loaded:
    """What a visitor has loaded, and what was wrong with the last file."""

    network: tuple | None = None  # network, parameters, running statistics
    complaint: str = ""


def file_controls(context) -> Widget | None:
    """A button that saves the chosen network, and a field that loads one."""
    if not context.lines:
        return None
    return Widget(lambda: _file_controls(context))


def _file_controls(context):
    line = context.lines[context.options["network"]]
    now = line.progress
    save_at, load_at = st.columns(2)
    with save_at:
        st.download_button(
            _("Save {name} (.npz)").format(name=line.name),
            lambda: save(
                now.training.network, now.params[line.i, 0], now.running_statistics[line.i, 0]
            ),
            "optviz-network.npz",
            "application/octet-stream",
            key="network-file",
            icon=":material/download:",
            on_click="ignore",
            disabled=not np.isfinite(now.params[line.i, 0]).all(),
        )
        st.caption(_("Its spec and an array for each parameter, for `numpy.load` or for here."))
    with load_at:
        held = session().state(Loaded)
        file = st.file_uploader(
            _("Load a network that was saved here"), type=["npz"], key="network-upload"
        )
        _take(held, file)
        loaded = loaded_line(context)
        if held.complaint:
            st.error(held.complaint, icon=":material/error:")
        elif loaded:
            accuracy = loaded.progress.accuracy[0, 1, 0, 0]
            message = _("Loaded: {accuracy:.1%} of the test set are right.")
            st.caption(message.format(accuracy=accuracy))


def _take(held, file):
    held.complaint = ""
    if file is None:
        held.network = None
        return
    try:
        held.network = restore(file.getvalue())
    except ValueError as error:
        held.network, held.complaint = None, _("This file: {reason}.").format(reason=error)


def loaded_line(context) -> Line | None:
    """The network that was loaded, as one more line, where it fits the data."""
    held = session().state(Loaded)
    if held.network is None:
        return None
    network, params, statistics = held.network
    training = replace(
        context.lines[0].progress.training, network=network, seeds=(0,), iterations=0
    )
    try:
        check(training)
    except SpecError as error:
        held.complaint = _("This file: {reason}.").format(reason=error)
        return None
    now = begin(training, data_of(training), params[None, None], statistics[None, None])
    return Line("loaded", _("loaded network"), now, 0, style(len(context.lines), context.theme))
