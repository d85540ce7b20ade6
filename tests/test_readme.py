"""What the README says is what there is: its tables, its commands, its recipe for a new optimizer."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.tables import renewed
from optviz.experiments.trajectories.spec import BOOK

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks():
    return re.findall(r"```python\n(.*?)```", README, re.S)


def test_the_tables_are_those_of_the_registries():
    assert renewed(README) == README, "run: python -m docs.tables"


def test_the_example_runs_and_gives_the_reference_number(capsys):
    exec(compile(blocks()[0], "README.md", "exec"), {})
    assert "0.10220" in capsys.readouterr().out


def test_the_number_of_functions_is_right():
    from optviz import FUNCTIONS

    assert f"has {len(FUNCTIONS)} functions" in README


def test_the_book_figure_of_the_tour():
    """Adam ends highest, and SGD's path is the longest."""
    from optviz.experiments.trajectories.spec import run

    runs = {r.method.key: run(BOOK.objective, r) for r in BOOK.optimizers}
    assert max(runs, key=lambda k: runs[k].values[-1]) == "adam"
    assert max(runs, key=lambda k: runs[k].lengths[-1]) == "sgd"


@pytest.mark.parametrize("name", re.findall(r"(?<!\")\]\(((?!http)[^)#]+)\)", README))
def test_links_lead_somewhere(name):
    assert (ROOT / name).exists()


def test_commands_are_those_of_the_makefile_and_ci():
    makefile, ci = (ROOT / "Makefile").read_text(), (ROOT / ".ci/run").read_text()
    assert "streamlit run app.py" in makefile
    assert "python -m pytest" in makefile
    assert "python -m pytest" in ci


CHECK = """
import numpy as np
from streamlit.testing.v1 import AppTest
from optviz import FUNCTIONS, OPTIMIZERS, minimize
from docs.tables import tables
run = minimize(FUNCTIONS["bowl"], OPTIMIZERS["signsgd"](lr=0.5), (-7, 2), 4)
assert np.array_equal(run.points, [(-7, 2), (-6.5, 1.5), (-6, 1), (-5.5, 0.5), (-5, 0)]), run.points
assert "Sign descent" in tables()["optimizers"]
at = AppTest.from_file("app.py", default_timeout=60).run()
id = at.session_state.ids[0]
at.session_state[f"settings-{id}"] = True
at.run()
at.selectbox(key=f"optimizer-{id}").set_value("signsgd").run()
assert not at.exception, at.exception
assert any("Sign descent" in m.value for m in at.markdown)
at.session_state["more"] = "The code that ran"
at.run()
assert any("class SignSGD" in c.value for c in at.code)
"""


def test_an_optimizer_is_added_in_one_edit(tmp_path):
    """The README's recipe, followed to the letter in a copy of the project."""
    for name in ("app.py", "optviz", "docs", ".streamlit"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    edited = tmp_path / "optviz/optim/methods/first_order.py"
    assert f"`{edited.relative_to(tmp_path)}`" in README
    edited.write_text(edited.read_text() + "\n\n" + blocks()[1])
    done = subprocess.run([sys.executable, "-c", CHECK], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
