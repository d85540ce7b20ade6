"""What the documents say is what there is: tables, commands, examples, recipes."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.tables import renewed
from optviz import FUNCTIONS

ROOT = Path(__file__).parent.parent
README, CONTRIBUTING, REFERENCE = (
    (ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md", "docs/reference.md")
)


def blocks(text):
    return re.findall(r"```python\n(.*?)```", text, re.S)


def test_the_tables_are_those_of_the_registries():
    assert renewed(REFERENCE) == REFERENCE, "run: python -m docs.tables"


def test_the_example_runs_and_gives_the_reference_number(capsys):
    exec(compile(blocks(README)[0], "README.md", "exec"), {})
    assert "0.10220" in capsys.readouterr().out


def test_the_number_of_functions_is_right():
    assert f"of the {len(FUNCTIONS)} that are there" in README


@pytest.mark.parametrize("text", [README, CONTRIBUTING, REFERENCE])
def test_links_lead_somewhere(text):
    links = re.findall(r"(?<!\")\]\(((?!http)[^)#]+)\)", text)
    assert [name for name in links if not (ROOT / name).exists()] == []


def test_what_the_documents_name_is_there():
    """Files, and names of code in the decisions."""
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True
    ).stdout.split()
    if not files:
        pytest.skip("not a checkout")
    texts = [ROOT / name for name in files if name.endswith(".md") and "/lessons/" not in name]
    decisions = [path for path in texts if path.parent.name == "decisions"]
    named = {
        name
        for path in texts
        for name in re.findall(r"`([\w./]+\.(?:py|js|css))`", path.read_text())
    }
    lost = {name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)}
    assert lost <= {"plotly.min.js", "random_walk.py"}
    code = "\n".join(
        (ROOT / name).read_text() for name in files if name.endswith((".py", ".js", ".toml"))
    )
    words = {
        word
        for path in decisions
        for word in re.findall(r"`([A-Z]\w+)`|`(\w+)\(", path.read_text())
    }
    assert {
        word for pair in words for word in pair if word and not re.search(rf"\b{word}\b", code)
    } == set()


def test_commands_are_those_of_the_makefile_and_ci():
    makefile, ci = (ROOT / "Makefile").read_text(), (ROOT / ".ci/run").read_text()
    assert "streamlit run app.py" in README
    assert "streamlit run app.py" in makefile
    assert all("python -m pytest" in text for text in (README, makefile, ci))


def run_in_copy(tmp_path, check):
    """Run a check in the copy of the project."""
    done = subprocess.run(
        [sys.executable, "-c", check], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture
def copied(tmp_path):
    """A copy of the project, to follow recipes in."""
    for name in ("app.py", "optviz", "docs", "tests", ".streamlit"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    return tmp_path


OPTIMIZER = """
import numpy as np
from optviz import FUNCTIONS, OPTIMIZERS, minimize
from optviz.experiments.trajectories.spec import Objective, Scene
from optviz.optim.config import OptimizerConfig
from optviz.spec import Choice
from docs.tables import tables
from tests.page import open_scene, text
run = minimize(FUNCTIONS["bowl"], OPTIMIZERS["signsgd"](lr=0.5), (-7, 2), 4)
assert np.array_equal(run.points, [(-7, 2), (-6.5, 1.5), (-6, 1), (-5.5, 0.5), (-5, 0)]), run.points
assert "Sign descent" in tables()["optimizers"]
at = open_scene(Scene(Objective(), (OptimizerConfig(Choice("signsgd")),)))
assert "Sign descent" in text(at)
"""


def test_an_optimizer_is_added_in_one_edit(copied):
    edited = copied / "optviz/optim/methods/first_order.py"
    assert f"`{edited.relative_to(copied)}`" in CONTRIBUTING
    edited.write_text(edited.read_text() + "\n\n" + blocks(CONTRIBUTING)[0])
    run_in_copy(copied, OPTIMIZER)


EXPERIMENT = """
from optviz.shell.registry import PAGES
from tests.page import open_page, panels, plots, session, text
from optviz.shell.share import decode, encode, SharedScene
spec = PAGES["random_walk"].opening
at = open_page("random_walk", type(spec)(steps=7))
assert session(at).specs["random_walk"].steps == 7
assert "How far does chance go?" in text(at)
assert {h["name"] for h in panels(at)["Walk"]["hyperparameters"]} == {"steps", "sigma"}
[figure] = plots(at).values()
assert figure["data"][0]["name"] == "walk"
"""


def test_an_experiment_is_one_folder_and_one_line(copied):
    folder = copied / "optviz/experiments/random_walk"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "page.py").write_text(blocks(CONTRIBUTING)[1])
    registry = copied / "optviz/shell/registry.py"
    line = "        optimizer_comparison.PAGE,\n"
    text = registry.read_text().replace(line, line + "        random_walk.PAGE,\n")
    imported = "from optviz.experiments.random_walk import page as random_walk\n"
    registry.write_text(
        text.replace(
            "from optviz.experiments.page import",
            imported + "from optviz.experiments.page import",
            1,
        )
    )
    run_in_copy(copied, EXPERIMENT)
