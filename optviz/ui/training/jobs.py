"""Trainings as jobs of this session: with the data that it has."""

from collections.abc import Sequence

import streamlit as st

from optviz.spec import canonical_json, to_dict
from optviz.training import Data, Loader, Training, TrainingJob, split_seeds
from optviz.ui.training.data_source import missing_message, source_of


class MissingData(ValueError):
    """What is to be done before the data are there, for a person."""


@st.cache_resource(max_entries=8, show_spinner="Reading the data …")
def _data(key, _loader) -> Data:
    return _loader()


def loader_of(training: Training, final: bool = False) -> Loader:
    """What loads the training's examples, `final` with the test set in place of the validation set.
    MissingData where they are not there.
    """
    if why := missing_message(training.dataset.key):
        raise MissingData(why)
    mark, files = source_of(training.dataset.key)
    key = canonical_json(to_dict([training.dataset, training.split, training.inputs])) + mark
    return Loader(key + " final" * final, training, files, final)


def data_of(training: Training, final: bool = False) -> Data:
    """The training's examples, as above; ValueError where they do not do."""
    loader = loader_of(training, final)
    return _data(loader.key, loader)


def training_jobs(trainings: Sequence[Training], apart: bool = True) -> list[TrainingJob]:
    """A job for each, or `apart` for each seed of each. MissingData as above."""
    trainings = [one for of in trainings for one in (split_seeds(of) if apart else [of])]
    return [
        TrainingJob(training, loader_of(training), source_of(training.dataset.key)[0])
        for training in trainings
    ]
