"""Small pictures of lessons and pages. They depend on the sources alone, and some take a second:
the user's cache folder keeps them, where it can be written, until the sources change.
"""

import shutil
from contextlib import suppress
from functools import cache
from hashlib import sha1
from pathlib import Path

import streamlit as st

import optviz
from optviz.data import cache_folder, write_atomically
from optviz.plot import THEMES, Figure, to_svg
from optviz.shell.lessons import LESSONS
from optviz.shell.registry import PAGES
from optviz.spec import canonical_json, to_dict


@st.cache_data(show_spinner=False)
def thumbnail(page: str, lesson: str, theme: str) -> str:
    """The picture of a lesson, or of what a page opens with where `lesson` is empty, as SVG."""
    spec, declared = LESSONS[lesson].scene if lesson else PAGES[page].opening, PAGES[page]
    identity = f"{page} {canonical_json(to_dict(spec))} {theme}"
    file = _folder() / f"{sha1(identity.encode()).hexdigest()}.svg"
    with suppress(OSError, ValueError):
        return file.read_text("utf8")
    svg = declared.thumbnail_svg(spec, THEMES[theme])
    if svg != to_svg(Figure(), THEMES[theme]):  # its data may be here another time
        with suppress(OSError):
            if not file.parent.is_dir():
                shutil.rmtree(file.parent.parent, ignore_errors=True)  # those of other sources
            write_atomically(file, svg.encode())
    return svg


@cache
def _folder() -> Path:
    """The folder of the thumbnails of these sources."""
    content = sha1()
    for file in sorted(Path(optviz.__file__).parent.rglob("*.py")):
        content.update(f"{file.name} ".encode() + file.read_bytes())
    return cache_folder() / "thumbnails" / content.hexdigest()
