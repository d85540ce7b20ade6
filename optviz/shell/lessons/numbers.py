"""The numbers in a lesson's text: placeholders that are computed from its scene.

Numbers are not typed into a text but computed, so that they agree with the picture beside it.
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

    {mean S L}   {spread S L}   {within S L}   {between S L}
    {saturated S L}   {dead S L}   {gradient S L}

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
from optviz.optim.config import MAX_STEPS
from optviz.optim.summary import summarize
from optviz.plot.style import number

PLACEHOLDER = re.compile(r"\{(\w+)(?: ([^{}]+))?\}")


class PlaceholderError(ValueError):
    """What is wrong with a placeholder."""


def fill_placeholders(text: str, lesson, run) -> str:
    """A text of a lesson with its numbers filled in; `run(objective, optimizer)` gives a Run."""
    parse = PARSERS.get(type(lesson.scene))
    if parse is None:  # the results of a training are not known before it has run
        return text
    try:
        return PLACEHOLDER.sub(lambda match: parse(match, lesson.scene)(run), text)
    except PlaceholderError as error:
        raise PlaceholderError(f"lesson {lesson.key}.md: {error}") from None


def check_placeholders(text: str, scene) -> None:
    """PlaceholderError where a text has a placeholder that its scene cannot fill."""
    for match in PLACEHOLDER.finditer(text):
        if type(scene) not in PARSERS:
            raise PlaceholderError(f"{match[0]} cannot be known before the training has run")
        PARSERS[type(scene)](match, scene)
    if stray := re.search(r"[{}]", PLACEHOLDER.sub("", text)):
        raise PlaceholderError(f"a stray {stray[0]} in its text")


# Placeholders for a run at a step, and for a whole run, None where it never gets there.
AT_STEP = {
    "loss": lambda run, n: run.heights[n],
    "x": lambda run, n: run.points[n, 0],
    "y": lambda run, n: run.points[n, 1],
    "length": lambda run, n: run.lengths[n],
}
OF_RUN = {
    "reached": lambda run, scene: summarize(run, scene.tolerance).steps_to_tolerance,
    "spent": lambda run, scene: summarize(run, scene.tolerance).evaluations_to_tolerance,
    "leaves": lambda run, scene: _first_step(np.abs(run.points[:, 1]) > 1),
    "diverged": lambda run, scene: _first_step(np.isnan(run.values)),
}
# Placeholders for a layer of a stack.
OF_LAYER = {
    "mean": lambda layer: layer.forward.mean,
    "spread": lambda layer: layer.forward.std,
    "within": lambda layer: layer.forward.within,
    "between": lambda layer: layer.forward.between,
    "saturated": lambda layer: 100 * layer.saturated,  # percent
    "dead": lambda layer: 100 * layer.dead,
    "gradient": lambda layer: layer.backward.std,
}


def _first_step(condition):
    """The first step at which a condition holds."""
    return int(condition.argmax()) if condition.any() else None


def _parse_layer(match, scene):
    """The function that fills a placeholder from the layers of a stack; it needs no run."""
    word, place = match[1], re.fullmatch(r"([ABC]) (\d{1,2})", match[2] or "")
    if word not in OF_LAYER or not place:
        raise PlaceholderError(f"there is no placeholder {match[0]}")
    i, layer = "ABC".index(place[1]), int(place[2])
    if i >= len(scene.stacks) or not 1 <= layer <= scene.stacks[i].layers:
        raise PlaceholderError(f"{match[0]} asks for a layer that is not there")
    return lambda _run: _formatted(OF_LAYER[word](propagate(scene.stacks[i])[layer - 1]))


def _parse_path(match, scene):
    """The function that fills a placeholder from an optimizer's runs, which `run` gives."""
    word, rest = match[1], match[2]
    if word == "steps" and rest is None:
        return lambda _run: str(scene.objective.steps)
    by_name = {f"#{i}": config for i, config in enumerate(scene.optimizers, 1)}
    keys = Counter(config.method.key for config in scene.optimizers)
    by_name |= {c.method.key: c for c in scene.optimizers if keys[c.method.key] == 1}
    step = None
    if rest not in by_name and (numbered := re.fullmatch(r"(.+) (\d{1,4})", rest or "")):
        rest, step = numbered[1], int(numbered[2])
    if rest not in by_name:
        raise PlaceholderError(f"{match[0]} asks for none of the optimizers {', '.join(keys)}")
    config = by_name[rest]
    is_known = word in (*AT_STEP, *OF_RUN, "tail")
    if word == "inner" or (not is_known and setting(config.build(), word) is None):
        raise PlaceholderError(f"there is no placeholder {match[0]}")
    if (step is None and word == "tail") or (step is not None and word not in (*AT_STEP, "tail")):
        raise PlaceholderError(f"{match[0]} has {'no' if step is None else 'a'} number of steps")
    if step is not None and step > (scene.objective.steps if word == "tail" else MAX_STEPS):
        raise PlaceholderError(f"{match[0]} asks for too many steps")
    return lambda run: _answer(word, config, step, scene, run)


PARSERS = {Scene: _parse_path, Activations: _parse_layer}


def _answer(word, config, step, scene, run):
    steps = scene.objective.steps

    def run_of(n):
        return run(replace(scene.objective, steps=max(n, steps)), config)

    if word in AT_STEP:
        n = steps if step is None else step
        return _formatted(AT_STEP[word](run_of(n), n))
    if word == "tail":
        return _formatted(run_of(steps).heights[-step:].mean())
    if word in OF_RUN:
        for n in (steps, MAX_STEPS):  # in a longer run where the scene's is too short
            if (result := OF_RUN[word](run_of(n), scene)) is not None:
                return str(result)
        raise PlaceholderError(f"{config.name} never gets to {{{word}}}")
    return _formatted(setting(config.build(), word))


def _formatted(value):
    """With three digits, and a whole number of thousands not as 1.41e3."""
    return number(float(value), 3 if abs(value) < 1000 else 4)
