"""Networks: activations, initial weights, layers and loss, against PyTorch, central differences and formulas."""

import math

import numpy as np
import pytest

from optviz.nn import (
    ACTIVATIONS,
    INITIALIZERS,
    MiniBatch,
    Mode,
    Network,
    Penalty,
    one_hot,
    softmax_cross_entropy,
    squared_error,
)
from optviz.nn.layers import EVALUATION
from optviz.nn.streams import SIGNS
from optviz.optim import OPTIMIZERS
from optviz.optim.hyperparameter import hyperparameters, sentence
from optviz.spec import Choice, from_dict, to_dict
from tests.table import table

Z = np.concatenate([np.linspace(-6, 6, 241), [-40.0, -0.0, 1e-9, 40.0]])

# an activation at one point, worked out by hand
BY_HAND = {
    "sigmoid": (math.log(3), 0.75, 0.1875), "tanh": (math.log(2), 0.6, 0.64), "relu": (-2.0, 0.0, 0.0),
    "leaky_relu": (-2.0, -0.02, 0.01), "elu": (-math.log(2), -0.5, 0.5), "softsign": (-3.0, -0.75, 0.0625), "gelu": (1.0, 0.8411919906082768, None),
    "identity": (-2.5, -2.5, 1.0),
}  # fmt: skip


def of_torch(torch):
    f = torch.nn.functional
    return {
        "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu, "leaky_relu": f.leaky_relu,
        "elu": f.elu, "softsign": f.softsign, "gelu": lambda z: f.gelu(z, approximate="tanh"), "identity": lambda z: z,
    }  # fmt: skip


def objective(activation, depth, lead=(), rows=12, dtype="float64", seed=0):
    """A network with its parameters `(*lead, P)`, rows and targets."""
    rng = np.random.default_rng(seed)
    sizes = (5, *[7, 6, 8][: depth - 1], 4)
    net = Network(sizes, Choice(activation), Choice("xavier_normal"), dtype)
    params = rng.normal(0, 0.6, (*lead, net.size)).astype(dtype)
    x = rng.standard_normal((rows, 5)).astype(dtype)
    return net, params, x, one_hot(rng.integers(0, 4, rows), 4, dtype)


# Declarations.


@table("cls", [*ACTIVATIONS.values(), *INITIALIZERS.values()])
def test_everything_says_what_it_is(cls):
    assert cls.label
    assert cls.cite
    assert sentence(cls).endswith(".")
    assert cls.__doc__.count("$$") >= 2
    assert "\n" not in sentence(cls)
    for k in hyperparameters(cls):
        assert k.help
        with pytest.raises(ValueError, match=k.name):
            cls(**{k.name: math.nan})


def test_what_is_promised_is_there():
    assert set(ACTIVATIONS) == set(BY_HAND)
    assert list(INITIALIZERS) == [
        "zeros", "constant", "normal", "book", "lecun_normal", "xavier_normal", "xavier_uniform", "he_normal",
        "he_uniform", "orthogonal",
    ]  # fmt: skip


def test_a_network_as_json_and_back():
    rule = Choice("normal", {"sigma": 1.0})
    net = Network((3, 4, 2), Choice("leaky_relu", {"alpha": 0.2}), rule, "float64")
    assert from_dict(Network, to_dict(net)) == net
    assert to_dict(Network()) == {}


# Activations.


@table("key", ACTIVATIONS)
def test_activation_by_hand(key):
    z, a, slope = BY_HAND[key]
    h = ACTIVATIONS[key]()
    value = h.value(np.array([z]))
    np.testing.assert_allclose(value, a, rtol=1e-14)
    if slope is not None:
        np.testing.assert_allclose(h.slope(np.array([z]), value) * 1.0, slope, rtol=1e-14)


@table("key", ACTIVATIONS)
def test_slope_is_the_derivative(key):
    h, z, e = ACTIVATIONS[key](), Z[np.abs(Z) > 1e-3], 1e-5
    measured = (h.value(z + e) - h.value(z - e)) / (2 * e)
    np.testing.assert_allclose(h.slope(z, h.value(z)) * np.ones_like(z), measured, atol=1e-9)


