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
def _multistart(key, _problem, _config):
    return t.multistart(_problem, _config)


def landscape(objective: t.Objective) -> t.Landscape:
    """The function on its grid."""
    return _landscape(objective.landscape_key(), objective)


def minima(objective: t.Objective):
    """Its known minima, or those found."""
    return _minima(objective.landscape_key(), objective)


def curvatures(objective: t.Objective) -> list[theory.Curvature]:
    """The curvature of the function at each of them."""
    return _curvatures(objective.landscape_key(), objective)


def run(objective: t.Objective, config: t.OptimizerConfig):
    """One optimizer's path."""
    alone = replace(config, initial_points=None)  # its further starts are another path's business
    return _run(t.track_key(objective, alone), objective, alone)


def multistart(objective: t.Objective, config: t.OptimizerConfig):
    """Its paths from further starts; None where it has none."""
    return (
        None
        if config.initial_points is None
        else _multistart(t.track_key(objective, config), objective, config)
    )
