"""The input samples: Gaussian numbers, or a visitor's own rows."""

import streamlit as st

from optviz.data.own import read_samples
from optviz.experiments.activations.run import Layer, propagate
from optviz.experiments.activations.spec import DeepStack
from optviz.spec import canonical_json, to_dict
from optviz.translation import _
from optviz.ui.cache import cached
from optviz.ui.components import button
from optviz.ui.form import Form
from optviz.ui.own_file import OwnFile, own_file, upload_field
from optviz.ui.public import uploads

SAMPLES = "samples"  # the name under which they are stored


def own() -> OwnFile:
    """This visitor's rows of numbers `(rows, columns)`, standardized."""
    return own_file(SAMPLES)


def key_of(stack: DeepStack) -> str:
    """Everything that the numbers of a setting depend on, as a cache key."""
    return canonical_json(to_dict(stack)) + own().digest


def layers_of(stack: DeepStack) -> list[Layer]:
    """The layers of a setting for the current samples."""
    return _layers(key_of(stack), stack, own().content)


@cached
def _layers(key, _stack, _x):
    return propagate(_stack, _x)


def upload(form: Form) -> None:
    """A field for one's own file, the samples in use, and a button to go back."""
    place = form.at("own_data")
    if place.value and own().content is None:
        message = _(
            "This scene was made with its author's own file, which a link does not include. "
            "Gaussian numbers are used instead."
        )
        st.info(message, icon=":material/info:")
    if not uploads():
        return
    box = st.expander(
        _("Own data in place of Gaussian numbers"), key="own-samples", on_change="rerun"
    )
    if not box.open:
        return
    with box:
        label = _("A CSV file: one sample per row, numbers only")
        upload_field(SAMPLES, label, read_samples, lambda: place.set(True))
        if own().content is not None:
            message = _(
                "In use: {rows} rows of {columns} numbers, each column with mean 0 and variance 1."
            )
            st.caption(message.format(rows=len(own().content), columns=own().content.shape[1]))
            button(_("Back to Gaussian numbers"), "own-samples-away", _discard, place)


def _discard(place):
    place.set(False)
    own().forget()