@table("dtype", ["float32", "float64"])
@table("key", ACTIVATIONS)
def test_activations_keep_precision_shape_and_limits(key, dtype):
    h, z = ACTIVATIONS[key](), np.array([[-1e4, -3, 0], [0.5, 88.0, 1e4]], dtype)
    a = h.value(z)
    low, high = h.limits
    assert a.dtype == (a * h.slope(z, a)).dtype == dtype
    assert a.shape == h.saturated(z, a).shape == z.shape
    assert np.isfinite(a).all()
    assert (a >= (-np.inf if low is None else low)).all()
    assert (a <= (np.inf if high is None else high)).all()
    assert (np.abs((np.ones_like(z) * h.slope(z, a))[h.saturated(z, a)]) < 0.03).all()


@table("key", ACTIVATIONS)
def test_activations_agree_with_torch(key):
    torch = pytest.importorskip("torch")
    z = torch.tensor(Z, requires_grad=True)
    expected = of_torch(torch)[key](z)
    expected.sum().backward()
    h, tiny = ACTIVATIONS[key](), 1e-18
    if key == "gelu":
        tiny = 1e-14  # both lose the digits of 1 + tanh u
    a = h.value(Z)
    np.testing.assert_allclose(a, expected.detach().numpy(), rtol=1e-12, atol=tiny)
    np.testing.assert_allclose(h.slope(Z, a) * 1.0, z.grad.numpy(), rtol=1e-10, atol=tiny)


# Initial weights.

ENTRY = {  # standard deviation of a weight between 300 and 200 units
    "zeros": 0, "constant": 0, "normal": 0.01, "book": 300**-0.5, "lecun_normal": 300**-0.5,
    "xavier_normal": (2 / 500) ** 0.5, "xavier_uniform": (2 / 500) ** 0.5, "he_normal": (2 / 300) ** 0.5,
    "he_uniform": (2 / 300) ** 0.5, "orthogonal": 300**-0.5,
}  # fmt: skip


# whether it depends on the number of outputs, of inputs; of the others on that of inputs alone
FANS = dict.fromkeys(["zeros", "constant", "normal"], (False, False))
FANS |= dict.fromkeys(["xavier_normal", "xavier_uniform", "orthogonal"], (True, True))


@table("key", INITIALIZERS)
def test_initial_weights(key):
    rule = INITIALIZERS[key]()
    w = rule.draw(np.random.default_rng(0), 300, 200)
    assert w.shape == (300, 200)
    assert rule.spread(300, 200) == pytest.approx(ENTRY[key], rel=1e-12)
    assert w.std() == pytest.approx(ENTRY[key], rel=0.02, abs=1e-15)
    middle = rule.c if key == "constant" else 0
    assert abs(w.mean()) < 4 * ENTRY[key] / 60_000**0.5 + middle + 1e-15
    spread = rule.spread(300, 200)
    depends = rule.spread(300, 999) != spread, rule.spread(999, 200) != spread
    assert depends == FANS.get(key, (False, True))


def test_uniform_rules_stay_within_their_bounds():
    rng = np.random.default_rng(1)
    for key, bound in (("xavier_uniform", (6 / 500) ** 0.5), ("he_uniform", (6 / 300) ** 0.5)):
        w = np.abs(INITIALIZERS[key]().draw(rng, 300, 200))
        assert 0.999 * bound < w.max() <= bound


@table("shape", [(6, 4), (4, 6), (5, 5), (1, 1)])
def test_orthogonal_weights_are_orthogonal(shape):
    w = INITIALIZERS["orthogonal"](gain=3.0).draw(np.random.default_rng(0), *shape)
    square = w.T @ w if shape[0] >= shape[1] else w @ w.T
    np.testing.assert_allclose(square, 9 * np.eye(min(shape)), atol=1e-13)


def test_the_start_of_a_network():
    net = Network((6, 5, 4, 3), initializer=Choice("normal", {"sigma": 2.0}), dtype="float64")
    params = net.init(3)
    views = net.views(params)
    assert params.shape == (net.size,) == (6 * 5 + 5 + 5 * 4 + 4 + 4 * 3 + 3,)
    assert [v["W"].shape for v in views if v] == [(6, 5), (5, 4), (4, 3)]
    assert all(np.shares_memory(v["W"], params) and not v["b"].any() for v in views if v)
    np.testing.assert_array_equal(params, net.init(3))
    assert (params != net.init(4)).any()
    halved = net.init(3, Choice("normal", {"sigma": 1.0}))
    np.testing.assert_allclose(halved, params / 2, rtol=1e-15)
    rounded = Network(net.sizes, initializer=net.initializer).init(3)
    assert rounded.dtype == np.float32
    np.testing.assert_array_equal(rounded, params.astype(np.float32))
    deeper = Network((6, 5, 4, 4, 3), initializer=net.initializer, dtype="float64")
    same = slice(35 + 24)  # what is before the new layer is as it was
    np.testing.assert_array_equal(deeper.init(3)[same], params[same])


