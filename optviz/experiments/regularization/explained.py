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
                "Every regularizer has the same starts and meets the same mini-batches, seed by "
                "seed; differences are taken in these pairs, then their mean. Of several seeds "
                "figures show the mean and a band from the least to the largest. The accuracy "
                "is measured every {every} iterations, on training examples by the labels that "
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
            "Added to the loss; biases cost nothing. The gradient of the first part is λ₂W: it "
            "shrinks every weight in proportion to itself, most where weights are large. With SGD "
            "that is to multiply all weights by 1 − ηλ₂ in every step, hence *weight decay*. The "
            "gradient of the second part is λ₁·sign W: it takes the same from all, so that small "
            "weights end next to 0 and what is needed stays."
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
        Row(
            [
                [_("**As it is trained here** (“inverted”)"), *inverted],
                [_("**As in the book**"), *book],
            ]
        ),
        Table(
            _("Six numbers through both forms, p = {ratio:g}").format(ratio=ratio),
            [f"p = {ratio:g}", *units],
            [[label, *values] for label, values in zip(headings, forms, strict=True)],
        ),
        _(
            "In training and in evaluation the book's numbers are {share} times those of the "
            "inverted form: one function at another scale, which the next layer's weights can make "
            "up for. Either way evaluation gives what training gives to a unit on average. Not the "
            "same are the steps: from equal weights the book's form begins with smaller signals, "
            "and with smaller gradients."
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
                [_("**AdamW: decay outside of it**"), *_displayed(*adamw)],
            ]
        ),
        _(
            "In Adam with L2 the pull λx goes through m and is divided by √v with the rest of the "
            "gradient: weights whose gradients are large are held back least, and where gradients "
            "are small the pull alone makes steps of the full rate. In AdamW every weight shrinks "
            "by the same share ηλ per step, whatever its gradient. With SGD the two are the same, "
            "but for the biases, which the penalty leaves alone and the decay shrinks too; with "
            "Adam the same λ is not the same strength. (Loshchilov & Hutter 2019, Decoupled weight "
            "decay regularization.)"
        ),
    ]
