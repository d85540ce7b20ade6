"""Planes through the weights of a network: two directions among thousands, and how much of a path
lies along them.
"""

from dataclasses import dataclass

import numpy as np

from optviz.nn import Network, stream
from optviz.nn.streams import DIRECTIONS

STRAIGHT = 1e-5  # of the first singular value: a second one below it is rounding


@dataclass(frozen=True, eq=False)
class Plane:
    """A point among all weights and two directions: (a, b) is origin + a·first + b·second."""

    origin: np.ndarray  # (P,)
    directions: np.ndarray  # (2, P)

    def at(self, coordinates) -> np.ndarray:
        """The weights `(..., P)` at points `(..., 2)` of the plane."""
        return self.origin + coordinates @ self.directions

    def coordinates(self, params) -> np.ndarray:
        """The point `(..., 2)` of the plane that is nearest to weights `(..., P)`, also where the
        directions are oblique.
        """
        return (params - self.origin) @ np.linalg.pinv(self.directions)

    def off(self, params) -> np.ndarray:
        """How far `(...)` weights are from the plane."""
        return np.sqrt(((params - self.at(self.coordinates(params))) ** 2).sum(-1))

    def shares(self, params) -> np.ndarray:
        """How much `(2,)` of the variance of weights `(k, P)` around their mean lies along each
        direction.
        """
        centered = params - params.mean(0)
        lengths = np.sqrt((self.directions**2).sum(-1))
        projections = centered @ (self.directions / np.where(lengths, lengths, 1)[:, None]).T
        total = (centered**2).sum()
        return (projections**2).sum(0) / total if total else np.zeros(2)


def filter_normalized(network: Network, params, rng) -> np.ndarray:
    """A random direction `(P,)` in which the weights into each unit are as long as in `params`.

    Without that a net with large weights looks flat and one with small weights sharp, though they
    compute the same: with ReLU a layer can be doubled and the next one halved. Biases, and γ and β
    of a normalization, do not move. (Li et al. 2018, Visualizing the loss landscape of neural
    nets.)
    """
    direction = np.zeros_like(params, float)
    for p, d in zip(network.views(params), network.views(direction), strict=True):
        if "W" in p:
            sample = rng.standard_normal(p["W"].shape)
            d["W"][...] = sample * np.sqrt((p["W"] ** 2).sum(0) / (sample**2).sum(0))
    return direction


def random_plane(network: Network, params, seed: int) -> Plane:
    """The plane of two filter-normalized random directions through trained weights `(P,)`."""
    return Plane(
        params,
        np.stack(
            [filter_normalized(network, params, stream(seed, DIRECTIONS, i)) for i in range(2)]
        ),
    )


def pca_plane(origin, points, seed: int = 0) -> Plane:
    """The plane through `origin` `(P,)` along the two directions in which `points` `(k, P)` vary
    most.

    They are principal components: singular vectors of points − mean, unit and at right angles, each
    turned so that the mean lies on its positive side. Where the points lie on one line the second
    direction is a random one at a right angle to it. ValueError where all points are one.
    (Antognini & Sohl-Dickstein 2018, PCA of high dimensional random walks.)
    """
    mean = points.mean(0)
    centered = points - mean
    squares, vectors = np.linalg.eigh(
        centered @ centered.T
    )  # (k, k): far smaller than a decomposition of all weights
    if not squares[-1] > 0:
        raise ValueError("the paths do not move, so they span no plane")
    first, second = vectors[:, :-3:-1].T @ centered
    first /= np.sqrt((first**2).sum())
    if squares[-2] <= STRAIGHT**2 * squares[-1]:
        second = stream(seed, DIRECTIONS).standard_normal(len(origin))
    second -= second @ first * first
    directions = np.stack([first, second / np.sqrt((second**2).sum())])
    return Plane(origin, directions * np.where(directions @ (mean - origin) < 0, -1, 1)[:, None])
