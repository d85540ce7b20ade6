"""A network as a file: what comes back is what went in, and nothing else gets in."""

import io
import json
import zipfile

import numpy as np
import pytest

from optviz.nn import Network
from optviz.spec import Choice
from optviz.training.checkpoint import restore, save
from tests.table import table

NET = Network((4, 3, 2), Choice("tanh"), normalize="before")
PARAMS = NET.init(5)
STATISTICS = NET.running_statistics() + np.float32(0.25)


def changed(**arrays):
    """A file with some arrays replaced, or left out where None."""
    with np.load(io.BytesIO(save(NET, PARAMS, STATISTICS))) as stored:
        held = {name: stored[name] for name in stored.files} | arrays
    file = io.BytesIO()
    np.savez(file, **{name: a for name, a in held.items() if a is not None})
    return file.getvalue()


def bomb():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("network.npy", bytes(90_000_000))
    return file.getvalue()


def test_what_comes_back_is_what_went_in():
    network, params, statistics = restore(save(NET, PARAMS, STATISTICS))
    assert network == NET
    np.testing.assert_array_equal(params, PARAMS)
    np.testing.assert_array_equal(statistics, STATISTICS)


def test_numpy_alone_can_use_the_file():
    net = Network((4, 3, 2), Choice("tanh"), dtype="float64")
    params, x = net.init(1), np.random.default_rng(0).standard_normal((5, 4))
    with np.load(io.BytesIO(save(net, params, net.running_statistics()))) as f:
        by_hand = np.tanh(x @ f["W1"] + f["b1"]) @ f["W2"] + f["b2"]
    np.testing.assert_allclose(net.outputs(params, x), by_hand, rtol=1e-13)


@table(
    "content, reason",
    [
        (b"", "not a network"),
        (b"PK\x03\x04", "not a network"),
        (save(NET, PARAMS, STATISTICS)[:200], "not a network"),
        (changed(network=None), "not a network"),
        (changed(network=np.array("{")), "not a network"),
        (changed(network=np.array([{"a": 1}], object)), "not a network"),
        (changed(network=np.array(json.dumps({"sizes": [4, 5000, 2]}))), "units"),
        (changed(network=np.array(json.dumps({"sizes": [10**12, 2]}))), "too large"),
        (changed(network=np.array(json.dumps({"shape": 1}))), "shape"),
        (changed(W1=None), "W1 is missing"),
        (changed(W1=np.zeros((3, 4))), "shape"),
        (changed(b1=np.array(["a", "b", "c"])), "numbers"),
        (changed(W3=np.full((3, 2), np.nan)), "not finite"),
        (bomb(), "bytes"),
    ],
)
def test_nothing_else_gets_in(content, reason):
    with pytest.raises(ValueError, match=reason):
        restore(content)
