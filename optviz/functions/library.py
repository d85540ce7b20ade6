"""The two-dimensional test functions."""

import numpy as np

from optviz.functions.function import Function, parse_formula
from optviz.functions.parse import FormulaError
from optviz.optim.noise import Uniform

__all__ = ["FUNCTIONS", "FormulaError", "Function", "parse_formula"]

FUNCTIONS: dict[str, Function] = {}


def _declare(key, name, formula, start, domain, minima, teaches, cite, **options):
    FUNCTIONS[key] = Function(key, name, formula, start, domain, minima, teaches, cite, **options)


SAITOH = "Saitoh (2016), Deep Learning from Scratch, section 6.1"
CS231N = "CS231n (2017), lecture 7"
JAMIL = "Jamil & Yang (2013), A literature survey of benchmark functions"
BOWL = "x**2/20 + y**2"

_declare(
    "bowl",
    "Stretched bowl",
    BOWL,
    (-7, 2),
    ((-10, 10), (-5, 5)),
    [(0, 0)],
    "Twenty times as steep across as along: the direction of steepest descent does not lead to "
    "the minimum, and long plain steps zigzag.",
    SAITOH,
)
_declare(
    "saddle",
    "Saddle",
    "x**2 - y**2",
    (1, 0.001),
    ((-2, 2), (-2, 2)),
    [],
    "Down in one direction, up in the other: near the middle the gradient almost vanishes, and "
    "methods differ in how they get away.",
    CS231N,
)
_declare(
    "noisy_bowl",
    "Noisy bowl",
    BOWL,
    (-7, 2),
    ((-10, 10), (-5, 5)),
    [(0, 0)],
    "The same bowl with a noisy gradient, as with mini-batches: at a fixed rate, plain gradient "
    "descent never comes to rest.",
    CS231N,
    noise=Uniform(scale=2.0),
)
_declare(
    "tilted_bowl",
    "Tilted bowl",
    "(x + y)**2/40 + (y - x)**2/2",
    (-9 / 2**0.5, -5 / 2**0.5),
    ((-8, 8), (-8, 8)),
    [(0, 0)],
    "The bowl rotated by 45°: this changes nothing for SGD and momentum, but it does for every "
    "method that scales each coordinate separately.",
    CS231N,
)
_declare(
    "sphere",
    "Round bowl",
    "x**2 + y**2",
    (-4, 3),
    ((-5, 5), (-5, 5)),
    [(0, 0)],
    "Equally steep in every direction: steepest descent leads straight to the minimum, and "
    "nothing cleverer is needed.",
    JAMIL,
)
_declare(
    "double_well",
    "Double well",
    "x**4/4 - x**3/3 - x**2 + y**2",
    (-2, 1),
    ((-2.5, 3), (-2, 2)),
    [(2, 0), (-1, 0)],
    "A shallow minimum before a deep one: it takes speed, or long steps, to get past the first.",
    CS231N,
)
_declare(
    "sharp_and_flat",
    "Sharp and flat minimum",
    "((x + 2)**2 + y**2)/2 - log(1 + exp(((x + 2)**2 + y**2)/2 - 8*((x - 2)**2 + y**2)))",
    (3, 0.5),
    ((-5, 4), (-3, 3)),
    [(1.9999161079507323, 0), (-2, 0)],
    "Two minima of practically equal depth, one sixteen times as curved: whether a path stays in "
    "the sharp one depends on rate, noise and method.",
    "after Hochreiter & Schmidhuber (1997), Flat minima",
)
_declare(
    "rosenbrock",
    "Rosenbrock's valley",
    "(1 - x)**2 + 100*(y - x**2)**2",
    (-1.2, 1),
    ((-2, 2), (-1, 3)),
    [(1, 1)],
    "A curved, narrow valley: getting in is easy, but following its floor is slow for a method "
    "that ignores the curvature.",
    "Rosenbrock (1960), An automatic method for finding the greatest or least value of a function",
)
_declare(
    "himmelblau",
    "Himmelblau",
    "(x**2 + y - 11)**2 + (x + y**2 - 7)**2",
    (-0.5, -1),
    ((-6, 6), (-6, 6)),
    [
        (3, 2),
        (-2.805118086952745, 3.131312518250573),
        (-3.779310253377747, -3.283185991286170),
        (3.584428340330492, -1.848126526964404),
    ],
    "Four equal minima: where a path ends depends on where it starts and on how it moves.",
    "Himmelblau (1972), Applied Nonlinear Programming",
)
_declare(
    "beale",
    "Beale",
    "(1.5 - x + x*y)**2 + (2.25 - x + x*y**2)**2 + (2.625 - x + x*y**3)**2",
    (1, 1.5),
    ((-4.5, 4.5), (-4.5, 4.5)),
    [(3, 0.5)],
    "Flat in the middle, walls at the corners: the same rate can be too small for the plain and "
    "too large for the walls.",
    "Beale (1958), On an iterative method for finding a local minimum of a function of more "
    "than one variable",
)
_declare(
    "booth",
    "Booth",
    "(x + 2*y - 7)**2 + (2*x + y - 5)**2",
    (-8, 8),
    ((-10, 10), (-10, 10)),
    [(1, 3)],
    "A tilted quadratic bowl whose minimum is off the center.",
    JAMIL,
)
_declare(
    "matyas",
    "Matyas",
    "0.26*(x**2 + y**2) - 0.48*x*y",
    (-8, 3),
    ((-10, 10), (-10, 10)),
    [(0, 0)],
    "A long diagonal valley with almost no slope along its floor (condition number 25).",
    JAMIL,
)
_declare(
    "three_hump_camel",
    "Three-hump camel",
    "2*x**2 - 1.05*x**4 + x**6/6 + x*y + y**2",
    (-2, 2),
    ((-2.5, 2.5), (-2.5, 2.5)),
    [(0, 0), (1.7475523458304183, -0.8737761729152091), (-1.7475523458304183, 0.8737761729152091)],
    "A local minimum on either side of the global one.",
    JAMIL,
)
_declare(
    "six_hump_camel",
    "Six-hump camel",
    "(4 - 2.1*x**2 + x**4/3)*x**2 + x*y + (4*y**2 - 4)*y**2",
    (-1.6, 0.9),
    ((-2, 2), (-1.2, 1.2)),
    [
        (0.0898420131003181, -0.7126564030207396),
        (-0.0898420131003181, 0.7126564030207396),
        (1.7036067149699808, -0.7960835686726251),
        (-1.7036067149699808, 0.7960835686726251),
        (1.6071047529201972, 0.5686514548841314),
        (-1.6071047529201972, -0.5686514548841314),
    ],
    "Six minima, two of them global: a landscape with several basins side by side.",
    "Dixon & Szegö (1978), Towards Global Optimisation 2",
)
_declare(
    "goldstein_price",
    "Goldstein-Price",
    "(1 + (x + y + 1)**2*(19 - 14*x + 3*x**2 - 14*y + 6*x*y + 3*y**2))"
    "*(30 + (2*x - 3*y)**2*(18 - 32*x + 12*x**2 + 48*y - 36*x*y + 27*y**2))",
    (-0.9, 0.3),
    ((-2, 2), (-2, 2)),
    [(0, -1), (-0.6, -0.4), (1.8, 0.2), (1.2, 0.8)],
    "From 3 to a million within one picture: a rate that suits one place is absurd at another.",
    "Goldstein & Price (1971), On descent from local minima",
)
_declare(
    "styblinski_tang",
    "Styblinski-Tang",
    "(x**4 - 16*x**2 + 5*x + y**4 - 16*y**2 + 5*y)/2",
    (0.5, 0.8),
    ((-5, 5), (-5, 5)),
    [
        (-2.9035340277711783, -2.9035340277711783),
        (2.7468027709908376, -2.9035340277711783),
        (-2.9035340277711783, 2.7468027709908376),
        (2.7468027709908376, 2.7468027709908376),
    ],
    "Four basins: the deepest, two that are equally deep, and a shallow one.",
    "Styblinski & Tang (1990), Experiments in nonconvex optimization",
)
_declare(
    "mccormick",
    "McCormick",
    "sin(x + y) + (x - y)**2 - 1.5*x + 2.5*y + 1",
    (3, 0),
    ((-1.5, 4), (-3, 4)),
    [(-0.5471975511965976, -1.5471975511965976), (2.5943951023931955, 1.5943951023931955)],
    "A wavy trough: the slope along it changes its sign repeatedly.",
    JAMIL,
)
_declare(
    "rastrigin",
    "Rastrigin",
    "20 + x**2 + y**2 - 10*cos(2*pi*x) - 10*cos(2*pi*y)",
    (-3.2, 2.3),
    ((-5.12, 5.12), (-5.12, 5.12)),
    [(0, 0)],
    "A bowl full of dimples: local methods stop in one of the first unless speed, long steps or "
    "noise carry them further.",
    "Rastrigin (1974), Systems of Extremal Control",
)
_declare(
    "ackley",
    "Ackley",
    "-20*exp(-0.2*sqrt((x**2 + y**2)/2)) - exp((cos(2*pi*x) + cos(2*pi*y))/2) + e + 20",
    (-3.3, 2.4),
    ((-5, 5), (-5, 5)),
    [(0, 0)],
    "Almost flat and rippled outside, with a sharp funnel that ends in a kink at the bottom.",
    "Ackley (1987), A Connectionist Machine for Genetic Hillclimbing",
)
_declare(
    "levy",
    "Lévy",
    "sin(pi*(1 + (x - 1)/4))**2 + ((x - 1)/4)**2*(1 + 10*sin(pi*(1 + (x - 1)/4) + 1)**2)"
    " + ((y - 1)/4)**2*(1 + sin(2*pi*(1 + (y - 1)/4))**2)",
    (-7, 6),
    ((-10, 10), (-10, 10)),
    [(1, 1)],
    "Parallel ripples across a broad bowl.",
    "Laguna & Martí (2005), Experimental testing of advanced scatter search designs",
)
_declare(
    "easom",
    "Easom",
    "-cos(x)*cos(y)*exp(-((x - pi)**2 + (y - pi)**2))",
    (1.6, 2),
    ((-1, 7), (-1, 7)),
    [(np.pi, np.pi)],
    "A hole in a plain: away from it there is almost no slope to follow.",
    "Easom (1990), A survey of global optimization techniques",
)
_declare(
    "monkey_saddle",
    "Monkey saddle",
    "x**3 - 3*x*y**2",
    (0.9, 0.05),
    ((-1.5, 1.5), (-1.5, 1.5)),
    [],
    "Three valleys meet at a point where the gradient and the Hessian both vanish: Newton's "
    "method has nothing to divide by.",
    "Hilbert & Cohn-Vossen (1932), Anschauliche Geometrie",
)
_declare(
    "plateau",
    "Plateau",
    "(x**2 + 4*y**2)/(1 + x**2 + 4*y**2)",
    (-5, 2),
    ((-8, 8), (-4, 4)),
    [(0, 0)],
    "The slope vanishes far from the hole, as behind a saturated sigmoid: plain steps crawl, "
    "scaled ones keep moving.",
    "Goodfellow, Bengio & Courville (2016), Deep Learning, section 8.2",
)
_declare(
    "cliff",
    "Cliff",
    "(x - 3)**2/20 + y**2/4 + 2 - 2*tanh(4*x)",
    (-5, 3),
    ((-10, 10), (-5, 5)),
    [(3.0000000121016355, 0)],
    "A gentle slope with a sudden drop: at its edge one huge gradient can throw a path far away "
    "unless it is clipped.",
    "Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural networks",
)
_declare(
    "kink",
    "Kinked valley",
    "abs(x)/4 + abs(y)",
    (-7, 2.3),
    ((-10, 10), (-5, 5)),
    [(0, 0)],
    "The slope does not fade toward the minimum: at a fixed rate, plain gradient descent bounces "
    "around it forever.",
    "Shor (1985), Minimization Methods for Non-Differentiable Functions",
)