# The loss.


def test_loss_by_hand():
    z = np.log([[[1.0, 3.0], [3.0, 1.0]]])  # shares ¼ ¾ and ¾ ¼
    loss, dz = softmax_cross_entropy(z, np.array([[0.0, 1.0], [0.0, 1.0]]))
    np.testing.assert_allclose(loss, [-(math.log(0.75) + math.log(0.25)) / 2])
    np.testing.assert_allclose(dz, [[[0.125, -0.125], [0.375, -0.375]]], rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_finite_logit_is_too_large_for_the_loss(dtype):
    z = np.array([[1e4, -1e4, 0], [-1e4, 1e4, 0], [1e4, 1e4, 1e4], [3e38, 0, 0]], dtype)
    y = one_hot(np.array([0, 0, 2, 0]), 3, dtype)
    loss, dz = softmax_cross_entropy(z[:, None], y[:, None])
    np.testing.assert_allclose(loss, [0, 2e4, math.log(3), 0], rtol=1e-6)
    assert np.isfinite(dz).all()
    assert loss.dtype == dz.dtype == dtype


def test_loss_agrees_with_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    z, t = rng.normal(0, 30, (20, 10)), rng.integers(0, 10, 20)
    z_torch = torch.tensor(z, requires_grad=True)
    value = torch.nn.functional.cross_entropy(z_torch, torch.tensor(t))
    value.backward()
    loss, dz = softmax_cross_entropy(z, one_hot(t, 10))
    np.testing.assert_allclose(loss, value.item(), rtol=1e-13)
    np.testing.assert_allclose(dz, z_torch.grad.numpy(), rtol=1e-10, atol=1e-18)


def test_squared_error_by_hand():
    z, y = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 3.0]]), np.array([[0.0, 2.0], [2.0, -1.0], [3.0, 0.0]])  # fmt: skip
    loss, dz = squared_error(z, y)  # (1 + 4 + 9) / 6, as torch.nn.MSELoss has it
    assert loss == pytest.approx(14 / 6)
    np.testing.assert_allclose(dz, np.array([[1, 0], [-2, 0], [0, 3]]) / 3)
    batch, _ = squared_error(np.stack([z, y]).astype("float32"), y.astype("float32"))
    assert batch.dtype == np.float32
    assert batch[1] == 0


def is_the_slope(f, params):
    """The gradient is a central difference of the value, of 2P networks at once."""
    e = 1e-6
    up, down = f.value(params + e * np.array([1, -1])[:, None, None] * np.eye(params.size))
    np.testing.assert_allclose(f.grad(params), (up - down) / (2 * e), atol=2e-9)


@pytest.mark.parametrize("key", ACTIVATIONS)
def test_gradient_of_the_squared_error_against_central_differences(key):
    net, params, x, _ = objective(key, 3)
    y = np.random.default_rng(1).standard_normal((len(x), 4))
    is_the_slope(MiniBatch(net, x, y, loss=squared_error), params)


# Forward and backward.


