"""Lessons: a scene to look at, what to look for in it, and what to try next. One Markdown file each.

A file begins with TOML between two lines of `+++`: `title`, `chapter`, `order`, `source`, the `scene` as
`optviz.spec.to_dict` writes it, and where they are not the default `view` and `page`. Then come two or
three sentences, `## Look for` and `## Try next`. Its name without `.md` is its key, in links too.

Numbers are not typed into a text but asked for, so that they are those of the picture beside it. NAME is
what the legend calls an optimizer (`Scene.names`) or its place (`#1`), N a step, the last one where left out:

    {loss NAME N}   {x NAME N}   {y NAME N}   {length NAME N}     at step N
    {tail NAME N}       mean loss of the last N steps
    {reached NAME}      first step whose loss is within the tolerance
    {spent NAME}        evaluations of every kind up to that step
    {leaves NAME}       first step with |y| > 1
    {diverged NAME}     the step at which it was lost
    {lr NAME}           a hyperparameter, by its name
    {steps}             steps of the scene

On the activations page S is a setting, A or B, and L a layer:

    {mean S L}   {spread S L}   {within S L}   {between S L}   {saturated S L}   {dead S L}   {gradient S L}

A step beyond the scene's last one is computed all the same.
"""

import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from optviz.experiments.activations.run import propagate
from optviz.experiments.activations.spec import Activations
from optviz.experiments.trajectories import spec as trajectories
from optviz.experiments.trajectories import view as views
from optviz.experiments.trajectories.spec import Scene
from optviz.experiments.trajectories.view import View
from optviz.optim.config import MAX_STEPS, OptimizerConfig
from optviz.plot.style import number
from optviz.shell.registry import PAGES
from optviz.spec import SpecError, from_dict

FOLDER = Path(__file__).parent.parent / "lessons"
SECTIONS = {"Look for": "look", "Try next": "next"}
FILE = re.compile(r"\+\+\+\n(.*?)\n\+\+\+\n(.*)", re.DOTALL)
PLACEHOLDER = re.compile(r"\{(\w+)(?: ([^{}]+))?\}")


class LessonError(ValueError):
    """What is wrong with a lesson; the message begins with its file."""


@dataclass(frozen=True)
class Lesson:
    """A scene with a story."""

    key: str
    title: str
    chapter: str
    order: float
    source: str
    page: str
    scene: object
    view: View
    text: str
    look: str
    next: str


@dataclass(frozen=True)
class _Front:
    """The front matter of a file."""

    title: str
    chapter: str
    order: float
    source: str
    scene: dict
    view: View = View()
    page: str = "trajectories"


def read(path: Path) -> Lesson:
    """The lesson in a file, checked; LessonError names the file and what is wrong with it."""
    try:
        return _read(path)
    except (SpecError, tomllib.TOMLDecodeError, UnicodeDecodeError, LessonError) as error:
        raise LessonError(f"lesson {path.name}: {error}") from None


def _read(path):
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", path.stem):
        raise LessonError("the name of the file is small letters, digits and hyphens")
    parts = FILE.fullmatch(path.read_text(encoding="utf-8").replace("\r\n", "\n"))
    if not parts:
        raise LessonError("a lesson begins with TOML between two lines of +++")
    front = from_dict(_Front, tomllib.loads(parts[1]), "the front matter")
    if front.page not in PAGES:
        raise LessonError(f"there is no page {front.page!r}")
    page = PAGES[front.page]
    scene = from_dict(type(page.scene), front.scene)
    page.check(scene)
    views.check(front.view)
    texts = _sections(parts[2])
    for text in texts.values():
        _check_placeholders(text, scene)
    return Lesson(path.stem, **vars(front) | {"scene": scene}, **texts)


def _sections(body):
    text, *rest = re.split(r"^## (.*)\n", body, flags=re.MULTILINE)
    titles = rest[::2]
    if sorted(titles) != sorted(SECTIONS):
        raise LessonError(f"its sections are {' and '.join(SECTIONS)}, not {' and '.join(titles) or 'none'}")
    texts = {"text": text, **{SECTIONS[title]: part for title, part in zip(titles, rest[1::2], strict=True)}}
    texts = {name: part.strip() for name, part in texts.items()}
    if empty := [name for name, part in texts.items() if not part]:
        raise LessonError(f"its {empty[0]} is empty")
    return texts


def read_all(folder: Path = FOLDER) -> dict[str, Lesson]:
    """All lessons of a folder by key, in their order."""
    found = sorted((read(path) for path in folder.glob("*.md")), key=lambda lesson: (lesson.order, lesson.key))
    return {lesson.key: lesson for lesson in found}


def told(text: str, lesson: Lesson, run) -> str:
    """A text of a lesson with its numbers filled in; `run(objective, optimizer)` gives a Run."""
    if not isinstance(lesson.scene, Scene | Activations):
        return text  # what a training comes to is not known before it has run
    if isinstance(lesson.scene, Activations):
        return PLACEHOLDER.sub(lambda found: _written(_of_layer(found, lesson.scene)(propagate)), text)
    try:
        return PLACEHOLDER.sub(lambda found: _answer(*_asked(found, lesson.scene), lesson.scene, run), text)
    except LessonError as error:
        raise LessonError(f"lesson {lesson.key}.md: {error}") from None


