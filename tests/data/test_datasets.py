"""Digits, points in the plane, IDX files whole and damaged, and fetching them from a server that may misbehave."""

import gzip
import os
import re
import signal
import struct
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import erf, pi, sqrt
from pathlib import Path

import numpy as np
import pytest

from optviz.data import (
    DATASETS,
    SOURCES,
    STEMS,
    TOY_SETS,
    DataError,
    cache_folder,
    digits,
    fetch,
    folder_of,
    load_idx,
    load_mnist,
    standardize,
)
from optviz.data import download as remote
from optviz.data.own import read_examples
from optviz.nn import Network
from optviz.spec import Choice, SpecError
from optviz.training import Split, Training, check, load
from tests.table import table

# --- the digits -------------------------------------------------------------------------------------------------------


def test_the_digits_are_those_of_the_source():
    """Counts and pixels as scikit-learn's documentation prints them."""
    x, t = digits()
    assert (x.shape, x.dtype, t.shape, t.dtype) == ((1797, 64), np.float64, (1797,), np.int64)
    assert np.bincount(t).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (x.min(), x.max()) == (0, 1)
    assert (16 * x).sum() == 561718
    first = [[0, 0, 5, 13, 9, 1, 0, 0], [0, 0, 13, 15, 10, 15, 5, 0], [0, 3, 15, 2, 0, 11, 8, 0]]
    assert (16 * x[0, :24]).reshape(3, 8).tolist() == first
    assert (t[:10].tolist(), t[-3:].tolist()) == (list(range(10)), [8, 9, 8])


def test_the_digits_are_read_once_and_cannot_be_changed():
    x, t = digits()
    assert digits()[0] is x
    for array in (x, t):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_the_digits_name_their_source():
    said = DATASETS["digits"].attribution
    for word in ("Alpaydin", "Kaynak", "1998", "10.24432/C50P49", "CC BY 4.0"):
        assert word in said


# --- what is done before the training ---------------------------------------------------------------------------------


def test_a_split_takes_each_row_once_and_comes_again():
    rows = np.arange(1000)
    data = Split(300, seed=3).partition(rows[:, None], rows)
    assert (data.x.shape, data.x_test.shape) == ((300, 1), (700, 1))
    assert sorted([*data.t, *data.t_test]) == rows.tolist()
    assert np.array_equal(data.x[:, 0], data.t)  # what belongs together stays together
    assert np.array_equal(data.x_test[:, 0], data.t_test)
    assert np.array_equal(Split(300, seed=3).partition(rows, rows).t, data.t)
    assert not np.array_equal(Split(300, seed=4).partition(rows, rows).t, data.t)
    fewer = Split(100, seed=3).partition(rows, rows)
    assert np.array_equal(fewer.t, data.t[:100])  # more, not others


def test_other_writers_come_after_the_first_rows():
    x, t = digits()
    data = Split(300, first=True).partition(x, t)
    assert np.array_equal(data.x, x[:300])
    assert np.array_equal(np.concatenate([data.t, data.t_test]), t)
    assert len(data.x_test) == 1497


@pytest.mark.parametrize("first", [True, False])
@table("rows", [0, 10, 11])
def test_a_split_cannot_take_more_than_there_is(rows, first):
    with pytest.raises(ValueError, match="of 10 rows 1 to 9 can be for training"):
        Split(rows, first).partition(np.zeros((10, 2)), np.zeros(10))


def test_standardized_has_mean_0_and_variance_1():
    x = np.random.default_rng(0).normal(50, 3, (200, 4))
    z = standardize(x)
    assert np.abs(z.mean(0)).max() < 1e-13
    assert np.abs(z.var(0) - 1).max() < 1e-13
    assert standardize([[1, 10], [3, 30]]).tolist() == [[-1, -1], [1, 1]]  # worked by hand


def test_a_test_is_standardized_by_the_training_and_constants_are_0():
    train, test = np.array([[1, 0.1], [3, 0.1], [5, 0.1]]), np.array([[3, 0.1], [7, 9]])
    assert standardize(train)[:, 1].tolist() == [0, 0, 0]
    known = [[0, 0], [4 / sqrt(8 / 3), 0]]
    np.testing.assert_allclose(standardize(test, like=train), known, rtol=1e-14)
    assert np.isfinite(standardize(digits()[0])).all()


