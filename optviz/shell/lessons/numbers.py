"""The numbers in a lesson's text: placeholders that are computed from its scene.

Numbers are not typed into a text but asked for, so that they are those of the picture beside it.
NAME is an optimizer's key (`adam`), where the scene has it once, or its place (`#1`), N a step, the
last one where left out:

    {loss NAME N}   {x NAME N}   {y NAME N}   {length NAME N}     at step N
    {tail NAME N}       mean loss of the last N steps
    {reached NAME}      first step from which on the loss stays within the tolerance
    {spent NAME}        evaluations of every kind up to that step
    {leaves NAME}       first step with |y| > 1
    {diverged NAME}     the step at which it was lost
    {lr NAME}           a hyperparameter, by its name
    {steps}             steps of the scene

On the activations page S is a setting, A, B or C, and L a layer:

{mean S L}   {spread S L}   {within S L}   {between S L}   {saturated S L}   {dead S L}   {gradient
S L}

A step beyond the scene's last one is computed all the same.
"""

import re
from collections import Counter
from dataclasses import replace

import numpy as np

from optviz.experiments.activations.run import propagate
from optviz.experiments.activations.spec import Activations
from optviz.experiments.trajectories.spec import Scene
from optviz.optim.base import setting
from optviz.optim.config import MAX_STEPS, OptimizerConfig
from optviz.optim.summary import summarize
from optviz.plot.style import number

PLACEHOLDER = re.compile(r"\{(\w+)(?: ([^{}]+))?\}")


class PlaceholderError(ValueError):
    """What is wrong with a placeholder."""


def filled(text: str, lesson, run) -> str:
    """A text of a lesson with its numbers filled in; `run(objective, optimizer)` gives a Run."""
    if not isinstance(lesson.scene, Scene | Activations):
        return text  # what a training comes to is not known before it has run
    if isinstance(lesson.scene, Activations):
        return PLACEHOLDER.sub(
            lambda found: _written(_of_layer(found, lesson.scene)(propagate)), text
        )
    try:
        return PLACEHOLDER.sub(
            lambda found: _answer(*_asked(found, lesson.scene), lesson.scene, run), text
        )
    except PlaceholderError as error:
        raise PlaceholderError(f"lesson {lesson.key}.md: {error}") from None


def check_placeholders(text: str, scene) -> None:
    """PlaceholderError where a text asks for what its scene does not have."""
    for found in PLACEHOLDER.finditer(text):
        if not isinstance(scene, Scene | Activations):
            raise PlaceholderError(f"{found[0]} cannot be known before the training has run")
        (_of_layer if isinstance(scene, Activations) else _asked)(found, scene)
    if stray := re.search(r"[{}]", PLACEHOLDER.sub("", text)):
        raise PlaceholderError(f"a stray {stray[0]} in its text")


# What can be asked at a step, of (run, step), and what is found along the way, of (run, scene).
AT = {
    "loss": lambda run, n: run.heights[n],
    "x": lambda run, n: run.points[n, 0],
    "y": lambda run, n: run.points[n, 1],
    "length": lambda run, n: run.lengths[n],
}
SUMMARY = {"reached": "steps_to_tolerance", "spent": "evaluations_to_tolerance"}
FIRST = {
    "leaves": lambda run, scene: np.abs(run.points[:, 1]) > 1,
    "diverged": lambda run, scene: np.isnan(run.values),
}


# What can be asked of a layer of a stack.
OF_LAYER = {
    "mean": lambda layer: layer.forward.mean,
    "spread": lambda layer: layer.forward.std,
    "within": lambda layer: layer.forward.within,
    "between": lambda layer: layer.forward.between,
    "saturated": lambda layer: 100 * layer.saturated,  # percent
    "dead": lambda layer: 100 * layer.dead,
    "gradient": lambda layer: layer.backward.std,
}


def _of_layer(found, comparison):
    """A function that answers a placeholder, from the layers that `propagate` gives."""
    word, asked = found[1], re.fullmatch(r"([ABC]) (\d{1,2})", found[2] or "")
    if word not in OF_LAYER or not asked:
        raise PlaceholderError(f"there is no placeholder {found[0]}")
    i, number = "ABC".index(asked[1]), int(asked[2])
    if i >= len(comparison.stacks) or not 1 <= number <= comparison.stacks[i].layers:
        raise PlaceholderError(f"{found[0]} asks for a layer that is not there")
    return lambda propagate: OF_LAYER[word](propagate(comparison.stacks[i])[number - 1])


def _asked(found, scene) -> tuple[str, OptimizerConfig | None, int | None]:
    """The word of a placeholder, the optimizer and the step that it asks for."""
    word, rest = found[1], found[2]
    if word == "steps" and rest is None:
        return word, None, None
    by_name = {f"#{i}": config for i, config in enumerate(scene.optimizers, 1)}
    keys = Counter(config.method.key for config in scene.optimizers)
    by_name |= {c.method.key: c for c in scene.optimizers if keys[c.method.key] == 1}
    step = None
    if rest not in by_name and (numbered := re.fullmatch(r"(.+) (\d{1,4})", rest or "")):
        rest, step = numbered[1], int(numbered[2])
    if rest not in by_name:
        raise PlaceholderError(f"{found[0]} asks for none of the optimizers {', '.join(keys)}")
    known = word in (*AT, *FIRST, *SUMMARY, "tail")
    if word == "inner" or (not known and setting(by_name[rest].build(), word) is None):
        raise PlaceholderError(f"there is no placeholder {found[0]}")
    if (step is None and word == "tail") or (step is not None and word not in (*AT, "tail")):
        raise PlaceholderError(f"{found[0]} has {'no' if step is None else 'a'} number of steps")
    if step is not None and step > (scene.objective.steps if word == "tail" else MAX_STEPS):
        raise PlaceholderError(f"{found[0]} asks for too many steps")
    return word, by_name[rest], step


def _answer(word, config, step, scene, run):
    if word == "steps":
        return str(scene.objective.steps)
    if word in AT:
        steps = scene.objective.steps
        r = (
            _longer(scene, config, run, step)
            if step is not None and step > steps
            else run(scene.objective, config)
        )
        return _written(AT[word](r, steps if step is None else step))
    if word == "tail":
        return _written(run(scene.objective, config).heights[-step:].mean())
    if word in FIRST:
        return str(_first(word, config, scene, run))
    if word in SUMMARY:
        for r in (run(scene.objective, config), _longer(scene, config, run, MAX_STEPS)):
            found = getattr(summarize(r, scene.tolerance), SUMMARY[word])
            if found is not None:
                return str(found)
        raise PlaceholderError(f"{config.name} never gets to {{{word}}}")
    return _written(setting(config.build(), word))


def _first(word, config, scene, run):
    """The first step at which something is so, in a longer run where it is not so in the scene."""
    for r in (run(scene.objective, config), _longer(scene, config, run, MAX_STEPS)):
        so = FIRST[word](r, scene)
        if so.any():
            return int(so.argmax())
    raise PlaceholderError(f"{config.name} never gets to {{{word}}}")


def _longer(scene, config, run, steps):
    return run(replace(scene.objective, steps=steps), config)


def _written(value):
    """Three digits are enough to read, and a whole number of thousands is no 1.41e3."""
    return number(float(value), 3 if abs(value) < 1000 else 4)
