"""What stands at the axes of every figure with which a page opens: the quantity and its unit."""

import pytest

from tests.page import open_page, plots

# page -> figure -> what stands at each axis that has a title
AXES = {
    "trajectories": {"contour": ["x: x", "y: y"], "curves": ["x: step", "y: loss f"]},
    "activations": {
        "activations-settings-1": ["y: forward: activations %", "y6: backward: ∂L/∂a %"]
    },
    "initialization": {
        "initialization-curves-0": ["x: iteration", "y: loss"],
        "initialization-curves-1": ["x: iteration", "y: accuracy (faint: on the training set) %"],
        "initialization-layers-0": ["y: forward: activations %", "y5: backward: ∂L/∂a %"],
        "initialization-layers-3": ["x: iteration", "y: norm of the gradient"],
    },
    "curve_fit": {
        "curve_fit-fit-0": ["x: x", "y: y"],
        "curve_fit-fit-1": ["x: iteration", "y: mean squared error"],
        "curve_fit-weights-0-0-1": [],  # graphs
        "curve_fit-weights-0-1-1": [],
        "curve_fit-weights-0-2-1": [],
    },
    "optimizer_comparison": {
        "optimizer_comparison-curves-0": ["x: iteration", "y: loss"],
        "optimizer_comparison-curves-1": [
            "x: iteration",
            "y: accuracy (faint: on the training set) %",
        ],
        "optimizer_comparison-predictions-0": ["x: predicted label", "y: true label"],
    },
    "standardization": {
        "standardization-clouds-0": ["x: feature x₁", "y: feature x₂"],
        "standardization-clouds-1": ["x: feature x₁", "y: feature x₂"],
        "standardization-angle_curves-0": ["x: line turned by °", "y: accuracy %"],
        "standardization-angle_curves-1": ["x: line turned by °", "y: logistic loss"],
        "standardization-scales": [*(f"x{i}: feature x₁" for i in ("", 2, 3)), "y: feature x₂"],
    },
    "batch_norm": {
        "batch_norm-architecture": [],  # boxes
        "batch_norm-curves-0": ["x: epoch", "y: loss"],
        "batch_norm-curves-1": ["x: epoch", "y: accuracy (faint: on the training set) %"],
        "batch_norm-hidden_layers-1": [
            "y: pre-activations xW + b %",
            "y6: normalized %",
            "y11: activations %",
        ],
    },
    "regularization": {
        "regularization-gaps-0-0": ["x: epoch", "y: accuracy %"],
        "regularization-gaps-0-1": ["x: epoch", "y: accuracy %"],
        "regularization-gaps-0-2": ["x: epoch", "y: accuracy %"],
        "regularization-comparison-0": ["x: epoch", "y: validation accuracy (enlarged) %"],
        "regularization-comparison-1": ["y: difference in validation accuracy %"],
    },
    "lr_schedules": {
        "lr_schedules-losses": ["x: iteration", "y: loss on the training set", "y2: rate"]
    },
    "ensembles": {
        "ensembles-accuracies-0-0-1": ["x: iteration", "y: validation accuracy %"],
        "ensembles-accuracies-0-1-1": ["x: iteration", "y: validation accuracy %"],
    },
    "hyperparameter_search": {
        "hyperparameter_search-trials": [
            "x: learning rate η",
            "x2: accuracy %",
            "y: weight decay λ",
            "y2: accuracy %",
        ]
    },
    "loss_landscape": {
        "loss_landscape-curves-0": ["x: iteration", "y: loss"],
        "loss_landscape-curves-1": ["x: iteration", "y: accuracy (faint: on the training set) %"],
    },
}


def axes(figure):
    for name, axis in figure["layout"].items():
        if name.startswith(("xaxis", "yaxis")):
            title = axis.get("title") or {}
            said = title if isinstance(title, str) else title.get("text") or ""
            unit = axis.get("ticksuffix", "") or (
                "%" if axis.get("tickformat", "").endswith("%") else ""
            )
            if said:
                yield f"{name.replace('axis', '')}: {said} {unit}".rstrip()


@pytest.mark.parametrize("page", AXES)
def test_every_axis_says_what_and_in_which_unit(page):
    found = {name: list(axes(figure)) for name, figure in plots(open_page(page)).items()}
    assert found == AXES[page]