def test_standardized_keeps_single_precision_and_does_not_lose_it():
    """A running sum of float32 would be off by far more over this many rows."""
    x = (1000 + np.random.default_rng(0).random((200_000, 1))).astype(np.float32)
    z = standardize(x)
    assert z.dtype == np.float32
    assert abs(z.mean(dtype=float)) < 1e-4
    assert abs(z.var(dtype=float) - 1) < 1e-4


# --- points in the plane ----------------------------------------------------------------------------------------------

PLANE = [key for key, cls in TOY_SETS.items() if cls.features == 2]


@table("key", PLANE)
def test_points_are_balanced_and_come_again(key):
    x, t = TOY_SETS[key](points=200).sample(7)
    assert (x.shape, x.dtype, t.shape) == ((200, 2), np.float64, (200,))
    assert np.bincount(t).tolist() == [100, 100]
    assert np.array_equal(TOY_SETS[key](points=200).sample(7)[0], x)
    assert not np.array_equal(TOY_SETS[key](points=200).sample(8)[0], x)
    assert np.isfinite(TOY_SETS[key](points=2).sample(0)[0]).all()


@table("key", PLANE)
def test_more_points_begin_with_the_same_and_noise_moves_them_straight(key):
    few, many = (TOY_SETS[key](points=n).sample(1)[0] for n in (51, 400))
    assert np.array_equal(few, many[:51])
    still, a_little, more = (TOY_SETS[key](noise=noise).sample(1)[0] for noise in (0.0, 0.1, 0.3))
    np.testing.assert_allclose(more - still, 3 * (a_little - still), atol=1e-12)
    assert np.abs((a_little - still).std() / 0.1 - 1) < 0.1


@table("key", PLANE)
def test_without_noise_the_nearest_neighbor_is_of_the_same_class(key):
    x, t = TOY_SETS[key](points=400, noise=0.0).sample(2)
    distance = np.square(x[:, None] - x).sum(-1)
    np.fill_diagonal(distance, np.inf)
    assert np.array_equal(t[distance.argmin(1)], t)


def test_moons_lie_on_two_half_circles():
    x, t = TOY_SETS["moons"](noise=0.0).sample(0)
    upper, lower = x[t == 0] - (-0.5, -0.25), x[t == 1] - (0.5, 0.25)
    np.testing.assert_allclose(np.hypot(*upper.T), 1)
    np.testing.assert_allclose(np.hypot(*lower.T), 1)
    assert upper[:, 1].min() >= 0 >= lower[:, 1].max()


def test_circles_have_their_radii():
    x, t = TOY_SETS["circles"](noise=0.0, inner=0.3).sample(0)
    np.testing.assert_allclose(np.hypot(*x.T), np.where(t == 0, 1, 0.3))


@pytest.mark.parametrize("arms", [2, 3, 5])
def test_spirals_are_parted_by_their_angle(arms):
    x, t = TOY_SETS["spirals"](points=60 * arms, noise=0.0, arms=arms, turns=2.0).sample(0)
    assert np.bincount(t).tolist() == [60] * arms
    radius, angle = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
    assert 0.1 <= radius.min() < 0.3 < 0.95 < radius.max() <= 1
    turned = (angle / (2 * pi) - 2.0 * radius) * arms
    assert np.array_equal(np.round(turned).astype(int) % arms, t)


def test_rare_features_are_as_rare_as_is_said_and_a_line_parts_them():
    x, t = TOY_SETS["rare"](decay=1.2).sample(3)
    assert set(np.unique(x)) == {-1, 0, 1}
    share = np.arange(1, 61.0) ** -1.2
    assert (np.abs((x != 0).mean(0) - share) <= 4 * np.sqrt(share * (1 - share) / 2000)).all()
    assert np.abs(x.mean(0)).max() < 0.1
    # with 1 and 2 alone the signs can be read off: the label is that of what the two say
    few = TOY_SETS["rare"](decay=1.2)
    assert np.array_equal(few.sample(3)[0], x)
    kept = np.linalg.lstsq(x, 2.0 * t - 1, rcond=None)[0]
    assert np.array_equal(x @ np.sign(kept) > 0, t == 1)


def test_clouds_stand_where_they_are_put():
    x, t = TOY_SETS["clouds"](points=2000, gap=3.0, offset=10.0).sample(0)
    a, b = x[t == 0].mean(0), x[t == 1].mean(0)
    assert abs(np.hypot(*(b - a)) - 3) < 0.05
    np.testing.assert_allclose((a + b) / 2, np.array([10, 10]) / sqrt(2), atol=0.05)


