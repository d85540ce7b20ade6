"""Take home: the scene as a page that plays offline, as data, as a Python script, and in PyTorch."""

import base64
import json
from html import escape
from pathlib import Path

import plotly
import streamlit as st

from optviz.experiments.trajectories import figures as pictures
from optviz.experiments.trajectories import predict, table
from optviz.experiments.trajectories import scene_state as state
from optviz.experiments.trajectories.spec import Scene, summary
from optviz.experiments.trajectories.view import View
from optviz.plot.style import THEMES
from optviz.shell import lesson_card as lessons
from optviz.shell import sharing
from optviz.shell.export.python_script import python_script
from optviz.shell.export.torch_script import not_in_torch, torch_script
from optviz.shell.export.training_script import training_script
from optviz.shell.registry import PAGES
from optviz.ui import cache, components
from optviz.ui.assets import FRONTEND, IMPORT
from optviz.ui.components import theme_name
from optviz.ui.session import session

NOT_IN_TORCH = (
    "There is no PyTorch script of this scene, because torch.optim does not do the same as {names}. "
    "The Python script does."
)
LAYER = '<div class="ov-layer"></div>'


def downloads(scene: Scene, view: View) -> None:
    """One button for each thing that can be kept; each is made when it is asked for."""
    round = predict.current()
    if round and round.sealed:
        st.markdown("First your prediction: everything here tells how it ends.")
        return
    theme, link = theme_name(), sharing.address()
    ids = state.ids()
    missing = not_in_torch(scene)
    offered = (
        ("Page that plays offline", lambda: offline_page(scene, view, ids, theme, lessons.current()), "optviz.html", "text/html",
         ":material/play_circle:", "One HTML file with pictures, table and player. It needs no network. 5 MB."),
        ("Paths as CSV", lambda: _paths(scene), "optviz-paths.csv", "text/csv", ":material/timeline:",
         "Every step of every path, with the gradient that was met."),
        ("Table as CSV", lambda: _table(scene), "optviz.csv", "text/csv", ":material/table:", "The table under the pictures in full precision."),
        ("Python script", lambda: python_script(scene, link), "optviz_scene.py", "text/x-python", ":material/code:",
         "It needs Python and NumPy only: the optimizers are written into it. It prints the same numbers."),
        ("PyTorch script", lambda: torch_script(scene, link), "torch_scene.py", "text/x-python", ":material/local_fire_department:",
         "It needs PyTorch: the same updates with torch.optim, the same numbers up to rounding."),
    )  # fmt: skip
    for label, make, name, mime, icon, told in offered[:-1] if missing else offered:
        st.download_button(
            label, make, name, mime, key=f"take-{name}", icon=icon, on_click="ignore", width="stretch", help=told
        )
    if missing:
        st.caption(NOT_IN_TORCH.format(names=", ".join(missing)))
    st.caption("The pictures themselves, as PNG and SVG: the two buttons at the upper right corner of each.")


def _runs(scene):
    return [cache.run(scene.objective, config) for config in scene.optimizers]


def _paths(scene):
    rows = list(zip(scene.names, _runs(scene), strict=True))
    for name, config in zip(scene.names, scene.optimizers, strict=True):
        if (paths := cache.multistart(scene.objective, config)) is not None:
            rows.append((name, paths))
    return table.paths_csv(rows)


def _table(scene):
    known = cache.minima(scene.objective)
    looks, summaries = pictures.looks(scene), [summary(r, known, scene.tolerance) for r in _runs(scene)]
    return table.as_csv(list(zip(scene.names, looks, summaries, strict=True)), scene.tolerance)


