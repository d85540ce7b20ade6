"""The page's state for a visitor besides the scene: ids, earlier settings, the prediction."""

from collections import deque
from dataclasses import dataclass, field, replace

from optviz.experiments.trajectories import run as runs
from optviz.experiments.trajectories.spec import Objective, Scene
from optviz.lens import Lens
from optviz.optim.config import OptimizerConfig
from optviz.ui.form import Form
from optviz.ui.session import session

KEY = "trajectories"
MAX_TUNED = 100  # optimizers whose rates were changed with the function


@dataclass
class TrajectoriesState:
    """One for each visitor; `state()` gives it."""

    ids: list[str] = field(default_factory=list)  # of the optimizers, which never change
    optimizers: tuple[OptimizerConfig, ...] = ()  # to which the ids belong
    epoch: str = ""
    formula_complaint: str = ""
    edges: dict[str, float] = field(default_factory=dict)  # of the frame, while they do not fit
    objectives: dict[str, Objective] = field(default_factory=dict)  # left behind, by function
    tuned: deque[tuple[OptimizerConfig, ...]] = field(  # (now, as it was set)
        default_factory=lambda: deque(maxlen=MAX_TUNED)
    )
    inspected: str = ""  # the id of the inspected optimizer
    prediction: "Prediction | None" = None
    score: tuple[int, ...] = ()

    def follow(self, optimizers: tuple[OptimizerConfig, ...]) -> None:
        """Give an id to every new optimizer, and drop the ids of removed ones."""
        before = list(self.optimizers)
        while len(self.ids) > len(optimizers):
            pairs = zip(before, optimizers, strict=False)
            removed = next((i for i, (a, b) in enumerate(pairs) if a is not b), len(optimizers))
            del self.ids[removed], before[removed]
        self.ids += [f"r{session().next_id()}" for _ in optimizers[len(self.ids) :]]
        self.optimizers = optimizers


@dataclass(frozen=True)
class Prediction:
    """One question, from being asked to its verdict."""

    question: str = "where"  # will it be; or "who" arrives first
    about: str = ""  # the id of the optimizer that is asked about
    point: tuple[float, float] | None = None
    pick: str | None = None  # the id of an optimizer, or NOBODY
    landscape: str = ""  # its key, on which the point was chosen
    revealed: str = ""  # a name for this revelation, once the paths are shown
    scene: Scene | None = None  # what was run, whatever is changed while it plays
    ids: tuple[str, ...] = ()
    points: int | None = None  # earned, once it is over
    verdict: str = ""

    @property
    def paths_hidden(self) -> bool:
        """Whether the paths are still hidden."""
        return not self.revealed

    @property
    def answered(self) -> bool:
        """Whether there is an answer to be judged."""
        return (self.point if self.question == "where" else self.pick) is not None


def state() -> TrajectoriesState:
    """The visitor's state, with an id for every optimizer of the scene."""
    S = session()
    page = S.state(TrajectoriesState)
    if page.epoch != S.epoch:  # another scene has been put in place
        page.ids, page.optimizers, page.epoch = [], (), S.epoch
        page.formula_complaint, page.edges = "", {}
        page.tuned.clear()
    page.follow(S.specs[KEY].optimizers)
    return page


def prediction() -> Prediction | None:
    """The current prediction, if any."""
    page = state()
    return page.prediction if page.ids else None


def paths_hidden() -> bool:
    """Whether the paths are hidden until a prediction is revealed."""
    guess = prediction()
    return bool(guess and guess.paths_hidden)


def optimizer_form(form: Form, key: str) -> Form:
    """The place of the optimizer with this id."""

    def place():
        return form.lens.at("optimizers", state().ids.index(key))

    lens = Lens(lambda scene: place().get(scene), lambda scene, config: place().set(scene, config))
    return replace(form, name=key, lens=lens)


def suitable(objective: Objective, config: OptimizerConfig) -> OptimizerConfig:
    """The optimizer as the visitor had set it; if it ends higher on this function than it began,
    with its best rate.
    """
    tuned = state().tuned
    config = next((before for current, before in tuned if current == config), config)
    values = runs.path(objective, config).values
    if values[-1] <= values[0] or not (best := runs.best_settings(objective, config)):
        return config
    tuned.append((replace(config, method=config.method.with_values(**best)), config))
    return tuned[-1][0]
