"""Trainings as jobs of this session, with its data."""

from collections.abc import Sequence

import streamlit as st

from optviz.spec import canonical_json, to_dict
from optviz.training import Data, Loader, Training, TrainingJob, split_seeds
from optviz.ui.training.data_source import missing_message, source_of


class MissingData(ValueError):
    """Says what to do to get the data."""


@st.cache_resource(max_entries=8, show_spinner="Reading the data …")
def _data(key, _loader) -> Data:
    return _loader()


def loader_of(training: Training, final: bool = False) -> Loader:
    """What loads the training's examples, `final` with the test set in place of the validation set.
    MissingData where they are not available.
    """
    if why := missing_message(training.dataset.key):
        raise MissingData(why)
    digest, files = source_of(training.dataset.key)
    key = canonical_json(to_dict([training.dataset, training.split, training.inputs])) + digest
    return Loader(key + " final" * final, training, files, final)


def data_of(training: Training, final: bool = False) -> Data:
    """The training's examples, as above; ValueError where they do not fit."""
    loader = loader_of(training, final)
    return _data(loader.key, loader)


def training_jobs(trainings: Sequence[Training], apart: bool = True) -> list[TrainingJob]:
    """A job for each training, or if `apart` for each of its seeds. MissingData as above."""
    if apart:
        trainings = [single for training in trainings for single in split_seeds(training)]
    return [
        TrainingJob(training, loader_of(training), source_of(training.dataset.key)[0])
        for training in trainings
    ]
