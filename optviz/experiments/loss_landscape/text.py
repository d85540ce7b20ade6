"""What the page says."""

import numpy as np

from optviz.experiments.loss_landscape.run import Curvature, LossSurface, NoSurface
from optviz.experiments.loss_landscape.spec import LossLandscape
from optviz.experiments.page import Caption
from optviz.plot import Column, Table, method_styles, number, percentage
from optviz.translation import N_, _

FLAT = 1e-4  # of the loss
ROUNDING = 1e-9  # of a distance from the plane
AXES = {
    "pca": (
        N_("along the paths’ first direction ({share} of the way)"),
        N_("along their second ({share} of the way)"),
    ),
    "random": (N_("first random direction"), N_("second random direction")),
}
LABELS = {
    ("pca", "contour"): N_(
        "Contours of the loss over the paths’ own plane (PCA), with the paths of {names}. The "
        "table shows where they end."
    ),
    ("random", "contour"): N_(
        "Contours of the loss over random directions, with the paths of {names}. The table shows "
        "where they end."
    ),
    ("pca", "surface"): N_(
        "Surface of the loss over the paths’ own plane (PCA), with the paths of {names}. The "
        "table shows where they end."
    ),
    ("random", "surface"): N_(
        "Surface of the loss over random directions, with the paths of {names}. The table shows "
        "where they end."
    ),
}


def flat(z) -> bool:
    """Whether a grid's differences are too small to be drawn as hills and valleys."""
    finite = z[np.isfinite(z)]
    return bool(finite.size and np.ptp(finite) <= FLAT * abs(finite).max())


def axis_titles(surface: LossSurface) -> tuple[str, str]:
    """What the two directions are."""
    titles = zip(AXES[surface.spec.plane], surface.shares, strict=True)
    first, second = (_(title).format(share=percentage(share)) for title, share in titles)
    return first, second


def no_surface(spec: LossLandscape, reason: NoSurface) -> str:
    """Why there is no plane, and what helps."""
    if reason.diverged_at < 0:
        return _(
            "The paths do not move, so they span no plane. Choose random directions, or train "
            "first."
        )
    return _(
        "{name} diverged at iteration {iteration}: there are no trained weights to center a plane "
        "at. Lower its learning rate, or put another optimizer in the middle."
    ).format(name=spec.names[spec.middle], iteration=reason.diverged_at)


def ends(surface: LossSurface, theme) -> Table:
    """Where every path ends: losses, distances, status."""
    columns = (
        "",
        _("iteration"),
        Column(_("loss there"), 3),
        Column(_("loss on the plane below"), 3),
        Column(_("distance from the plane"), 3),
        Column(_("distance from the start"), 3),
        _("status"),
    )
    rows = []
    for i, (name, path, _points, off, below, true) in enumerate(surface.tracks):
        cells = [None] * 5
        if len(path.iterations):
            distance = off[-1] if off[-1] > ROUNDING else 0.0
            moved = np.linalg.norm(path.params[-1] - path.params[0])
            cells = [int(path.iterations[-1]), true[-1], below[-1], distance, moved]
        rows.append([name, *cells, _status(surface, i)])
    styles = method_styles(surface.spec.optimizers, theme)
    return Table(_("Where every path ends"), columns, rows, styles)


def _status(surface, i):
    if (diverged_at := surface.paths[i].diverged_at) >= 0:
        return _("diverged at iteration {iteration}").format(iteration=diverged_at)
    return _("in the middle of the plane") if i == surface.spec.middle else _("trained")


def directions(surface: LossSurface) -> str:
    """How much of the paths the plane contains, and the range of the loss."""
    first, second = surface.shares
    size = surface.spec.network.size
    if surface.spec.plane == "random":
        sentences = [
            _(
                "**Two random directions** in the space of {size:,} weights and biases contain "
                "{share} of the variance along the paths: in so many dimensions they are nearly "
                "orthogonal to the paths, which appear shrunk toward a point."
            ).format(size=size, share=percentage(first + second))
        ]
    else:
        sentences = [
            _(
                "**The picture shows two directions in the space of {size:,} weights and "
                "biases**, those along which the paths vary most. They contain {first} and "
                "{second} of the variance along the paths; the rest is not visible."
            ).format(size=size, first=percentage(first), second=percentage(second))
        ]
        if second < ROUNDING:
            sentences.append(_("The paths are straight, so the second direction is random."))
    return " ".join([*sentences, *_range(surface.z)])


