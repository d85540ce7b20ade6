"""Specs: what is written is read again, defaults are not written, and what is wrong is named with its place."""

import json
import math
from dataclasses import dataclass, field, replace

import pytest

from optviz import FUNCTIONS, INITIAL_POINTS, NOISES, OPTIMIZERS, SCHEDULES, WRAPPERS
from optviz.experiments.trajectories.spec import BOOK, MAX_OPTIMIZERS, Objective, Scene
from optviz.optim.config import Fork, OptimizerConfig
from optviz.optim.hyperparameter import hyperparameters
from optviz.spec import (
    MAX_DEPTH,
    MAX_ITEMS,
    MAX_NAME,
    Choice,
    SpecError,
    from_dict,
    to_dict,
    validate,
)
from tests.table import table

REGISTRIES = {
    "optimizer": OPTIMIZERS, "wrapper": WRAPPERS, "schedule": SCHEDULES, "noise": NOISES, "set of starts": INITIAL_POINTS,
}  # fmt: skip
PARTS = [(where, registry, key) for where, registry in REGISTRIES.items() for key in registry]
EVERY_KNOB = [(where, r, key, k) for where, r, key in PARTS for k in hyperparameters(r[key])]


@dataclass(frozen=True)
class Leaf:
    share: float = 0.5
    count: int = 3
    flag: bool = False
    text: str = ""


@dataclass(frozen=True)
class Tree:
    """One of each kind of field that a spec may have."""

    leaf: Leaf
    leaves: tuple[Leaf, ...] = ()
    pair: tuple[float, float] = (0.0, 1.0)
    box: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 1.0), (2.0, 3.0))
    named: dict[str, Leaf] = field(default_factory=dict)
    maybe: Leaf | None = None
    inner: "Tree | None" = None
    part: Choice = Choice("none")
    parts: tuple[Choice, ...] = ()
    words: tuple[str, ...] = ("a",)


def through_json(value):
    return json.loads(json.dumps(to_dict(value)))


def refusal(kind, data, where="tree"):
    with pytest.raises(SpecError) as caught:
        from_dict(kind, data, where)
    message = str(caught.value)
    assert 5 < len(message) < 200
    assert message.isprintable()
    return message


class TestPlain:
    def test_what_is_by_default_is_not_written(self):
        assert to_dict(Leaf()) == {}
        assert to_dict(Tree(Leaf())) == {"leaf": {}}
        assert to_dict(Leaf(share=0.25, text="x")) == {"share": 0.25, "text": "x"}
        assert to_dict(Objective()) == {}
        assert to_dict(OptimizerConfig(Choice("sgd"))) == {"method": "sgd"}

    def test_what_has_no_default_is_written(self):
        assert to_dict(Fork(OptimizerConfig(Choice("sgd")))) == {"parent": {"method": "sgd"}}

    def test_a_part_is_its_key_or_its_key_with_knobs(self):
        assert to_dict(Choice("adam")) == "adam"
        assert to_dict(Choice("adam", {"lr": 0.3})) == {"adam": {"lr": 0.3}}

    def test_a_tree(self):
        named = {"a": Leaf(), "b": Leaf(text="t")}
        tree = Tree(Leaf(count=1), (Leaf(), Leaf(flag=True)), (3.0, 4.0), named=named)
        inner, parts = Tree(Leaf(share=2.0)), (Choice("x"), Choice("y", {"k": 1}))
        tree = replace(tree, maybe=Leaf(), inner=inner, parts=parts)
        assert to_dict(tree) == {
            "leaf": {"count": 1}, "leaves": [{}, {"flag": True}], "pair": [3.0, 4.0],
            "named": {"a": {}, "b": {"text": "t"}}, "maybe": {}, "inner": {"leaf": {"share": 2.0}},
            "parts": ["x", {"y": {"k": 1}}],
        }  # fmt: skip
        assert from_dict(Tree, through_json(tree)) == tree

    def test_the_book(self):
        assert to_dict(BOOK) == {
            "optimizers": [
                {"method": {"sgd": {"lr": 0.95}}},
                {"method": {"momentum": {"lr": 0.1, "momentum": 0.9}}},
                {"method": {"adagrad": {"lr": 1.5, "eps": 1e-7}}},
                {"method": {"adam": {"lr": 0.3}}},
            ]
        }

    def test_what_is_written_is_no_part_of_what_it_was_written_from(self):
        part = Choice("adam", {"lr": 0.3})
        to_dict(part)["adam"]["lr"] = 99
        data = {"adam": {"lr": 0.1}}
        read = from_dict(Choice, data)
        data["adam"]["lr"] = 99
        assert (part.values, read.values) == ({"lr": 0.3}, {"lr": 0.1})


