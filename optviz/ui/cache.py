"""The only cache: results by the canonical JSON of what they depend on, shared by all visitors."""

from dataclasses import replace

import streamlit as st

from optviz.experiments.trajectories import spec as t
from optviz.optim import theory

COMPUTED = {"landscape": 0, "minima": 0, "run": 0}  # how often something was really worked out


@st.cache_resource(max_entries=200, show_spinner=False)
def _landscape(key, _problem):
    COMPUTED["landscape"] += 1
    return t.Landscape.of(_problem.f)


@st.cache_resource(max_entries=200, show_spinner=False)
def _minima(key, _problem):
    COMPUTED["minima"] += 1
    return t.minima(_problem.f, landscape(_problem))


@st.cache_resource(max_entries=200, show_spinner=False)
def _curvatures(key, _problem):
    return theory.curvatures(_problem.f, minima(_problem))


@st.cache_resource(max_entries=1000, show_spinner=False)
def _run(key, _problem, _config):
    COMPUTED["run"] += 1
    return t.run(_problem, _config)


@st.cache_resource(max_entries=200, show_spinner=False)
def _fan(key, _problem, _config):
    return t.fan(_problem, _config)


def landscape(problem: t.Problem) -> t.Landscape:
    """The function on its grid."""
    return _landscape(problem.landscape_key(), problem)


def minima(problem: t.Problem):
    """Its known minima, or those found."""
    return _minima(problem.landscape_key(), problem)


def curvatures(problem: t.Problem) -> list[theory.Curvature]:
    """The curvature of the function at each of them."""
    return _curvatures(problem.landscape_key(), problem)


def run(problem: t.Problem, config: t.OptimizerConfig):
    """One optimizer's path."""
    alone = replace(config, starts=None)  # its further starts are another path's business
    return _run(t.track_key(problem, alone), problem, alone)


def fan(problem: t.Problem, config: t.OptimizerConfig):
    """Its paths from further starts; None where it has none."""
    return None if config.starts is None else _fan(t.track_key(problem, config), problem, config)
