"""What stands under the overfitting page's pictures: penalties, two forms of dropout, decay inside and outside of Adam."""

import streamlit as st

from optviz.data import DATASETS
from optviz.experiments.regularization import spec as core
from optviz.experiments.regularization.spec import Regularization
from optviz.nn import Dropout, Penalty
from optviz.optim.methods.adam import AdamW
from optviz.plot import equations
from optviz.plot.old_training import table
from optviz.plot.style import number

WORKED = (0.8, 0.0, 1.7, 0.4, 2.1, 0.6)  # activations of ReLU, in the explanation of dropout


def explained(scene: Regularization) -> None:
    """The penalties, both forms of dropout, AdamW, and how it is measured."""
    with st.expander("Weight decay and L1"):
        st.latex(equations.equations(Penalty)[0])
        st.markdown(
            "Added to the loss; biases cost nothing. The gradient of the first part is λ₂W: it shrinks every weight by its own share, most "
            "where weights are large. With SGD that is to multiply all weights by 1 − ηλ₂ in every step, hence *weight decay*. The gradient "
            "of the second part is λ₁·sign W: it takes the same from all, so that small weights end at 0 and what is needed stays."
        )
    with st.expander("Two forms of dropout"):
        _dropout(scene)
    with st.expander("Adam with L2, and AdamW"):
        _adamw()
    st.caption(
        "Every regularizer has the same starts and meets the same mini-batches, seed by seed; differences are taken in these pairs, then their "
        "median. Of several seeds pictures show the median and a band from the least to the largest. The accuracy is measured every "
        f"{core.ASSESS} iterations, on training rows by the labels that the network was given. An epoch is {number(scene.epoch, 3)} iterations: "
        f"as many draws as there are rows. Data: {DATASETS[scene.dataset.key].attribution}"
    )


def _dropout(scene):
    ratio = next((r.dropout for r in scene.regularizers if r.dropout), 0.5)
    forms = core.two_forms(WORKED, ratio, seed=15)  # of whose six numbers a small p leaves out one
    left, right = st.columns(2)
    with left:
        st.markdown("**As it is trained here** (“inverted”)")
        for line in equations.equations(Dropout):
            st.latex(line)
        st.latex(r"\text{evaluation:}\quad y = x")
    with right:
        st.markdown("**As in the book**")
        st.latex(r"y = m\, x, \qquad m \sim \text{Bernoulli}(1 - p)")
        st.latex(r"\partial x = m\, \partial y")
        st.latex(r"\text{evaluation:}\quad y = (1 - p)\, x")
    named = (
        ("x", forms.x), ("mask m", forms.mask), ("inverted, training", forms.inverted_training), ("inverted, evaluation", forms.inverted_evaluation),
        ("book, training", forms.book_training), ("book, evaluation", forms.book_evaluation),
    )  # fmt: skip
    st.html(table(f"Six numbers through both forms, p = {ratio:g}", (f"p = {ratio:g}", *(f"unit {k + 1}" for k in range(len(WORKED)))),
                  [([label, *(number(v, 3) for v in values)], None) for label, values in named]))  # fmt: skip
    st.markdown(
        f"In both modes the book's numbers are {number(1 - ratio, 3)} times those of the inverted form: one function at another scale, which the "
        "next layer's weights can make up for. Either way evaluation gives what training gives on the mean. Not the same are the steps: "
        "from equal weights the book's form begins with smaller signals, and with smaller gradients."
    )


def _adamw():
    left, right = st.columns(2)
    with left:
        st.markdown("**Adam with L2 in the loss**")
        for line in (r"g = \nabla f(x) + \lambda x", *equations.equations(AdamW)[1:3], r"x \leftarrow x - \eta\, \frac{\hat m}{\sqrt{\hat v} + \epsilon}"):  # fmt: skip
            st.latex(line)
    with right:
        st.markdown("**AdamW: decay outside of it**")
        for line in equations.equations(AdamW):
            st.latex(line)
    st.markdown(
        "In Adam with L2 the pull λx goes through m and is divided by √v with the rest of the gradient: weights whose gradients are large "
        "are held back least, and where gradients are small the pull alone makes steps of the full rate. In AdamW every weight "
        "shrinks by the same share ηλ per step, whatever its gradient. With SGD the two are one and the same; with Adam the same λ is not "
        "the same strength. (Loshchilov & Hutter 2019, Decoupled weight decay regularization.)"
    )