def test_far_clouds_are_hard_on_a_line_that_turns_a_little():
    """The lecture's demonstration: .992 -> .810 on raw data, .992 -> .992 on standardized data."""
    x, t = TOY_SETS["clouds"](points=20_000, gap=2.0, noise=0.415, offset=10.0).sample(0)
    turn = np.radians(5)
    line = np.array([np.cos(-pi / 4 + turn), np.sin(-pi / 4 + turn)])

    def accuracy(x, weights):
        return ((x @ weights > 0) == t).mean()

    def phi(z):
        return (1 + erf(z / sqrt(2))) / 2

    assert abs(accuracy(x, np.array([1, -1])) - phi(1 / 0.415)) < 0.002
    assert abs(accuracy(x, np.array([1, -1])) - 0.992) < 0.002
    assert abs(accuracy(x, line) - 0.810) < 0.02
    assert abs(accuracy(standardize(x), line) - 0.992) < 0.002


# --- IDX files --------------------------------------------------------------------------------------------------------

NAMES = [f"{stem}.gz" for stem in STEMS]
TRAIN_X, TRAIN_T, TEST_X, TEST_T = NAMES


def idx(array) -> bytes:
    """An IDX file of bytes, written from its description."""
    array = np.asarray(array, np.uint8)
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def small(seed=0, train=30, test=20):
    """Four file names -> their arrays."""
    rng = np.random.default_rng(seed)
    shapes = [(train, 28, 28), (train,), (test, 28, 28), (test,)]
    drawn = (rng.integers(0, 10 if len(shape) == 1 else 256, shape) for shape in shapes)
    return dict(zip(NAMES, drawn, strict=True))


def packed(arrays=None) -> dict[str, bytes]:
    """Four file names -> gzipped IDX files of `arrays`, or of `small()`."""
    return {name: gzip.compress(idx(array), mtime=0) for name, array in (arrays or small()).items()}


def write(folder, files):
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def brought(tmp_path):
    """A folder with the four files."""
    return write(tmp_path, packed())


def agrees(loaded, arrays):
    """x in 0…1 and t are the arrays, in the types that are promised, and cannot be changed."""
    for (x, t), images, labels in zip(loaded, (TRAIN_X, TEST_X), (TRAIN_T, TEST_T), strict=True):
        assert (x.dtype, t.dtype) == (np.float32, np.int64)
        np.testing.assert_allclose(x, arrays[images].reshape(-1, 784) / 255, rtol=1e-6)
        assert np.array_equal(t, arrays[labels])
        assert not x.flags.writeable
        assert not t.flags.writeable


@pytest.mark.parametrize("zipped", [True, False])
def test_an_idx_file_is_read_from_a_path_and_from_bytes(tmp_path, zipped):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    content = gzip.compress(idx(array)) if zipped else idx(array)
    path = tmp_path / "any-name"
    path.write_bytes(content)
    for source in (path, str(path), content):
        assert np.array_equal(load_idx(source), array)
    assert load_idx(b"\0\0\x08\x01\0\0\0\x02\x07\x09").tolist() == [7, 9]  # written by hand


def test_mnist_from_a_folder_gzipped_plain_and_by_other_names(tmp_path, brought):
    agrees(load_mnist(brought), small())
    agrees(load_mnist(str(brought)), small())
    plain = tmp_path / "plain"
    plain.mkdir()
    for name, array in small().items():
        (plain / name.removesuffix(".gz").replace("-idx", ".idx")).write_bytes(idx(array))
    (plain / TRAIN_X).mkdir()  # some archives unpack into a folder of the file's name
    (plain / f"{TRAIN_X}.part").write_bytes(b"half")
    agrees(load_mnist(plain), small())


def test_a_gzipped_file_comes_before_a_plain_one(brought):
    """It has a checksum of its own."""
    agrees(load_mnist(write(brought, {name.removesuffix(".gz"): b"?" for name in NAMES})), small())


def test_mnist_from_an_upload():
    agrees(load_mnist(packed()), small())
    numbered = {name.replace(".gz", " (1).gz"): content for name, content in packed().items()}
    agrees(load_mnist(numbered), small())
    plain = {name.removesuffix(".gz"): idx(array) for name, array in small().items()}
    agrees(load_mnist(plain), small())


