"""The test set, behind a button that counts: all curves and verdicts go by the validation set."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

from optviz.experiments.page import Caption, Context, Widget
from optviz.plot import Column, Table
from optviz.plot.series import over_seeds
from optviz.spec import canonical_json, to_dict
from optviz.training import Progress
from optviz.translation import _
from optviz.ui.components import button, table
from optviz.ui.session import session
from optviz.ui.training.jobs import data_of


@dataclass
class TestSet:
    """How often it was used in this session, and the results by their keys."""

    uses: int = 0
    results: dict[str, Any] = field(default_factory=dict)


def evaluate_once(key: str, evaluate: Callable[[], Any]) -> Any:
    """A button that evaluates on the test set and counts this. The result stays; None before."""
    record = session().state(TestSet)

    def evaluate_and_count():
        if key in record.results:  # one click may arrive twice while a training is drawn
            return
        record.uses += 1
        record.results[key] = evaluate()

    button(
        _("Evaluate on the test set"),
        session().key("test"),
        evaluate_and_count,
        icon="science",
        disabled=key in record.results,
        help=_(
            "Everything else uses the validation set. Every evaluation on the test set is counted."
        ),
    )
    st.markdown(used(record.uses))
    return record.results.get(key)


def used(uses: int) -> str:
    """How often the test set was used, and what that costs."""
    if not uses:
        return _("The test set has not been used yet.")
    if uses == 1:
        return _("The test set has been used **once**.")
    return _(
        "The test set has been used **{uses} times**. If you keep choosing after you have seen "
        "its result, you choose by it: each time it tells you less about new data."
    ).format(uses=uses)


def test_set(context: Context) -> Widget | Caption | None:
    """The button and its result, for the networks of a page once all are trained."""
    lines = context.lines if context.page.lines and context.states else ()
    states = [line.progress for line in lines]
    if not states or not all(isinstance(state, Progress) and state.done for state in states):
        return None
    if not states[0].training.split.validation:
        return Caption(
            _(
                "As in the notes, the test set itself serves as the validation set here, so none "
                "is left for the end. “Keep a test set for the end” changes that."
            )
        )
    return Widget(lambda: _draw(context, [state.training for state in states]))


def _draw(context, trainings):
    lines, key = context.lines, canonical_json(to_dict(trainings))

    def evaluate():
        together = context.page.ensembles(context) if context.page.ensembles else []
        return [*([line.name, *_accuracy(line)] for line in lines), *map(list, together)]

    if (rows := evaluate_once(key, evaluate)) is None:
        return
    names = _("validation accuracy"), _("test accuracy")
    columns = ("", *(Column(name, 3, percent=True) for name in names))
    styles = [*(line.style for line in lines), *[None] * (len(rows) - len(lines))]
    table(Table(_("Accuracy on the test set"), columns, rows, styles).html(), "test-set")


def _accuracy(line):
    """Median over the seeds on the validation set and on the test set."""
    progress, i = line.progress, line.i
    data, network = data_of(progress.training, final=True), progress.training.network
    with np.errstate(all="ignore"):
        x = data.x_test.astype(progress.params.dtype, copy=False)
        statistics = progress.running_statistics[i]
        test = network.accuracy(progress.params[i], x, data.t_test, running_statistics=statistics)
    return [float(over_seeds(a)[0]) for a in (progress.accuracy[-1, 1, i], test)]
