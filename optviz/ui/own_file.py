"""A visitor's own CSV file to train on: theirs alone, until they leave."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1

import streamlit as st

from optviz.data.own import MAX_BYTES, Examples, OwnSet, read_examples, size_of
from optviz.translation import _
from optviz.ui.public import uploads
from optviz.ui.session import session


@dataclass
class OwnFile:
    """What a visitor has uploaded, and what was wrong with the last file."""

    examples: Examples | None = None
    digest: str = ""  # of the file that they are from
    complaint: str = ""
    taken: int = 0  # another number is another upload field, an empty one


def own_file() -> OwnFile:
    """This visitor's."""
    return session().state(OwnFile)


def own_file_controls(put: Callable[[OwnSet], None]) -> None:
    """What is in use and a field for a file; `put` takes the size of what has been uploaded."""
    held = own_file()
    if held.examples:
        size = size_of(held.examples)
        message = _(
            "In use: {rows} rows of {columns} numbers, each column with mean 0 and variance 1, "
            "and {classes} labels."
        )
        found = {"rows": size.points, "columns": size.features, "classes": size.classes}
        st.caption(message.format(**found))
    if not uploads():
        return
    key = session().key(f"own-file-{held.taken}")

    def take():
        file = st.session_state[key]
        if file is None:
            return
        content = file.getvalue()
        try:
            held.examples, held.complaint = read_examples(content), ""
        except ValueError as error:
            held.complaint = f"{error}"
            return
        held.digest, held.taken = sha1(content).hexdigest(), held.taken + 1
        put(size_of(held.examples))

    st.file_uploader(
        _("A CSV file: one example a row, its label in the last column"),
        type=["csv", "txt"],
        key=key,
        max_upload_size=MAX_BYTES // 10**6,
        help=_("For you alone, until you leave."),
        on_change=take,
    )
    if held.complaint:
        st.error(held.complaint, icon=":material/error:")
