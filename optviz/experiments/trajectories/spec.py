"""A scene: optimizers on one function of two variables, and how it is shown."""

from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, lru_cache

from optviz.functions.library import FUNCTIONS, Function, parse_formula
from optviz.functions.parse import FormulaError
from optviz.optim import OPTIMIZERS
from optviz.optim.config import MAX_STEPS, OptimizerConfig, names
from optviz.optim.hyperparameter import hyperparameter
from optviz.optim.initial_points import INITIAL_POINTS
from optviz.optim.noise import NOISES
from optviz.plot.style import MAPS, number
from optviz.spec import Choice, SpecError, canonical_json, choice, items, option
from optviz.translation import N_, _

TYPED = "formula"  # the function key of a scene whose formula a person typed
MAX_OPTIMIZERS = 12
MAX_EDGE = 100.0  # of the frame of a typed formula
MAX_COST = 2.5e6  # µs that the paths of a scene may take, roughly, and
MAX_POINTS = 300_000  # of all paths, which the browser gets
STEP_COST = {  # µs by family, or of those that search
    "second order": 500,
    "lbfgs": 1150,
    "trust_region": 600,
    "cg": 1000,
    "derivative-free": 600,
    "matrix": 165,
    "shampoo": 430,
    "soap": 220,
    "parameter-free": 130,
}
PLAIN_COST = 40  # and of the others
FUNCTION_NAMES = {key: f.name for key, f in FUNCTIONS.items()} | {TYPED: N_("Type a formula …")}

LEVELS = {"auto": None, "linear": False, "log": True}  # whether in equal ratios; None: by the data
SHOWN = {
    "both": N_("Side by side"),
    "contour": N_("Contour"),
    "surface": N_("3-D"),
    "curves": N_("Curves"),
}
METRICS = {
    "loss": N_("loss f"),
    "gradient": N_("gradient norm ‖∇f‖"),
    "distance": N_("distance to nearest minimum"),
    "length": N_("path length"),
}
ALONG = {
    "steps": N_("step"),
    "gradients": N_("gradient evaluations"),
    "evaluations": N_("function, gradient and Hessian evaluations"),
}


@dataclass(frozen=True)
class Objective:
    """What all optimizers share: the function, where they start, how long, and what noise."""

    function: str = option(
        "bowl",
        FUNCTION_NAMES,
        N_("Function"),
        N_("The function to optimize. Choose the last entry to type your own formula."),
    )
    formula: str = ""
    # of a typed formula; a shipped function has its own
    domain: tuple[tuple[float, float], tuple[float, float]] = ((-5.0, 5.0), (-5.0, 5.0))
    start: tuple[float, float] = (-7.0, 2.0)
    steps: int = hyperparameter(
        30, 1, MAX_STEPS, "n", log=True, help=N_("updates of every optimizer")
    )
    noise: Choice | None = choice(
        None,
        NOISES,
        N_("Gradient noise"),
        N_(
            "Added to each component of the gradient, the same for every optimizer at each step: "
            "uniform in ±a; Gaussian with standard deviation a; or rare, 3a one time in ten and "
            "−a/3 otherwise."
        ),
    )
    seed: int = hyperparameter(0, 0, 9999, help=N_("a new seed draws new noise"))
    maximize: bool = False

    @cached_property
    def f(self) -> Function:
        """The function to minimize: f, or −f to maximize f. FormulaError for a refused formula."""
        typed = self.function == TYPED
        f = _typed(self.formula, self.domain) if typed else FUNCTIONS[self.function]
        return f.negated if self.maximize else f

    @cached_property
    def as_json(self) -> str:
        """Canonical, for the keys of caches."""
        return canonical_json(asdict(self))

    def landscape_key(self) -> str:
        """What the picture under the paths depends on, as canonical JSON."""
        typed = [self.formula, self.domain] if self.function == TYPED else []
        return canonical_json([self.function, *typed, *[True] * self.maximize])

    def on(self, key: str) -> "Objective":
        """The same on another shipped function, with that one's start and noise."""
        f = FUNCTIONS[key]
        noise = f.noise and Choice(f.noise.key, {"scale": f.noise.scale})
        return replace(self, function=key, start=tuple(map(float, f.start)), noise=noise)

    def inside(self, point) -> tuple[float, float]:
        """The point of the domain that is nearest, coordinate by coordinate."""
        ends = zip(point, self.f.domain, strict=True)
        return tuple(min(max(float(c), low), high) for c, (low, high) in ends)

    def validate(self) -> None:
        """SpecError if frame, formula and start do not fit together."""
        if not all(-MAX_EDGE <= low < high <= MAX_EDGE for low, high in self.domain):
            raise SpecError(f"the frame of the formula is not within ±{MAX_EDGE:g}")
        try:
            domain = self.f.domain
            if self.formula:  # also while another function is chosen
                _typed(self.formula, self.domain)
        except FormulaError as error:
            raise SpecError(f"{error}") from None
        ends = zip(self.start, domain, strict=True)
        if not all(low <= c <= high for c, (low, high) in ends):
            raise SpecError("the start is outside the picture")


@lru_cache(256)
def _typed(formula, domain):
    """One Function per formula, so that its code is derived once and not for every start."""
    return parse_formula(formula, domain)


