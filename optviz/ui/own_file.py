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
    """What a visitor has uploaded, and what was wrong with the last file."""

    content: Any = None  # what was read from the file
    name: str = ""
    digest: str = ""  # a hash of the content
    complaint: str = ""
    taken: int = 0  # uploads so far: another number is another upload field, an empty one

    def forget(self) -> None:
        """As before the first upload."""
        self.__init__(taken=self.taken + 1)


def own_file(name: str) -> OwnFile:
    """What this visitor has uploaded under a name: the key of a dataset, or of another field."""
    return session().provided.setdefault(name, OwnFile())


def own_examples() -> OwnFile:
    """This visitor's rows with labels, to train on."""
    return own_file(OWN)


def own_file_controls(on_upload: Callable[[OwnSet], None]) -> None:
    """What is in use and a field for a file; `on_upload` gets the size of what was uploaded."""
    file = own_examples()
    if file.content:
        message = _(
            "In use: {points} rows of {features} numbers and {classes} labels; each column is "
            "standardized by the mean and std of the training examples."
        )
        st.caption(message.format(**asdict(size_of(file.content))))
    label = _("A CSV file: one example per row, its label in the last column")
    upload_field(OWN, label, read_examples, lambda: on_upload(size_of(file.content)))


def upload_field(name: str, label: str, read: Callable, on_upload: Callable[[], None]) -> None:
    """A field for a CSV file, where uploads are allowed: `read(bytes)` gives its content, or a
    ValueError that is shown; `on_upload` is called when it is the own file of this name.
    """
    if not uploads():
        return
    stored = own_file(name)

    def content_of(file):
        content = file.getvalue()
        return read(content), file.name, sha1(content).hexdigest()

    uploader(
        stored,
        session().key(f"upload-{name}-{stored.taken}"),
        label,
        content_of,
        on_upload,
        _("Only you can use it, until you leave; links do not include it."),
        type=["csv", "txt"],
        max_upload_size=MAX_BYTES // 10**6,
    )


def uploader(
    stored: OwnFile,
    key: str,
    label: str,
    read: Callable[[Any], tuple[Any, str, str]],
    on_upload: Callable[[], None] = lambda: None,
    note: str = "",
    **options,
) -> None:
    """Streamlit's field for a file, or several: `read` gives their content, name and digest for
    `stored`, or raises a ValueError that is shown. After an upload the field is empty again.
    """

    def upload():
        stored.complaint = ""
        if not (uploaded := st.session_state[key]):
            return
        try:
            file = read(uploaded)
        except ValueError as error:
            stored.complaint = f"{error}"
            return
        stored.__init__(*file, taken=stored.taken + 1)
        on_upload()

    st.file_uploader(label, key=key, on_change=upload, **options)
    if note:
        st.caption(note)
    if stored.complaint:
        st.error(stored.complaint, icon=":material/error:")
