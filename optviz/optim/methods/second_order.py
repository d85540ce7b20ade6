"""Second order: Newton's method, and two that learn the curvature from past gradients."""

import numpy as np

from optviz.optim.base import Optimizer, optimizer
from optviz.optim.hyperparameter import hyperparameter
from optviz.optim.methods import shared
from optviz.optim.methods.line_search import backtrack, has_changed, initial_rate, strong_wolfe
from optviz.optim.methods.linear_algebra import dot, eigen, times, zeros


def _lr(low=1e-3):
    help = "length of a step; with a line search, of the first trial step"
    return shared.first_trial(help, low)


def _line_search():
    return hyperparameter(
        True,
        help="search for a step that satisfies the strong Wolfe conditions; its evaluations are "
        "counted",
    )


@optimizer(
    "Newton",
    cite="Nocedal & Wright (2006), Numerical Optimization, section 3.3; Dauphin et al. (2014)",
)
class Newton(Optimizer):
    r"""Jump to the stationary point of the local quadratic model: minimum, saddle or maximum.

    $$ H = \nabla^2 f(x), \qquad x \leftarrow x - \eta\, (H + \lambda I)^{-1} \nabla f(x) $$

    With η = 1 and λ = 0 it lands there, otherwise short of it or beyond. Saddle-free (Dauphin et
    al. 2014): H with the absolute values of its eigenvalues, which turns away from saddles. With
    the line search, a direction that climbs is reversed.
    """

    family = "second order"
    lr: float = _lr()
    damping: float = hyperparameter(
        0.0,
        0.0,
        100.0,
        r"\lambda",
        help="added to the curvatures: where they are positive, steps get shorter, more along −∇f",
    )
    saddle_free: bool = hyperparameter(False, help="use the absolute values of the curvatures")
    line_search: bool = hyperparameter(
        False,
        help="halve the step until the value falls enough (Armijo); its evaluations are counted",
    )
    dense = "the Hessian"
    variants = {
        ("saddle_free", True): {r"\nabla^2 f(x)": r"|\nabla^2 f(x)|"},
        ("line_search", True): {r"\eta": r"\alpha"},
    }

    def step(self, f, x, s):
        g, (curvature, axes) = f.grad(x), eigen(f.hess(x))
        curvature = (np.abs(curvature) if self.saddle_free else curvature) + self.damping
        along = times(np.swapaxes(axes, -1, -2), g)
        flat = (along == 0) & ~np.isnan(curvature)  # nothing to divide where there is no slope
        d = -times(axes, np.where(flat, 0.0, along / curvature))
        if self.line_search:
            d = np.where(dot(g, d) > 0, -d, d)
            return x + backtrack(f, x, g, d, self.lr) * d, s
        return x + self.lr * d, s

    def stable_lr(self, curvature):
        return None if self.line_search else 2 * (curvature + self.damping) / curvature


@optimizer("BFGS", cite="Nocedal & Wright (2006), Numerical Optimization, algorithm 6.1")
class BFGS(Optimizer):
    r"""Learn the inverse Hessian B from how the gradient changed along each step.

    $$ g = \nabla f(x), \qquad s = x - x_{\text{prev}}, \qquad y = g - g_{\text{prev}}, \qquad
    \rho = 1 / y^\top s $$
    $$ B \leftarrow (I - \rho\, s y^\top)\, B\, (I - \rho\, y s^\top) + \rho\, s s^\top
    \;\text{ where } y^\top s > 10^{-14}\, \|s\|\, \|y\|, \text{ else } B $$
    $$ x \leftarrow x - \eta\, B\, g $$

    B begins as the identity; a pair without yᵀs > 0 is left out, so that B stays positive definite.
    The line search is torch.optim's; on the first step it begins with a move of at most η.
    """

    family = "second order"
    lr: float = _lr(1e-8)  # the first step is along the bare gradient
    line_search: bool = _line_search()
    dense = "the inverse Hessian"
    state_names = {"x_prev": "point before", "g_prev": "gradient before"}
    symbols = {r"x_{\text{prev}}": "x_prev", r"g_{\text{prev}}": "g_prev"}
    variants = {("line_search", True): {r"\eta": r"\alpha"}}

    def init(self, x):
        d = x.shape[-1]
        previous = {"x_prev": x, "g_prev": np.full_like(x, np.nan)}
        return {"B": zeros(x, d, d) + np.eye(d), **previous}

    def step(self, f, x, s):
        g = f.grad(x)
        dx, dg = x - s["x_prev"], g - s["g_prev"]
        inverse = self.update_inverse(s["B"], dx, dg)
        d = -times(inverse, g)
        step = self.lr
        if self.line_search:
            step = strong_wolfe(f, x, g, d, initial_rate(step, g, s), has_changed(dx, dg))
        return x + step * d, {"B": inverse, "x_prev": x, "g_prev": g}

    @staticmethod
    def update_inverse(inverse, s, y):
        """The updated inverse Hessian; unchanged in rows without a usable pair."""
        sy = dot(s, y)
        usable = ((sy > 1e-14 * np.sqrt(dot(s, s) * dot(y, y))) & (sy > 1e-200))[..., None]
        rho = 1 / np.where(usable, sy[..., None], 1.0)
        shear = (np.eye(s.shape[-1]) - rho * s[..., :, None] * y[..., None, :])[..., None, :, :]
        sheared = times(shear, np.swapaxes(inverse, -1, -2))  # rows: shear @ columns of B
        updated = times(shear, np.swapaxes(sheared, -1, -2))
        return np.where(usable, updated + rho * s[..., :, None] * s[..., None, :], inverse)


