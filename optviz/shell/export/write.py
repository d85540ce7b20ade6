"""Python as text: literals and calls, imports, the header of a script."""

import re
import sys
import textwrap
from collections import defaultdict
from itertools import groupby
from operator import itemgetter

import numpy as np

from optviz.optim.hyperparameter import hyperparameters
from optviz.optim.schedules import Schedule

WIDTH = 100
NUMPY = {("numpy as np", "")}
SILENT = 'np.seterr(all="ignore")  # what leaves the finite numbers ends as nan\n'
Imports = set[tuple[str, str]]  # a module and a name from it; of `import numpy as np` that is ""


def header(title: str, needs: str, link: str) -> str:
    """Comments: what a script does, what it needs, and where it comes from."""
    lines = [title, f"Needs Python 3.11 and {needs}, and nothing else."]
    lines += [f"Made with optviz: {link}"] if link else []
    return "".join("# " + "".join(c for c in line if c.isprintable()) + "\n" for line in lines)


def import_lines(imports: Imports) -> str:
    """Imports as they stand at the top of a file: the standard library, then all other."""
    named, lines = defaultdict(list), []
    for module, name in sorted(imports):
        named[module].append(name)
    for module, names in named.items():
        foreign = re.split(r"\W", module)[0] not in sys.stdlib_module_names
        if "" in names:
            lines.append((foreign, False, f"import {module}\n"))
        if imported := ", ".join(filter(None, names)):
            lines.append((foreign, True, f"from {module} import {imported}\n"))
    blocks = groupby(sorted(lines), key=itemgetter(0))
    return "\n".join("".join(line for *_order, line in block) for _foreign, block in blocks)


def call(thing, *inner: str) -> str:
    """The call that makes an object of a registry, with all of its hyperparameters."""
    values = (
        f"{k.name}={literal(getattr(thing, k.name), k.kind)}" for k in hyperparameters(type(thing))
    )
    return f"{type(thing).__name__}({', '.join([*inner, *values])})"


def schedules(by_name: dict[str, Schedule] | None) -> str:
    """The schedules of hyperparameters as a dict."""
    factors = (f"{quote(name)}: {call(factor)}" for name, factor in (by_name or {}).items())
    return f"{{{', '.join(factors)}}}"


def literal(value, kind=float) -> str:
    """A hyperparameter as a Python literal, or an array with its value for each network."""
    if np.ndim(value) == 0:
        return repr(kind(value))
    return f"np.array({value.ravel().tolist()}, np.{value.dtype}).reshape({value.shape})"


def quote(text: str) -> str:
    """The text as a Python literal, in double quotes where that takes no more than other quotes."""
    literal = repr(text)
    return f'"{literal[1:-1]}"' if literal[0] == "'" and '"' not in literal else literal


def optimizer(opt) -> list[str]:
    """The lines that make an optimizer, innermost first."""
    if (inner := getattr(opt, "inner", None)) is None:
        return [f"opt = {call(opt)}"]
    return [*optimizer(inner), f"opt = {call(opt, 'opt')}"]


def fold(line: str, formula: bool = False) -> str:
    """Break a line that is too long, within its brackets; a formula gets brackets first."""
    if len(line) <= WIDTH:
        return line
    if formula:
        line = re.sub("( = |return )(.*)", r"\1(\2)", line, count=1)
    return textwrap.fill(line, WIDTH, subsequent_indent=" " * 8, break_long_words=False)
