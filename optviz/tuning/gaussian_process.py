r"""A Gaussian process: a guess at a function between known points, and how sure the guess is.

Known values y at points X are taken as one draw from a normal distribution with covariances s²K,
$K_{ij} = k(x_i, x_j) + \nu\,[i = j]$: near points have similar values, each is blurred by noise ν.
Elsewhere the value is then normal too (Rasmussen & Williams 2006, Gaussian Processes for Machine
Learning, eq. 2.25, 2.26):

$$ \mu(x) = m + k(x)^\top K^{-1} (y - m),
   \qquad \sigma^2(x) = s^2 \big(1 - k(x)^\top K^{-1} k(x)\big) $$
"""

import math
from dataclasses import dataclass, replace

import numpy as np

# Lengths that are tried, in widths of the unit cube; the last is "no matter".
SCALES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 6.4)
NOISES = (1e-6, 1e-3, 1e-2, 1e-1)  # variances of the noise in units of s²
SWEEPS = 3  # over the axes, when their lengths are chosen
MIN_SPREAD = 1e-6  # of s, for values that are all equal


def squared_exponential(r2):
    r"""Infinitely smooth.

    $$ k = e^{-r^2/2} $$
    """
    return np.exp(-0.5 * r2)


def matern(r2):
    r"""Twice differentiable: less sure of itself between the points (Matérn 5/2).

    $$ k = \big(1 + \sqrt5\, r + \tfrac53 r^2\big)\, e^{-\sqrt5\, r} $$
    """
    r = np.sqrt(5 * r2)
    return (1 + r + r**2 / 3) * np.exp(-r)


KERNELS = {"matern": matern, "squared_exponential": squared_exponential}


def distances(a, b, scales):
    """Squared distances `(n, m)` of points `(n, d)` and `(m, d)`, an axis in its length `(d,)`."""
    return (((a[:, None] - b[None]) / scales) ** 2).sum(-1)


@dataclass(frozen=True, eq=False)
class GaussianProcess:
    """A process that knows values `(n,)` at points `(n, d)`."""

    points: np.ndarray
    values: np.ndarray
    kernel: str
    scales: np.ndarray  # (d,)
    noise: float
    mean: float
    variance: float  # s²
    cholesky: np.ndarray  # (n, n): L L^T = K
    weights: np.ndarray  # (n,): K^-1 (y - m)

    @classmethod
    def from_data(cls, points, values, scales, noise=1e-6, kernel="matern") -> "GaussianProcess":
        r"""With given lengths and noise, and the most likely mean and variance.

        $$ m = \frac{1^\top K^{-1} y}{1^\top K^{-1} 1},
           \qquad s^2 = \tfrac1n (y - m)^\top K^{-1} (y - m) $$
        """
        x, y, scales = (np.asarray(a, float) for a in (points, values, scales))
        low = _factor(x, kernel, scales, noise)
        solved, ones = _solve(low, y), _solve(low, np.ones(len(y)))
        mean = float(solved.sum() / ones.sum())
        weights = solved - mean * ones
        variance = max(float((y - mean) @ weights) / len(y), MIN_SPREAD**2)
        return cls(x, y, kernel, scales, noise, mean, variance, low, weights)

    @property
    def log_marginal_likelihood(self) -> float:
        r"""The log of the marginal likelihood: how likely the values are under the process.

        $$ \log p(y) = -\tfrac n2 \log(2\pi s^2) - \tfrac12 \log|K|
           - \tfrac1{2s^2} (y - m)^\top K^{-1} (y - m) $$
        """
        n = len(self.values)
        spread = (self.values - self.mean) @ self.weights / self.variance
        half_log_det = np.log(np.diag(self.cholesky)).sum()
        return float(-0.5 * (n * math.log(2 * math.pi * self.variance) + spread) - half_log_det)

    @classmethod
    def fit(cls, points, values, kernel: str = "matern") -> "GaussianProcess":
        """With the most likely lengths and noise of a small grid, found axis by axis."""
        d = np.shape(points)[1]

        def most_likely(*tries):
            processes = [
                cls.from_data(points, values, scales, noise, kernel) for scales, noise in tries
            ]
            return max(processes, key=lambda process: process.log_marginal_likelihood)

        best = most_likely(*((np.full(d, s), noise) for s in SCALES[1:5] for noise in NOISES))
        for _ in range(SWEEPS):
            before = best.log_marginal_likelihood
            for axis in range(d):
                changed = np.arange(d) == axis
                tries = ((np.where(changed, s, best.scales), best.noise) for s in SCALES)
                best = most_likely((best.scales, best.noise), *tries)
            tries = ((best.scales, noise) for noise in NOISES)
            best = most_likely((best.scales, best.noise), *tries)
            if best.log_marginal_likelihood == before:
                break
        return best

    def predict(self, points) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation `(m,)` of the function without noise, at points `(m, d)`."""
        k = KERNELS[self.kernel](distances(np.asarray(points, float), self.points, self.scales))
        half = np.linalg.solve(self.cholesky, k.T)
        variance = self.variance * np.maximum(1 - (half**2).sum(0), 0)
        return self.mean + k @ self.weights, np.sqrt(variance)

    @property
    def leave_one_out_errors(self) -> np.ndarray:
        """How far each known value `(n,)` is from what the others predict (ibid., eq. 5.12)."""
        inverse = _solve(self.cholesky, np.eye(len(self.values)))
        return self.weights / np.diag(inverse)

    def condition_on(self, point, value: float) -> "GaussianProcess":
        """The process that also knows a value at a point `(d,)`; all else stays as it is."""
        x = np.concatenate([self.points, np.asarray(point, float)[None]])
        y = np.append(self.values, value)
        low = _factor(x, self.kernel, self.scales, self.noise)
        return replace(self, points=x, values=y, cholesky=low, weights=_solve(low, y - self.mean))


def _factor(x, kernel, scales, noise):
    return np.linalg.cholesky(KERNELS[kernel](distances(x, x, scales)) + noise * np.eye(len(x)))


def _solve(low, b):
    return np.linalg.solve(low.T, np.linalg.solve(low, b))


def expected_improvement(mean, std, best: float) -> np.ndarray:
    r"""By how much a value is above the best on the mean, where being below it counts as nothing.

    $$ \mathrm{EI} = (\mu - y^*)\, \Phi(z) + \sigma\, \varphi(z),
       \qquad z = \frac{\mu - y^*}{\sigma} $$

    Jones, Schonlau & Welch (1998), Efficient global optimization, eq. 15. Where nothing is
    uncertain it is max(μ − y*, 0).
    """
    mean, std = np.broadcast_arrays(np.asarray(mean, float), np.asarray(std, float))
    gain = mean - best
    z = np.divide(gain, std, out=np.zeros_like(gain), where=std > 0)
    below = 0.5 * (1 + np.vectorize(math.erf, otypes=[float])(z / math.sqrt(2)))
    density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    return np.where(std > 0, np.maximum(gain * below + std * density, 0), np.maximum(gain, 0))
