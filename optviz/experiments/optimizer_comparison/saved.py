"""Networks as files: save one that was trained here, load one to use it beside the others."""

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
    """The network that a visitor has loaded, or what is wrong with the file."""

    file_id: str | None = None
    network: tuple | None = None  # network, parameters, running statistics
    progress: Progress | None = None  # the network evaluated on the page's data
    error: str = ""


def file_controls(context) -> Widget | None:
    """A button that saves the chosen network, and a field that loads one."""
    if not context.lines:
        return None
    return Widget(lambda: _file_controls(context))


def _file_controls(context):
    line = context.lines[context.options["network"]]
    state = line.progress
    save_column, load_column = st.columns(2)
    with save_column:
        download_button(
            _("Save {name} (.npz)").format(name=line.name),
            lambda: save(
                state.training.network, state.params[line.i, 0], state.running_statistics[line.i, 0]
            ),
            "optviz-network.npz",
            key="network-file",
            disabled=not np.isfinite(state.params[line.i, 0]).all(),
        )
        st.caption(_("Its spec and one array per parameter, to load with `numpy.load` or here."))
    if not uploads():
        return
    with load_column:
        upload = session().state(Loaded)
        file = st.file_uploader(
            _("Load a network that was saved here"), type=["npz"], key="network-upload"
        )
        _load_file(upload, file)
        loaded = loaded_line(context)
        if upload.error:
            message = _("This file cannot be loaded: {reason}.").format(reason=upload.error)
            st.error(message, icon=":material/error:")
        elif loaded:
            accuracy = loaded.progress.accuracy[0, 1, 0, 0]
            message = _("Loaded: {accuracy:.1%} accuracy on the validation set.")
            st.caption(message.format(accuracy=accuracy))


def _load_file(upload, file):
    """Load the network of a new file; that of the same file is there already."""
    file_id = file and file.file_id
    if file_id == upload.file_id:
        return
    upload.file_id, upload.network, upload.error, upload.progress = file_id, None, "", None
    if file is not None:
        try:
            upload.network = restore(file.getvalue())
        except ValueError as error:
            upload.error = f"{error}"


def loaded_line(context) -> Line | None:
    """The loaded network as one more line, if it fits the data."""
    upload = session().state(Loaded)
    if upload.network is None:
        return None
    network, params, statistics = upload.network
    training = replace(
        context.lines[0].progress.training, network=network, seeds=(0,), iterations=0
    )
    if upload.progress is None or upload.progress.training != training:
        upload.error = ""
        try:
            check(training)
        except SpecError as error:
            upload.error = f"{error}"
            return None
        upload.progress = begin(
            training, data_of(training), params[None, None], statistics[None, None]
        )
    line_style = style(len(context.lines), context.theme)
    return Line("loaded", _("loaded network"), upload.progress, 0, line_style)
