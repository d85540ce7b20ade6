"""What the browser loads beside Streamlit's own files: our two scripts and the installed Plotly.js.

Streamlit serves the folder `static` next to the main script (the command `optviz` says where).
Copies with a hash in the name go there at start, so that a browser may keep them and an upgrade is
never mixed with the version before.
"""

import base64
import hashlib
import os
import re
from functools import cache
from html import escape
from pathlib import Path

import plotly

from optviz.data import write_atomically

FRONTEND = {file.name: file for file in Path(__file__).parent.glob("frontend/*/*.*")}
IMPORT = re.compile(r'from "\.[./\w]*/(\w+\.js)"')
STATIC = Path(os.environ.get("OPTVIZ_STATIC", Path(__file__).parents[2] / "static"))
UNPUBLISHED: list[Path] = []  # what could not be written: a page without it would be empty


@cache
def published(source: Path) -> str:
    """The address, relative to the app, at which a copy of `source` is served."""
    return _kept(source.name.removesuffix("".join(source.suffixes)), source.suffix, _linked(source))


def _kept(name: str, suffix: str, content: bytes) -> str:
    target = STATIC / f"{name}-{hashlib.sha256(content).hexdigest()[:10]}{suffix}"
    if not target.exists():
        try:
            write_atomically(target, content)
        except OSError:
            UNPUBLISHED.append(target)
    return f"app/static/{target.name}"


def _linked(source: Path) -> bytes:
    """The file; where it imports another of our scripts, by the name under which that one is
    published.
    """
    content = source.read_bytes()
    if source not in FRONTEND.values():
        return content
    return IMPORT.sub(
        lambda m: f'from "./{Path(published(FRONTEND[m[1]])).name}"', content.decode()
    ).encode()


def plotly_js() -> str:
    """The address of the Plotly.js that the installed plotly package carries."""
    return published(Path(plotly.__file__).parent / "package_data" / "plotly.min.js")


def script(name: str, export: str = "default") -> str:
    """Lines that import one of our scripts: inline code is sent on every rerun. The data of a
    component come in a list.
    """
    address = published(FRONTEND[name])
    return f"""const m = await import(new URL("{address}", document.baseURI).href);
export default c => m.{export}({{...c, data: c.data[0]}});"""


def as_image(svg: str, alternative: str) -> str:
    """An SVG as an `<img>` of its own, which Streamlit's cleaning of HTML leaves whole. Without an
    `alternative` it only adorns what stands beside it.
    """
    data = base64.b64encode(_whole(svg).encode()).decode()
    return f'<img alt="{escape(alternative)}" src="data:image/svg+xml;base64,{data}">'


def adornment(svg: str) -> str:
    """One that is the same for everybody and only adorns, from a file that a browser may keep."""
    return f'<img alt="" loading="lazy" src="{_kept("picture", ".svg", _whole(svg).encode())}">'


def _whole(svg):
    """With what makes it an SVG outside of a page, too."""
    if "xmlns=" in svg[:200]:
        return svg
    return svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
