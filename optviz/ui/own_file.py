"""A visitor's own files: theirs alone, until they leave."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha1
from typing import Any

import streamlit as st

from optviz.data import OWN
from optviz.data.own import MAX_BYTES, OwnSet, read_examples, size_of
from optviz.translation import _
from optviz.ui.public import uploads
from optviz.ui.session import session


@dataclass
class OwnFile:
    """What a visitor has uploaded, and what was wrong with what they tried last."""

    content: Any = None  # what was read from it
    name: str = ""
    digest: str = ""  # a name for the content
    complaint: str = ""
    taken: int = 0  # another number is another upload field, an empty one

    def forget(self) -> None:
        """As before the first upload."""
        self.__init__(taken=self.taken + 1)


def own_file(name: str) -> OwnFile:
    """What this visitor has uploaded under a name: the key of a set, or what else takes files."""
    return session().provided.setdefault(name, OwnFile())


def own_examples() -> OwnFile:
    """This visitor's rows with labels, to train on."""
    return own_file(OWN)


def own_file_controls(put: Callable[[OwnSet], None]) -> None:
    """What is in use and a field for a file; `put` takes the size of what has been uploaded."""
    held = own_examples()
    if held.content:
        message = _(
            "In use: {points} rows of {features} numbers and {classes} labels; each column is "
            "standardized by the mean and std of the training examples."
        )
        st.caption(message.format(**asdict(size_of(held.content))))
    label = _("A CSV file: one example per row, its label in the last column")
    upload_field(OWN, label, read_examples, lambda: put(size_of(held.content)))


def upload_field(name: str, label: str, read: Callable, taken: Callable[[], None]) -> None:
    """A field for a CSV file, where this server takes some: `read(bytes)` gives its content, or a
    ValueError that is said; `taken` is called when it is held as the own file of this name.
    """
    if not uploads():
        return
    held = own_file(name)

    def content_of(file):
        content = file.getvalue()
        return read(content), file.name, sha1(content).hexdigest()

    uploader(
        held,
        session().key(f"upload-{name}-{held.taken}"),
        label,
        content_of,
        taken,
        _("Only you can use it, until you leave; links do not include it."),
        type=["csv", "txt"],
        max_upload_size=MAX_BYTES // 10**6,
    )


def uploader(
    held: OwnFile,
    key: str,
    label: str,
    read: Callable[[Any], tuple[Any, str, str]],
    taken: Callable[[], None] = lambda: None,
    note: str = "",
    **more,
) -> None:
    """Streamlit's field for a file, or several: `read` makes content, name and digest of what it
    holds, or raises a ValueError that is said. It is empty again when they are `held`.
    """

    def take():
        held.complaint = ""
        if not (given := st.session_state[key]):
            return
        try:
            found = read(given)
        except ValueError as error:
            held.complaint = f"{error}"
            return
        held.__init__(*found, taken=held.taken + 1)
        taken()

    st.file_uploader(label, key=key, on_change=take, **more)
    if note:
        st.caption(note)
    if held.complaint:
        st.error(held.complaint, icon=":material/error:")
