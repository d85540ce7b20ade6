"""Classics of numerical optimization: conjugate gradients, a simplex, a region of trust."""

import numpy as np

from optviz.optim.base import Optimizer, optimizer
from optviz.optim.methods import shared
from optviz.optim.methods.line_search import (
    MIN_LENGTH,
    has_changed,
    initial_rate,
    is_resolvable,
    strong_wolfe,
)
from optviz.optim.methods.linear_algebra import dot, eigen, times, zeros


@optimizer(
    "Conjugate gradient",
    cite="Polak & Ribière (1969); Nocedal & Wright (2006), Numerical Optimization, algorithm 5.4",
    key="cg",
)
class ConjugateGradient(Optimizer):
    r"""Choose each direction so that it does not undo what the previous one has achieved.

    $$ g = \nabla f(x) $$
    $$ \beta = \max\Big(\frac{g^\top (g - g_{\text{prev}})}{g_{\text{prev}}^\top g_{\text{prev}}},
    0\Big) \;\text{ where } t > 1, \text{ else } 0 $$
    $$ d \leftarrow \operatorname{downhill}(\beta d - g, g), \qquad x \leftarrow x + \alpha\, d $$

    Polak-Ribière+: where β is cut off at 0, or the direction would climb, it restarts with −g.
    The search is for a strong Wolfe step with c₂ = 0.1, which is nearly the minimum along d. It
    first tries the step that promises as much decrease as the previous one; the very first trial is
    a move of at most η.
    """

    family = "momentum"
    lr: float = shared.first_trial(
        "first trial step of a search, relative to the one that the slope suggests",
        label="first trial",
    )
    counter = "t"
    state_names = {"d": "direction", "x_prev": "point before", "g_prev": "gradient before"}
    symbols = {r"g_{\text{prev}}": "g_prev"}

    def init(self, x):
        promised = np.ones_like(x[..., :1])
        previous = {"x_prev": x, "g_prev": np.full_like(x, np.nan)}
        return {"d": np.zeros_like(x), **previous, "promised_prev": promised, "t": 0}

    def step(self, f, x, s):
        g, g_prev = f.grad(x), s["g_prev"]
        beta = dot(g, g - g_prev) / dot(g_prev, g_prev) if s["t"] else 0.0
        d = self.downhill(np.maximum(beta, 0.0) * s["d"] - g, g)
        slope = np.abs(dot(g, d))
        trial = initial_rate(self.lr, g, s)
        trial = trial * s["promised_prev"] / np.where(slope > 0, slope, 1.0) if s["t"] else trial
        searching = has_changed(x - s["x_prev"], g - g_prev) | has_changed(d, d - s["d"])
        step = strong_wolfe(f, x, g, d, trial, searching, curvature=0.1)
        promised = np.where(step > 0, step * slope, s["promised_prev"])
        state = {"d": d, "x_prev": x, "g_prev": g, "promised_prev": promised, "t": s["t"] + 1}
        return x + step * d, state

    @staticmethod
    def downhill(d, g):
        """The direction, and −g where it would climb."""
        return np.where(dot(g, d) < 0, d, -g)


