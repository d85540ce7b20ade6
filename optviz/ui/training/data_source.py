"""Where the files of MNIST and Fashion-MNIST come from, chosen below the menu of data.

What is fetched (download.py), and what those who run the server name in the environment, is for
everybody. What a visitor uploads is for their own session, and it is taken only when all four files
have been read and fit together; until then, and when something is wrong, what was in use stays in
use. Nothing that a visitor types has the server read a folder or ask an address.
"""

import hashlib
from pathlib import Path

import streamlit as st

from optviz.data import DATASETS, OWN, SOURCES, cache_folder, folder_of, load_mnist, size_of
from optviz.data.mnist import canonical_name, find_files
from optviz.data.sources import STEMS
from optviz.spec import Choice
from optviz.translation import _
from optviz.ui.components import button
from optviz.ui.own_file import own_examples, own_file, uploader
from optviz.ui.public import public, uploads
from optviz.ui.training.download import fetch_controls

MAX_UPLOAD = 64  # MB for one file; the largest of MNIST has 47 when unpacked


def _shared_folder(key) -> Path | None:
    """The folder with the files for all: that of the environment, or of what was fetched."""
    folders = (folder_of(key), cache_folder() / key)
    return next((f for f in folders if DATASETS[key].available(f)), None)


def source_of(key: str) -> tuple[str, Path | dict | None]:
    """(a name for its content, the source for `load`) of a set in this session.

    ("", None) for those that ship, and where it is not available: `load` then says so.
    """
    provided = own_file(key)
    if provided.content is not None:
        return provided.digest, provided.content
    folder = _shared_folder(key) if DATASETS[key].needs_folder else None
    return ("", None) if folder is None else (f"folder {folder}", folder)


def available(key: str) -> bool:
    """Whether this session can load it."""
    shipped = not DATASETS[key].needs_folder and key != OWN
    return shipped or source_of(key)[1] is not None


def labels_of(dataset: Choice) -> tuple[str, ...]:
    """What the classes of a set are called."""
    if dataset.key == OWN and available(OWN):
        return own_examples().content.labels
    return DATASETS[dataset.key].labels or tuple(map(str, range(size_of(dataset).classes)))


def label(key: str) -> str:
    """What a menu calls it."""
    name = DATASETS[key].name
    return name if available(key) else _("{name} (not here yet)").format(name=name)


def data_sources_key() -> str:
    """For the key of a menu with labels: a browser goes on sending the label that it knows, so
    other labels are another menu.
    """
    return "".join(f"-{key}" for key in (*SOURCES, OWN) if available(key))


def missing_message(key: str) -> str:
    """What is to be done before it can be loaded; empty where it can."""
    if available(key):
        return ""
    if key == OWN:
        return _(
            "A link does not include your own file, and the server forgets it when you leave. "
            "Upload it below the data menu."
        )
    if public():
        return _("{name} is not on this server.").format(name=DATASETS[key].name)
    return _(
        "{name} is not here yet. Fetch it, or upload its four files, below the data menu."
    ).format(name=DATASETS[key].name)


def data_source_controls(key: str) -> None:
    """Where the chosen set comes from, and the ways to provide it; nothing for those that ship."""
    if not DATASETS[key].needs_folder:
        return
    name, provided = SOURCES[key].name, own_file(key)
    st.caption(_origin(key, provided).format(name=name, variable=SOURCES[key].variable))
    if provided.content is not None:
        remove = _("Remove these files")
        button(remove, f"remove-files-{key}", provided.forget, icon="close", wide=True)
    if public() and not uploads():
        return
    cache = cache_folder() / key
    with st.expander(_("Files of {name}").format(name=name), expanded=not available(key)):
        if not public() and provided.content is None and _shared_folder(key) in (None, cache):
            fetch_controls(key)
        if uploads():
            _upload(key, provided)


def _origin(key, provided):
    if provided.content is not None:
        return _("{name} comes from the files that you uploaded.")
    folder = _shared_folder(key)
    if public():
        return _("{name} is not on this server.") if folder is None else _("{name} is here.")
    if folder is None:
        return _("{name} is not here yet: fetch it, or upload it.")
    if folder == cache_folder() / key:
        return _("{name} comes from the server's cache folder, to which it was fetched.")
    return _("{name} comes from the folder that ${variable} names on the server.")


def _upload(key, provided):
    uploader(
        provided,
        f"upload-{key}-{provided.taken}",
        _("Upload the four files"),
        lambda files: _read(key, files),
        accept_multiple_files=True,
        max_upload_size=MAX_UPLOAD,
        help=_("{files}, gzipped (.gz) or not. Only for you, until you leave.").format(
            files=", ".join(STEMS)
        ),
    )


def _read(key, uploads):
    """The files, if they are the four and fit together."""
    files = {file.name: file.getvalue() for file in uploads if canonical_name(file.name) in STEMS}
    load_mnist(files, key)
    content = hashlib.sha256()
    for name in STEMS:
        content.update(hashlib.sha256(find_files(files)[name][1]).digest())
    return files, "", f"upload {content.hexdigest()}"
