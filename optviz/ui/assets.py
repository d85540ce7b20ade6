"""What the browser loads beside Streamlit's own files: our two scripts and the installed Plotly.js.

Streamlit serves the folder `static` next to the main script. Copies with a hash in the name go there
at start, so that a browser may keep them and an upgrade is never mixed with the version before.
"""

import hashlib
import os
import shutil
from functools import cache
from pathlib import Path

import plotly

HERE = Path(__file__).parent
STATIC = HERE.parent.parent / "static"


@cache
def published(source: Path) -> str:
    """The address, relative to the app, at which a copy of `source` is served."""
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:10]
    name = source.name.removesuffix("".join(source.suffixes)) + f"-{digest}{source.suffix}"
    target = STATIC / name
    if not target.exists():
        STATIC.mkdir(exist_ok=True)
        # by way of a name of our own: two processes that start together must not see half a file
        partial = target.with_suffix(f".{os.getpid()}.partial")
        shutil.copyfile(source, partial)
        partial.replace(target)
    return f"app/static/{name}"


def plotly_js() -> str:
    """The address of the Plotly.js that the installed plotly package carries."""
    return published(Path(plotly.__file__).parent / "package_data" / "plotly.min.js")


def script(name: str) -> str:
    """A few lines that import one of our scripts: a component's inline code is sent on every rerun."""
    return f"""const m = await import(new URL("{published(HERE / name)}", document.baseURI).href);
export default m.default;"""


def sheet(name: str) -> str:
    """One of our style sheets."""
    return (HERE / name).read_text()