@table("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("key", ACTIVATIONS)
def test_gradient_against_central_differences(key, depth):
    net, params, x, y = objective(key, depth)
    is_the_slope(MiniBatch(net, x, y), params)


@table("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("key", ACTIVATIONS)
def test_gradient_agrees_with_torch(key, depth):
    torch = pytest.importorskip("torch")
    net, params, x, y = objective(key, depth, (2, 3))
    f = MiniBatch(net, x, y)
    gradients, losses = f.grad(params), f.value(params)
    h = of_torch(torch)[key]
    for at in np.ndindex(2, 3):
        p = torch.tensor(params[at], requires_grad=True)
        a, rest = torch.tensor(x), p
        for i, (n_in, n_out) in enumerate(zip(net.sizes, net.sizes[1:], strict=False)):
            w, b, rest = rest.split([n_in * n_out, n_out, len(rest) - (n_in + 1) * n_out])
            a = (h(a) if i else a) @ w.reshape(n_in, n_out) + b
        loss = torch.nn.functional.cross_entropy(a, torch.tensor(y).argmax(-1))
        loss.backward()
        expected = p.grad.numpy()
        np.testing.assert_allclose(losses[at], loss.item(), rtol=1e-12)
        assert np.linalg.norm(gradients[at] - expected) <= 1e-10 * np.linalg.norm(expected)
        np.testing.assert_allclose(gradients[at], expected, 1e-10, 1e-10 * np.abs(expected).max())


@table("dtype", ["float32", "float64"])
@table("key", ["relu", "sigmoid", "gelu"])
def test_a_batch_of_networks_is_each_of_them(key, dtype):
    """Parameters (I, S, P) and rows (S, B, n): as they are trained together."""
    net, params, _, _ = objective(key, 3, (2, 3), dtype=dtype)
    rng = np.random.default_rng(5)
    x = rng.standard_normal((3, 9, 5)).astype(dtype)
    y = one_hot(rng.integers(0, 4, (3, 9)), 4, dtype)
    together = MiniBatch(net, x, y)
    grads, values = together.grad(params), together.value(params.copy())
    assert grads.dtype == values.dtype == dtype
    assert values.shape == (2, 3)
    for i, s in np.ndindex(2, 3):
        alone = MiniBatch(net, x[s], y[s])
        np.testing.assert_array_equal(grads[i, s], alone.grad(params[i, s]))
        np.testing.assert_array_equal(values[i, s], alone.value(params[i, s]))


def test_what_arrives_at_each_layer_is_the_gradient_of_its_output():
    net, params, x, y = objective("tanh", 4)
    done = net.forward(params, x)
    _, dz = softmax_cross_entropy(done.outputs[-1], y)
    arrived = []
    net.backward(params, done, dz, arrived)
    assert [a.shape for a in arrived] == [o.shape for o in done.outputs]
    assert [done.outputs[i].shape[-1] for i in net.hidden] == [7, 6, 8]
    assert len(net.affine) == 4
    views = net.views(params)
    for i in range(len(net.layers)):
        for at in ((0, 0), (3, 2)):
            sides = []
            for e in (1e-6, -1e-6):
                a = done.outputs[i].copy()
                a[at] += e
                for layer, p in zip(net.layers[i + 1 :], views[i + 1 :], strict=True):
                    a, _ = layer.forward(p, a, None)
                sides.append(softmax_cross_entropy(a, y)[0])
            assert arrived[i][at] == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=1e-9)


def test_a_mini_batch_does_not_work_twice():
    net, params, x, y = objective("relu", 3)
    calls = []

    class Counting(type(net)):
        def forward(self, *args):
            calls.append(1)
            return super().forward(*args)

    f = MiniBatch(Counting(net.sizes, dtype="float64"), x, y)
    f.grad(params)
    value = f.value(params)
    assert len(calls) == 1
    assert f.value(params + 1) != value
    assert len(calls) == 2


def test_no_hessian():
    net, params, x, y = objective("relu", 3)
    with pytest.raises(TypeError, match=r"118 parameters has 13,924 entries"):
        MiniBatch(net, x, y).hess(params)


def test_accuracy_and_predictions():
    net = Network((2, 2), dtype="float64")
    params = np.array([[1.0, 0, 0, 1, 0, 0], [0, 1, 1, 0, 0, 0], [np.nan] * 6])
    x, t = np.array([[2.0, 1], [3, 0], [0, 1], [0, 5]]), np.array([0, 0, 1, 0])
    np.testing.assert_array_equal(net.predict(params[:2], x), [[0, 0, 1, 1], [1, 1, 0, 0]])
    np.testing.assert_array_equal(net.accuracy(params, x, t), [0.75, 0.25, np.nan])


def test_which_optimizers_need_a_matrix():
    """Found out by giving them none, and by looking at what they hold."""
    net, params, x, y = objective("relu", 2)
    for key, cls in OPTIMIZERS.items():
        try:
            state = cls().init(params)
            cls().step(MiniBatch(net, x, y), params, state)
            asked = False
        except TypeError:
            asked = True
        matrices = (net.size, net.size), (net.size + 1, net.size)  # of a simplex one corner more
        state_names = any(np.shape(v)[-2:] in matrices for v in state.values())
        assert bool(cls.dense) == (asked or state_names), key


def first_step(opt):
    """A network, and by layer what a first step adds to its parameters and their gradients."""
    net, params, x, y = objective("tanh", 2)
    f = MiniBatch(net, x, y)
    after, _ = opt.step(f, params, opt.init(params))
    return net, net.views(after - params), net.views(f.grad(params))


def test_muon_steps_by_the_singular_vectors_and_adam_steps_for_the_biases():
    """From an SVD: the vectors of each matrix's gradient stay, the values go through the polynomial."""
    net, steps, gradients = first_step(OPTIMIZERS["muon"](lr=0.1))
    for i in net.affine:
        u, size, v = np.linalg.svd(gradients[i]["W"], full_matrices=False)
        size = size / np.sqrt((size**2).sum(-1, keepdims=True))
        for _ in range(5):
            size = 3.4445 * size - 4.7750 * size**3 + 2.0315 * size**5
        n_in, n_out = net.layers[i].shapes["W"]
        wanted = -0.1 * max(1, n_out / n_in) ** 0.5 * (u * size[..., None, :]) @ v
        np.testing.assert_allclose(steps[i]["W"], wanted, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(steps[i]["b"], -0.1 * np.sign(gradients[i]["b"]), rtol=1e-4)


def test_shampoo_first_steps_by_the_singular_vectors():
    """G = UΣVᵀ, of which the fourth roots of G Gᵀ and Gᵀ G leave U Vᵀ; a bias's square root its direction."""
    net, steps, gradients = first_step(OPTIMIZERS["shampoo"](lr=0.1, eps=1e-12))
    for i in net.affine:
        u, size, v = np.linalg.svd(gradients[i]["W"], full_matrices=False)
        live = size > 1e-4 * size[0]  # what is nearly 0 the ε holds back
        turned = u.T @ steps[i]["W"] @ v.T
        np.testing.assert_allclose(turned * live, -0.1 * np.diag(live), atol=1e-3)
        direction = gradients[i]["b"] / np.linalg.norm(gradients[i]["b"])
        np.testing.assert_allclose(steps[i]["b"], -0.1 * direction, rtol=1e-6)


def test_soap_steps_as_adam_along_the_singular_vectors_of_the_first_gradient():
    net = Network((4, 4), dtype="float64")
    rng = np.random.default_rng(0)
    params, x = rng.normal(0, 0.6, net.size), rng.standard_normal((12, 4))
    first, second = (MiniBatch(net, x, one_hot(rng.integers(0, 4, 12), 4)) for _ in range(2))
    opt = OPTIMIZERS["soap"](lr=0.1)
    same, state = opt.step(first, params, opt.init(params))
    assert (same == params).all()
    after, _ = opt.step(second, params, state)
    arrays = after - params, first.grad(params), second.grad(params)
    (step,), (g1,), (g2,) = map(net.views, arrays)
    u, _, v = np.linalg.svd(g1["W"])
    # softmax's gradients add up to 0 over the classes: of the last direction nothing is known
    wanted = -0.1 * np.sign(u.T @ g2["W"] @ v.T)
    np.testing.assert_allclose((u.T @ step["W"] @ v.T)[:3, :3], wanted[:3, :3], rtol=1e-4)


def test_the_diagonal_of_the_hessian_is_estimated_by_random_signs():
    net, params, x, y = objective("tanh", 2)
    penalty, near = Penalty(l2=0.3), 1e-5 * np.eye(net.size)
    f = MiniBatch(net, x, y, penalty=penalty)
    hessian = (f.grad(params + near) - f.grad(params - near)) / 2e-5
    u = EVALUATION._replace(seeds=(0,)).streams(SIGNS)[0].choice((-1, 1), net.size)
    np.testing.assert_allclose(f.hess_diagonal(params), u * (hessian @ u), atol=1e-5)
    modes = [Mode(False, (0,), t) for t in range(2000)]
    estimates = [MiniBatch(net, x, y, mode, penalty).hess_diagonal(params)[0] for mode in modes]
    off = np.sqrt((hessian**2).sum(1) - np.diag(hessian) ** 2)
    assert (np.abs(np.mean(estimates, 0) - np.diag(hessian)) < 5 * off / 2000**0.5 + 1e-5).all()