def _range(z):
    """The range of the loss on the plane, in sentences."""
    finite = z[np.isfinite(z)]
    if not finite.size:
        return [_("**The loss is not finite anywhere on this plane.**")]
    if flat(z):
        sentence = _(
            "**The loss is the same everywhere on this plane**, {mean}: it differs by "
            "{difference} at most."
        ).format(mean=number(finite.mean(), 3), difference=number(np.ptp(finite), 1))
    else:
        sentence = _("On this plane the loss ranges from {low} to {high}.").format(
            low=number(finite.min(), 3), high=number(finite.max(), 3)
        )
    holes = [_("It is not finite where the picture has holes.")]
    return [sentence, *holes] if finite.size < z.size else [sentence]


def bowl(surface: LossSurface, curvature: Curvature, sharpest: float) -> str:
    """The plane at its middle as a bowl, and the sharpest direction, which limits the rate."""
    if np.linalg.matrix_rank(surface.plane.directions) < 2:
        return _(
            "**The two directions span no plane**: they are scaled to the weights into each unit, "
            "and these are zero or leave only one direction. So the curvature is not defined."
        )
    if not np.isfinite(curvature.largest):
        return _(
            "Around the middle the loss is not finite, so nothing can be said about its curvature."
        )
    if curvature.smallest > 0:
        message = _(
            "**Around the middle the loss is a bowl with condition number {condition}**: its "
            "second derivatives, per unit of length, are {largest} across and {smallest} along. "
            "The stretched bowl on the page of trajectories has 20."
        )
    elif curvature.largest > 0:
        message = _(
            "**Around the middle the loss is not a bowl**: along one direction it does not curve "
            "upward (second derivatives {largest} across and {smallest} along)."
        )
    else:
        message = _(
            "**Around the middle the loss does not curve upward at all** (second derivatives "
            "{largest} across and {smallest} along)."
        )
    sentence = message.format(
        condition=number(curvature.condition, 2),
        largest=number(curvature.largest, 3),
        smallest=number(curvature.smallest, 3),
    )
    if not (np.isfinite(sharpest) and sharpest > 0):
        return sentence
    method = surface.spec.optimizers[surface.spec.middle].method
    sgd = method.key == "sgd" and "lr" in method.values
    if sgd:
        message = _(
            "Over all directions, including those not shown, the largest second derivative is "
            "{sharpest}: in a bowl like that, plain gradient descent with a learning rate above "
            "2/{sharpest} = {limit} would not converge; SGD here has {rate}."
        )
    else:
        message = _(
            "Over all directions, including those not shown, the largest second derivative is "
            "{sharpest}: in a bowl like that, plain gradient descent with a learning rate above "
            "2/{sharpest} = {limit} would not converge."
        )
    rate = number(method.values["lr"], 2) if sgd else ""
    limit = message.format(sharpest=number(sharpest, 3), limit=number(2 / sharpest, 2), rate=rate)
    return f"{sentence} {limit}"


def player_note(spec: LossLandscape) -> Caption:
    """What a step of the player is."""
    return Caption(
        _(
            "One step of the player is {every} iterations. The loss on the plane is the loss at "
            "the point of the plane nearest to the actual path; the curves show both."
        ).format(every=spec.snapshot_every)
    )


def notes(context) -> Caption:
    """How it was done."""
    return Caption(
        _(
            "Every optimizer starts from the same weights and trains on the same mini-batches. "
            "The loss here is the cross-entropy on the first {n} training examples. Random "
            "directions are scaled to the weights into each unit, and biases do not move along "
            "them (Li et al. 2018, Visualizing the loss landscape of neural nets). Data: "
            "{attribution}"
        ).format(n=context.spec.n_samples, attribution=context.attribution)
    )
