"""MNIST brought to the page: folders right and wrong, uploads, fetching from a server that may misbehave."""

import re
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from optviz.data import cache_folder
from optviz.experiments.optimizer_comparison.spec import OptimizerComparison
from optviz.nn import Network
from optviz.optim.config import OptimizerConfig
from optviz.spec import Choice
from optviz.training import Split, Training, load
from optviz.ui import data_source as datafiles
from optviz.ui import download as fetching
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
from tests.page import open_page, session, trained

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

    from optviz.ui.data_source import (
        available,
        data_source_controls,
        label,
        missing_message,
        source_of,
    )

    data_source_controls("mnist")
    st.info(missing_message("mnist") or "ready")
    st.session_state.told = (available("mnist"), label("mnist"), source_of("mnist"))


def opened():
    return ran(AppTest.from_function(script, default_timeout=30))


def ran(at):
    at.run()
    assert not at.exception, [e.message for e in at.exception]
    return at


def named(at, folder):
    at.text_input(key="folder-mnist").set_value(str(folder))
    return ran(at)


def uploaded(at, files):
    at.file_uploader[0].set_value([(name, content, "application/gzip") for name, content in files.items()])
    return ran(at)


def pressed(at, key):
    at.button(key=key).click()
    return ran(at)


def at_rest(at):
    """When the thread has ended, and the page has seen it."""
    fetching._fetches[cache_folder() / "mnist"].join()
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
    split = Split(rows=20)
    data = load(Training(Network((784, 10)), dataset=Choice("mnist"), split=split), at.session_state.told[2][1])
    assert data.x.shape == (20, 784)
    return data


def test_not_here_yet_it_says_so_and_offers_three_ways():
    at = opened()
    assert "three ways" in at.caption[0].value
    assert "not here yet" in at.info[0].value
    assert at.session_state.told == (False, "MNIST (not here yet)", ("", None))
    assert at.expander[0].proto.expanded
    assert at.button(key="fetch-mnist").label.startswith("Fetch (")
    assert at.text_input(key="address-mnist").placeholder == "http://127.0.0.1:9/nobody/"
    assert "server's machine" in at.text_input(key="folder-mnist").label
    assert at.file_uploader[0].accept_multiple_files
    assert not errors(at)


def test_sets_that_ship_need_nothing():
    for key in ("digits", "moons"):
        assert datafiles.source_of(key) == ("", None)
        assert datafiles.available(key)
        assert "here" not in datafiles.label(key)


# --- a folder ---------------------------------------------------------------------------------------------------------


def test_a_folder_is_for_this_session_alone(tmp_path):
    at = named(opened(), folder(tmp_path))
    assert here(at)
    assert at.session_state.told[1] == "MNIST"
    assert str(tmp_path / "mine") in at.caption[0].value
    assert at.info[0].value == "ready"
    assert not errors(at)
    trained_on(at)
    assert not here(opened())
    at = pressed(at, "away-mnist")
    assert not here(at)
    assert at.text_input(key="folder-mnist").value == ""


def test_an_emptied_field_is_no_folder_any_more(tmp_path):
    at = named(named(opened(), folder(tmp_path)), " ")
    assert not here(at)
    assert not errors(at)


def test_other_files_in_the_folder_are_other_data(tmp_path):
    at = named(opened(), folder(tmp_path))
    mark = at.session_state.told[2][0]
    write(tmp_path / "mine", packed(small(seed=1, train=40)))
    assert named(named(at, ""), tmp_path / "mine").session_state.told[2][0] != mark
    at = named(at, folder(tmp_path, name="other"))
    assert at.session_state.told[2][0] != mark


