"""A server that says that it is public: OPTVIZ_PUBLIC=1."""

import base64
import hashlib
import logging
import re
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit

from optviz.data import cache_folder
from optviz.ui import public
from tests.page import open_page, session, sound
from tests.shell.test_alive import KEY, SMALL, changed, done, rested, results

LONG = "This is a public server"


@pytest.fixture(autouse=True)
def open_to_anybody(monkeypatch, tmp_path):
    monkeypatch.setenv("OPTVIZ_PUBLIC", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for variable in ("OPTVIZ_MNIST", "OPTVIZ_FASHION"):
        monkeypatch.delenv(variable, raising=False)


def told(at):
    return [i.value for i in at.info if i.value.startswith(LONG)]


def with_mnist():
    at = open_page(KEY)
    menu = next(s.key for s in at.selectbox if "data" in s.key)
    return sound(at.selectbox(key=menu).set_value("mnist").run())


def own_data(at):
    return [e.label for e in at.expander if e.label.startswith("Own data")]


def test_nobody_uploads_unless_the_server_says_so(monkeypatch):
    assert (own_data(open_page("activations")), len(with_mnist().get("file_uploader"))) == ([], 0)
    monkeypatch.setenv("OPTVIZ_UPLOADS", "1")
    assert len(own_data(open_page("activations"))) == 1
    assert len(with_mnist().get("file_uploader")) == 1


def test_nobody_makes_the_server_fetch_and_no_folder_is_named():
    at = with_mnist()
    shown = " ".join(c.value for c in [*at.caption, *at.info, *at.warning])
    assert "MNIST is not on this server" in shown
    assert str(cache_folder()) not in shown
    assert not [b.key for b in at.button if b.key and b.key.startswith("fetch")]


def test_a_visit_trains_for_so_many_seconds(monkeypatch):
    at = rested(open_page(KEY, SMALL, alive=True))
    assert 0 < session(at).seconds_trained < public.TRAINING_SECONDS
    assert told(at) == []
    monkeypatch.setenv("OPTVIZ_TRAINING_SECONDS", f"{session(at).seconds_trained / 2:.9f}")
    at = changed(at, SMALL)
    assert (done(at), len(told(at))) == (40, 1), "what is trained stays"
    monkeypatch.setenv("OPTVIZ_TRAINING_SECONDS", "0")
    at = changed(at, replace(SMALL, batch=24))
    assert (done(at), results(at).running) == (0, False)
    [train] = [b for b in at.button if b.key == f"train-{KEY}"]
    assert train.disabled
    monkeypatch.delenv("OPTVIZ_PUBLIC")
    at = rested(sound(at.run()).button(key=f"train-{KEY}").click().run())
    assert (done(at), told(at)) == (40, [])


def test_logs_repeat_nothing_that_was_typed(caplog):
    typed, before = "sin(secret)", logging.getLogRecordFactory()
    public.quiet_logs()
    try:
        try:
            raise ValueError(typed)
        except ValueError as error:
            logging.getLogger("streamlit").error("Uncaught app execution", exc_info=error)
    finally:
        logging.setLogRecordFactory(before)
        public.quiet_logs.cache_clear()
    text = "\n".join(logging.Formatter().format(record) for record in caplog.records)
    assert "Uncaught app execution" in text
    assert "test_public.py" in text
    assert "ValueError" in text
    assert "secret" not in text


def test_the_policy_lets_the_script_of_streamlits_page_run():
    """Where a newer Streamlit has another: its hash goes into nginx.conf, its version into the Containerfile."""
    policy = Path(__file__).parents[2] / "deploy/nginx.conf"
    [script] = re.findall(
        r"<script>(.*?)</script>",
        (Path(streamlit.__file__).parent / "static/index.html").read_text("utf8"),
        re.DOTALL,
    )
    found = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'self' blob: 'sha256-{found}';" in policy.read_text()
