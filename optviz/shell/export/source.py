"""The source of classes and functions, with all that it uses of the package and nothing else of it.

A script contains the code that ran: definitions are found by name in the syntax trees of their
modules and copied line by line. A class keeps the members that the copied code names. Registries,
ranges and checks are left out: a hyperparameter is an ordinary field with its default.
"""

import ast
import inspect
import sys
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from functools import cache

from optviz.optim.base import chain
from optviz.optim.hyperparameter import hyperparameters
from optviz.shell.export import write

PACKAGE = __name__.partition(".")[0]
ALWAYS = {"__init__", "__call__", "__getattr__"}  # methods that are used without being named

Registries = dict[str, list[type]]


def source(
    used: Iterable, members: set[str], registries: Registries | None = None
) -> tuple[write.Imports, str]:
    """The source of classes and functions, and of what they need, definitions before uses.

    `members` are the methods and attributes that the rest of the script names, `registries` those
    of which no more than these classes are needed. ValueError where two definitions have one name.
    """
    used, members = list(used), ALWAYS | members
    while True:
        copied = _Copied(members, registries or {})
        for definition in used:
            copied.add(definition.__module__, definition.__name__)
        if copied.named <= members:
            return copied.imports, _space_out(copied.definitions.values())
        members = members | copied.named


def _space_out(definitions):
    """Classes and functions with two empty lines around them, constants in blocks."""
    text, before = "", ""
    for definition in definitions:
        spaced = definition.count("\n") > 1 or before.count("\n") > 1
        text, before = text + "\n\n" * (spaced and bool(before)) + definition, definition
    return text


def parts_of(segment):
    """An optimizer, all that it is wrapped around, and the schedules."""
    yield from chain(segment.optimizer)
    yield from (segment.schedule or {}).values()


class _Copied:
    """Definitions in the order in which they can be executed, and what they import."""

    def __init__(self, members, registries):
        self.members, self.registries = members, registries
        self.definitions: dict[str, str] = {}
        self.imports: write.Imports = set()
        self.named: set[str] = set()  # attributes that the copied code asks for
        self.places: dict[str, str] = {}  # name -> the module that defines it
        self.empty: dict[str, str] = {}  # classes of which nothing is left but their docstring

    def add(self, module: str, name: str, base: bool = False) -> bool:
        """Copy what a name means in a module, after what it needs; whether that is anything.

        As a base, a class of which nothing is left is omitted.
        """
        if name in self.registries:
            return self._registry(name)
        lines, bindings = _parsed(module)
        node = bindings.get(name)
        if node is None:  # a builtin, an argument, a local variable
            return False
        if isinstance(node, ast.Import | ast.ImportFrom):
            return self._import(module, node, name, base)
        if name in self.places:
            if self.places[name] != module:
                raise ValueError(f"{name} is defined in {module} and in {self.places[name]}")
        else:
            self.places |= dict.fromkeys(_targets(node), module)
            copy = self._class if isinstance(node, ast.ClassDef) else self._other
            text = copy(module, node, lines)
            if name not in self.empty:
                self.definitions[name] = text
        if name in self.empty and not base:
            self.definitions.setdefault(name, self.empty[name])
        return name not in self.empty or not base

    def _registry(self, name):
        if name not in self.definitions:
            for cls in self.registries[name]:
                self.add(cls.__module__, cls.__name__)
            entries = (f'"{cls.key}": {cls.__name__}' for cls in self.registries[name])
            self.definitions[name] = f"{name} = {{{', '.join(entries)}}}\n"
        return True

    def _import(self, module, node, name, base):
        [alias] = [a for a in node.names if (a.asname or a.name) == name]
        if name == "_":  # a script speaks English
            self.definitions.setdefault(name, "_ = str\n")
            return True
        if isinstance(node, ast.Import):
            return self._from(ast.unparse(alias), "")
        if _package(node.module) in (PACKAGE, _package(module)):
            return self.add(node.module, alias.name, base)
        return self._from(node.module, name)

    def _from(self, module, name):
        self.imports.add((module, name))
        return True

    def _add_needed(self, module, tree):
        """Copy what is named in a tree, before the tree itself."""
        for node in ast.walk(tree):
            match node:
                case ast.Name(id=name, ctx=ast.Load()):
                    self.add(module, name)
                case ast.Attribute(attr=name):
                    self.named.add(name)

    def _other(self, module, node, lines):
        """A function or a constant."""
        self._add_needed(module, node)
        return _text(node, lines)

    def _class(self, module, node, lines):
        cls = getattr(sys.modules[module], node.name)
        field_names = {f.name for f in fields(cls)} if is_dataclass(cls) else set()
        defaults = {k.name: k.default for k in hyperparameters(cls)} if is_dataclass(cls) else {}
        kept = [part for part in node.body if self._is_used(cls, field_names, part)]
        bases = [ast.unparse(b) for b in node.bases if self.add(module, ast.unparse(b), base=True)]
        methods, attributes = [], []
        for part in kept:
            if isinstance(part, ast.FunctionDef):
                self._add_needed(module, part)
                methods.append("\n" + _text(part, lines))
                continue
            name = _targets(part)[0]
            if name in defaults:
                kind = ast.unparse(part.annotation)
                attributes.append(f"    {name}: {kind} = {defaults[name]!r}\n")
            else:
                self._add_needed(module, part)
                attributes.append(_text(part, lines))
        head = [f"class {node.name}({', '.join(bases)}):\n" if bases else f"class {node.name}:\n"]
        if is_dataclass(cls):
            head.insert(0, "@dataclass(frozen=True)\n")
            self._from("dataclasses", "dataclass")
        if doc := ast.get_docstring(node):
            head.append(_docstring(4, doc) + "\n" * bool(attributes))
        text = "".join([*head, *attributes, *methods])
        if not kept and not bases:
            self.empty[node.name] = text
        return text

    def _is_used(self, cls, field_names, part):
        match part:
            case ast.FunctionDef(name=name, body=[*_, last]):
                abstract = isinstance(last, ast.Raise) and len(part.body) <= 2
                return name in self.members and not abstract
            case ast.AnnAssign() | ast.Assign():
                names = set(_targets(part))
                is_field = isinstance(part, ast.AnnAssign) and issubclass(cls, tuple)
                return is_field or not names.isdisjoint(self.members | field_names)
        return False


@cache
def _parsed(module):
    """The lines of a module, and what it binds at its top level: name -> statement."""
    text = inspect.getsource(sys.modules[module])
    bindings = {}
    for node in ast.parse(text).body:
        bindings |= dict.fromkeys(_targets(node), node)
    return text.splitlines(keepends=True), bindings


def _targets(node) -> list[str]:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
            return [name]
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [a.asname or a.name for a in names]
        case ast.Assign(targets=targets):
            return [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def _text(node, lines):
    """The lines of a statement, with the first line of its docstring."""
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    statement = lines[first - 1 : node.end_lineno]
    if isinstance(node, ast.FunctionDef) and (doc := ast.get_docstring(node)):
        place = node.body[0]
        statement[place.lineno - first : place.end_lineno - first + 1] = [
            _docstring(place.col_offset, doc)
        ]
    return "".join(statement)


def _docstring(indent, text):
    """The first line of a docstring."""
    line = text.splitlines()[0]
    raw = "r" if "\\" in line else ""
    return f'{" " * indent}{raw}"""{line}"""\n'


def _package(module):
    return module.partition(".")[0]