class TestParsed:
    @table("key", FUNCTIONS)
    def test_every_function(self, key):
        scene = replace(BOOK, objective=Objective().on(key))
        read = from_dict(Scene, through_json(scene))
        assert read == scene
        validate(read)

    @table(("where", "registry", "key"), PARTS)
    def test_every_part_with_its_knobs(self, where, registry, key):
        part = Choice(key, {k.name: k.default for k in hyperparameters(registry[key])})
        assert from_dict(Choice, through_json(part), where) == part
        part.check(registry, where)
        Choice(key).check(registry, where)

    def test_a_whole_number_is_read_where_any_will_do(self):
        leaf = from_dict(Leaf, {"share": 2})
        assert leaf.share == 2
        assert type(leaf.share) is float
        assert type(from_dict(Objective, {"start": [1, -2]}).start[1]) is float

    def test_a_frame_of_its_own(self):
        objective = Objective("formula", "x*y", ((-3.0, 3.0), (0.0, 1.5)), (0.0, 1.0))
        read = from_dict(Objective, through_json(objective))
        assert read == objective
        assert hash(read.domain) == hash(objective.domain)
        validate(Scene(read, ()))

    def test_forks_starts_wrappers_and_schedules(self):
        wrappers = Choice("averaged", {"decay": 0.5}), Choice("clipped")
        parent = OptimizerConfig(Choice("adam"), wrappers, {"lr": Choice("cosine")})
        ring = Choice("ring", {"count": 5})
        child = OptimizerConfig(Choice("momentum"), fork=Fork(parent, 7), initial_points=ring)
        grandchild = OptimizerConfig(Choice("adam"), fork=Fork(child, 12))
        scene = Scene(Objective(), (child, grandchild), 0.5)
        read = from_dict(Scene, through_json(scene))
        assert read == scene
        validate(read)

    def test_none_is_what_an_optional_field_may_be(self):
        assert from_dict(Tree, {"leaf": {}, "maybe": None, "inner": None}) == Tree(Leaf())

    def test_what_is_read_can_be_written_again(self):
        assert to_dict(from_dict(Scene, to_dict(BOOK))) == to_dict(BOOK)


