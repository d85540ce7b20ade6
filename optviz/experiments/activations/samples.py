"""The samples that are sent through: Gaussian numbers, or a person's own rows."""

import codecs
from dataclasses import dataclass, replace
from hashlib import sha1

import numpy as np
import streamlit as st

from optviz.experiments.activations.run import Layer, propagate
from optviz.experiments.activations.spec import MAX_UNITS, DeepStack
from optviz.spec import canonical_json, to_dict
from optviz.translation import _
from optviz.ui.cache import cached
from optviz.ui.form import Form
from optviz.ui.public import uploads
from optviz.ui.session import session

MAX_ROWS = 5000
MAX_BYTES = 20_000_000


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


def read_samples(content: bytes) -> np.ndarray:
    """The rows of a CSV file, standardized; ValueError, for a person, where they do not do.

    Commas, semicolons or tabs between the numbers; beside the latter two a decimal comma may stand.
    Lines are counted as an editor does, with the header.
    """
    lines = _text(content[: MAX_BYTES + 1]).splitlines()
    if len(content) > MAX_BYTES or len(lines) > 2 * MAX_ROWS:
        message = _("At most {most} rows in {size} MB, that is more.")
        raise ValueError(message.format(most=MAX_ROWS, size=MAX_BYTES // 10**6))
    first = next((line for line in lines if line.strip()), "")
    delimiter = next((mark for mark in ";\t" if mark in first), ",")
    rows = [
        (i, [_number(entry, delimiter) for entry in line.split(delimiter)])
        for i, line in enumerate(lines, 1)
        if line.strip()
    ]
    if rows and all(isinstance(entry, str) for entry in rows[0][1]):
        rows = rows[1:]  # names of columns
    if len(rows) < 2:
        raise ValueError(_("There are fewer than two rows of numbers in this file."))
    wide = len(rows[0][1])
    if len(rows) > MAX_ROWS or wide > MAX_UNITS:
        message = _("At most {most} rows of {widest} numbers, not {rows} of {wide}.")
        raise ValueError(message.format(most=MAX_ROWS, widest=MAX_UNITS, rows=len(rows), wide=wide))
    for i, row in rows:
        if len(row) != wide:
            message = _("Line {i} has {n} entries, the first row of numbers {wide}.")
            raise ValueError(message.format(i=i, n=len(row), wide=wide))
        if bad := [entry for entry in row if isinstance(entry, str)]:
            message = _("“{entry}” in line {i} is not a number.")
            raise ValueError(message.format(entry=bad[0][:30], i=i))
    x = np.array([row for _i, row in rows])
    spread = x.std(0)
    return (x - x.mean(0)) / np.where(spread > 0, spread, 1.0)


def _text(content):
    """As UTF-8, or as UTF-16 where it says so, or else as the West European code page of Windows,
    which most old files have.
    """
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ["utf-16"] if wide else ["utf-8-sig", "cp1252", "latin-1"]:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ValueError(_("This is not a text file."))


def _number(entry, delimiter):
    """The number that an entry says, or else the entry."""
    entry = entry.strip().strip('"')
    try:
        number = float(entry if delimiter == "," else entry.replace(",", "."))
    except ValueError:
        return entry
    return number if abs(number) < 1e100 else entry