def _check_placeholders(text, scene):
    for found in PLACEHOLDER.finditer(text):
        if not isinstance(scene, Scene | Activations):
            raise LessonError(f"{found[0]} cannot be known before the training has run")
        (_of_layer if isinstance(scene, Activations) else _asked)(found, scene)
    if stray := re.search(r"[{}]", PLACEHOLDER.sub("", text)):
        raise LessonError(f"a stray {stray[0]} in its text")


# What can be asked at a step, of (run, step), and what is found along the way, of (run, scene).
AT = {
    "loss": lambda run, n: run.values[n],
    "x": lambda run, n: run.points[n, 0],
    "y": lambda run, n: run.points[n, 1],
    "length": lambda run, n: run.lengths[n],
}
FIRST = {
    "reached": lambda run, scene: trajectories.gap(run.function, run.values, _minima(scene)) <= scene.tolerance,
    "leaves": lambda run, scene: np.abs(run.points[:, 1]) > 1,
    "diverged": lambda run, scene: np.isnan(run.values),
}


# What can be asked of a layer of a stack.
OF_LAYER = {
    "mean": lambda layer: layer.forward.mean,
    "spread": lambda layer: layer.forward.std,
    "within": lambda layer: layer.forward.within,
    "between": lambda layer: layer.forward.between,
    "saturated": lambda layer: layer.saturated,
    "dead": lambda layer: layer.dead,
    "gradient": lambda layer: layer.backward.std,
}


def _of_layer(found, comparison):
    """A function that answers a placeholder, from the layers that `propagate` gives."""
    word, asked = found[1], re.fullmatch(r"([AB]) (\d{1,2})", found[2] or "")
    if word not in OF_LAYER or not asked:
        raise LessonError(f"there is no placeholder {found[0]}")
    i, number = "AB".index(asked[1]), int(asked[2])
    if i >= len(comparison.stacks) or not 1 <= number <= comparison.stacks[i].layers:
        raise LessonError(f"{found[0]} asks for a layer that is not there")
    return lambda propagate: OF_LAYER[word](propagate(comparison.stacks[i])[number - 1])


def _asked(found, scene) -> tuple[str, OptimizerConfig | None, int | None]:
    """The word of a placeholder, the optimizer and the step that it asks for."""
    word, rest = found[1], found[2]
    if word == "steps" and rest is None:
        return word, None, None
    by_name = {f"#{i}": config for i, config in enumerate(scene.optimizers, 1)}
    by_name |= dict(zip(scene.names, scene.optimizers, strict=True))
    step = None
    if rest not in by_name and (numbered := re.fullmatch(r"(.+) (\d{1,4})", rest or "")):
        rest, step = numbered[1], int(numbered[2])
    if rest not in by_name:
        raise LessonError(f"{found[0]} asks for none of the optimizers {', '.join(scene.names)}")
    if word not in (*AT, *FIRST, "tail", "spent") and _hyperparameter(by_name[rest], word) is None:
        raise LessonError(f"there is no placeholder {found[0]}")
    if (step is None and word == "tail") or (step is not None and word not in (*AT, "tail")):
        raise LessonError(f"{found[0]} has {'no' if step is None else 'a'} number of steps")
    if step is not None and step > (scene.objective.steps if word == "tail" else MAX_STEPS):
        raise LessonError(f"{found[0]} asks for too many steps")
    return word, by_name[rest], step


def _answer(word, config, step, scene, run):
    if word == "steps":
        return str(scene.objective.steps)
    if word in AT:
        steps = scene.objective.steps
        r = _longer(scene, config, run, step) if step is not None and step > steps else run(scene.objective, config)
        return _written(AT[word](r, steps if step is None else step))
    if word == "tail":
        return _written(run(scene.objective, config).values[-step:].mean())
    if word in FIRST:
        return str(_first(word, config, scene, run)[0])
    if word == "spent":
        at, r = _first("reached", config, scene, run)
        return str(int(r.work[at].sum()))
    return _written(_hyperparameter(config, word))


def _first(word, config, scene, run):
    """The first step at which something is so, and the run, made longer where it is not so in the scene."""
    for r in (run(scene.objective, config), _longer(scene, config, run, MAX_STEPS)):
        so = FIRST[word](r, scene)
        if so.any():
            return int(so.argmax()), r
    raise LessonError(f"{config.name} never gets to {{{word}}}")


def _longer(scene, config, run, steps):
    return run(replace(scene.objective, steps=steps), config)


def _minima(scene):
    return trajectories.minima(scene.objective.f)


def _hyperparameter(config, name):
    opt = config.build()
    while opt is not None and name not in opt.__dataclass_fields__:
        opt = getattr(opt, "inner", None)
    return None if opt is None or name == "inner" else getattr(opt, name)


def _written(value):
    """Three digits are enough to read, and a whole number of thousands is no 1.41e3."""
    return number(float(value), 3 if abs(value) < 1000 else 4)


LESSONS: dict[str, Lesson] = read_all()