def offline_page(scene: Scene, view: View, ids: list[str], theme: str, lesson=None) -> str:
    """One HTML file: the pictures, the player and the table, driven by the very scripts of this page."""
    drawn, known = pictures.figures(scene, view, ids), cache.minima(scene.objective)
    land, made = pictures.base(scene, view)
    runs = _runs(scene)
    rows = list(
        zip(scene.names, pictures.looks(scene), [summary(r, known, scene.tolerance) for r in runs], strict=True)
    )
    f = scene.objective.f
    common = {"plotly": "", "theme": theme, "version": "1"}
    first = "solid" if view.solid else "contour"
    data = {
        "landscape": {**drawn[first], **common, "name": first, "label": f"{f.name} with the paths", "view": "1", "base_id": land, "base": made()},
        "curves": {**drawn["curves"], **common, "name": "curves", "label": "Curves", "view": "1"},
        "player": {"steps": scene.objective.steps, "scene": "1"},
        "table": {"html": table.html(rows, scene.tolerance), "rows": [table.columns(r, s) for r, (*_, s) in zip(runs, rows, strict=True)]},
    }  # fmt: skip
    page = {
        **_looks(theme), "TITLE": escape(f.name), "FORMULA": escape(f.formula), "STEPS": str(scene.objective.steps),
        "LESSON": escape(lesson.title) if lesson else "",
        "CSS": "".join((FRONTEND / name).read_text() for name in ("plot.css", "player.css", "table.css")),
        "LAYERS": '<div class="ov-layer"></div>' * (1 if view.solid else 2),
        "LANDSCAPE": as_module("surface.js" if view.solid else "plot.js"), "PLOT": as_module("plot.js"),
        "PLAYER": as_module("player.js"), "TABLE": as_module("table.js"), "DATA": _as_data(data),
    }  # fmt: skip
    return _filled("offline.html", page)


def charts_page(title: str, charts: list[dict], tables: list[str], theme: str) -> str:
    """One HTML file with the pictures and tables that a page shows now; `charts` as `components.plot` sends them."""
    frames = "".join(
        f'<figure><div data-part="{i}"><div class="ov-plot" role="group">{LAYER * (1 if chart["solid"] else 2)}'
        f'<div class="ov-sorry"></div></div></div><figcaption>{escape(chart["label"])}</figcaption></figure>'
        for i, chart in enumerate(charts)
    )
    page = {
        **_looks(theme), "TITLE": escape(title), "CSS": "".join((FRONTEND / name).read_text() for name in ("plot.css", "table.css")),
        "CHARTS": frames, "TABLES": "".join(tables), "PLOT": as_module("plot.js"), "SOLID": as_module("surface.js"),
        "DATA": _as_data([{**chart, "plotly": "", "theme": theme} for chart in charts]),
    }  # fmt: skip
    return _filled("charts.html", page)


def trainings_downloads() -> None:
    """What can be kept of a page with pictures and trainings, as it is when a button is pressed."""
    # what makes the files runs outside of the session
    shown, question, theme = components.shown(), PAGES[session().page].question, theme_name()
    link = sharing.address()
    st.download_button(
        "Page with these pictures", lambda: charts_page(question, shown.charts(), list(shown.tables.values()), theme), "optviz.html", "text/html",
        key="take-charts", icon=":material/web:", on_click="ignore", width="stretch",
        help="One HTML file with the pictures and tables as they are now, to zoom and to read. It needs no network. 5 MB.",
    )  # fmt: skip
    if trainings := [training for some in shown.trainings.values() for training in some]:
        st.download_button(
            "Python script", lambda: training_script(question, trainings, link=link, judged=shown.judged), "optviz_training.py", "text/x-python",
            key="take-script", icon=":material/code:", on_click="ignore", width="stretch",
            help="It needs Python and NumPy only: networks, optimizers and data are written into it. It trains the "
            "same networks and prints the same numbers.",
        )  # fmt: skip
    st.caption("The pictures themselves, as PNG and SVG: the two buttons at the upper right corner of each.")


def _looks(theme):
    look = THEMES[theme]
    light = theme == "light"
    return {
        "INK": look.ink, "PAGE": "#ffffff" if light else "#0e1117", "PANEL": "#f0f2f6" if light else "#262730",
        "PRIMARY": "#0b6fa4" if light else "#56b4e9",
    }  # fmt: skip


def _as_data(data):
    """JSON for a script's element: no "</script>" or "<!--" may end it early, whatever the data say."""
    return json.dumps(data).replace("<", "\\u003c")


def _filled(template, page):
    plotly_js = (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_text()
    head, *rest = (Path(__file__).parent / template).read_text().split("%%")  # names and literal text by turns
    page = {**page, "PLOTLY": plotly_js}
    return head + "".join(page[part] if i % 2 == 0 else part for i, part in enumerate(rest))


def as_module(name: str) -> str:
    """One of our scripts, with all that it imports, as a data: address; the same script is the same address."""
    content = IMPORT.sub(lambda m: f'from "{as_module(m[1])}"', (FRONTEND / name).read_text())
    return f"data:text/javascript;base64,{base64.b64encode(content.encode()).decode()}"