# kind -> data, and what the message says
WRONG = {
    "not a mapping": (Tree, [1], ["tree", "mapping", "[1]"]),
    "no mapping at all": (Tree, None, ["tree", "mapping", "None"]),
    "a text": (Tree, "leaf", ["tree", "mapping", "'leaf'"]),
    "unknown": (Tree, {"leaf": {}, "loaf": 1}, ["tree", "'loaf'"]),
    "unknown inside": (Tree, {"leaf": {"x": 1}}, ["leaf", "'x'"]),
    "lacking": (Tree, {}, ["tree", "lacks", "leaf"]),
    "lacking inside": (Tree, {"leaf": {}, "inner": {}}, ["inner", "lacks", "leaf"]),
    "list for mapping": (Tree, {"leaf": []}, ["leaf", "mapping"]),
    "mapping for list": (Tree, {"leaf": {}, "leaves": {}}, ["leaves", "list"]),
    "text for list": (Tree, {"leaf": {}, "words": "abc"}, ["words", "list"]),
    "number for text": (Tree, {"leaf": {}, "words": ["a", 3]}, ["words 2", "text", "3"]),
    "second of a list": (Tree, {"leaf": {}, "leaves": [{}, 7]}, ["leaves 2", "mapping", "7"]),
    "too few": (Tree, {"leaf": {}, "pair": [1]}, ["pair", "2 values", "not 1"]),
    "too many": (Tree, {"leaf": {}, "pair": [1, 2, 3]}, ["pair", "2 values", "not 3"]),
    "in a box": (Tree, {"leaf": {}, "box": [[0, 1], [2, "x"]]}, ["box 2 2", "number", "'x'"]),
    "flat box": (Tree, {"leaf": {}, "box": [0, 1]}, ["box 1", "list"]),
    "named": (Tree, {"leaf": {}, "named": {"b": 4}}, ["named 'b'", "mapping"]),
    "text for number": (Leaf, {"share": "0.5"}, ["share", "finite number", "'0.5'"]),
    "none for number": (Leaf, {"share": None}, ["share", "finite number"]),
    "bool for number": (Leaf, {"share": True}, ["share", "finite number", "True"]),
    "nan": (Leaf, {"share": math.nan}, ["share", "finite number", "nan"]),
    "inf": (Leaf, {"share": math.inf}, ["share", "finite number", "inf"]),
    "too large": (Leaf, {"share": 1e300}, ["share", "finite number"]),
    "a huge whole number": (Leaf, {"share": 10**400}, ["share", "finite number"]),
    "float for int": (Leaf, {"count": 3.0}, ["count", "whole number", "3.0"]),
    "bool for int": (Leaf, {"count": True}, ["count", "whole number"]),
    "huge int": (Leaf, {"count": 10**400}, ["count", "whole number"]),
    "int beyond measure": (Leaf, {"count": 10**5000}, ["count", "whole number"]),
    "int for bool": (Leaf, {"flag": 1}, ["flag", "true or false", "1"]),
    "text for bool": (Leaf, {"flag": "true"}, ["flag", "true or false"]),
    "number for a text": (Leaf, {"text": 5}, ["text", "5"]),
    "list for a text": (Leaf, {"text": ["a"]}, ["text", "['a']"]),
    "long text": (Leaf, {"share": "x" * 5000}, ["share", "…"]),
    "odd text": (Leaf, {"share": "\0\n\u202e"}, ["share"]),
    "odd name": (Tree, {"leaf": {}, "\0\n\u202e": 1}, ["tree has no"]),
    "long name": (Tree, {"leaf": {}, "named": {"x" * 5000: 1}}, ["named", "…"]),
    "odd name in a mapping": (Tree, {"leaf": {}, "named": {"\0\n\u202e": 1}}, ["named", "mapping"]),
    "no name in a mapping": (Tree, {"leaf": {}, "named": {3: {}}}, ["named", "3"]),
    "part of nothing": (Choice, None, ["tree", "mapping"]),
    "part of a number": (Choice, 3, ["tree", "mapping"]),
    "empty part": (Choice, {}, ["tree", "one thing", "0"]),
    "two parts": (Choice, {"a": {}, "b": {}}, ["tree", "one thing", "2"]),
    "part without mapping": (Choice, {"a": 3}, ["tree", "mapping"]),
    "hyperparameter of text": (Choice, {"a": {"lr": "0.3"}}, ["'lr'", "tree", "number"]),
    "hyperparameter of nothing": (Choice, {"a": {"lr": None}}, ["'lr'", "number"]),
    "hyperparameter of a list": (Choice, {"a": {"lr": [0.3]}}, ["'lr'", "number"]),
    "hyperparameter of a mapping": (Choice, {"a": {"lr": {}}}, ["'lr'", "number"]),
    "hyperparameter nan": (Choice, {"a": {"lr": math.nan}}, ["'lr'", "number"]),
    "hyperparameter inf": (Choice, {"a": {"lr": -math.inf}}, ["'lr'", "number"]),
    "hyperparameter huge": (Choice, {"a": {"lr": 10**5000}}, ["'lr'", "number"]),
    "many hyperparameters": (Choice, {"a": {f"k{i}": 1 for i in range(65)}}, ["tree", "64"]),
}


class TestRefused:
    @table("name", WRONG)
    def test_names_the_place_and_the_fault(self, name):
        kind, data, words = WRONG[name]
        message = refusal(kind, data)
        assert [word for word in words if word not in message] == [], message

    def test_the_scene_is_where_it_begins(self):
        with pytest.raises(SpecError, match=r"^scene is a mapping"):
            from_dict(Scene, 3)
        message = refusal(Scene, {"objective": {}, "optimizers": [{}]})
        assert message == "optimizers 1 lacks its method"

    def test_lists_and_mappings_end_somewhere(self):
        assert len(from_dict(Tree, {"leaf": {}, "leaves": [{}] * MAX_ITEMS}).leaves) == MAX_ITEMS
        named = {f"k{i}": {} for i in range(MAX_ITEMS)}
        assert len(from_dict(Tree, {"leaf": {}, "named": named}).named) == MAX_ITEMS
        assert "more than 64" in refusal(Tree, {"leaf": {}, "leaves": [{}] * (MAX_ITEMS + 1)})
        assert "more than 64" in refusal(Tree, {"leaf": {}, "named": {**named, "more": {}}})
        assert "more than 64" in refusal(Tree, {str(i): 0 for i in range(MAX_ITEMS + 1)})
        assert from_dict(Tree, {"leaf": {}, "named": {"x" * MAX_NAME: {}}})

    def test_depth_ends_somewhere(self):
        data = {"leaf": {}}
        for _ in range(MAX_DEPTH - 1):
            data = {"leaf": {}, "inner": data}
        assert from_dict(Tree, data)
        assert "deeply" in refusal(Tree, {"leaf": {}, "inner": data})
        for _ in range(5000):
            data = {"leaf": {}, "inner": data}
        assert "deeply" in refusal(Tree, data)

    def test_lists_in_lists_without_end(self):
        data = []
        for _ in range(100_000):
            data = [data]
        for kind in (Tree, Choice):
            refusal(kind, data)
        for name in ("leaf", "leaves", "pair", "box", "named", "maybe", "part", "words"):
            refusal(Tree, {"leaf": {}, name: data})
        while data:  # or else Python takes it apart by recursion
            data = data.pop()


