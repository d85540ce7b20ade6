"""MNIST on the page: uploads right and wrong, fetching from a server that may misbehave; nothing that is typed."""

import ast
import re
import threading
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from optviz.data import cache_folder
from optviz.data.own import read_examples
from optviz.experiments.optimizer_comparison.spec import OptimizerComparison
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.plot import LIGHT
from optviz.shell.opening import resume
from optviz.shell.registry import PAGES
from optviz.spec import Choice
from optviz.training import Split, Training, load
from optviz.ui.own_file import own_examples
from optviz.ui.session import acting_as
from optviz.ui.training import data_source, download
from tests.data.test_datasets import (
    NAMES,
    TEST_T,
    TEST_X,
    TRAIN_T,
    TRAIN_X,
    Mirror,
    flipped,
    known_by,
    mirror,
    packed,
    small,
    swapped,
    write,
)  # fmt: skip
from tests.page import open_page, plots, session, sound, trained

FILES = packed(small(train=300, test=100))


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch, tmp_path):
    """No file of this machine counts, no server but ours is asked, and ours are the official files."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for variable in ("OPTVIZ_MNIST", "OPTVIZ_FASHION"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv(f"{variable}_URL", "http://127.0.0.1:9/nobody/")
    known_by(monkeypatch, FILES)


def script():
    import streamlit as st

    from optviz.ui.training import data_source as of

    of.data_source_controls("mnist")
    st.info(of.missing_message("mnist") or "ready")
    st.session_state.told = (of.available("mnist"), of.label("mnist"), of.source_of("mnist"))


def opened():
    return ran(AppTest.from_function(script, default_timeout=30))


def ran(at):
    return sound(at.run())


def uploaded(at, files):
    gzipped = [(name, content, "application/gzip") for name, content in files.items()]
    at.file_uploader[0].set_value(gzipped)
    return ran(at)


def pressed(at, key):
    at.button(key=key).click()
    return ran(at)


def at_rest(at):
    """When the thread has ended, and the page has seen it."""
    download._fetches[cache_folder() / "mnist"].join()
    return ran(at)


def folder(tmp_path, files=FILES, name="mine"):
    (tmp_path / name).mkdir()
    return write(tmp_path / name, files)


def errors(at):
    return [e.value for e in at.error]


def here(at):
    return at.session_state.told[0]


def trained_on(at):
    """The rows that a training of this session would get."""
    training = Training(Network((784, 10)), dataset=Choice("mnist"), split=Split(rows=20))
    data = load(training, at.session_state.told[2][1])
    assert data.x.shape == (20, 784)
    return data


def test_not_here_yet_it_says_so_and_offers_two_ways():
    at = opened()
    assert at.caption[0].value == "MNIST is not here yet: fetch it, or upload it."
    assert "not here yet" in at.info[0].value
    assert at.session_state.told == (False, "MNIST (not here yet)", ("", None))
    assert at.expander[0].proto.expanded
    assert at.button(key="fetch-mnist").label.startswith("Fetch (")
    assert "From http://127.0.0.1:9/nobody/;" in at.caption[1].value
    assert at.file_uploader[0].accept_multiple_files
    assert not errors(at)


def test_nothing_that_a_visitor_types_has_the_server_read_a_folder_or_ask_an_address():
    at = open_page("optimizer_comparison", SHORT)
    assert not any(hasattr(box, "value") for box in (*at.text_input, *at.text_area))
    for module in (data_source, download):
        nodes = ast.walk(ast.parse(Path(module.__file__).read_text()))
        names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        assert not names & {"text_input", "text_area", "chat_input"}


def test_sets_that_ship_need_nothing():
    for key in ("digits", "moons"):
        assert data_source.source_of(key) == ("", None)
        assert data_source.available(key)
        assert "here" not in data_source.label(key)


WRONG = {
    "magic": (lambda: FILES | {TEST_X: b"<!DOCTYPE html>"}, f"{TEST_X} has a wrong magic number"),
    "swapped": (lambda: packed(swapped(TRAIN_X, TRAIN_T)), f"{TRAIN_X} and {TRAIN_T} are swapped"),
    "truncated": (lambda: FILES | {TRAIN_X: FILES[TRAIN_X][:-100]}, f"{TRAIN_X} is a damaged or truncated gzip"),
    "one missing": (lambda: {n: c for n, c in FILES.items() if n != TEST_T}, r"MNIST: t10k-labels-idx1-ubyte \(or with .gz\) cannot be found"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_files_change_nothing(kind):
    """Neither where nothing was there, nor where something was in use."""
    files, message = WRONG[kind][0](), WRONG[kind][1]
    for begin in (opened, lambda: uploaded(opened(), packed(small(seed=1, train=40)))):
        at = begin()
        before = at.session_state.told
        at = uploaded(at, files)
        [said] = errors(at)
        assert re.match(message, said)
        assert at.session_state.told == before
        at = uploaded(at, FILES)
        assert here(at)
        assert not errors(at)


# --- an upload --------------------------------------------------------------------------------------------------------


def test_an_upload_is_for_this_session_alone(tmp_path):
    at = uploaded(opened(), {**FILES, "holiday.jpg": b"?"})
    assert here(at)
    assert "uploaded" in at.caption[0].value
    mark, source = at.session_state.told[2]
    assert set(source) == set(NAMES), "what is not asked for is not kept"
    assert not at.file_uploader[0].value, "the uploader does not hold them a second time"
    data = trained_on(at)
    assert (data.t == small(train=300, test=100)[TRAIN_T][:20]).all()
    assert not here(opened())
    renamed = {name.replace(".gz", " (1).gz"): content for name, content in FILES.items()}
    again = uploaded(opened(), renamed)
    assert again.session_state.told[2][0] == mark, "what it is called changes nothing"
    other = uploaded(opened(), packed(small(seed=1, train=40)))
    assert other.session_state.told[2][0] != mark
    assert not here(pressed(at, "remove-files-mnist"))


def test_files_may_come_one_after_the_other():
    at = opened()
    for n in (1, 2, 3):
        at = uploaded(at, dict(list(FILES.items())[:n]))
        assert "among the files given" in errors(at)[0]
        assert not here(at)
    at = uploaded(at, {})
    assert not errors(at)
    assert here(uploaded(at, FILES))


# --- fetching ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def served_from(monkeypatch):
    """Has those who run the server set the address."""
    return lambda address: monkeypatch.setenv("OPTVIZ_MNIST_URL", address)


def fetched():
    return at_rest(pressed(opened(), "fetch-mnist"))


def test_what_is_fetched_is_for_everybody(served_from):
    with mirror(FILES) as (address, handler):
        served_from(address)
        at = fetched()
        assert here(at)
        assert not errors(at)
        assert len(handler.asked) == 4
    assert "cache folder" in at.caption[0].value
    assert not at.expander[0].proto.expanded
    trained_on(at)
    assert here(opened())


def test_the_environment_s_address_and_folder(tmp_path, monkeypatch):
    """What is fetched is found even where the environment names a folder that has nothing."""
    monkeypatch.setenv("OPTVIZ_MNIST", str(tmp_path / "mine"))
    with mirror(FILES) as (address, _):
        monkeypatch.setenv("OPTVIZ_MNIST_URL", address)
        at = at_rest(pressed(opened(), "fetch-mnist"))
    assert here(at)
    assert at.session_state.told[2][1] == cache_folder() / "mnist"
    folder(tmp_path)
    at = opened()
    assert "$OPTVIZ_MNIST" in at.caption[0].value
    assert at.session_state.told[2][1] == tmp_path / "mine"


class Slow(Mirror):
    """Sends half of the first file, and the rest when the gate is opened."""

    gate: threading.Event

    def do_GET(self):
        whole = self.wfile.write

        def write(content):
            if len(content) > 100_000:
                whole(content[: len(content) // 2])
                self.wfile.flush()
                self.gate.wait(20)
                content = content[len(content) // 2 :]
            whole(content)

        self.wfile.write = write
        Mirror.do_GET(self)


@pytest.fixture
def slow(served_from):
    gate = threading.Event()
    with mirror(FILES, do_GET=Slow.do_GET, gate=gate) as (address, handler):
        served_from(address)
        yield handler, gate
        gate.set()


def until(true):
    for _ in range(500):
        if true():
            return
        threading.Event().wait(0.01)
    pytest.fail("it never came")


def test_a_fetch_is_watched_stopped_and_gone_on_with(slow):
    handler, gate = slow
    at = opened()
    at = pressed(at, "fetch-mnist")
    now = download._fetches[cache_folder() / "mnist"]
    until(lambda: now.done)
    at = ran(at)
    assert "0.1 of 0.3 MB" in at.get("progress")[0].proto.text
    # anybody sees it and can stop it
    assert pressed(opened(), "stop-fetch-mnist").button(key="fetch-mnist")
    at = ran(at)
    gate.set()
    now.join()
    at = ran(at)
    assert at.button(key="fetch-mnist").label.startswith("Resume the download")
    assert "0.1 of 0.3 MB are here" in at.get("progress")[0].proto.text
    assert not errors(at)
    assert not here(at)
    at = at_rest(pressed(at, "fetch-mnist"))
    assert here(at)
    (_, begun), (_, rest) = handler.asked[:2]
    assert begun is None
    assert rest.startswith("bytes=")


def test_who_goes_on_while_the_stopped_one_still_hangs_waits_for_it(slow):
    _, gate = slow
    at = opened()
    at = pressed(at, "fetch-mnist")
    first = download._fetches[cache_folder() / "mnist"]
    until(lambda: first.done)
    at = pressed(pressed(at, "stop-fetch-mnist"), "fetch-mnist")
    assert at.get("progress")[0].proto.text == "Waiting for an answer …"
    gate.set()
    first.join()
    assert here(at_rest(at))
    held = {path.name for path in (cache_folder() / "mnist").iterdir()}
    assert held == {".lock", *NAMES}


def test_files_that_went_bad_are_fetched_again(served_from):
    with mirror(FILES) as (address, handler):
        served_from(address)
        at = fetched()
        write(cache_folder() / "mnist", {TRAIN_T: flipped(FILES[TRAIN_T])})
        assert at.button(key="fetch-mnist").label.startswith("Check")
        at = at_rest(pressed(at, "fetch-mnist"))
        assert [name for name, _ in handler.asked[4:]] == [TRAIN_T]
    trained_on(at)


def test_two_who_press_fetch_are_one_fetch(slow):
    handler, gate = slow
    one, two = opened(), opened()
    one = pressed(one, "fetch-mnist")
    two = pressed(two, "fetch-mnist")  # its page was drawn before
    gate.set()
    assert here(at_rest(one))
    assert here(ran(two))
    assert [name for name, _ in handler.asked] == NAMES


MISBEHAVIOR = {
    "another file": (FILES | {TEST_X: flipped(FILES[TEST_X])}, {}, "wrong SHA-256"),
    "a log-in page": (FILES | {TRAIN_T: b"<html>Log in"}, {}, "is not the expected file"),
    "a cut connection": (FILES, {"cut": {TRAIN_X: 100_000}}, "Fetch again to resume"),
    "not there": ({}, {}, "the server answers 404"),
}


@pytest.mark.parametrize("kind", MISBEHAVIOR)
def test_what_a_server_does_wrong_is_said_and_can_be_tried_again(served_from, kind):
    files, behavior, message = MISBEHAVIOR[kind]
    with mirror(files, **behavior) as (address, handler):
        served_from(address)
        at = fetched()
        assert message in errors(at)[0]
        assert not here(at)
        handler.files, handler.cut = FILES, None
        at = at_rest(pressed(at, "fetch-mnist"))
        assert here(at)
        assert not errors(at)


NOWHERE = ["http://127.0.0.1:9/", "nonsense", "file:///etc/", "http://[", "http://127.0.0.1:x/"]


@pytest.mark.parametrize("address", NOWHERE)
def test_an_address_that_leads_nowhere(served_from, address):
    served_from(address)
    at = fetched()
    [said] = errors(at)
    assert re.search("cannot be reached|is not an address|could not be fetched", said)
    assert not here(at)
    assert not at.button(key="fetch-mnist").disabled


def test_the_cache_folder_cannot_be_written(tmp_path):
    (tmp_path / "cache").touch()
    at = at_rest(pressed(opened(), "fetch-mnist"))
    assert "Nothing can be written to" in errors(at)[0]


# --- on a page --------------------------------------------------------------------------------------------------------

SGD = (OptimizerConfig(Choice("sgd", {"lr": 0.1})),)
SHORT = OptimizerComparison(
    Network((784, 8, 10)), Choice("mnist"), Split(200), 16, 10, optimizers=SGD
)


def menu(at):
    return next(box for box in at.selectbox if box.label == "Data")


def chosen(at, key):
    assert "Fashion-MNIST (not here yet)" in menu(at).options
    menu(at).set_value(key)
    return ran(at)


def kept(at):
    return list(session(at).results["optimizer_comparison"].states.values())


def buttons(at):
    return [b.key for b in at.button]


def test_mnist_is_in_the_menu_and_nothing_trains_before_it_is_here():
    at = open_page("optimizer_comparison", OptimizerComparison(optimizers=SGD, iterations=10))
    assert "train-optimizer_comparison" in buttons(at)
    at = chosen(at, "mnist")
    assert at.info[0].value.startswith("MNIST is not here yet.")
    assert "train-optimizer_comparison" not in buttons(at)
    before = menu(at).key
    at = trained(uploaded(at, FILES), "optimizer_comparison")
    assert not errors(at)
    now = kept(at)[-1]  # the first is of the digits, not begun
    assert (now.training.dataset.key, now.iteration) == ("mnist", 10)
    assert np.isfinite(now.loss).all()
    assert menu(at).value == "mnist"
    assert "MNIST" in menu(at).options
    assert menu(at).key != before, "a browser would send the label that it knows"
    at = chosen(pressed(at, "remove-files-mnist"), "digits")
    assert "train-optimizer_comparison" in buttons(at)
    assert not errors(at)


def test_other_files_are_another_training_and_the_first_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("OPTVIZ_MNIST", str(folder(tmp_path)))
    at = trained(open_page("optimizer_comparison", SHORT), "optimizer_comparison", sliced=True)
    at = uploaded(at, packed(small(seed=1, train=400)))
    assert not at.button(key="train-optimizer_comparison").disabled, "it begins anew"
    at = trained(at, "optimizer_comparison", sliced=True)
    first, second = kept(at)
    assert not np.array_equal(first.loss, second.loss)
    at = pressed(at, "remove-files-mnist")
    assert at.button(key="train-optimizer_comparison").disabled, "it is done already"


def own(rows, columns=3, classes=3):
    """A file of points around as many corners as there are classes."""
    rng = np.random.default_rng(0)
    t = np.arange(rows) % classes
    x = rng.normal(0, 0.1, (rows, columns)) + np.eye(columns)[t]
    rows = [";".join(f"{v:.3f}" for v in row) for row in x]
    return "\n".join(f"{row};kind {k}" for row, k in zip(rows, t, strict=True)).encode()


def test_a_file_of_ones_own_is_trained_on():
    at = open_page("optimizer_comparison", OptimizerComparison(iterations=60))
    menu = next(s for s in at.selectbox if s.label == "Data")
    menu.select("own").run()
    assert "below the data menu" in at.info[0].value
    upload = next(f for f in at.file_uploader if f.label.startswith("A CSV file"))
    upload.upload("bad.csv", b"1,2,a\n3,x,b\n1,1,a\n2,2,b\n").run()
    assert "“x” in line 2 is not a number." in at.error[0].value
    upload = next(f for f in at.file_uploader if f.label.startswith("A CSV file"))
    upload.upload("mine.csv", own(90)).run()
    assert not at.error
    assert not at.info
    spec = session(at).specs["optimizer_comparison"]
    assert (spec.network.sizes[0], spec.network.sizes[-1], spec.split.rows) == (3, 3, 60)
    trained(at, "optimizer_comparison", sliced=True)
    mine = [s for s in kept(at) if s.training.dataset.key == "own"]
    [adam] = [s for s in mine if s.training.optimizer.method.key == "adam"]
    assert adam.accuracy[-1, 1] > 0.9, "corners far apart"
    [matrix] = [p for name, p in plots(at).items() if "predictions" in name]
    assert matrix["data"][0]["x"] == ["kind 0", "kind 1", "kind 2"]
    # the page loaded again: the same tab goes on with it
    again = open_page("optimizer_comparison", spec)
    with acting_as(session(again)):
        resume("nobody's")
        session(at).opened_pages.add("lessons")  # a page without a scene
        assert not own_examples().content
        resume(session(at).name)
        assert own_examples().content
    again.run()
    assert not again.info
    assert "train-optimizer_comparison" in buttons(again)
    assert again.button(key="train-optimizer_comparison").disabled, "it is done already"
    # who opens the link is told, and the next one, who has another file
    there = open_page("optimizer_comparison", spec)
    assert "does not include" in there.info[0].value
    with acting_as(session(there)):
        own_examples().content = read_examples(own(80))
    there.run()
    assert "90 rows of 3 numbers and 3 labels" in sound(there).error[0].value
    assert PAGES["optimizer_comparison"].thumbnail_svg(spec, LIGHT).startswith("<svg")
