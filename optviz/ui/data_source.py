"""Where the files of MNIST and Fashion-MNIST come from: fetched, in a folder, or uploaded; chosen below the menu of data.

What a person brings, a folder or an upload, is for their own session, and it is taken only when all four files have
been read and fit together; until then, and when something is wrong, what was in use stays in use. What is fetched
(download.py) and what those who run the server name in the environment is for everybody.

A folder that a visitor types is one of the server's machine. That is little to give away, and kept little: of it only
files by the four names are opened, and of these nothing gets out but 28×28 images with their labels, if the whole file
is that; that there is no such folder, that it may not be read and that the files are not in it is one and the same
answer; names of users (~somebody) are not looked up; and another machine (//host/…) is not asked, to which Windows
would show the server's password.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from optviz.data import (
    DATASETS,
    SOURCES,
    DataError,
    cache_folder,
    folder_of,
    load_mnist,
)
from optviz.data.mnist import found, stem
from optviz.ui.download import fetcher

LARGEST_UPLOAD = 64  # MB for one file; the largest of MNIST has 47 when unpacked


@dataclass
class Brought:
    """What a person has brought for one set, and what they tried to."""

    source: Path | dict | None = None  # as load_mnist takes it; None: what the server has
    mark: str = ""  # a name for its content
    told: str = ""  # where it comes from, in words
    folder: str = ""  # as typed
    wrong: dict[str, str] = field(default_factory=dict)  # "folder" or "upload" -> what is wrong with it
    uploads: int = 0  # how often the uploader began anew


def _brought(key) -> Brought:
    return st.session_state.setdefault("brought", {}).setdefault(key, Brought())


def _served(key) -> Path | None:
    """The folder with the files for all visitors: named by the environment, or else where they were fetched to."""
    return next((f for f in (folder_of(key), cache_folder() / key) if DATASETS[key].available(f)), None)


def source_of(key: str) -> tuple[str, Path | dict | None]:
    """(a name for its content, the source for `load`) of a set in this session; ("", None) for those that ship.

    Also where it is not at hand: `load` then says so.
    """
    if not DATASETS[key].needs_folder:
        return "", None
    own = _brought(key)
    if own.source is not None:
        return own.mark, own.source
    folder = _served(key)
    return ("", None) if folder is None else (f"folder {folder}", folder)


def available(key: str) -> bool:
    """Whether this session can load it."""
    return not DATASETS[key].needs_folder or source_of(key)[1] is not None


def label(key: str) -> str:
    """What a menu calls it."""
    return DATASETS[key].name + ("" if available(key) else " (not here yet)")


def data_sources_key() -> str:
    """For the key of a menu with labels: a browser goes on sending the label it knows, so other labels are another menu."""
    return "".join(f"-{key}" for key in SOURCES if available(key))


def missing_message(key: str) -> str:
    """What is to be done before it can be loaded, in words; empty where it can."""
    if available(key):
        return ""
    return f"{DATASETS[key].name} is not here yet. Fetch it, name a folder with its four files, or upload them, below the menu of data."


def data_source_controls(key: str) -> None:
    """Below the menu of data: where the chosen set comes from, and the ways to bring it. Nothing for those that ship."""
    if not DATASETS[key].needs_folder:
        return
    name, own, here = SOURCES[key].name, _brought(key), available(key)
    st.caption(
        f"{name} comes from {own.told or _told(key)}." if here else f"{name} is not here yet: three ways to bring it."
    )
    if own.source is not None:
        st.button(
            "Put these files away",
            key=f"away-{key}",
            icon=":material/close:",
            width="stretch",
            on_click=_put_away,
            args=(key,),
        )
    with st.expander(f"Files of {name}", expanded=not here):
        if own.source is None and _served(key) in (None, cache_folder() / key):
            fetcher(key)
        _folder(key, own)
        _upload(key, own)


def _told(key):
    if _served(key) == folder_of(key) != cache_folder() / key:
        return f"the folder that ${SOURCES[key].variable} names on the server"
    return "the server's cache folder, where it was fetched to"


def _complain(own, about):
    if message := own.wrong.get(about):
        st.error(message, icon=":material/error:")


# --- a folder ---------------------------------------------------------------------------------------------------------


def _folder(key, own):
    S, widget = st.session_state, f"folder-{key}"
    st.text_input(
        "Folder on the server's machine", own.folder, key=widget, max_chars=1000, placeholder="/data/mnist",
        help=f"With {', '.join(_stems(key))}, gzipped (.gz) or not. For you alone, until you leave.",
        on_change=lambda: _typed(key, S[widget]),
    )  # fmt: skip
    _complain(own, "folder")


def _typed(key, text):
    """Take the folder, if it is one with the four files."""
    own = _brought(key)
    own.folder, own.wrong["folder"] = text, ""
    text = text.strip().strip('"')  # Windows copies a path with these
    if not text:
        if isinstance(own.source, Path):
            _put_away(key)
        return
    try:
        folder = _path(text)
        if missing := _missing(key, folder):
            raise DataError(
                f"{SOURCES[key].name}: {', '.join(missing)} (or with .gz) cannot be found in the folder `{text}`."
            )
        load_mnist(folder, key)
        own.mark = f"folder {folder} {_state(key, folder)}"
        own.source, own.told = folder, f"the folder `{text}` on the server's machine"
    except (DataError, OSError) as error:  # OSError: a file went away in between
        own.wrong["folder"] = f"{error}"


def _path(text):
    at_home = text == "~" or text.startswith(("~/", "~\\"))
    try:
        path = Path(text).expanduser() if at_home else Path(text)
    except RuntimeError:  # the server's user has no home
        path = Path(text)
    if not path.is_absolute() or text.startswith(("//", "\\\\")):
        raise DataError(f"`{text}` is not a whole path on the server's machine, such as /data/mnist or ~/mnist.")
    return path


def _stems(key):
    return [stem(file) for file, _, _ in SOURCES[key].files]


def _missing(key, folder):
    """Which of the four files are not in the folder; all, where there is no such folder or it cannot be read."""
    try:
        there = found(folder)
    except ValueError:  # DataError, or a path with a zero in it
        there = {}
    return [name for name in _stems(key) if name not in there]


def _state(key, folder):
    """Other files in the same folder are other data."""
    files = found(folder)
    stats = [files[name][1].stat() for name in _stems(key)]
    return " ".join(f"{stat.st_size}-{stat.st_mtime_ns}" for stat in stats)


# --- an upload --------------------------------------------------------------------------------------------------------


def _upload(key, own):
    S, widget = st.session_state, f"upload-{key}-{own.uploads}"
    st.file_uploader(
        "Or upload the four files", accept_multiple_files=True, key=widget, max_upload_size=LARGEST_UPLOAD,
        help=f"{', '.join(_stems(key))}, gzipped (.gz) or not. For you alone, until you leave.",
        on_change=lambda: _uploaded(key, S[widget]),
    )  # fmt: skip
    _complain(own, "upload")


def _uploaded(key, files):
    """Take the files, if they are the four and fit together; the uploader is then empty again."""
    own = _brought(key)
    own.wrong["upload"] = ""
    if not files:
        return
    ours = {file.name: file.getvalue() for file in files if stem(file.name) in _stems(key)}
    try:
        load_mnist(ours, key)
    except DataError as error:
        own.wrong["upload"] = f"{error}"
        return
    content = hashlib.sha256()
    for name in _stems(key):
        content.update(hashlib.sha256(found(ours)[name][1]).digest())
    _put_away(key)
    own.source, own.mark, own.told = ours, f"upload {content.hexdigest()}", "the files that you uploaded"


def _put_away(key):
    """Back to what the server has; the controls are empty."""
    S, own = st.session_state, _brought(key)
    own.source, own.mark, own.told, own.folder = None, "", "", ""
    own.wrong.clear()
    own.uploads += 1
    S[f"folder-{key}"] = ""
