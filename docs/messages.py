"""Write the template of the message catalog, optviz/locale/optviz.pot: `python -m docs.messages`.

Messages are what `_`, `N_` and `ngettext` mark, and what hyperparameters, registries and docstrings
declare for the screen.
"""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "optviz/locale/optviz.pot"
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}


def catalog() -> Catalog:
    """All messages with the places where they stand."""
    found = Catalog(project="optviz", charset="utf-8")
    for name, line, message, comments, context in extract_from_dir(
        ROOT / "optviz", [("**.py", "python")], {}, KEYWORDS
    ):
        found.add(
            message, locations=[(f"optviz/{name}", line)], auto_comments=comments, context=context
        )
    return found


if __name__ == "__main__":
    TEMPLATE.parent.mkdir(exist_ok=True)
    with TEMPLATE.open("wb") as file:
        write_po(file, catalog(), omit_header=True, sort_output=True)