class TestPart:
    @table(("where", "registry"), REGISTRIES.items())
    def test_unknown(self, where, registry):
        for key in ("nope", "", "\0", "a" * 5000, "SGD", "\ud800"):
            with pytest.raises(SpecError, match=f"^there is no {where} ") as caught:
                Choice(key).check(registry, where)
            assert len(str(caught.value)) < 80
            assert str(caught.value).isprintable()

    @table(("where", "registry", "key"), PARTS)
    def test_unknown_knob(self, where, registry, key):
        for name in ("nope", "inner", "key", "init", "__class__", "x" * 5000):
            with pytest.raises(SpecError, match=f"{key} has no hyperparameter"):
                Choice(key, {name: 1.0}).check(registry, where)

    @table(("where", "registry", "key", "k"), EVERY_KNOB)
    def test_range_and_type(self, where, registry, key, k):
        inner = [OPTIMIZERS["sgd"]()] if registry is WRAPPERS else []
        if k.kind is bool:
            good, bad = [True, False], [0, 1, 0.5, "true", None]
        elif k.kind is int:
            good, bad = [k.low, k.high], [k.low - 1, k.high + 1, float(k.low), 10**200, -(10**200)]
            bad += [True, "1", math.nan]
        else:
            span = k.high - k.low
            bad = [k.low - 1e-3 * span, k.high + 1e-3 * span, 1e200, -1e200]
            bad += [True, "1", None, math.nan, math.inf, 1j]
            good = [k.low, k.high, k.default]
        for value in good:
            part = Choice(key, {k.name: value})
            part.check(registry, where)
            part.build(registry, *inner)
        for value in bad:
            with pytest.raises(SpecError, match=k.name) as caught:
                Choice(key, {k.name: value}).check(registry, where)
            assert key in str(caught.value), value


def bad_scene(**parts):
    objective = {k: v for k, v in parts.items() if k in Objective.__dataclass_fields__}
    rest = {k: v for k, v in parts.items() if k not in objective}
    return {"objective": objective, "optimizers": [], **rest}


ADAM = {"method": "adam"}


def adam(**parts):
    """A scene with one optimizer: Adam, but for these parts of it."""
    return bad_scene(optimizers=[ADAM | parts])


