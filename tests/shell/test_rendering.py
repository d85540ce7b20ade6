"""How a declared page is rendered."""

from dataclasses import replace
from time import monotonic
from unittest.mock import patch

from optviz.experiments.page import View
from optviz.shell.registry import PAGES
from tests.page import open_page, session, sound
from tests.table import table


@table("key", [key for key, page in PAGES.items() if page.views])
def test_a_run_of_the_page_asks_its_view_for_its_jobs_once(key):
    at, asked = open_page(key), []
    view = PAGES[key].view_of(PAGES[key].opening)
    if view.jobs is None:
        return
    jobs = view.jobs
    with patch.object(
        View, "jobs", property(lambda self: lambda spec: asked.append(spec) or jobs(spec))
    ):
        sound(at.run())
    assert len(asked) == 1


def test_a_run_amid_a_drag_is_no_entry_of_undo():
    """As where a training ends while the slider is held: the drag is one entry, when it rests."""
    at = open_page("curve_fit")
    S, opening = session(at), session(at).specs["curve_fit"]
    before = len(S.history)
    S.slider_moved_at = monotonic()
    S.specs["curve_fit"] = replace(opening, seed=opening.seed + 1)
    sound(at.run())
    assert len(S.history) == before
    S.slider_moved_at = 0.0
    S.specs["curve_fit"] = replace(opening, seed=opening.seed + 2)
    sound(at.run())
    assert S.history[before:] == [("curve_fit", replace(opening, seed=opening.seed + 2))]