@pytest.mark.parametrize("key", SOURCES)
def test_the_environment_names_the_folder(monkeypatch, tmp_path, brought, key):
    variable = f"OPTVIZ_{key.upper()}"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(variable, raising=False)
    assert folder_of(key) == tmp_path / "cache" / "optviz" / key
    assert not DATASETS[key].available()
    with pytest.raises(DataError, match=rf"Fetch it, or name its folder in \${variable}"):
        load_mnist(key=key)
    monkeypatch.setenv(variable, str(brought))
    assert DATASETS[key].available()
    agrees(load_mnist(key=key), small())


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named(brought, name):
    (brought / name).unlink()
    assert not DATASETS["mnist"].available(brought)
    stem, others = name.removesuffix(".gz"), {n: c for n, c in packed().items() if n != name}
    with pytest.raises(DataError, match=f"MNIST: {stem} .*cannot be found in the folder"):
        load_mnist(brought)
    with pytest.raises(DataError, match=f"Fashion-MNIST: {stem} .*among the files given"):
        load_mnist(others, "fashion")


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(DataError, match=r"train-images.*cannot be found in the folder .*nowhere"):
        load_mnist(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"folder .*file cannot be read"):
        load_mnist(tmp_path / "file")
    with pytest.raises(DataError, match="nowhere cannot be read"):
        load_idx(tmp_path / "nowhere")


WHOLE = idx(np.arange(24).reshape(2, 3, 4))
ZIPPED = gzip.compress(WHOLE, mtime=0)
DAMAGED = {
    "a web page": (b"<!DOCTYPE html>", "wrong magic number: 1008813135"),
    "an archive": (b"PK\3\4" + bytes(20), "wrong magic number"),
    "floats": (
        b"\0\0\x0d\1" + bytes(20),
        "3329. Files of images begin with 2051, files of labels with 2049",
    ),
    "four axes": (b"\0\0\x08\4" + bytes(20), "wrong magic number: 2052"),
    "no axis": (b"\0\0\x08\0", "wrong magic number: 2048"),
    "empty": (b"", "truncated"),
    "two bytes": (b"\0\0", "truncated"),
    "cut in the lengths": (WHOLE[:9], "truncated: it ends before its first value"),
    "cut in the values": (WHOLE[:-5], "truncated: it declares 24 values but holds 19"),
    "too long": (WHOLE + b"\0", "trailing bytes"),
    "too long when unpacked": (gzip.compress(WHOLE + b"\0\0"), "trailing bytes"),
    "cut in the archive": (ZIPPED[:-12], "truncated gzip"),
    "cut in its checksum": (ZIPPED[:-3], "truncated gzip"),
    "only the beginning of an archive": (ZIPPED[:2], "truncated gzip"),
    "a flipped bit": (ZIPPED[:-8] + bytes([ZIPPED[-8] ^ 1]) + ZIPPED[-7:], "damaged"),
    "archive and rubbish": (ZIPPED + b"rubbish", "damaged"),
    "rubbish in the archive": (ZIPPED[:10] + b"\xff" * 20, "damaged"),
    "too large": (b"\0\0\x08\3" + bytes([255] * 12), "declares .* more than"),
}


@table("file", range(4))
def test_more_than_mnist_has_is_refused_before_it_is_unpacked(file):
    """342,392 rows of zeros are half a megabyte gzipped, and were 3 GB when read."""
    rows, files = (60_001, 10_001)[file // 2], packed()
    shape = (rows,) if file % 2 else (rows, 28, 28)
    header = struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)
    files[NAMES[file]] = gzip.compress(header + bytes(1000))  # to go on would find it cut short
    with pytest.raises(DataError, match=f"^{NAMES[file]} declares .* more than the {rows - 1} "):
        load_mnist(files)


@table("kind", DAMAGED)
def test_a_damaged_file_is_refused(tmp_path, kind):
    content, message = DAMAGED[kind]
    with pytest.raises(DataError, match=f"^The file .*{message}"):
        load_idx(content)
    (tmp_path / TEST_X).write_bytes(content)
    with pytest.raises(DataError, match=f"^{TEST_X} .*{message}"):
        load_idx(tmp_path / TEST_X)


def wrong(name, change):
    arrays = small()
    arrays[name] = change(arrays[name])
    return arrays


def swapped(one, other):
    arrays = small()
    arrays[one], arrays[other] = arrays[other], arrays[one]
    return arrays


