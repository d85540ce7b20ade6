"""The tables of docs/reference.md, from the registries: `python -m docs.tables` writes them."""

import re
import sys
from pathlib import Path

from optviz.functions.library import FUNCTIONS
from optviz.optim import OPTIMIZERS, WRAPPERS
from optviz.optim.hyperparameter import hyperparameters, sentence
from optviz.optim.noise import NOISES
from optviz.optim.schedules import SCHEDULES

REFERENCE = Path(__file__).parent / "reference.md"


def _hyperparameters(cls):
    return ", ".join(f"`{k.name}`" for k in hyperparameters(cls)) or "–"


def _rows(head, rows):
    return "\n".join(["| " + " | ".join(r) + " |" for r in (head, ["---"] * len(head), *rows)])


def tables() -> dict[str, str]:
    """Markdown by the name of the table."""
    functions = [
        [f"`{k}`", f.name, f"`{f.formula}`", f.teaches, f.cite] for k, f in FUNCTIONS.items()
    ]
    classes = {
        "optimizers": [
            [f"`{k}`", c.label, sentence(c), _hyperparameters(c), c.cite]
            for k, c in OPTIMIZERS.items()
        ],
        "wrappers": [
            [f"`{k}`", c.label, sentence(c), _hyperparameters(c), c.cite]
            for k, c in WRAPPERS.items()
        ],
    }
    plain = {
        name: [[f"`{k}`", sentence(c), _hyperparameters(c)] for k, c in registry.items()]
        for name, registry in (("schedules", SCHEDULES), ("noises", NOISES))
    }
    return {
        "functions": _rows(["key", "name", "formula", "what it teaches", "source"], functions),
        **{
            n: _rows(["key", "name", "what it does", "hyperparameters", "source"], rows)
            for n, rows in classes.items()
        },
        **{n: _rows(["key", "what it does", "hyperparameters"], rows) for n, rows in plain.items()},
    }


def renewed(text: str) -> str:
    """The reference with every table between its two markers replaced by the present one."""
    for name, table in tables().items():
        between = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.S)
        text, found = between.subn(lambda m, t=table: f"{m[1]}{t}\n{m[2]}", text)
        if found != 1:
            sys.exit(f"the reference has {found} places for the table {name!r}")
    return text


if __name__ == "__main__":
    REFERENCE.write_text(renewed(REFERENCE.read_text()))