@optimizer(
    "L-BFGS",
    cite="Nocedal & Wright (2006), Numerical Optimization, algorithm 7.4",
    key="lbfgs",
    torch=lambda o: (
        f"LBFGS([p], lr={o.lr}, max_iter=1, history_size={o.memory}, tolerance_grad=0, "
        + ("max_eval=25, line_search_fn='strong_wolfe', " * o.line_search)
        + "tolerance_change=0)"
    ),
)
class LBFGS(Optimizer):
    r"""BFGS that keeps only the last few pairs (s, y) and never writes the matrix down.

    $$ g = \nabla f(x), \qquad s = x - x_{\text{prev}}, \qquad y = g - g_{\text{prev}} $$
    $$ S \leftarrow \operatorname{pushed}(S, s, y^\top s > 10^{-10}), \qquad
    Y \leftarrow \operatorname{pushed}(Y, y, y^\top s > 10^{-10}) $$
    $$ d = \operatorname{recursion}(g, S, Y), \qquad
    \eta_t = \eta\, \min(1, 1 / \|g\|_1) \;\text{ where } s = 0, \text{ else } \eta $$
    $$ x \leftarrow x - \eta_t\, d $$

    The rows of S and Y are the last k pairs; the two-loop recursion computes from them what BFGS
    would with its B, begun as the identity times sᵀy / yᵀy. The short first step, the threshold and
    the line search are torch.optim's.
    """

    family = "second order"
    lr: float = _lr(1e-8)  # the first step is along the bare gradient
    memory: int = hyperparameter(10, 1, 50, "k", help="pairs (s, y) that are kept")
    line_search: bool = _line_search()
    state_names = {"x_prev": "point before", "g_prev": "gradient before"}
    symbols = BFGS.symbols
    variants = {("line_search", True): {r"x - \eta_t": r"x - \alpha"}}

    def init(self, x):
        pairs = zeros(x, self.memory, x.shape[-1])
        return {"S": pairs, "Y": pairs, "x_prev": x, "g_prev": np.full_like(x, np.nan)}

    def step(self, f, x, s):
        g = f.grad(x)
        dx, dg = x - s["x_prev"], g - s["g_prev"]
        usable = dot(dx, dg)[..., None] > 1e-10
        pairs = {"S": self.pushed(s["S"], dx, usable), "Y": self.pushed(s["Y"], dg, usable)}
        d = -self.recursion(g, pairs["S"], pairs["Y"])
        step = initial_rate(self.lr, g, s)
        if self.line_search:
            step = strong_wolfe(f, x, g, d, step, has_changed(dx, dg))
        return x + step * d, {**pairs, "x_prev": x, "g_prev": g}

    @staticmethod
    def pushed(rows, row, usable):
        """The memory with `row` as its last row and the oldest gone, where the pair is usable."""
        return np.where(usable, np.concatenate([rows[..., 1:, :], row[..., None, :]], -2), rows)

    @staticmethod
    def recursion(g, S, Y):
        """The product of the inverse Hessian with g, from pairs `(..., k, d)`, newest last."""
        sy, yy = dot(S, Y)[..., 0], dot(Y, Y)[..., 0]
        usable = sy > 0
        rho = np.where(usable, 1 / np.where(usable, sy, 1.0), 0.0)[..., None]
        last = usable[..., -1:]
        q, alphas = g, []
        for i in reversed(range(S.shape[-2])):
            alphas.append(rho[..., i, :] * dot(S[..., i, :], q))
            q = q - alphas[-1] * Y[..., i, :]
        q = q * np.where(last, sy[..., -1:] / np.where(last, yy[..., -1:], 1.0), 1.0)
        for i in range(S.shape[-2]):
            q = q + S[..., i, :] * (alphas.pop() - rho[..., i, :] * dot(Y[..., i, :], q))
        return q
