"""What the browser loads beside Streamlit's own files: our scripts and the installed Plotly.js.

The server has them in memory, each with a hash in its address, so that a browser may keep it for
good and an upgrade is never mixed with the version before.
"""

import base64
import gzip
import hashlib
import mimetypes
import re
from functools import cache
from html import escape
from pathlib import Path

import plotly
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

FRONTEND = {file.name: file for file in Path(__file__).parent.glob("frontend/*/*.*")}
IMPORT = re.compile(r'from "\.[./\w]*/(\w+\.js)"')
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
_SERVED: dict[str, bytes] = {}  # compressed, by name: files of the package, and its thumbnails


async def answer(request: Request) -> Response:
    """A file by the name in the address."""
    name = request.path_params["name"]
    if (content := _SERVED.get(name)) is None:
        raise HTTPException(404)
    headers = FOREVER
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers = headers | {"Content-Encoding": "gzip"}
    else:
        content = gzip.decompress(content)
    return Response(content, media_type=mimetypes.guess_type(name)[0], headers=headers)


def publish() -> None:
    """Serve all scripts and Plotly.js from the start: a page that was open before asks for them."""
    plotly_js()
    for source in FRONTEND.values():
        published(source)


@cache
def published(source: Path) -> str:
    """The address, relative to the app, at which `source` is served."""
    return _serve(
        source.name.removesuffix("".join(source.suffixes)), source.suffix, _link_imports(source)
    )


def _serve(name: str, suffix: str, content: bytes) -> str:
    name = f"{name}-{hashlib.sha256(content).hexdigest()[:10]}{suffix}"
    if name not in _SERVED:
        _SERVED[name] = gzip.compress(content, 6, mtime=0)
    return f"assets/{name}"


def _link_imports(source: Path) -> bytes:
    """The file, with imports of other scripts of ours by the names under which these are
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
    """Lines that import one of our scripts, as inline code is sent on every rerun. A component's
    data come in a list.
    """
    address = published(FRONTEND[name])
    return f"""const m = await import(new URL("{address}", document.baseURI).href);
export default c => m.{export}({{...c, data: c.data[0]}});"""


def as_image(svg: str, alternative: str) -> str:
    """An SVG as an `<img>`, which Streamlit's sanitizer leaves alone. Without an `alternative` it
    is decoration for what stands beside it.
    """
    data = base64.b64encode(_with_xmlns(svg).encode()).decode()
    return f'<img alt="{escape(alternative)}" src="data:image/svg+xml;base64,{data}">'


def adornment(svg: str) -> str:
    """A decorative SVG that is the same for everybody, from a file that a browser may keep."""
    address = _serve("picture", ".svg", _with_xmlns(svg).encode())
    return f'<img alt="" loading="lazy" src="{address}">'


def _with_xmlns(svg):
    """With the namespace that an SVG needs outside of a page."""
    if "xmlns=" in svg[:200]:
        return svg
    return svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