def test_home_and_quotes(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder(tmp_path)
    for typed in ("~/mine", f'"{tmp_path}/mine"', f" {tmp_path}/mine/ "):
        assert here(named(opened(), typed)), typed


@pytest.mark.parametrize("typed", ["nowhere", "~root/mine", "mine", ".", "//server/share", r"\\server\share", "?"])
def test_what_is_no_whole_path(tmp_path, monkeypatch, typed):
    folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    at = named(opened(), typed)
    assert errors(at) == [f"`{typed}` is not a whole path on the server's machine, such as /data/mnist or ~/mnist."]
    assert not here(at)
    assert at.text_input(key="folder-mnist").value == typed


def test_what_cannot_be_found_cannot_be_told_from_what_there_is_not(tmp_path):
    """A visitor learns nothing about the server's folders."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"secret")
    names = ", ".join(name.removesuffix(".gz") for name in NAMES)
    for typed in (
        "/etc",
        "/etc/shadow",
        "/root/x",
        "/" + "x" * 900,
        "/a\0b",
        *(f"{tmp_path}/{n}" for n in ("empty", "file", "none")),
    ):
        at = named(opened(), typed)
        assert errors(at) == [f"MNIST: {names} (or with .gz) cannot be found in the folder `{typed}`."]
        assert not here(at)


WRONG = {
    "magic": (lambda: FILES | {TEST_X: b"<!DOCTYPE html>"}, f"{TEST_X} has a wrong magic number"),
    "swapped": (lambda: packed(swapped(TRAIN_X, TRAIN_T)), f"{TRAIN_X} and {TRAIN_T} are swapped"),
    "truncated": (lambda: FILES | {TRAIN_X: FILES[TRAIN_X][:-100]}, f"{TRAIN_X} is a damaged or truncated gzip"),
    "one missing": (lambda: {n: c for n, c in FILES.items() if n != TEST_T}, r"MNIST: t10k-labels-idx1-ubyte \(or with .gz\) cannot be found"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("way", ["folder", "upload"])
def test_wrong_files_change_nothing(tmp_path, kind, way):
    """Neither where nothing was there, nor where something was in use."""
    files, message = WRONG[kind][0](), WRONG[kind][1]
    bad, good = folder(tmp_path, files, "bad"), folder(tmp_path)
    for begin in (opened, lambda: named(opened(), good)):
        at = begin()
        before = at.session_state.told
        at = named(at, bad) if way == "folder" else uploaded(at, files)
        [said] = errors(at)
        assert re.match(message, said)
        assert at.session_state.told == before
        at = named(at, good) if way == "folder" else uploaded(at, FILES)
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
    again = uploaded(opened(), {name.replace(".gz", " (1).gz"): content for name, content in FILES.items()})
    assert again.session_state.told[2][0] == mark, "the same content is the same data, whatever it is called"
    other = uploaded(opened(), packed(small(seed=1, train=40)))
    assert other.session_state.told[2][0] != mark
    assert not here(pressed(at, "away-mnist"))


def test_files_may_come_one_after_the_other():
    at = opened()
    for n in (1, 2, 3):
        at = uploaded(at, dict(list(FILES.items())[:n]))
        assert "among the files given" in errors(at)[0]
        assert not here(at)
    at = uploaded(at, {})
    assert not errors(at)
    assert here(uploaded(at, FILES))


def test_an_upload_comes_after_a_folder_and_a_folder_after_an_upload(tmp_path):
    at = uploaded(named(opened(), folder(tmp_path)), FILES)
    assert "uploaded" in at.caption[0].value
    assert at.text_input(key="folder-mnist").value == ""
    at = named(at, tmp_path / "mine")
    assert str(tmp_path) in at.caption[0].value


# --- fetching ---------------------------------------------------------------------------------------------------------


def fetched(at, address):
    at.text_input(key="address-mnist").set_value(address)
    return at_rest(pressed(ran(at), "fetch-mnist"))


def test_what_is_fetched_is_for_everybody():
    with mirror(FILES) as (address, handler):
        at = fetched(opened(), address)
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
def slow():
    gate = threading.Event()
    with mirror(FILES, do_GET=Slow.do_GET, gate=gate) as (address, handler):
        yield address, handler, gate
        gate.set()


def until(true):
    for _ in range(500):
        if true():
            return
        threading.Event().wait(0.01)
    pytest.fail("it never came")


def test_a_fetch_is_watched_stopped_and_gone_on_with(slow):
    address, handler, gate = slow
    at = opened()
    at.text_input(key="address-mnist").set_value(address).run()
    at = pressed(at, "fetch-mnist")
    now = fetching._fetches[cache_folder() / "mnist"]
    until(lambda: now.done)
    at = ran(at)
    assert "0.1 of 0.3 MB" in at.get("progress")[0].proto.text
    assert at.text_input(key="address-mnist").disabled
    other = opened()
    assert pressed(other, "stop-fetch-mnist").button(key="fetch-mnist"), "anybody sees it and can stop it"
    at = ran(at)
    gate.set()
    now.join()
    at = ran(at)
    assert at.button(key="fetch-mnist").label.startswith("Go on fetching")
    assert "0.1 of 0.3 MB are here" in at.get("progress")[0].proto.text
    assert not errors(at)
    assert not here(at)
    assert at.text_input(key="address-mnist").value == address
    at = at_rest(pressed(at, "fetch-mnist"))
    assert here(at)
    (_, begun), (_, rest) = handler.asked[:2]
    assert begun is None
    assert rest.startswith("bytes=")


def test_who_goes_on_while_the_stopped_one_still_hangs_waits_for_it(slow):
    address, _, gate = slow
    at = opened()
    at.text_input(key="address-mnist").set_value(address).run()
    at = pressed(at, "fetch-mnist")
    first = fetching._fetches[cache_folder() / "mnist"]
    until(lambda: first.done)
    at = pressed(pressed(at, "stop-fetch-mnist"), "fetch-mnist")
    assert at.get("progress")[0].proto.text == "Waiting for an answer …"
    gate.set()
    first.join()
    assert here(at_rest(at))
    assert sorted(path.name for path in (cache_folder() / "mnist").iterdir()) == sorted([".lock", *NAMES])


def test_files_that_went_bad_are_fetched_again():
    with mirror(FILES) as (address, handler):
        at = fetched(opened(), address)
        write(cache_folder() / "mnist", {TRAIN_T: flipped(FILES[TRAIN_T])})
        assert at.button(key="fetch-mnist").label.startswith("Check")
        at = at_rest(pressed(at, "fetch-mnist"))
        assert [name for name, _ in handler.asked[4:]] == [TRAIN_T]
    trained_on(at)


def test_two_who_press_fetch_are_one_fetch(slow):
    address, handler, gate = slow
    one, two = opened(), opened()
    one.text_input(key="address-mnist").set_value(address).run()
    one = pressed(one, "fetch-mnist")
    two = pressed(two, "fetch-mnist")  # its page was drawn before
    gate.set()
    assert here(at_rest(one))
    assert here(ran(two))
    assert [name for name, _ in handler.asked] == NAMES


@pytest.mark.parametrize(
    ("files", "behavior", "message"),
    [
        (FILES | {TEST_X: flipped(FILES[TEST_X])}, {}, "wrong SHA-256"),
        (FILES | {TRAIN_T: b"<html>Please log in</html>"}, {}, "is not the file it should be"),
        (FILES, {"cut": {TRAIN_X: 100_000}}, "Fetch again to go on"),
        ({}, {}, "the server says 404"),
    ],
    ids=["another file", "a log-in page", "a cut connection", "not there"],
)
def test_what_a_server_does_wrong_is_said_and_can_be_tried_again(files, behavior, message):
    with mirror(files, **behavior) as (address, handler):
        at = fetched(opened(), address)
        assert message in errors(at)[0]
        assert not here(at)
        assert at.text_input(key="address-mnist").value == address
        handler.files, handler.cut = FILES, None
        at = at_rest(pressed(at, "fetch-mnist"))
        assert here(at)
        assert not errors(at)


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:9/", "nonsense", "file:///etc/", "http://", "http://[", "http://a b/", "http://ä\u2028/", "http://127.0.0.1:x/",
     "http://127.0.0.1:99999999/", "http://127.0.0.1:-1/", f"http://{'a' * 70}.invalid/", "http://127.0.0.1:9/ä ö", "http://..", "://"],
)  # fmt: skip
def test_an_address_that_leads_nowhere(address):
    at = fetched(opened(), address)
    [said] = errors(at)
    assert any(words in said for words in ("cannot be reached", "is no address", "could not be fetched")), said
    assert not here(at)
    assert at.text_input(key="address-mnist").value == address
    assert not at.button(key="fetch-mnist").disabled


def test_the_cache_folder_cannot_be_written(tmp_path):
    (tmp_path / "cache").touch()
    at = at_rest(pressed(opened(), "fetch-mnist"))
    assert "Nothing can be written to" in errors(at)[0]


def test_on_a_server_for_others_the_address_is_set_by_those_who_run_it(monkeypatch):
    """Or else any visitor could have it knock at doors of its own network."""
    monkeypatch.setattr(fetching, "HERE_ALONE", ())
    with mirror(FILES) as (address, handler):
        monkeypatch.setenv("OPTVIZ_MNIST_URL", address)
        at = AppTest.from_function(script, default_timeout=30)
        at.session_state["typed-address-mnist"] = at.session_state["address-mnist"] = "http://127.0.0.1:9/inside/"
        at = ran(at)
        assert at.text_input(key="address-mnist").disabled
        assert here(at_rest(pressed(at, "fetch-mnist")))
        assert len(handler.asked) == 4


def test_the_settings_are_for_this_machine_alone():
    settings = (Path(fetching.__file__).parents[2] / ".streamlit" / "config.toml").read_text()
    assert f'address = "{fetching.HERE_ALONE[0]}"' in settings


# --- on a page --------------------------------------------------------------------------------------------------------

SHORT = OptimizerComparison((OptimizerConfig(Choice("sgd", {"lr": 0.1})),), Network((784, 8, 10)), Choice("mnist"), Split(200), 16, 2)


def menu(at):
    return next(box for box in at.selectbox if box.label == "Data")


def chosen(at, key):
    assert "Fashion-MNIST (not here yet)" in menu(at).options
    menu(at).set_value(key)
    return ran(at)


def kept(at):
    return list(at.session_state.labs["optimizer_comparison"]["kept"].values())


def buttons(at):
    return [b.key for b in at.button]


def test_mnist_is_in_the_menu_and_nothing_trains_before_it_is_here(tmp_path):
    at = open_page("optimizer_comparison", OptimizerComparison(SHORT.optimizers, iterations=2))
    assert "train-contest" in buttons(at)
    at = chosen(at, "mnist")
    assert at.info[0].value.startswith("MNIST is not here yet.")
    assert "train-contest" not in buttons(at)
    at = named(at, tmp_path)
    assert "train-contest" not in buttons(at)
    assert "cannot be found in the folder" in errors(at)[0]
    before = menu(at).key
    at = trained(named(at, folder(tmp_path)), "optimizer_comparison")
    assert not errors(at)
    now = kept(at)[-1]  # the first is of the digits, not begun
    assert (now.training.dataset.key, now.iteration) == ("mnist", 2)
    assert np.isfinite(now.loss).all()
    assert menu(at).value == "mnist"
    assert "MNIST" in menu(at).options
    assert menu(at).key != before, "a browser would send the label that it knows"
    at = chosen(pressed(at, "away-mnist"), "digits")
    assert "train-contest" in buttons(at)
    assert not errors(at)


def test_other_files_are_another_training_and_the_first_is_kept(tmp_path):
    at = trained(named(open_page("optimizer_comparison", SHORT), folder(tmp_path)), "optimizer_comparison")
    at = uploaded(at, packed(small(seed=1, train=40)))
    assert not at.button(key="train-contest").disabled, "it begins anew"
    at = trained(at, "optimizer_comparison")
    first, second = kept(at)
    assert not np.array_equal(first.loss, second.loss)
    at = named(at, tmp_path / "mine")
    assert at.button(key="train-contest").disabled, "it is done already"


def test_a_training_whose_files_are_put_away_waits_to_be_started_again(tmp_path):
    at = named(open_page("optimizer_comparison", replace(SHORT, iterations=5000)), folder(tmp_path))
    at = pressed(at, "train-contest")
    at = pressed(at, "away-mnist")
    assert at.info[0].value.startswith("MNIST is not here yet.")
    at = named(at, tmp_path / "mine")
    assert at.button(key="train-contest").label in ("Train", "Go on")


def test_a_link_to_mnist_is_welcome_where_it_is_not_here():
    at = open_page("optimizer_comparison", SHORT)
    assert "MNIST is not here yet." in at.info[0].value
    assert session(at).specs["optimizer_comparison"] == SHORT
