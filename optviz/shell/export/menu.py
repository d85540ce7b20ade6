"""What can be exported: pages that work offline, data, scripts; each is made when asked for.

Files are made outside of the session, so all that they need is read before.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial, wraps
from html import escape

import streamlit as st

from optviz.data import OWN
from optviz.experiments.trajectories import run as runs
from optviz.experiments.trajectories import table
from optviz.experiments.trajectories.figures import figures, landscape_name
from optviz.experiments.trajectories.spec import Scene, run_in_words
from optviz.experiments.trajectories.state import paths_hidden, state
from optviz.optim import OPTIMIZERS
from optviz.optim.hyperparameter import hyperparameters
from optviz.plot import THEMES, to_plotly
from optviz.plot.table import join_csv
from optviz.shell import sharing
from optviz.shell.export import torch_training, write
from optviz.shell.export.offline import Part, figure_part, offline_html, prose
from optviz.shell.export.python_script import python_script
from optviz.shell.export.search_script import search_script
from optviz.shell.export.torch_script import not_in_torch, torch_script
from optviz.shell.export.training_script import OWN_FILE, training_script
from optviz.shell.opening import open_lesson_of_page
from optviz.shell.registry import PAGES
from optviz.translation import _
from optviz.ui import components
from optviz.ui.components import theme_name
from optviz.ui.own_file import own_examples
from optviz.ui.session import session
from optviz.ui.training.optimizer_menu import chips

MAX_NAMED = 4  # optimizers in the name of a file


@dataclass(frozen=True)
class File:
    """A file that can be downloaded."""

    label: str
    make: Callable[[], str]
    name: str
    icon: str
    help: str


def menu() -> None:
    """The files of the page that is shown."""
    spec = session().specs[session().page]
    scene_menu(spec) if isinstance(spec, Scene) else page_menu()


def _offer(files, missing):
    """A button for each file, how to save pictures, and why there may be no PyTorch script."""
    for file in files:
        components.download_button(
            file.label,
            file.make,
            file.name,
            f"take-{file.name}",
            file.icon,
            width="stretch",
            help=file.help,
        )
    st.caption(_("To save a picture as PNG or SVG, use the two buttons at its lower right corner."))
    if missing:
        message = _("PyTorch has no exact equivalent of {names}: use the Python script instead.")
        st.caption(message.format(names=", ".join(dict.fromkeys(missing))))


def _scripts(name, python, about, torch, missing):
    """The Python script, with `about` as its help, and the one in PyTorch, where nothing is missing
    there.
    """
    files = [File(_("Python script"), python, f"{name}.py", "code", about)]
    if not missing:
        help = _(
            "Needs PyTorch: the same updates with torch.optim, and the same numbers up to rounding."
        )
        label, icon = _("PyTorch script"), "local_fire_department"
        files.append(File(label, torch, f"{name}-torch.py", icon, help))
    return files


# The trajectories.


def scene_menu(scene: Scene) -> None:
    """The files of a scene."""
    if paths_hidden():
        st.markdown(_("Make your prediction first: everything here shows how it ends."))
        return
    theme, link, ids = theme_name(), sharing.address(), list(state().ids)
    lesson, names = open_lesson_of_page(), [_file_name(one) for one in scene.both]
    name = names[0] if not scene.beside else f"{names[0]}-beside-{scene.beside.objective.function}"
    files = [
        File(
            _("Page that plays offline"),
            lambda: scene_page(scene, ids, theme, lesson),
            f"{name}.html",
            "play_circle",
            _("One HTML file with pictures, table and player. It works offline. 5 MB."),
        ),
        File(
            _("Paths as CSV"),
            lambda: paths_csv(scene),
            f"{name}-paths.csv",
            "timeline",
            _("Every step of every path, with the gradient there."),
        ),
        File(
            _("Table as CSV"),
            lambda: table_csv(scene),
            f"{name}.csv",
            "table",
            _("The table below the pictures, in full precision."),
        ),
    ]
    about = _(
        "Needs only Python and NumPy: the script contains the optimizers. It prints the same "
        "numbers."
    )
    missing = []
    for i, one in enumerate(scene.both, 1):
        name = f"{names[i - 1]}-{i}" if scene.beside else names[0]
        python, torch = partial(python_script, one, link), partial(torch_script, one, link)
        scripts = _scripts(name, python, about, torch, lacks := not_in_torch(one))
        if scene.beside:
            label = _("{file}, scene {i}")
            scripts = [replace(f, label=label.format(file=f.label, i=i)) for f in scripts]
        files, missing = files + scripts, missing + lacks
    _offer(files, missing)


def _file_name(scene):
    """The name of a scene's files."""
    methods = dict.fromkeys(config.method.key for config in scene.optimizers)
    return "-".join(["optviz", scene.objective.function, *list(methods)[:MAX_NAMED]])


def _for_both(text_of):
    """Makes a function give the CSV text of one scene, or of two with a column that says which."""

    @wraps(text_of)
    def text(scene):
        if not scene.beside:
            return text_of(scene)
        both = enumerate(scene.both, 1)
        return join_csv("scene", {f"{i} {one.objective.f.name}": text_of(one) for i, one in both})

    return text


