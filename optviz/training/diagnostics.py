"""What goes on inside networks in training, layer by layer.

How far an update moves the weights against their size is Karpathy's rule of thumb (CS231n, Neural
networks part 3, "Ratio of weights:updates"): about a thousandth is healthy.
"""

from collections.abc import Callable

import numpy as np

from optviz.nn.loss import MiniBatch
from optviz.nn.network import ForwardPass, Network

NEGATIVE = 1e-3


def diagnostics(
    network: Network, params, before, gradient, forward: ForwardPass
) -> dict[str, np.ndarray]:
    """What the last update, from parameters `before` to `params` `(I, S, P)`, did to each layer.

    `update_ratio` and `gradient_norm` `(I, S, layers)` are of the weight matrices: the norm of
    their update over that of what it updated, and the norm of the gradient that the optimizer
    asked for last, penalty included. `saturated` and `dead` `(I, S, hidden layers)` are the share
    of activations that pass next to no gradient, and of the units that pass none for any of the
    examples of the pass `forward`. NaN where nothing was updated yet.
    """
    with np.errstate(all="ignore"):
        saturated = [network.layers[i].h.saturated(*forward.caches[i]) for i in network.hidden]
        update, weight, slope = (
            _weight_norms(network, a) for a in (params - before, before, gradient)
        )
        return {
            "update_ratio": update / weight,
            "gradient_norm": slope,
            "saturated": _stack_layers([a.mean((-2, -1)) for a in saturated], params),
            "dead": _stack_layers([a.all(-2).mean(-1) for a in saturated], params),
        }


def sharpness(loss: MiniBatch, params, steps: int) -> np.ndarray:
    """The largest eigenvalue of the loss's Hessian at params `(..., P)`, `(...)`, from so many
    products with it; NaN where it is not finite.

    The first direction is the gradient, which soon lies in the few directions in which the loss
    bends most (Gur-Ari, Roberts & Dyer 2018, Gradient descent happens in a tiny subspace); a random
    one where there is none.
    """
    with np.errstate(all="ignore"):
        gradient = loss.grad(params)
        chance = np.random.default_rng(0).standard_normal(params.shape[-1]).astype(params.dtype)
        start = np.where((gradient == 0).all(-1, keepdims=True), chance, gradient)
        return lanczos(lambda d: loss.hess_product(params, d), start, steps)


def negative_curvatures(loss: MiniBatch, params) -> np.ndarray:
    """The share `(...)` of the eigenvalues of the loss's Hessian at params `(..., P)` that are
    clearly negative: below -NEGATIVE of the largest in size; NaN where it is not finite.

    The products with all P axes are the whole matrix. (Dauphin et al. 2014, Identifying and
    attacking the saddle point problem, section 3: at critical points that share falls with the
    loss. Sagun et al. 2016 find most of the others next to 0.)
    """
    size, shares = params.shape[-1], np.full(params.shape[:-1], np.nan)
    axes = np.eye(size, dtype=params.dtype)
    with np.errstate(all="ignore"):
        for index in np.ndindex(shares.shape):
            hessian = loss.hess_product(np.broadcast_to(params[index], (size, size)), axes)
            if np.isfinite(hessian).all():
                values = np.linalg.eigvalsh((hessian + hessian.T).astype(float))
                shares[index] = (values < -NEGATIVE * np.abs(values).max()).mean()
    return shares


def lanczos(product: Callable, start, steps: int) -> np.ndarray:
    """The largest eigenvalue `(...)` of symmetric matrices known by their `product` with directions
    `(..., P)`, approached from below: that of the matrices on the span of the first products.

    Directions are made orthogonal to all before. (Golub & Van Loan 2013, Matrix computations,
    section 10.1.)
    """
    basis, tridiagonal = [], np.zeros((*start.shape[:-1], steps, steps))
    direction = start
    for k in range(steps):
        length = np.sqrt((direction * direction).sum(-1, keepdims=True))
        if k:
            tridiagonal[..., k, k - 1] = length[..., 0]  # eigvalsh reads the lower half
        basis.append(direction / np.where(length == 0, 1, length))
        direction = product(basis[k])
        tridiagonal[..., k, k] = (direction * basis[k]).sum(-1)
        for d in 2 * basis:
            direction = direction - (direction * d).sum(-1, keepdims=True) * d
    finite = np.isfinite(tridiagonal).all((-2, -1))
    largest = np.linalg.eigvalsh(np.where(finite[..., None, None], tridiagonal, 0.0))[..., -1]
    return np.where(finite, largest, np.nan)


def _stack_layers(shares, params):
    """Layer by layer along the last axis; NaN where a network has ended."""
    stacked = np.stack(shares, -1) if shares else np.empty((*params.shape[:-1], 0))
    return np.where(np.isfinite(params).all(-1)[..., None], stacked, np.nan)


def _weight_norms(network, flat):
    views = network.views(flat)
    return np.stack([np.sqrt((views[i]["W"] ** 2).sum((-2, -1))) for i in network.affine], -1)
