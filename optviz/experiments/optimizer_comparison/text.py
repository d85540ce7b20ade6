"""What the page says."""

from optviz.experiments.page import Caption
from optviz.translation import _


def misclassified(name: str, wrong: int, total: int, shown: int) -> str:
    """How many examples of the validation set a network gets wrong, of which some are shown."""
    if wrong > shown > 0:
        message = _(
            "**{name} misclassifies {wrong} of {total} validation examples**; the first {shown}:"
        )
    else:
        message = _("**{name} misclassifies {wrong} of {total} validation examples**.")
    return message.format(name=name, wrong=wrong, total=total, shown=shown)


def notes(context) -> Caption:
    """How it was done."""
    return Caption(
        _(
            "Every optimizer starts from the same weights and trains on the same mini-batches. "
            "The loss is that of each mini-batch before its update, smoothed with a Kaiser window "
            "(length 11, β = 2), as in the book. Data: {attribution}"
        ).format(attribution=context.attribution)
    )
