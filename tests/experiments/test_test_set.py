"""All that is shown goes by the validation set; the test set stands behind a button that counts."""

from dataclasses import replace

import numpy as np

from optviz.experiments.optimizer_comparison.spec import OptimizerComparison
from optviz.nn import Network
from optviz.training import Split, load
from tests import page
from tests.page import labeled, open_page, session, sound
from tests.table import table

SMALL = OptimizerComparison(Network((64, 20, 10)), iterations=40)


@table(
    ("split", "validation", "test"),
    [
        (Split(validation=0.5), 148, 149),  # of the 297 that are not for training
        (Split(1000, validation=0.25), 199, 598),
        (Split(300, True, validation=0.5), 748, 749),
        (Split(1796, validation=0.5), 1, 1),  # a single one cannot be parted
        (Split(), 297, 297),  # as in the notes
    ],
)
def test_validation_and_test_are_what_is_not_for_training(split, validation, test):
    training = replace(SMALL.trainings[0], split=split)
    everyone = load(replace(training, split=replace(split, validation=0.0)))
    shown, final = load(training), load(training, final=True)
    assert [len(shown.t_test), len(final.t_test)] == [validation, test]
    assert np.array_equal(shown.x, everyone.x)
    if len(everyone.t_test) == validation + test:
        assert np.array_equal(np.concatenate([shown.x_test, final.x_test]), everyone.x_test)


def test_every_page_with_a_training_keeps_a_test_set():
    for key in ("optimizer_comparison", "initialization", "batch_norm", "standardization"):
        at = open_page(key)
        assert session(at).specs[key].split.validation == 0.5


def test_the_button_counts_and_says_how_the_networks_do():
    at = page.trained(open_page("optimizer_comparison", SMALL), "optimizer_comparison")
    assert "has not been used yet" in page.text(at)
    assert "Accuracy on the test set" not in page.text(at)
    button = labeled(at.button, "Evaluate on the test set")
    button.click().run()
    assert "used **once**" in page.text(sound(at))
    button = labeled(at.button, "Evaluate on the test set")
    assert button.disabled, "it has been seen"
    # layer by layer in float64, from the arrays of the first network
    state = next(iter(session(at).results["optimizer_comparison"].states.values()))
    data, (one, _, two) = (
        load(state.training, final=True),
        state.training.network.views(state.params[0, 0].astype(float)),
    )
    hidden = np.maximum(data.x_test @ one["W"] + one["b"], 0)
    share = ((hidden @ two["W"] + two["b"]).argmax(1) == data.t_test).mean()
    [shown] = [h.value for h in at.get("html") if "Accuracy on the test set" in h.value]
    assert f"{100 * share:.3g}" in shown
    longer = replace(SMALL, iterations=60)
    session(at).show("optimizer_comparison", longer)
    at = page.trained(at.run(), "optimizer_comparison")
    button = labeled(at.button, "Evaluate on the test set")
    button.click().run()
    assert "used **2 times**" in page.text(sound(at))


def test_the_setting_of_the_notes_says_that_no_test_set_is_left():
    notes = replace(SMALL, split=Split())
    at = page.trained(open_page("optimizer_comparison", notes), "optimizer_comparison")
    assert "the test set itself serves as the validation set" in page.text(at)
    assert not [b for b in at.button if b.label == "Evaluate on the test set"]
    toggle = labeled(at.toggle, "Keep a test set for the end")
    toggle.set_value(True).run()
    assert session(sound(at)).specs["optimizer_comparison"] == SMALL
