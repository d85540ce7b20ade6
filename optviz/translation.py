"""Messages for people: whole English sentences, looked up in a catalog and then formatted.

`_("{name} reaches {accuracy:.1%}").format(...)`: never an f-string and never glued from parts, so
that a translator sees the whole. `N_` marks a message that is looked up later, where it is shown.
"""

import gettext
from pathlib import Path

LOCALE = Path(__file__).parent / "locale"
_catalog = gettext.translation("optviz", LOCALE, fallback=True)


def _(message: str) -> str:
    """The message in the reader's language; as written where there is no translation."""
    return _catalog.gettext(message) if message else ""


def ngettext(one: str, many: str, n: int) -> str:
    """The message for n things."""
    return _catalog.ngettext(one, many, n)


def N_(message: str) -> str:
    """The message itself, marked for the catalog."""
    return message
