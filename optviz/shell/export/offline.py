"""One HTML file with figures, tables and a player that needs no network, driven by our scripts."""

import base64
import json
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import plotly

from optviz.plot import THEMES
from optviz.translation import _
from optviz.ui.assets import FRONTEND, IMPORT
from optviz.ui.components import FRAMES

TEMPLATE = Path(__file__).parent / "offline.html"
SHEETS = ("plot.css", "table.css")
PROSE = {
    r"```\w*\n(.+?)\n```": r"<pre>\1</pre>",
    r"\$\$ (.+?) \$\$|`([^`]+)`": r"<code>\1\2</code>",
    r"(?<!\\)\*\*(.+?)\*\*": r"<b>\1</b>",
    r"(?<![\\\w])([*_])(?! )([^*_\n]+)(?<! )\1(?!\w)": r"<i>\2</i>",
    r"(?m:^- )": "<br>• ",
    r"\\([\\`*_{}\[\]()#+\-.!$|~:])": r"\1",
}
COLORS = {
    "light": {"PAGE": "#ffffff", "PANEL": "#f0f2f6", "PRIMARY": "#0b6fa4"},
    "dark": {"PAGE": "#0e1117", "PANEL": "#262730", "PRIMARY": "#56b4e9"},
}


class Part(NamedTuple):
    """A part of the page: what draws it, one of FRAMES, and its data."""

    kind: str
    data: dict
    caption: str = ""


def figure_part(figure: dict, name: str, label: str, theme: str, caption: str = "", **data) -> Part:
    """A figure made by `to_plotly`; `data` is for the script, such as a lower layer."""
    solid = "scene" in figure["layout"]
    common = {"plotly": "", "theme": theme, "version": "1", "view": "1"}
    data = {**figure, **common, "name": name, "label": label, **data}
    return Part("surface" if solid else "plot", data, caption)


def offline_html(
    title: str, parts: Sequence[Part], theme: str, tables: Sequence[str] = (), formula: str = ""
) -> str:
    """The page. `tables` are HTML; title, formula and captions may be anybody's text."""
    heading = escape(title) + (f" <code>f(x, y) = {escape(formula)}</code>" if formula else "")
    played = any(part.kind == "player" for part in parts)
    values = {
        **COLORS[theme],
        "INK": THEMES[theme].ink,
        "TITLE": escape(title),
        "HEADING": heading,
        "PARTS": "".join(_frame(i, part) for i, part in enumerate(parts)),
        "TABLES": "".join(tables),
        "HINT": _("Space plays and pauses, the arrow keys step.") + " " if played else "",
        "CSS": "".join(FRONTEND[name].read_text() for name in SHEETS),
        "PLOTLY": (Path(plotly.__file__).parent / "package_data/plotly.min.js").read_text(),
        "DATA": _in_script([{"kind": part.kind, "data": part.data} for part in parts]),
        **{kind.upper(): as_module(f"{kind}.js") for kind in FRAMES},
    }
    head, *rest = TEMPLATE.read_text().split("%%")  # names and literal text by turns
    return head + "".join(values[part] if i % 2 == 0 else part for i, part in enumerate(rest))


def prose(markdown: str) -> str:
    """Markdown, which may contain a visitor's text, as HTML; formulas stay LaTeX."""
    text = escape(markdown)
    for pattern, replacement in PROSE.items():
        text = re.sub(pattern, replacement, text, flags=re.DOTALL)
    return "".join(f"<p>{paragraph}</p>" for paragraph in text.split("\n\n"))


def _frame(i, part):
    caption = f"<figcaption>{escape(part.caption)}</figcaption>" if part.caption else ""
    frame = f'<div data-part="{i}">{FRAMES[part.kind]}</div>'
    return f'<figure class="{part.kind}">{frame}{caption}</figure>'


def _in_script(data):
    """JSON for a script's element: no "</script>" or "<!--" in the data may end it early."""
    return json.dumps(data).replace("<", "\\u003c")


def as_module(name: str) -> str:
    """One of our scripts, with all that it imports, as a data: address."""
    content = IMPORT.sub(lambda m: f'from "{as_module(m[1])}"', FRONTEND[name].read_text())
    return f"data:text/javascript;base64,{base64.b64encode(content.encode()).decode()}"
