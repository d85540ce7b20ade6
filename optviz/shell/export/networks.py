"""The networks of trainings, one by one, and names that tell them apart."""

from dataclasses import fields, is_dataclass, replace

from optviz.optim.hyperparameter import LABELS, hyperparameter_of
from optviz.spec import Choice
from optviz.training import Training, Trial

# a seed is printed beside the name, the others change no numbers
NOT_NAMED = {"seeds", "eval_every", "snapshot_every", "sharpness"}


def network_names(trainings: list[Training]) -> list[list[str]]:
    """A name for each network of each training: the settings in which it differs from others."""
    networks = [[dict(_leaves(training)) for training in alone(training)] for training in trainings]
    all_leaves = [leaves for batch in networks for leaves in batch]
    keys = dict.fromkeys(key for leaves in all_leaves for key in leaves)
    differing = [k for k in keys if len({leaves.get(k) for leaves in all_leaves}) > 1]
    labels = [", ".join(filter(None, map(leaves.get, differing))) for leaves in all_leaves]
    names = [name or "network" for name in labels]
    if len(set(names)) < len(names):
        names = [f"{name} #{i}" for i, name in enumerate(names, 1)]
    return [[names.pop(0) for _ in batch] for batch in networks]


def _leaves(value, place="", field=None):
    """All values of a spec: a dotted path, and a text with the labels that fields and registries
    declare.
    """
    declared = field.metadata if field else {}
    registry, name = declared.get("registry"), place.rpartition(".")[2]
    if isinstance(value, Choice):
        yield place, registry[value.key].label if registry else value.key
        value = value.values
    if is_dataclass(value):
        for inner in fields(value):
            if inner.name not in NOT_NAMED:
                yield from _leaves(getattr(value, inner.name), f"{place}.{inner.name}", inner)
    elif isinstance(value, tuple) and any(isinstance(v, Choice) for v in value):
        for choice in value:
            yield from _leaves(choice, f"{place}.{choice.key}", field)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{place}.{key}", field)
    elif name == "sizes":  # the others follow from the data
        yield place, f"hidden layers {'-'.join(map(str, value[1:-1])) or 'none'}"
    elif "hyperparameter" in declared:
        yield place, f"{hyperparameter_of(field).label} {value}"
    elif "options" in declared:
        label = declared["options"].get(value) or value
        yield place, f"{declared['label']} {label}".lower()
    else:
        name = LABELS.get(name, name.replace("_", " "))
        yield place, f"{name} {value}" if value not in ("", (), None) else f"no {name}"


def alone(training) -> list:
    """A training for each network of a batch; anything but a training stays."""
    if not isinstance(training, Training):
        return [training]
    trials = training.trials or [Trial(initializer=rule) for rule in training.initializers]
    return [_of_trial(training, trial) for trial in trials or [Trial()]]


def _of_trial(training, trial):
    network, config, penalty = training.network, training.optimizer, training.penalty
    method = config.method.with_values(**trial.hyperparameters)
    return replace(
        training,
        network=replace(network, initializer=trial.initializer or network.initializer),
        optimizer=replace(config, method=method),
        penalty=penalty if trial.l2 is None else replace(penalty, l2=trial.l2),
        initializers=(),
        trials=(),
    )
