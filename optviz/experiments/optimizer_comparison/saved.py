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
from optviz.training import Progress, begin, check
from optviz.training.checkpoint import restore, save
from optviz.translation import _
from optviz.ui.components import download_button
from optviz.ui.public import uploads
from optviz.ui.session import session
from optviz.ui.training.jobs import data_of


@dataclass
class Loaded:
    """What a visitor has loaded, and what was wrong with the file."""

    file_id: str | None = None
    network: tuple | None = None  # network, parameters, running statistics
    measured: Progress | None = None  # the network on the data of the page
    refused: str = ""  # why


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
        download_button(
            _("Save {name} (.npz)").format(name=line.name),
            lambda: save(
                now.training.network, now.params[line.i, 0], now.running_statistics[line.i, 0]
            ),
            "optviz-network.npz",
            key="network-file",
            disabled=not np.isfinite(now.params[line.i, 0]).all(),
        )
        st.caption(_("Its spec and one array per parameter, to load with `numpy.load` or here."))
    if not uploads():
        return
    with load_at:
        held = session().state(Loaded)
        file = st.file_uploader(
            _("Load a network that was saved here"), type=["npz"], key="network-upload"
        )
        _take(held, file)
        loaded = loaded_line(context)
        if held.refused:
            message = _("This file cannot be loaded: {reason}.").format(reason=held.refused)
            st.error(message, icon=":material/error:")
        elif loaded:
            accuracy = loaded.progress.accuracy[0, 1, 0, 0]
            message = _("Loaded: {accuracy:.1%} accuracy on the validation set.")
            st.caption(message.format(accuracy=accuracy))


def _take(held, file):
    """The network of another file; of the same one it is there already."""
    file_id = file and file.file_id
    if file_id == held.file_id:
        return
    held.file_id, held.network, held.refused, held.measured = file_id, None, "", None
    if file is not None:
        try:
            held.network = restore(file.getvalue())
        except ValueError as error:
            held.refused = f"{error}"


def loaded_line(context) -> Line | None:
    """The network that was loaded, as one more line, where it fits the data."""
    held = session().state(Loaded)
    if held.network is None:
        return None
    network, params, statistics = held.network
    training = replace(
        context.lines[0].progress.training, network=network, seeds=(0,), iterations=0
    )
    if held.measured is None or held.measured.training != training:
        held.refused = ""
        try:
            check(training)
        except SpecError as error:
            held.refused = f"{error}"
            return None
        held.measured = begin(
            training, data_of(training), params[None, None], statistics[None, None]
        )
    look = style(len(context.lines), context.theme)
    return Line("loaded", _("loaded network"), held.measured, 0, look)
