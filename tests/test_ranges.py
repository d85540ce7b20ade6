"""The ranges that are declared are those in ranges.json, which were there before anything was declared.

A range stands once, in the field that declares it. Who changes one says so here, too, and thinks of the links that
are about. What is new is not in the list.
"""

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_args, get_type_hints

from optviz import INITIAL_POINTS, NOISES, OPTIMIZERS, SCHEDULES, WRAPPERS
from optviz.data import TOY_SETS
from optviz.nn import ACTIVATIONS, INITIALIZERS
from optviz.optim.hyperparameter import hyperparameter_of, hyperparameters
from optviz.shell.registry import PAGES
from optviz.training import Training
from optviz.tuning import SAMPLERS
from tests.table import table

REGISTRIES = (
    OPTIMIZERS, WRAPPERS, SCHEDULES, NOISES, INITIAL_POINTS, TOY_SETS, ACTIVATIONS, INITIALIZERS, SAMPLERS,
)  # fmt: skip
HELD = json.loads((Path(__file__).parent / "ranges.json").read_text(encoding="utf-8"))


def specs(kind, seen):
    """Every dataclass that a type is made of, by its name, in `seen`."""
    if is_dataclass(kind) and kind.__name__ not in seen:
        seen[kind.__name__] = kind
        for inner in get_type_hints(kind).values():
            specs(inner, seen)
    for inner in get_args(kind):
        specs(inner, seen)


def declared(spec):
    """Of a spec's own fields: the range, or how many there may be."""
    for f in fields(spec):
        if "hyperparameter" in f.metadata:
            one = hyperparameter_of(f)
            yield f.name, [one.low, one.high]
        elif "count" in f.metadata:
            yield f.name, list(f.metadata["count"][:2])


def found():
    everything = {}
    for kind in (Training, *(type(page.opening) for page in PAGES.values())):
        specs(kind, everything)
    ranges = {name: held for name, spec in everything.items() if (held := dict(declared(spec)))}
    for registry in REGISTRIES:
        for key, cls in registry.items():
            if of := {k.name: [k.low, k.high] for k in hyperparameters(cls) if k.kind is not bool}:
                ranges[f"{cls.__name__} {key}"] = of
    return ranges


FOUND = found()


@table("name", HELD)
def test_ranges_are_as_they_were(name):
    assert {k: FOUND[name].get(k) for k in HELD[name]} == HELD[name]