# A scene that can be read but not have been set on the page, and what the message says.
OUT_OF_REACH = [
    (bad_scene(function="nope"), "no function"),
    (bad_scene(function="\0" * 500), "no function"),
    (bad_scene(function="formula"), "formula is empty"),
    (bad_scene(function="formula", formula="x."), "x"),
    (bad_scene(function="formula", formula="__import__('os')"), "character"),
    (bad_scene(function="formula", formula="9**9**9"), "beyond ±64"),
    (bad_scene(formula="z + 1"), "unknown name 'z'"),
    (bad_scene(formula="x" * 401), "401 characters"),
    (bad_scene(function="formula", formula="x", domain=[[-101, 5], [-5, 5]]), "frame"),
    (bad_scene(function="formula", formula="x", domain=[[5, -5], [-5, 5]]), "frame"),
    (bad_scene(function="formula", formula="x", domain=[[-5, 5], [2, 2]]), "frame"),
    (bad_scene(domain=[[5, -5], [-5, 5]]), "frame"),
    (bad_scene(function="formula", formula="x", start=[-7, 2]), "outside"),
    (bad_scene(start=[-10.5, 2]), "outside"),
    (bad_scene(start=[0, 5.001]), "outside"),
    (bad_scene(function="saddle"), "outside"),
    (bad_scene(steps=0), "steps must be at least 1, not 0"),
    (bad_scene(steps=2001), "steps"),
    (bad_scene(seed=-1), "seed"),
    (bad_scene(seed=10_000), "seed"),
    (bad_scene(tolerance=0), "tolerance"),
    (bad_scene(tolerance=1.01), "tolerance"),
    (bad_scene(optimizers=[ADAM] * (MAX_OPTIMIZERS + 1)), "there are 0 to 12 optimizers, not 13"),
    (bad_scene(noise="nope"), "noise"),
    (bad_scene(noise={"none": {"scale": 1}}), "noise"),
    (bad_scene(noise={"uniform": {"scale": 11}}), "scale of uniform is from 0 to 10, not 11"),
    (bad_scene(noise={"uniform": {"size": 1}}), "no hyperparameter 'size'"),
    (adam(method="nope"), "no method 'nope'"),
    (adam(method="averaged"), "no method 'averaged'"),
    (adam(method={"sgd": {"lr": 11}}), "lr of sgd is from 1e-08 to 10, not 11"),
    (adam(method={"lbfgs": {"memory": 51}}), "memory of lbfgs"),
    (adam(method={"lbfgs": {"memory": 5.0}}), "whole number"),
    (adam(wrappers=["adam"]), "no wrapper 'adam'"),
    (adam(wrappers=["averaged", "averaged"]), "around itself"),
    (adam(wrappers=["averaged", "clipped", "averaged"]), "around itself"),
    (adam(wrappers=["averaged", "clipped", "lookahead"] * 20), "around itself"),
    (adam(wrappers=[{"averaged": {"decay": 1.0}}]), "averaged: decay must be in [0, 1), not 1"),
    (adam(schedules={"lr": "nope"}), "no schedule 'nope'"),
    (adam(schedules={"momentum": "cosine"}), "'momentum'"),
    (adam(schedules={"bias_correction": "cosine"}), "'bias_correction'"),
    (adam(schedules={"decay": "cosine"}), "'decay'"),
    (adam(schedules={"": "cosine"}), "''"),
    (adam(schedules={"lr": {"cosine": {"steps": 5001}}}), "steps of cosine"),
    (adam(initial_points="nope"), "no initial_points 'nope'"),
    (adam(initial_points={"ring": {"count": 37}}), "count of ring is from 3 to 36, not 37"),
    (adam(initial_points={"ring": {"count": 2}}), "count"),
    (adam(initial_points={"grid": {"columns": 7}}), "columns of grid"),
    (adam(fork={"parent": ADAM, "step": -1}), "step must be at least 0, not -1"),
    (adam(fork={"parent": ADAM, "step": 20001}), "step is from 0 to 20000"),
    (adam(fork={"parent": {"method": "nope"}, "step": 3}), "no method 'nope'"),
    (adam(fork={"parent": {**ADAM, "schedules": {"rho": "step"}}, "step": 0}), "'rho'"),
]


class TestCheck:
    @table(("data", "words"), OUT_OF_REACH)
    def test_refuses(self, data, words):
        scene = from_dict(Scene, data)
        with pytest.raises(SpecError) as caught:
            validate(scene)
        assert words in str(caught.value)
        assert len(str(caught.value)) < 600
        assert str(caught.value).isprintable()

    def test_the_ends_of_every_range_are_within_reach(self):
        adam = OptimizerConfig(Choice("adam"))
        ring = replace(adam, initial_points=Choice("ring", {"count": 36}))
        configs = (ring, *[adam] * (MAX_OPTIMIZERS - 1))
        noise, domain = Choice("gaussian", {"scale": 10.0}), ((-100.0, 100.0), (-100.0, -99.0))
        for objective in (
            Objective(start=(-10.0, 5.0), steps=2000, seed=9999, noise=noise),
            Objective("formula", "x", domain, (100.0, -99.0), 1),
        ):
            for tolerance in (1e-12, 1.0):
                validate(Scene(objective, configs, tolerance))
        validate(Scene(Objective(), ()))

    def test_a_formula_that_waits_may_be_there_or_not(self):
        validate(Scene(Objective(formula="x*y"), ()))
        validate(Scene(Objective(formula=""), ()))

    def test_a_schedule_may_be_of_a_knob_of_a_wrapper(self):
        schedules = {"decay": Choice("warmup")}
        averaged = OptimizerConfig(Choice("adam"), (Choice("averaged"),), schedules)
        validate(Scene(Objective(), (averaged,)))

    def test_forks_as_many_as_a_page_full(self):
        config = OptimizerConfig(Choice("adam"))
        for step in range(MAX_OPTIMIZERS):
            config = OptimizerConfig(Choice("sgd"), fork=Fork(config, step))
        scene = Scene(Objective(), (config,))
        read = from_dict(Scene, through_json(scene))
        assert read == scene
        validate(read)
