"""How a declared page is rendered."""

from unittest.mock import patch

from optviz.experiments.page import View
from optviz.shell.registry import PAGES
from tests.page import open_page, sound
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
