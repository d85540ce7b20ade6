"""Trainings as jobs of this session: with the data that it has."""

from collections.abc import Sequence

import streamlit as st

from optviz.spec import canonical_json, to_dict
from optviz.training import Data, Training, TrainingJob, load
from optviz.ui.data_source import missing_message, source_of


class MissingData(ValueError):
    """What is to be done before the data are there, for a person."""


@st.cache_resource(max_entries=8, show_spinner="Reading the data …")
def _data(key, _training, _source) -> Data:
    return load(_training, _source)


def data_of(training: Training) -> Data:
    """The training's examples. MissingData where they are not there; ValueError where they do not
    do.
    """
    if why := missing_message(training.dataset.key):
        raise MissingData(why)
    mark, source = source_of(training.dataset.key)
    key = canonical_json(to_dict([training.dataset, training.split, training.inputs])) + mark
    return _data(key, training, source)


def training_jobs(trainings: Sequence[Training]) -> list[TrainingJob]:
    """A job for each."""
    return [
        TrainingJob(
            training,
            lambda training=training: data_of(training),
            source_of(training.dataset.key)[0],
        )
        for training in trainings
    ]