@_for_both
def paths_csv(scene: Scene) -> str:
    """Every step of every path."""
    paths = (runs.path(scene.objective, config) for config in scene.optimizers)
    rows = list(zip(scene.names, paths, strict=True))
    for name, config in zip(scene.names, scene.optimizers, strict=True):
        if (paths := runs.multistart(scene.objective, config)) is not None:
            rows.append((name, paths))
    return table.paths_csv(rows)


@_for_both
def table_csv(scene: Scene) -> str:
    """The table under the pictures."""
    return table.results_csv(scene)


def scene_page(scene: Scene, ids: list[str], theme: str, lesson=None) -> str:
    """The scene, and the one beside it, with their player as one HTML file."""
    landscapes, curves, tables, f = [], [], [], scene.objective.f
    for i, one in enumerate(scene.both):
        name = landscape_name(one)
        drawn = figures(one, ids if i == 0 else one.ids_beside, THEMES[theme])
        base_id, make = drawn[name].under or (None, None)
        base = {"base_id": base_id, "base": make()} if make else {}
        label = _("{function} with the paths").format(function=one.objective.f.name)
        caption = f"{one.objective.f.name}: {one.objective.f.formula}" if scene.beside else ""
        suffix, landscape, below = "-2" * i, to_plotly(drawn[name]), to_plotly(drawn["curves"])
        landscapes.append(figure_part(landscape, name + suffix, label, theme, caption, **base))
        curves.append(figure_part(below, "curves" + suffix, _("Curves"), theme))
        html, rows = table.results(one, THEMES[theme]).html(), table.at_every_step(one)
        tables.append(Part("table", {"html": html, "rows": rows}))
    steps = max(one.objective.steps for one in scene.both)
    parts = [*landscapes, *curves, Part("player", {"steps": steps, "scene": "1"}), *tables]
    summaries = [settings(one) for one in scene.both]
    title = ", ".join(one.objective.f.name for one in scene.both)
    title = f"{lesson.title} · {title}" if lesson else title
    return offline_html(title, parts, theme, summaries, "" if scene.beside else f.formula)


def settings(scene: Scene) -> str:
    """The settings as HTML: every optimizer's hyperparameters, start, steps and noise."""
    rows = [_optimizer(*one) for one in zip(scene.names, scene.optimizers, strict=True)]
    return _paragraphs([f"{scene.objective.f.name} {run_in_words(scene.objective)}", *rows])


def _optimizer(name, config):
    opt = config.method.build(OPTIMIZERS)
    values = [f"{h.name} {getattr(opt, h.name)}" for h in hyperparameters(type(opt))]
    return f"{name}: {', '.join([*values, *chips(config)])}"


def _paragraphs(lines):
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


# The other pages.


def page_menu() -> None:
    """The files of a page with pictures and trainings, as it is when a button is pressed."""
    contents, page, theme = components.page_contents(), PAGES[session().page], theme_name()
    file_name, link, missing = own_examples().name, sharing.address(), []
    trainings, n_test, search = contents.script()

    def python():
        if search:
            return with_file_name(search_script(page.question, search, link))
        return with_file_name(training_script(page.question, trainings, link=link, n_test=n_test))

    def torch():
        make = torch_training.torch_training_script
        return with_file_name(make(page.question, trainings, link, n_test))

    def with_file_name(script):
        return script.replace(f'Path("{OWN_FILE}")', f"Path({write.quote(file_name)})", 1)

    files = [
        File(
            _("Page with these pictures"),
            lambda: charts_html(page.question, contents, theme),
            f"optviz-{page.key}.html",
            "web",
            _(
                "One HTML file with the pictures and tables as they are now. The pictures can be "
                "zoomed. It works offline. 5 MB."
            ),
        )
    ]
    if trainings:
        about = _(
            "Needs only Python and NumPy: the script contains the networks, optimizers and data. "
            "It trains the same networks and prints the same numbers."
        )
        missing = torch_training.not_in_torch(trainings)
        files += _scripts(f"optviz-{page.key}", python, about, torch, missing)
    _offer(files, missing)
    if any(training.dataset.key == OWN for training in trainings):
        st.caption(
            _("The scripts read your file: put {file} in the same folder.").format(
                file=components.escape_markdown(file_name)
            )
        )


def charts_html(title: str, contents: components.PageContents, theme: str) -> str:
    """The pictures and tables that a page shows now."""
    parts = []
    for key, (figure, label, base, _version) in contents.pictures.items():
        base_data = {"base": base(), "base_id": key} if base else {}
        parts.append(figure_part(figure, key, label, theme, label, **base_data))
    trainings, _n_test, _search = contents.script()
    message = _(
        "{data}, {rows} training examples; network {sizes}, {activation}; mini-batches of {batch}, "
        "{iterations} iterations, seeds {seeds}."
    )
    networks = [
        message.format(
            data=t.dataset.key,
            rows=t.split.rows,
            sizes="-".join(map(str, t.network.sizes)),
            activation=t.network.activation.key,
            batch=t.batch,
            iterations=t.iterations,
            seeds=", ".join(map(str, t.seeds)),
        )
        for t in trainings
    ]
    optimizers = [_optimizer(t.optimizer.name, t.optimizer) for t in trainings]
    trained = _paragraphs(dict.fromkeys([*networks, *optimizers]))
    texts = map(prose, contents.texts.values())
    return offline_html(title, parts, theme, [*texts, *contents.tables.values(), trained])
