"""What can be kept of a page with trainings: a script with the same numbers, and the pictures in one file."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from optviz.experiments.optimizer_comparison.spec import OptimizerComparison
from optviz.nn import Network
from optviz.shell.export.downloads import charts_page
from optviz.shell.export.training_script import training_script
from optviz.spec import Choice
from optviz.training import (
    Penalty,
    Split,
    Training,
    Trial,
    train,
)
from tests.page import open_page, plots, trained

ROOT = Path(__file__).parents[2]
SMALL = OptimizerComparison(network=Network((64, 12, 10)), iterations=12, batch=16)


def test_the_script_prints_the_numbers_of_the_page(tmp_path):
    plain, *_ = SMALL.trainings
    rich = replace(
        plain, network=Network((64, 8, 8, 10), Choice("leaky_relu", {"alpha": 0.2}), normalize="before", dropout=0.2),
        trials=(Trial({"lr": 0.2}, 0.01), Trial(initializer=Choice("zeros"))), seeds=(0, 4), penalty=Penalty(l1=0.001),
        split=Split(300, True, 0, 0.1), inputs="standardized",
    )  # fmt: skip
    file = tmp_path / "it.py"
    file.write_text(training_script("Which one?", [plain, rich]))
    ran = subprocess.run(
        [sys.executable, file], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT), "PATH": ""}
    )
    expected = []
    for number, training in enumerate((plain, rich), 1):
        *_, last = train(training)
        for i in range(last.loss.shape[1]):
            for s, seed in enumerate(training.seeds):
                numbers = (last.loss[-10:, i, s].mean(), *last.accuracy[-1, :, i, s])
                expected.append(
                    f"training {number}, network {i + 1}, seed {seed}: " + " ".join(repr(float(v)) for v in numbers)
                )
    assert ran.stdout.splitlines() == expected
    assert len(expected) == 1 + 2 * 2
    assert isinstance(rich, Training)


def test_the_pictures_of_a_page_in_one_file():
    at = trained(open_page("optimizer_comparison", SMALL), "optimizer_comparison")
    shown = at.session_state["_shown"]
    assert set(shown.pictures) == set(plots(at))
    page = charts_page("</script><b>title", shown.charts(), list(shown.tables.values()), "dark")
    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    charts = json.loads(data)
    assert [chart["name"] for chart in charts] == list(shown.pictures)
    assert all(chart["theme"] == "dark" for chart in charts)
    assert "How every optimizer stands" in page
    assert "&lt;/script&gt;&lt;b&gt;title" in page
    assert page.count("</script>") == 3
    assert list(at.session_state["_shown"].trainings.values()) == [SMALL.trainings]
    at.session_state["take-home"] = True
    at.run()
    assert not at.exception
