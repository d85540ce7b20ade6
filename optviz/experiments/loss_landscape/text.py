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
        "Contour of the loss over the paths’ own plane (PCA), with the paths of {names}. The table "
        "says the same."
    ),
    ("random", "contour"): N_(
        "Contour of the loss over random directions, with the paths of {names}. The table says the "
        "same."
    ),
    ("pca", "surface"): N_(
        "Surface of the loss over the paths’ own plane (PCA), with the paths of {names}. The table "
        "says the same."
    ),
    ("random", "surface"): N_(
        "Surface of the loss over random directions, with the paths of {names}. The table says the "
        "same."
    ),
}


def flat(z) -> bool:
    """Whether a grid's differences are too small to be drawn as hills and valleys."""
    known = z[np.isfinite(z)]
    return bool(known.size and np.ptp(known) <= FLAT * abs(known).max())


def axis_titles(surface: LossSurface) -> tuple[str, str]:
    """What the two directions are."""
    titles = zip(AXES[surface.spec.plane], surface.shares, strict=True)
    first, second = (_(title).format(share=percentage(share)) for title, share in titles)
    return first, second


def no_surface(spec: LossLandscape, why: NoSurface) -> str:
    """Why there is no plane, and what helps."""
    if why.diverged_at < 0:
        return _(
            "The paths do not move, so there is no plane in which they do. Take random directions, "
            "or let them train."
        )
    return _(
        "{name} diverged at iteration {iteration}: there are no trained weights to lay a plane "
        "through. Lower its learning rate, or put another optimizer in the middle."
    ).format(name=spec.names[spec.middle], iteration=why.diverged_at)


def ends(surface: LossSurface, theme) -> Table:
    """Where every path ends: on the plane, off it, and how high."""
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
            away = off[-1] if off[-1] > ROUNDING else 0.0
            moved = np.linalg.norm(path.params[-1] - path.params[0])
            cells = [int(path.iterations[-1]), true[-1], below[-1], away, moved]
        rows.append([name, *cells, _status(surface, i)])
    styles = method_styles(surface.spec.optimizers, theme)
    return Table(_("Where every path ends"), columns, rows, styles)


def _status(surface, i):
    if (lost := surface.paths[i].diverged_at) >= 0:
        return _("diverged at iteration {iteration}").format(iteration=lost)
    return _("in the middle of the plane") if i == surface.spec.middle else _("trained")


def directions(surface: LossSurface) -> str:
    """What the plane holds of the paths, and of the loss."""
    first, second = surface.shares
    size = surface.spec.network.size
    if surface.spec.plane == "random":
        sentences = [
            _(
                "**Two random directions** among {size:,} weights and biases hold {share} of the "
                "variance along the paths: among so many dimensions they are nearly at right "
                "angles to the paths, which shrink toward a point."
            ).format(size=size, share=percentage(first + second))
        ]
    else:
        sentences = [
            _(
                "**Of {size:,} weights and biases the picture shows two directions**, along which "
                "the paths vary most. They hold {first} and {second} of the variance along the "
                "paths; the rest is off the picture."
            ).format(size=size, first=percentage(first), second=percentage(second))
        ]
        if second < ROUNDING:
            sentences.append(_("The paths are straight: the second direction is a random one."))
    return " ".join([*sentences, *_range(surface.z)])


def _range(z):
    """From where to where the loss goes on the plane, in sentences."""
    known = z[np.isfinite(z)]
    if not known.size:
        return [_("**Nowhere on it is the loss finite.**")]
    if flat(z):
        said = _(
            "**On it the loss is the same everywhere**, {mean}: it differs by {difference} at most."
        ).format(mean=number(known.mean(), 3), difference=number(np.ptp(known), 1))
    else:
        said = _("On it the loss goes from {low} to {high}.").format(
            low=number(known.min(), 3), high=number(known.max(), 3)
        )
    return [said] + [_("In the holes it is not finite.")] * (known.size < z.size)


def bowl(surface: LossSurface, curvature: Curvature, sharpest: float) -> str:
    """The plane at its middle as a bowl, and the sharpest direction, which limits the rate."""
    if np.linalg.matrix_rank(surface.plane.directions) < 2:
        return _(
            "**The two directions span no plane**: they are as long as the weights into each unit, "
            "and these are zero, or leave but one direction. So nothing can be said of a curvature."
        )
    if not np.isfinite(curvature.largest):
        return _(
            "Around the middle the loss is not finite, so nothing can be said of its curvature."
        )
    if curvature.smallest > 0:
        message = _(
            "**Around the middle the plane is a bowl of condition number {condition}**: its second "
            "derivatives, per unit of length, are {largest} across and {smallest} along. The "
            "stretched bowl of the trajectories has 20."
        )
    elif curvature.largest > 0:
        message = _(
            "**Around the middle the plane is no bowl**: along one direction it does not bend "
            "upwards (second derivatives {largest} across and {smallest} along)."
        )
    else:
        message = _(
            "**Around the middle the plane does not bend upwards at all** (second derivatives "
            "{largest} across and {smallest} along)."
        )
    said = message.format(
        condition=number(curvature.condition, 2),
        largest=number(curvature.largest, 3),
        smallest=number(curvature.smallest, 3),
    )
    if not (np.isfinite(sharpest) and sharpest > 0):
        return said
    method = surface.spec.optimizers[surface.spec.middle].method
    sgd = method.key == "sgd" and "lr" in method.values
    if sgd:
        message = _(
            "Among all directions, also those off the picture, the sharpest has {sharpest}: in a "
            "bowl like that plain descent with a learning rate above 2/{sharpest} = {limit} would "
            "not come to rest; SGD here has {rate}."
        )
    else:
        message = _(
            "Among all directions, also those off the picture, the sharpest has {sharpest}: in a "
            "bowl like that plain descent with a learning rate above 2/{sharpest} = {limit} would "
            "not come to rest."
        )
    rate = number(method.values["lr"], 2) if sgd else ""
    limit = message.format(sharpest=number(sharpest, 3), limit=number(2 / sharpest, 2), rate=rate)
    return f"{said} {limit}"


def player_note(spec: LossLandscape) -> Caption:
    """What a step of the player is."""
    return Caption(
        _(
            "A step of the player is {every} iterations. The loss on the plane is that of the "
            "plane’s point nearest to where the path really was; the curves show both."
        ).format(every=spec.snapshot_every)
    )


def notes(context) -> Caption:
    """How it was done."""
    return Caption(
        _(
            "Every optimizer has the same start and meets the same mini-batches. The loss here is "
            "the cross-entropy on the first {n} training examples. Random directions are scaled to "
            "the weights into each unit, and biases do not move along them (Li et al. 2018, "
            "Visualizing the loss landscape of neural nets). Data: {attribution}"
        ).format(n=context.spec.n_samples, attribution=context.attribution)
    )
