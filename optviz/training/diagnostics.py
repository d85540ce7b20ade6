"""What goes on inside of networks in training, layer by layer.

How far an update moves the weights against their size is Karpathy's rule of thumb (CS231n, Neural
networks part 3, "Ratio of weights:updates"): about a thousandth is healthy.
"""

import numpy as np

from optviz.nn.network import Network, Pass


def diagnostics(network: Network, params, before, gradient, done: Pass) -> dict[str, np.ndarray]:
    """What the last update, from parameters `before` to `params` `(I, S, P)`, did to each layer.

    `update_ratio` and `gradient_norm` `(I, S, layers)` are of the weight matrices: the norm of
    their update over that of what it updated, and the norm of the gradient that the optimizer
    asked for last, penalty included. `saturated` and `dead` `(I, S, hidden layers)` are the share
    of activations that pass next to no gradient, and of the units that pass none for any of the
    examples of the pass `done`. NaN where nothing was updated yet.
    """
    with np.errstate(all="ignore"):
        flat = [network.layers[i].h.saturated(*done.kept[i]) for i in network.hidden]
        now, was, slope = (_weight_norms(network, a) for a in (params - before, before, gradient))
        ended = ~np.isfinite(params).all(-1)[..., None]
        shares = {
            "saturated": _over_layers([a.mean((-2, -1)) for a in flat], params),
            "dead": _over_layers([a.all(-2).mean(-1) for a in flat], params),
        }
        return {
            "update_ratio": now / was,
            "gradient_norm": slope,
            **{name: np.where(ended, np.nan, share) for name, share in shares.items()},
        }


def _over_layers(values, params):
    return np.stack(values, -1) if values else np.empty((*params.shape[:-1], 0))


def _weight_norms(network, flat):
    views = network.views(flat)
    return np.stack([np.sqrt((views[i]["W"] ** 2).sum((-2, -1))) for i in network.affine], -1)