def noise_in_words(objective: Objective) -> str:
    """The noise and its seed; empty where there is none."""
    if not objective.noise:
        return ""
    values = {"kind": objective.noise.key, "seed": objective.seed}
    scale = number(objective.noise.values.get("scale", 0.0))
    return _("{kind} noise {scale}, seed {seed}").format(scale=scale, **values)


def run_in_words(objective: Objective) -> str:
    """Start, steps and noise."""
    place = ", ".join(map(number, objective.start[: 1 if objective.f.univariate else 2]))
    message = _("from ({place}), {steps} steps").format(place=place, steps=objective.steps)
    maximized = _("maximized") if objective.maximize else ""
    return " · ".join(filter(None, [message, noise_in_words(objective), maximized]))


@dataclass(frozen=True)
class View:
    """How the scene is shown; none of it makes anything run again."""

    # of the contour lines: evenly spaced in value or in its logarithm
    levels: str = option("auto", {k: k for k in LEVELS}, N_("Levels"))
    field: bool = False  # arrows against the gradient
    lookahead: bool = False  # Nesterov's look-ahead points in place of its iterates
    solid: bool = False  # the surface in place of the contour, beside the curves
    log: bool = True
    along: str = option("steps", ALONG, N_("Along"))
    metrics: tuple[str, ...] = ("loss",)
    colors: str = option("strong", {name: N_(name) for name in MAPS}, N_("Colors"))
    equal: bool = True  # scale of both axes; the frame then shows more than the domain
    shown: str = option("both", SHOWN, N_("Pictures"))

    @property
    def in_space(self) -> bool:
        """Whether the function is shown as a surface."""
        return self.shown == "surface" or (self.shown == "both" and self.solid)

    def validate(self) -> None:
        """SpecError for unknown or repeated curves, or for none."""
        known, shown = set(METRICS), self.metrics
        if not shown or len(set(shown)) < len(shown) or not set(shown) <= known:
            raise SpecError(f"curves are one or more of {', '.join(METRICS)}")


@dataclass(frozen=True)
class Scene:
    """Equal scenes show equal pictures."""

    objective: Objective = field(default_factory=Objective)
    optimizers: tuple[OptimizerConfig, ...] = items((), 0, MAX_OPTIMIZERS, "optimizers")
    tolerance: float = hyperparameter(
        1e-3, 1e-12, 1.0, log=True, help=N_("height above the minimum that counts as arrived")
    )
    view: View = field(default_factory=View)
    beside: "Scene | None" = None  # another scene to be compared with, on the same player

    def validate(self) -> None:
        """SpecError if the paths would take too long, or there are more than two scenes."""
        for scene in self.both:
            steps, max_steps = scene.objective.steps, scene.max_steps(len(self.both))
            if steps > max_steps:
                raise SpecError(
                    f"{steps} steps of these optimizers would take too long: at most {max_steps}"
                )
        if self.beside and self.beside.beside:
            raise SpecError("a scene can have only one other beside it")

    @property
    def both(self) -> tuple["Scene", ...]:
        """The scene, and the one beside it, shown in the same way."""
        return (self, *([replace(self.beside, view=self.view)] if self.beside else []))

    @property
    def ids_beside(self) -> list[str]:
        """The ids of its optimizers in a scene that is beside another."""
        return [f"beside{i}" for i in range(len(self.optimizers))]

    @property
    def names(self) -> list[str]:
        """A distinct name for each optimizer: with the hyperparameters in which twins differ, or
        else numbered."""
        return names(self.optimizers)

    def max_steps(self, scenes: int = 0) -> int:
        """How many steps the scene may have, so that its paths take about three seconds, together
        with those of a scene beside it, or of as many `scenes` in all.
        """
        paths, cost, f = 0, 0, self.objective.f
        for config in self.optimizers:
            step = max(step_cost(c, STEP_COST, PLAIN_COST) for c in config.lineage)
            layout = config.initial_points and config.initial_points.build(INITIAL_POINTS)
            further = len(layout.points(f.start, f.domain)) if layout else 0
            paths, cost = paths + 1 + further, cost + step * (3 if further else 1)
        cost *= 1 + len(f.formula) / 100
        limit = min(MAX_COST / max(cost, 1), MAX_POINTS / max(paths, 1))
        return int(min(MAX_STEPS, limit / (scenes or len(self.both))))

    def affordable(self) -> "Scene":
        """The scene, and the one beside it, with no more steps than they may have."""

        def cut(scene):
            steps = min(scene.objective.steps, scene.max_steps(len(self.both)))
            return replace(scene, objective=replace(scene.objective, steps=steps))

        return replace(cut(self), beside=self.beside and cut(self.beside))


def step_cost(config: OptimizerConfig, costs: dict[str, float], otherwise: float) -> float:
    """The cost of a step of an optimizer, from costs by its key or its family."""
    kinds = config.method.key, OPTIMIZERS[config.method.key].family
    return max(costs.get(kind, otherwise) for kind in kinds)


# The book's figures 6.3 and 6.5-6.8 in one: its function, start, number of updates and rates.
BOOK = Scene(
    optimizers=(
        OptimizerConfig(Choice("sgd", {"lr": 0.95})),
        OptimizerConfig(Choice("momentum", {"lr": 0.1, "momentum": 0.9})),
        OptimizerConfig(Choice("adagrad", {"lr": 1.5, "eps": 1e-7})),
        OptimizerConfig(Choice("adam", {"lr": 0.3})),
    )
)
