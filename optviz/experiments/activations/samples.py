"""The samples that are sent through: Gaussian numbers, or a person's own rows."""

from dataclasses import dataclass, replace
from hashlib import sha1

import numpy as np
import streamlit as st

from optviz.data.own import MAX_BYTES, read_samples
from optviz.experiments.activations.run import Layer, propagate
from optviz.experiments.activations.spec import DeepStack
from optviz.spec import canonical_json, to_dict
from optviz.translation import _
from optviz.ui.cache import cached
from optviz.ui.form import Form
from optviz.ui.public import uploads
from optviz.ui.session import session


@dataclass(frozen=True, eq=False)
class OwnSamples:
    """What a visitor has uploaded: the samples in use, and what was wrong with the last file."""

    x: np.ndarray | None = None  # (rows, columns)
    digest: str = ""  # of the file that they are from
    complaint: str = ""
    field: int = 0  # another number is another upload field, an empty one


def own() -> OwnSamples:
    """This visitor's."""
    return session().samples or OwnSamples()


def key_of(stack: DeepStack) -> str:
    """What the numbers of a setting depend on."""
    return canonical_json(to_dict(stack)) + own().digest


def layers_of(stack: DeepStack) -> list[Layer]:
    """The layers of a setting, from what is sent through."""
    return _layers(key_of(stack), stack, own().x)


@cached
def _layers(key, _stack, _x):
    return propagate(_stack, _x)


def upload(form: Form) -> None:
    """A field for a file of one's own, what is in use, and the way back."""
    place = form.at("own_data")
    if place.value and own().x is None:
        message = _(
            "This scene was made with a file of its author's, which a link does not carry: "
            "Gaussian numbers stand in for it."
        )
        st.info(message, icon=":material/info:")
    if not uploads():
        return
    box = st.expander(
        _("Own data in place of Gaussian numbers"), key="own-samples", on_change="rerun"
    )
    if not box.open:
        return
    key = form.key(f"file-{own().field}")
    with box:
        st.file_uploader(
            _("A CSV file: one sample a row, numbers only"),
            type=["csv", "txt"],
            key=key,
            max_upload_size=MAX_BYTES // 10**6,
            on_change=lambda: _take(st.session_state[key], place),
        )
        if own().complaint:
            st.error(own().complaint, icon=":material/error:")
        if own().x is not None:
            message = _(
                "In use: {rows} rows of {columns} numbers, each column with mean 0 and variance 1."
            )
            st.caption(message.format(rows=own().x.shape[0], columns=own().x.shape[1]))
            st.button(
                _("Back to Gaussian numbers"),
                key="own-samples-away",
                on_click=_put_away,
                args=(place,),
            )


def _take(file, place):
    if file is None:
        return
    content = file.getvalue()
    try:
        taken = OwnSamples(read_samples(content), sha1(content).hexdigest(), field=own().field)
        place.set(True)
    except ValueError as error:
        taken = replace(own(), complaint=f"{error}")
    session().samples = taken


def _put_away(place):
    place.set(False)
    session().samples = OwnSamples(field=own().field + 1)
