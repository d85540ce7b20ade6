"""Seeds split and merged: a job each, so that one more leaves the others as they are."""

from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary, WeakValueDictionary, ref

import numpy as np

from optviz.training.loop import Progress
from optviz.training.spec import Training

_JOINED = WeakValueDictionary()  # as long as somebody looks
_PARTS = WeakKeyDictionary()  # of what is joined


def split_seeds(training: Training) -> list[Training]:
    """A training for each seed."""
    return [replace(training, seeds=(seed,)) for seed in training.seeds]


def merge_seeds(states: Sequence) -> list:
    """States in which neighbors that differ in the seed alone are one; what is no training stays.

    Seeds that are under way are shown as far as all have come; beside one that is done, the others
    are NaN where they have not been yet. The accuracy of their ensemble is then unknown: NaN.
    """
    groups = []
    for state in states:
        if groups and _siblings(groups[-1][-1], state):
            groups[-1].append(state)
        else:
            groups.append([state])
    return [_merge_once(tuple(group)) if len(group) > 1 else group[0] for group in groups]


def _merge_once(states):
    """The merged state, the same object for all who look at the same states."""
    if (merged := _JOINED.get(states)) is None:
        merged = _JOINED[states] = _merge(states)
        _PARTS[merged] = tuple(map(ref, states))
    return merged


def identity_keys(states: Sequence) -> tuple:
    """What identifies states without keeping them alive; states merged again have the same keys."""
    return tuple(_PARTS.get(state) or ref(state) for state in states)


def _siblings(a, b):
    if not (isinstance(a, Progress) and isinstance(b, Progress)):
        return False
    (i, *more), (j, *others) = a.training.seeds, b.training.seeds
    return (
        i < j and not (more or others) and replace(a.training, seeds=b.training.seeds) == b.training
    )


def _merge(states):
    longest, iteration = max(states, key=lambda s: s.iteration), min(s.iteration for s in states)
    n = longest.iteration if longest.done else iteration
    evaluated = longest.evaluated[longest.evaluated <= n]
    names = tuple(longest.diagnostics) if all(s.diagnostics for s in states) else ()

    def joined(values, axis, length):
        return np.concatenate([_pad(length, a) for a in values], axis)

    k = len(evaluated)
    return replace(
        longest,
        training=replace(longest.training, seeds=tuple(s.training.seeds[0] for s in states)),
        iteration=iteration,
        params=np.concatenate([s.params for s in states], 1),
        state={},
        running_statistics=np.concatenate([s.running_statistics for s in states], 1),
        diverged_at=np.concatenate([s.diverged_at for s in states], 1),
        loss=joined([s.loss for s in states], 2, n),
        seconds=np.nanmean([_pad(n, s.seconds) for s in states], 0),
        evaluated=evaluated,
        accuracy=joined([s.accuracy for s in states], 3, k),
        cross_entropy=joined([s.cross_entropy for s in states], 3, k),
        ensemble_accuracy=np.full((k, *longest.ensemble_accuracy.shape[1:]), np.nan),
        diagnostics={name: joined([s.diagnostics[name] for s in states], 2, k) for name in names},
        snapshots=states[0].snapshots,
    )


def _pad(n, a):
    """The first n rows of an array, padded with NaN where there are fewer."""
    return np.concatenate([a[:n], np.full((n - len(a[:n]), *a.shape[1:]), np.nan)])