IMAGES = np.zeros((20, 28, 28))
MISFITS = {
    "swapped": (swapped(TRAIN_X, TRAIN_T), f"{TRAIN_X} and {TRAIN_T} are swapped"),
    "swapped test": (swapped(TEST_X, TEST_T), f"{TEST_X} and {TEST_T} are swapped"),
    "others' labels": (
        swapped(TRAIN_T, TEST_T),
        f"{TRAIN_X} holds 30 images, but {TRAIN_T} has 20 ",
    ),
    "labels twice": (wrong(TRAIN_X, lambda x: x[:, 0, 0]), "no images: wrong magic number 2049"),
    "images twice": (wrong(TEST_T, lambda t: IMAGES), "no labels: wrong magic number 2051"),
    "a label short": (wrong(TEST_T, lambda t: t[:-1]), "20 images, but t10k-labels.* 19 labels"),
    "an eleventh class": (
        wrong(TRAIN_T, lambda t: [*t[:4], 10, *t[5:]]),
        "gives image 4 the label 10",
    ),
    "small images": (wrong(TRAIN_X, lambda x: x[:, :8, :8]), "8×8 pixels instead of 28×28"),
    "nothing": (small(train=0), "holds no images"),
}


@pytest.mark.parametrize("kind", MISFITS)
def test_files_that_do_not_fit_together_are_refused(tmp_path, kind):
    arrays, message = MISFITS[kind]
    with pytest.raises(DataError, match=message):
        load_mnist(write(tmp_path, packed(arrays)))
    with pytest.raises(DataError, match=message):
        load_mnist(packed(arrays))


# --- fetching ---------------------------------------------------------------------------------------------------------


