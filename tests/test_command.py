"""The command `optviz`: of the checkout, or of the wheel in an empty environment where CI names it."""

import ast
import gzip
import os
import re
import shlex
import sys
import tomllib
import urllib.error
import urllib.request

import pytest

from optviz import __main__ as command
from optviz.shell.registry import PAGES
from optviz.ui.assets import FRONTEND, plotly_js, published
from tests.serving import ROOT, served
from tests.visitor import Visitor, done

COMMAND = shlex.split(os.environ.get("OPTVIZ_COMMAND", f"{sys.executable} -m optviz"))


async def seen(address, path):
    async with Visitor(address, path) as visitor:
        await visitor.run()
    return visitor


@pytest.mark.slow
def test_the_command_serves_pages_and_what_the_browser_loads(tmp_path):
    with served("", command=COMMAND, XDG_CACHE_HOME=f"{tmp_path}") as address:
        for key in list(PAGES)[::3]:  # all are imported for each
            visitor = done(seen(address, "" if key == "trajectories" else key))
            assert visitor.exceptions == [], key
            assert visitor.received > 10_000, key
        for name, file in FRONTEND.items():
            answer = urllib.request.urlopen(f"{address}/{published(file)}")
            assert "immutable" in answer.headers["Cache-Control"]
            alike = re.sub(rb'from "[^"]*"', b"", answer.read())  # but for the names of others
            assert alike == re.sub(rb'from "[^"]*"', b"", file.read_bytes()), name
        packed = urllib.request.Request(
            f"{address}/{plotly_js()}", headers={"Accept-Encoding": "gzip"}
        )
        assert b"plotly.js" in gzip.decompress(urllib.request.urlopen(packed).read())[:100]
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{address}/assets/plot.js")


def test_the_wheel_declares_what_it_imports():
    nodes = [n for f in (ROOT / "optviz").rglob("*.py") for n in ast.walk(ast.parse(f.read_text()))]
    modules = [a.name for n in nodes if isinstance(n, ast.Import) for a in n.names]
    modules += [n.module for n in nodes if isinstance(n, ast.ImportFrom) and not n.level]
    named = {m.split(".")[0] for m in modules} - sys.stdlib_module_names - {"optviz"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = project["optional-dependencies"]
    needed = {re.split(r"[\[>=]", d)[0] for d in project["dependencies"]}
    assert needed == named - {re.split(r"[\[>=]", d)[0] for d in extra["dask"]}
    assert (ROOT / "requirements.txt").read_text().split() == project["dependencies"]


def test_the_settings_are_those_of_the_checkout(tmp_path):
    script = command.prepare(tmp_path / "new")
    settings = tmp_path / "new" / ".streamlit" / "config.toml"
    assert settings.read_text() == (ROOT / ".streamlit" / "config.toml").read_text()
    last = (ROOT / "app.py").read_text().split('"""')[-1]
    assert script.read_text() == last.lstrip(), "the main scripts are one"


def test_a_cache_folder_that_cannot_be_written_to_is_a_message(tmp_path, monkeypatch):
    (tmp_path / "optviz").write_text("a file where a folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(SystemExit, match="XDG_CACHE_HOME"):
        command.main()