@optimizer(
    "Nelder-Mead",
    cite="Nelder & Mead (1965); Lagarias et al. (1998), section 2; Nocedal & Wright (2006), "
    "section 9.5",
    key="nelder_mead",
)
class NelderMead(Optimizer):
    r"""Without gradients: a triangle flips its worst corner over, stretches and shrinks.

    $$ S \leftarrow \operatorname{ordered}(S, f(S)), \qquad F \leftarrow f(S) $$
    $$ c = \operatorname{centroid}(S), \qquad w = \operatorname{worst}(S), \qquad r = c + (c - w) $$
    $$ a = \operatorname{factor}(F, f(r)), \qquad e = c + a\,(c - w) $$
    $$ R = \operatorname{replaced}(S, F, r, f(r), e, f(e)) $$
    $$ S \leftarrow \operatorname{ordered}(R, f(R)), \qquad F \leftarrow f(S), \qquad
    x \leftarrow \operatorname{best}(S) $$

    The rows of S are the corners, the best first; they begin as the start and a point at η along
    each axis. The reflection r of the worst corner w at the middle c of the others is followed by
    an expansion (a = 2) where it would be the best, by a contraction (a = ½ outside, −½ inside)
    where it would be the worst. If that is no better, all move halfway to the best. Values
    are without noise, which is added to gradients only. A simplex that another has moved keeps its
    shape.
    """

    family = "derivative-free"
    lr: float = shared.first_trial(
        "length of the first triangle's edges along the axes; after that it adapts its own size",
        valid="(0, inf)",
        label="first edge",
    )
    dense = "P + 1 points"
    initial = ("lr",)
    symbols = {"S": "simplex"}

    def init(self, x):
        d = x.shape[-1]
        corners = zeros(x, d + 1, d) + x[..., None, :]
        corners[..., 1:, :] += np.asarray(self.lr)[..., None] * np.eye(d)
        return {"simplex": corners, "F": zeros(x, d + 1) + np.nan}

    def step(self, f, x, s):
        shift = x - s["simplex"][..., 0, :]
        moved = (shift != 0).any(-1)[..., None]
        corners, values = s["simplex"], np.where(moved, np.nan, s["F"])
        if np.isnan(values).any():
            corners = corners + np.where(moved, shift, 0.0)[..., None, :]
            corners, values = self.evaluate(f, corners, values)
        active = np.abs(corners - corners[..., :1, :]).max((-2, -1)) >= MIN_LENGTH
        c, w = self.centroid(corners), self.worst(corners)
        r = c + (c - w)
        f_r = value_or_inf(f, r, active)
        a = self.factor(values, f_r)
        e = c + a * (c - w)
        f_e = value_or_inf(f, e, active & (a[..., 0] != 1))
        replaced = self.replaced(corners, values, r, f_r, e, f_e)
        changed = active[..., None] & (replaced != corners).any(-1)
        shrunk = changed[..., :-1].any(-1, keepdims=True)
        f_new = np.where(self.takes_second(values, f_r, f_e), f_e, f_r)[..., None]
        values = np.where(changed, np.where(shrunk, np.nan, f_new), values)
        corners = np.where(changed[..., None], replaced, corners)
        corners, values = self.evaluate(f, corners, values)
        return self.best(corners), {"simplex": corners, "F": values}

    @classmethod
    def evaluate(cls, f, corners, values):
        """The corners, the best first, and their values; those that are NaN are computed."""
        values = values.copy("K")
        for i in range(values.shape[-1]):
            if (unknown := np.isnan(values[..., i])).any():
                computed = value_or_inf(f, corners[..., i, :], unknown)
                values[..., i] = np.where(unknown, computed, values[..., i])
        return cls.ordered(corners, values), np.sort(values.T, 0).T

    @staticmethod
    def ordered(corners, values):
        """The corners by their values; in a tie the older is first."""
        order = np.argsort(values.T, 0, kind="stable")  # the batch last, as in memory: see `zeros`
        return np.take_along_axis(corners.T, order[None], 1).T

    @staticmethod
    def best(corners):
        """The first."""
        return corners[..., 0, :]

    @staticmethod
    def worst(corners):
        """The last."""
        return corners[..., -1, :]

    @staticmethod
    def centroid(corners):
        """The middle of all but the worst."""
        return corners[..., :-1, :].sum(-2) / (corners.shape[-2] - 1)

    @staticmethod
    def factor(values, f_r):
        """How far the second trial lies from the centroid; 1 where there is none."""
        best, second, worst = values[..., 0], values[..., -2], values[..., -1]
        inside = np.where(f_r < worst, 0.5, -0.5)
        return np.where(f_r < best, 2.0, np.where(f_r < second, 1.0, inside))[..., None]

    @classmethod
    def takes_second(cls, values, f_r, f_e):
        """Whether the second trial replaces the worst corner."""
        a = cls.factor(values, f_r)[..., 0]
        better = [f_e < f_r, f_e <= f_r, f_e < values[..., -1]]
        return np.select([a == 2, a == 0.5, a == -0.5], better, False)

    @classmethod
    def replaced(cls, corners, values, r, f_r, e, f_e):
        """The corners with one of the trials in place of the worst, or all shrunk to the best."""
        second, a = cls.takes_second(values, f_r, f_e), cls.factor(values, f_r)
        shrinks = ((np.abs(a) == 0.5) & ~second[..., None])[..., None]
        last = np.where(second[..., None], e, r)[..., None, :]
        halved = corners[..., :1, :] + (corners - corners[..., :1, :]) / 2
        return np.where(shrinks, halved, np.concatenate([corners[..., :-1, :], last], -2))