class Mirror(BaseHTTPRequestHandler):
    """Serves `files`, and misbehaves as it is told to."""

    files: dict
    asked: list  # (name, Range header) of each request
    ranges = True  # whether it knows Range requests
    lengths = True  # whether it says how long its answers are
    cut = None  # name -> bytes after which the connection is cut
    wrong_range = False  # whether it sends other bytes than it was asked for
    pause = 0.0  # before each answer

    def do_GET(self):
        name, asked = self.path.rpartition("/")[2], self.headers.get("Range")
        self.asked.append((name, asked))
        time.sleep(self.pause)
        if name not in self.files:
            self.send_error(404)
            return
        content, first = self.files[name], 0
        if asked and self.ranges:
            first = int(asked.removeprefix("bytes=").removesuffix("-"))
            if first >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            said = first - 1 if self.wrong_range else first
            self.send_header("Content-Range", f"bytes {said}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        if self.lengths:
            self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        self.wfile.write(content[first : (self.cut or {}).get(name)])

    def log_message(self, *args):
        pass


@contextmanager
def mirror(files, **behavior):
    """(address, handler class) of a server on a free port; its `behavior` may be changed on the class."""
    handler = type("Handler", (Mirror,), {"files": files, "asked": [], **behavior})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/mnist/", handler
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def known_by(monkeypatch, files, key="mnist"):
    """Have the official files be these."""
    sums = tuple((len(content), sha256(content).hexdigest()) for content in files.values())
    monkeypatch.setitem(SOURCES, key, replace(SOURCES[key], sums=sums))


@pytest.fixture
def files(monkeypatch, tmp_path):
    """Four files that count as official; nothing outside of this test is touched or asked."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for variable in ("OPTVIZ_MNIST", "OPTVIZ_MNIST_URL"):
        monkeypatch.delenv(variable, raising=False)
    files = packed(small(train=300, test=100))
    known_by(monkeypatch, files)
    return files


def standing(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


def test_fetching_into_the_cache_folder(files, tmp_path, monkeypatch):
    seen = []
    with mirror(files) as (address, handler):
        folder = fetch("mnist", address=address, progress=lambda *now: seen.append(now))
        assert folder == cache_folder() / "mnist" == tmp_path / "cache" / "optviz" / "mnist"
        assert standing(folder) == files
        asked = len(handler.asked)
        assert asked == 4
        assert fetch("mnist", address=address) == folder  # again: all is there
        assert len(handler.asked) == asked
    assert DATASETS["mnist"].available()
    agrees(load_mnist(), small(train=300, test=100))
    total = sum(map(len, files.values()))
    assert seen[0] == (0, total)
    assert seen[-1] == (total, total)
    assert seen == sorted(seen)
    assert len(seen) > 8  # not only once for each file


def test_the_environment_names_the_address(files, tmp_path, monkeypatch):
    with mirror(files) as (address, _):
        monkeypatch.setenv("OPTVIZ_MNIST_URL", address.rstrip("/"))
        assert standing(fetch("mnist", tmp_path / "here")) == files


@pytest.mark.parametrize("ranges", [True, False], ids=["with ranges", "without ranges"])
@pytest.mark.parametrize("lengths", [True, False], ids=["with lengths", "without lengths"])
def test_a_cut_connection_is_gone_on_with(files, tmp_path, ranges, lengths):
    server = mirror(files, cut={TRAIN_X: 100_000}, ranges=ranges, lengths=lengths)
    with server as (address, handler):
        refused(r"(cut after \d+|could not be fetched).*Fetch again", tmp_path, address)
        kept = standing(tmp_path)
        assert list(kept) == [f"{TRAIN_X}.part"]
        assert files[TRAIN_X].startswith(kept[f"{TRAIN_X}.part"])
        have = len(kept[f"{TRAIN_X}.part"])
        assert 60_000 < have <= 100_000
        assert not DATASETS["mnist"].available(tmp_path)
        handler.cut, seen = None, []
        fetch("mnist", tmp_path, address, progress=lambda done, total: seen.append(done))
        assert handler.asked[1] == (TRAIN_X, f"bytes={have}-")
        assert seen[0] == (have if ranges else 0)
    assert standing(tmp_path) == files


def completed(files, folder) -> list:
    """What a server is asked for until all files are in the folder."""
    with mirror(files) as (address, handler):
        fetch("mnist", folder, address)
    assert standing(folder) == files
    return handler.asked


def test_a_part_that_lacks_only_its_name(files, tmp_path):
    write(tmp_path, {f"{TRAIN_X}.part": files[TRAIN_X]})
    assert [name for name, _ in completed(files, tmp_path)] == NAMES[1:]


@pytest.mark.parametrize("length", [10, None, 10**6], ids=["short", "as long", "too long"])
def test_a_spoilt_part_does_not_last(files, tmp_path, length):
    write(tmp_path, {f"{TRAIN_X}.part": b"x" * (len(files[TRAIN_X]) if length is None else length)})
    # that the beginning is wrong is known when the rest has come
    begun = [(TRAIN_X, "bytes=10-")] if length == 10 else []
    assert completed(files, tmp_path) == [*begun, *((name, None) for name in NAMES)]


def test_a_wrong_file_under_the_right_name_is_replaced(files, tmp_path):
    write(tmp_path, {TRAIN_T: b"old"})
    completed(files, tmp_path)


def flipped(content):
    return content[:50] + bytes([content[50] ^ 1]) + content[51:]


@pytest.mark.parametrize("lengths", [True, False])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (flipped, "wrong SHA-256"),
        (lambda content: content + b"more", "(does not have the|wrong size)"),
        (lambda content: b"<html>Please log in</html>", "(does not have the|cut after)"),
    ],
    ids=["another", "too long", "a log-in page"],
)
def test_what_is_not_the_file_never_gets_its_name(files, tmp_path, change, message, lengths):
    served = files | {TEST_X: change(files[TEST_X])}
    with mirror(served, lengths=lengths) as (address, handler):
        seen = []
        with pytest.raises(DataError, match=f"{TEST_X}.*{message}|{message}.*{TEST_X}"):
            fetch("mnist", tmp_path, address, progress=lambda done, total: seen.append(done))
        assert seen[-1] <= sum(len(files[name]) for name in (TRAIN_X, TRAIN_T, TEST_X))
        # what was cut may be right so far; what is wrong is not kept
        cut = len(served[TEST_X]) < len(files[TEST_X]) and not lengths
        parts = {f"{TEST_X}.part"} if cut else set()
        assert set(standing(tmp_path)) == {TRAIN_X, TRAIN_T} | parts
        with pytest.raises(DataError, match=r"t10k-images.* cannot be found"):
            load_mnist(tmp_path)
        handler.files = files
        fetch("mnist", tmp_path, address)
    assert standing(tmp_path) == files


def refused(message, folder, address):
    with pytest.raises(DataError, match=message):
        fetch("mnist", folder, address)


def test_a_server_that_sends_other_bytes_than_asked(files, tmp_path):
    write(tmp_path, {f"{TRAIN_X}.part": files[TRAIN_X][:1000]})
    with mirror(files, wrong_range=True) as (address, _):
        refused("is not the expected file", tmp_path, address)
    assert standing(tmp_path) == {}


def test_a_server_whose_file_ends_before_the_part(files, tmp_path):
    write(tmp_path, {f"{TRAIN_X}.part": files[TRAIN_X][:1000]})
    with mirror(files | {TRAIN_X: b"short"}) as (address, _):
        refused("416", tmp_path, address)
    assert standing(tmp_path) == {}


def test_a_file_that_the_server_does_not_have(files, tmp_path):
    without = {name: content for name, content in files.items() if name != TRAIN_T}
    with mirror(without) as (address, _):
        refused(f"{TRAIN_T} could .* the server answers 404", tmp_path, address)
    assert list(standing(tmp_path)) == [TRAIN_X]


def test_no_server(files, tmp_path):
    with mirror(files) as (address, _):
        pass
    refused("cannot be reached", tmp_path, address)


def test_a_server_that_falls_silent(files, tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "PATIENCE", 0.1)
    with mirror(files, pause=0.5) as (address, _):
        refused("could not be fetched|cannot be reached", tmp_path, address)
    assert standing(tmp_path) == {}


@table("address", ["ftp://127.0.0.1/", "mnist", "http://", "http://[", "http://a b/"])
def test_what_is_no_address(files, tmp_path, address):
    refused("is not an address|cannot be reached|could not be fetched", tmp_path, address)


def test_files_of_the_server_itself_are_no_address(files, tmp_path):
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    refused("is not an address", ours, write(theirs, files).as_uri())
    assert standing(ours) == {}


def test_a_folder_that_cannot_be_made_and_a_lock_that_is_a_folder(files, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / ".lock").mkdir()
    for folder in (tmp_path / "file" / "folder", tmp_path):
        refused("Nothing can be written to", folder, "http://127.0.0.1:9/")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no device that is always full")
def test_a_full_disk(files, tmp_path):
    part = tmp_path / f"{TRAIN_X}.part"
    part.symlink_to("/dev/full")
    with mirror(files) as (address, _):
        refused(r"No space left on device.*Fetch again", tmp_path, address)
        assert not (tmp_path / TRAIN_X).exists()
        part.unlink()  # there is room again
        fetch("mnist", tmp_path, address)
    agrees(load_mnist(tmp_path), small(train=300, test=100))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="cannot fork")
def test_who_is_killed_in_the_middle_leaves_a_part_and_no_lock(files, tmp_path):
    """kill -9 after each of some numbers of bytes; the next one goes on from there."""
    total = sum(map(len, files.values()))
    with mirror(files) as (address, _):
        for share in (0.1, 0.5, 0.9):
            if not (child := os.fork()):
                try:
                    fetch("mnist", tmp_path, address, progress=partial(_dies, share))
                finally:
                    os._exit(1)
            _, status = os.waitpid(child, 0)
            assert os.WTERMSIG(status) == signal.SIGKILL
            whole = [name for name in NAMES if (tmp_path / name).exists()]
            assert all((tmp_path / name).read_bytes() == files[name] for name in whole)
        assert fetch("mnist", tmp_path, address, stop=lambda: False) == tmp_path
    assert total == sum((tmp_path / name).stat().st_size for name in NAMES)
    agrees(load_mnist(tmp_path), small(train=300, test=100))


def _dies(share, done, total):
    if done >= share * total:
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_stop_keeps_what_came_and_the_rest_follows(files, tmp_path):
    done = [0]
    with mirror(files) as (address, handler):
        came, enough = lambda now, total: done.append(now), lambda: done[-1] > 50_000
        assert fetch("mnist", tmp_path, address, progress=came, stop=enough) is None
        (name, kept), *others = standing(tmp_path).items()
        assert (name, others) == (f"{TRAIN_X}.part", [])
        assert len(kept) == done[-1] > 50_000
        assert fetch("mnist", tmp_path, address) == tmp_path
        assert handler.asked[1] == (TRAIN_X, f"bytes={len(kept)}-")
    assert standing(tmp_path) == files


def test_whatever_the_callback_raises_comes_through_and_the_folder_is_free_again(files, tmp_path):
    def leave(done, total):
        if done:
            raise KeyboardInterrupt

    with mirror(files) as (address, _):
        with pytest.raises(KeyboardInterrupt):
            fetch("mnist", tmp_path, address, progress=leave)
        fetch("mnist", tmp_path, address)
    assert standing(tmp_path) == files


def test_two_who_fetch_at_once_do_not_meet(files, tmp_path):
    with mirror(files, pause=0.05) as (address, handler):
        both = [threading.Thread(target=fetch, args=("mnist", tmp_path, address)) for _ in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert [name for name, _ in handler.asked] == NAMES
    assert standing(tmp_path) == files


def test_who_waits_can_be_stopped(files, tmp_path):
    with remote._exclusive_access(tmp_path, None) as locked:
        assert locked
        assert fetch("mnist", tmp_path, "http://127.0.0.1:9/", stop=lambda: True) is None


def test_the_cache_folder_follows_the_platform(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "optviz"
    for ignored in ("relative/path", ""):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        monkeypatch.setenv("HOME", str(tmp_path))
        for platform, folder in (("linux", ".cache"), ("darwin", "Library/Caches")):
            monkeypatch.setattr("sys.platform", platform)
            assert cache_folder() == tmp_path / folder / "optviz"


# --- the menu ---------------------------------------------------------------------------------------------------------


@table("key", DATASETS)
def test_what_the_menu_says(key, tmp_path):
    d = DATASETS[key]
    assert d.key == key
    assert d.name
    assert d.attribution
    assert d.needs_folder == (key in ("mnist", "fashion"))
    assert d.available(tmp_path) != d.needs_folder
    if d.picture:
        assert d.picture[0] * d.picture[1] == d.features
        assert len(d.labels) == 10
    if key in TOY_SETS:
        assert TOY_SETS[key]().sample(0)[0].shape[1] == d.features


@pytest.mark.parametrize("key", SOURCES)
def test_sources_are_complete(key):
    source = SOURCES[key]
    assert source.address.startswith("https://")
    for _, _, digest in source.files:
        assert re.fullmatch("[0-9a-f]{64}", digest)


FLOWERS = b"""sepal;petal;kind
5,1;1,4;setosa
4,9;1,5;setosa
7,0;4,7;versicolor
6,4;4,5;versicolor
6,3;6,0;virginica
5,8;5,1;virginica
"""


def test_a_file_of_ones_own_with_labels():
    x, t, labels = read_examples(FLOWERS)
    assert (labels, t.tolist()) == (("setosa", "versicolor", "virginica"), [0, 0, 1, 1, 2, 2])
    raw = np.array([[5.1, 4.9, 7.0, 6.4, 6.3, 5.8], [1.4, 1.5, 4.7, 4.5, 6.0, 5.1]]).T
    np.testing.assert_array_equal(x, raw)
    numbered = read_examples(b"1,2,10\n3,4,9\n5,6,10\n7,8,-1\n")
    assert (numbered.labels, numbered.t.tolist()) == (("-1", "9", "10"), [2, 1, 2, 0])
    own = Choice("own", {"points": 6, "features": 2, "classes": 3})
    training = Training(Network((2, 4, 3)), dataset=own, split=Split(4, seed=1))
    check(training)
    data, order = load(training, read_examples(FLOWERS)), np.random.default_rng(1).permutation(6)
    learn, examine = raw[order[:4]], raw[order[4:]]
    for found, rows in ((data.x, learn), (data.x_test, examine)):  # the test's own are unknown
        np.testing.assert_allclose(found, (rows - learn.mean(0)) / learn.std(0), rtol=1e-12)
    for other in (None, numbered):
        with pytest.raises(DataError, match="6 rows of 2 numbers and 3 labels"):
            load(training, other)
    with pytest.raises(SpecError, match="2 inputs and 3 classes"):
        check(replace(training, network=Network((2, 4, 2))))


@table(
    "content, why",
    [
        (b"", "fewer than two rows"),
        (b"a\nb\na\nb\n", "2 to 20 different labels"),
        (b"1,a\n2,a\n3,a\n4,a\n", "4 rows with 1 labels"),
        (b"1,a\n2,b\n3,a\n", "3 rows with 2 labels"),
        (b"x,y\n1,a\n2,b\nz,a\n4,a\n", "“z” in line 4"),
        (b"1,a\n2,3,b\n3,a\n4,a\n", "Line 2 has 3 entries"),
        ("\n".join(f"{i},{i}" for i in range(30)).encode(), "30 rows with 30 labels"),
    ],
)
def test_what_such_a_file_is_refused_for(content, why):
    with pytest.raises(ValueError, match=why):
        read_examples(content)
