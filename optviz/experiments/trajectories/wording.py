"""What is said where f is maximized: a minimum of −f is a maximum of f, and below is above."""

from optviz.plot import number, zero_rounding_errors
from optviz.translation import N_, _

MAXIMIZED = {
    "loss": N_("value"),
    "loss f": N_("value f"),
    "loss above the minimum": N_("f below the maximum"),
    "distance": N_("distance"),
    "distance to nearest minimum": N_("distance to nearest maximum"),
    "height above the minimum that counts as arrived": N_(
        "depth below the maximum that counts as arrived"
    ),
    "minimum": N_("maximum"),
    "lowest minimum": N_("highest maximum"),
    "local minimum": N_("local maximum"),
    "curve of minima": N_("curve of maxima"),
    "curve of local minima": N_("curve of local maxima"),
    "none at a minimum": N_("none at a maximum"),
    "below the lowest known minimum": N_("above the highest known maximum"),
    "at rest at a local minimum": N_("at rest at a local maximum"),
    "at rest at a local maximum": N_("at rest at a local minimum"),
    "left the domain at step {step}, below the lowest known minimum": N_(
        "left the domain at step {step}, above the highest known maximum"
    ),
    "No minimum is known in this picture.": N_("No maximum is known in this picture."),
    "Minima: {lowest}.": N_("Maxima: {lowest}."),
    "Lowest in the picture: {lowest}; other local minima: {local}.": N_(
        "Highest in the picture: {lowest}; other local maxima: {local}."
    ),
    "Local minima: {local}; elsewhere in the picture f is lower.": N_(
        "Local maxima: {local}; elsewhere in the picture f is higher."
    ),
    "No minimum with positive curvature is known here, so no rate can be derived.": (
        N_("No maximum with negative curvature is known here, so no rate can be derived.")
    ),
    "beyond {limit}, the largest stable rate at the lowest minimum, {place}: it can settle only at "
    "a higher one": N_(
        "beyond {limit}, the largest stable rate at the highest maximum, {place}: it can settle "
        "only at a lower one"
    ),
    "ends at {lr}, beyond {limit}, the largest stable rate at the lowest minimum, {place}: it can "
    "settle only at a higher one": N_(
        "ends at {lr}, beyond {limit}, the largest stable rate at the highest maximum, {place}: "
        "it can settle only at a lower one"
    ),
    "At {point} the Hessian has the eigenvalues **λmin = {low}** and **λmax = {high}**: "
    "condition number **{condition}**.": N_(
        "At {point} the Hessian of −f has the eigenvalues **λmin = {low}** and **λmax = {high}**: "
        "condition number **{condition}**."
    ),
    "At {point} the Hessian has the eigenvalues 0 and **λmax = {high}**: with no curvature in one "
    "direction, there is no best setting.": N_(
        "At {point} the Hessian of −f has the eigenvalues 0 and **λmax = {high}**: with no "
        "curvature in one direction, there is no best setting."
    ),
}


def for_sign(message: str, sign: int) -> str:
    """A message, or where the sign of the function is -1 the one that then takes its place."""
    return _(MAXIMIZED.get(message, message) if sign < 0 else message)


def format_point(point, f=None) -> str:
    """A point for reading; on a function of x alone that is enough."""
    if f and f.univariate:
        return f"x = {number(zero_rounding_errors(point, 1.0)[0])}"
    return "({}, {})".format(*map(number, zero_rounding_errors(point, 1.0)))