def value_or_inf(f, x, where):
    """The values of f; infinite where there is none."""
    value = f.value(x, where=where)
    return np.where(np.isnan(value), np.inf, value)


@optimizer(
    "Trust region",
    cite="Powell (1970); Nocedal & Wright (2006), Numerical Optimization, algorithm 4.1",
    key="trust_region",
)
class TrustRegion(Optimizer):
    r"""Go to the minimum of the local quadratic model, but no further than it can be trusted.

    $$ g = \nabla f(x), \qquad H = \nabla^2 f(x), \qquad
    p = \operatorname{dogleg}(g, H, \eta q), \qquad y \leftarrow x + p $$
    $$ \rho = \operatorname{ratio}(f(x), f(y), -g^\top p - p^\top H p / 2) $$
    $$ x \leftarrow y \;\text{ where } \rho > 0.15, \text{ else } x $$
    $$ q \leftarrow \operatorname{radius}(q, \rho, \|p\| / \eta q) $$

    The dogleg leads from x to the minimum along −g and on to the Newton point; p is its end, or
    where it meets the radius ηq. ρ is the actual decrease over the predicted one: below ¼, q is
    divided by 4; above ¾ and at the radius, it doubles, up to 1000, as in SciPy. Where H is not
    positive definite there is no Newton point, and p is the Cauchy point (eq. 4.11-4.12): the
    minimum along −g within the radius.
    """

    family = "second order"
    lr: float = shared.first_trial(
        "radius at the beginning; later ones are multiples of it", valid="(0, inf)", label="radius"
    )
    dense = "the Hessian"
    state_names = {"y": "point tried"}

    def init(self, x):
        return {"y": x, "q": np.ones_like(x[..., :1])}

    def step(self, f, x, s):
        everywhere = np.ones(x.shape[:-1], bool)
        g, hess, radius = f.grad(x, where=everywhere), f.hess(x, where=everywhere), self.lr * s["q"]
        p = self.dogleg(g, hess, radius)
        y, predicted = x + p, -dot(g, p) - dot(p, times(hess, p)) / 2
        value = f.value(x, where=(predicted > 0)[..., 0])[..., None]
        tried = (predicted > 0) & is_resolvable(value, predicted)
        f_y = f.value(y, where=tried[..., 0])[..., None]
        rho = self.ratio(value, f_y, predicted)
        size = np.sqrt(dot(p, p)) / radius
        x_next = np.where(rho > 0.15, y, np.where(np.isnan(g), np.nan, x))
        return x_next, {"y": y, "q": self.radius(s["q"], rho, size)}

    @staticmethod
    def dogleg(g, hess, radius):
        """The step within the radius."""
        curvature, axes = eigen(hess)
        along = times(np.swapaxes(axes, -1, -2), g)
        newton, convex = -times(axes, along / curvature), (curvature > 0).all(-1, keepdims=True)
        square, gHg = dot(g, g), (along * along * curvature).sum(-1, keepdims=True)
        slope = np.sqrt(square)
        limit = radius / np.where(slope > 0, slope, 1.0)
        cauchy = -g * np.where(gHg > 0, np.minimum(square / gHg, limit), limit)
        leg = newton - cauchy
        a, b, c = dot(leg, leg), dot(cauchy, leg), dot(cauchy, cauchy) - radius * radius
        corner = cauchy + leg * np.clip((np.sqrt(np.maximum(b * b - a * c, 0)) - b) / a, 0, 1)
        inside = np.sqrt(dot(newton, newton)) <= radius
        straight = ~inside & ((square / gHg) * slope >= radius)
        straight |= ~(convex & (slope > 0))
        return np.where(straight, cauchy, np.where(inside, newton, corner))

    @staticmethod
    def ratio(value, f_y, predicted):
        """Actual over predicted decrease; NaN where rounding hides it, −∞ where f is undefined."""
        drop = np.where(np.isnan(f_y), -np.inf, value - f_y)
        return np.where((predicted > 0) & is_resolvable(value, predicted), drop / predicted, np.nan)

    @staticmethod
    def radius(q, rho, size):
        """The next q, `size` being the step's over the radius."""
        grown = np.where((rho > 0.75) & (size > 1 - 1e-9), np.minimum(2 * q, 1000.0), q)
        return np.where(rho < 0.25, q / 4, grown)
