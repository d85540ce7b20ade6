"""How it works: penalties, two forms of dropout, decay inside and outside of Adam, measuring."""

from optviz.experiments.page import Caption, Expander, Row
from optviz.experiments.regularization.run import dropout_forms
from optviz.experiments.regularization.spec import EVAL_EVERY
from optviz.nn import Dropout, Penalty
from optviz.optim import OPTIMIZERS
from optviz.plot import Column, Table, equations, number
from optviz.translation import _

EXAMPLE = (0.8, 0.0, 1.7, 0.4, 2.1, 0.6)  # activations of ReLU
EXAMPLE_SEED = 15  # leaves out one of these six at a small p


def notes(context) -> list:
    """The penalties, both forms of dropout, AdamW, and how it is measured."""
    spec = context.spec
    ratio = next((r.dropout for r in spec.regularizers if r.dropout), 0.5)
    return [
        Expander(_("Weight decay and L1"), _penalties),
        Expander(_("Two forms of dropout"), lambda: _dropout(ratio)),
        Expander(_("Adam with L2, and AdamW"), _adamw),
        Caption(
            _(
                "For each seed, all regularizers share the same initial weights and mini-batches; "
                "differences are taken seed by seed and then averaged. With several seeds, "
                "figures show the mean and a band from the lowest to the highest. Accuracy is "
                "measured every {every} iterations, on training examples against the labels that "
                "the network was given. An epoch is {epoch} iterations: as many draws as there "
                "are examples. Data: {attribution}"
            ).format(every=EVAL_EVERY, epoch=number(spec.epoch, 3), attribution=context.attribution)
        ),
    ]


def _displayed(*lines):
    return [f"$$\n{line}\n$$" for line in lines]


def _penalties():
    return [
        *_displayed(equations.equations(Penalty)[0]),
        _(
            "The penalty is added to the loss; biases are not penalized. The gradient of the "
            "first term is λ₂W: it shrinks every weight in proportion to its size, so large "
            "weights shrink most. With SGD, this multiplies all weights by 1 − ηλ₂ in every step, "
            "hence *weight decay*. The gradient of the second term is λ₁·sign W: it shrinks all "
            "weights by the same amount, so small weights end up near 0 and those that are needed "
            "remain."
        ),
    ]


def _dropout(ratio):
    forms = dropout_forms(EXAMPLE, ratio, EXAMPLE_SEED)
    headings = (
        "x",
        _("mask m"),
        _("inverted, training"),
        _("inverted, evaluation"),
        _("book, training"),
        _("book, evaluation"),
    )
    units = [Column(_("unit {k}").format(k=k + 1), 3) for k in range(len(EXAMPLE))]
    inverted = _displayed(*equations.equations(Dropout), r"\text{evaluation:}\quad y = x")
    book = _displayed(
        r"y = m\, x, \qquad m \sim \text{Bernoulli}(1 - p)",
        r"\partial x = m\, \partial y",
        r"\text{evaluation:}\quad y = (1 - p)\, x",
    )
    return [
        Row([[_("**As trained here** (“inverted”)"), *inverted], [_("**As in the book**"), *book]]),
        Table(
            _("Six numbers through both forms, p = {ratio:g}").format(ratio=ratio),
            [f"p = {ratio:g}", *units],
            [[label, *values] for label, values in zip(headings, forms, strict=True)],
        ),
        _(
            "In training and in evaluation, the book's numbers are {share} times those of the "
            "inverted form: the same function at a different scale, for which the next layer's "
            "weights can compensate. In both forms, a unit's output in evaluation equals its "
            "average output in training. The steps differ: from equal weights, the book's form "
            "starts with smaller signals and smaller gradients."
        ).format(share=number(1 - ratio, 3)),
    ]


def _adamw():
    adamw = equations.equations(OPTIMIZERS["adamw"])
    penalized = _displayed(
        r"g = \nabla f(x) + \lambda x",
        *adamw[1:3],
        r"x \leftarrow x - \eta\, \frac{\hat m}{\sqrt{\hat v} + \epsilon}",
    )
    return [
        Row(
            [
                [_("**Adam with L2 in the loss**"), *penalized],
                [_("**AdamW: decay outside the loss**"), *_displayed(*adamw)],
            ]
        ),
        _(
            "In Adam with L2, the penalty's gradient λx enters m and is divided by √v with the "
            "rest of the gradient: weights with large gradients are regularized least, and where "
            "gradients are small, the penalty alone makes steps of the full rate. In AdamW, every "
            "weight shrinks by the same share ηλ per step, whatever its gradient. With SGD the "
            "two are the same, except that decay also shrinks the biases, which the penalty does "
            "not; with Adam, the same λ does not mean the same strength. (Loshchilov & Hutter "
            "2019, Decoupled weight decay regularization.)"
        ),
    ]
