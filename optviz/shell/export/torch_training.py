"""Trainings in PyTorch: torch.nn has the layers, torch.optim the optimizers; NumPy draws the
random numbers, as optviz does.
"""

from textwrap import indent

from optviz.nn import ACTIVATIONS, INITIALIZERS, stream
from optviz.shell.export import write
from optviz.shell.export.networks import alone, network_names
from optviz.shell.export.source import source
from optviz.shell.export.torch_script import constructor
from optviz.shell.export.training_script import data_lines, data_sources, program
from optviz.training import MAX_EVALUATED, Training
from optviz.translation import _

MODULES = {
    "sigmoid": "Sigmoid()",
    "tanh": "Tanh()",
    "relu": "ReLU()",
    "leaky_relu": "LeakyReLU({alpha})",
    "elu": "ELU({alpha})",
    "softsign": "Softsign()",
    "gelu": 'GELU("tanh")',
    "identity": "Identity()",
}
LOSSES = {
    "cross_entropy": "cross_entropy(z, t[rows])",
    "squared_error": "mse_loss(z, torch.eye(z.shape[-1])[t[rows]])",
}


def not_in_torch(trainings: list[Training]) -> list[str]:
    """The names of what PyTorch does not do with the same numbers: optimizers, also those whose
    line search calls the network itself, dropout, which draws other numbers, and μP.
    """
    networks = [training for training in trainings for training in alone(training)]
    missing = [training.optimizer.name for training in networks if not _method(training)]
    missing += [_("dropout") for training in networks if training.network.dropout]
    missing += ["μP" for training in networks if training.network.base_width]
    return list(dict.fromkeys(missing))


def torch_training_script(
    question: str, trainings: list[Training], link: str = "", n_test: int | None = None
) -> str:
    """A program that trains the networks and prints how each ends: the numbers of
    `training_script` up to rounding.

    ValueError for trainings with a name in `not_in_torch`.
    """
    if missing := not_in_torch(trainings):
        raise ValueError(f"PyTorch has no {', '.join(missing)}")
    with_names = zip(trainings, network_names(trainings), strict=True)
    networks = [pair for t, names in with_names for pair in zip(alone(t), names, strict=True)]
    used = [stream, *data_sources(trainings)]
    for training, _name in networks:
        used.append(type(training.network.initializer.build(INITIALIZERS)))
        used += map(type, training.optimizer.built_schedules().values())
    members = {"partition", "with_holdout", "with_label_noise", "sample", "draw"}
    calls = "\n".join(line for training, name in networks for line in _call(training, name, n_test))
    first = trainings[0]  # a page's trainings have one loss and one precision
    loop = LOOP.replace("ASSESSED", str(MAX_EVALUATED)).replace("LOSS", LOSSES[first.loss])
    return program(
        trainings,
        write.header(question, "PyTorch 2 and NumPy 2", link),
        write.NUMPY | {("torch", ""), ("itertools", "pairwise")},
        f"torch.set_default_dtype(torch.{first.network.dtype})\n",
        source(used, members),
        loop,
        calls,
    )


def _method(training):
    """The call that makes its optimizer in torch.optim."""
    call = constructor(training.optimizer)
    return "" if call.startswith("LBFGS") else call.replace("[p]", "net.parameters()")


def _call(one, name, n_test):
    """The lines that train a network with each of its seeds."""
    network, h = one.network, one.network.activation
    yield from data_lines(one, n_test)
    arguments = ["name", "seed", "net", "opt", "data", f"{one.batch}", f"{one.iterations}"]
    arguments += [f"schedule={write.call(s)}" for s in one.optimizer.built_schedules().values()]
    if not one.penalty.free:
        arguments += [f"l2={one.penalty.l2}", f"l1={one.penalty.l1}"]
    rule, place = (
        write.call(network.initializer.build(INITIALIZERS)),
        write.quote(network.normalize),
    )
    activation = MODULES[h.key].format(**vars(h.build(ACTIVATIONS)))
    yield f"name = {write.quote(name)}"
    yield f"for seed in {one.seeds}:"
    lines = [
        f"net = network({network.sizes}, torch.nn.{activation}, {rule}, seed, {place})",
        f"opt = torch.optim.{_method(one)}",
        f"train({', '.join(arguments)})",
    ]
    yield from (indent(write.fold(line), "    ") for line in lines)


LOOP = '''\
def network(sizes, activation, rule, seed, normalize):
    """The layers, with the weights that optviz draws, and biases of 0."""
    layers = []
    for place, (n_in, n_out) in enumerate(pairwise(sizes)):
        affine = torch.nn.Linear(n_in, n_out)
        weights = rule.draw(stream(seed, WEIGHTS, place), n_in, n_out)
        affine.weight.data = torch.tensor(weights.T, dtype=torch.get_default_dtype())
        affine.bias.data.zero_()
        # the running variance is divided by B - 1 here: accuracies may differ a little
        norm = [torch.nn.BatchNorm1d(n_out, eps=1e-6, momentum=0.1)] if normalize else []
        after = [*norm, activation] if normalize == "before" else [activation, *norm]
        layers += [affine, *after]
    return torch.nn.Sequential(*layers[: -len(after)])


def train(name, seed, net, opt, data, batch, iterations, schedule=lambda t: 1.0, l2=0.0, l1=0.0):
    """Train a network, print how it ends, and return the loss of every mini-batch."""
    rate = torch.optim.lr_scheduler.LambdaLR(opt, schedule)
    weights = [layer.weight for layer in net if isinstance(layer, torch.nn.Linear)]
    x, t, x_test, t_test = map(torch.tensor, data)
    x, x_test = (rows.to(torch.get_default_dtype()) for rows in (x, x_test))
    losses = []
    for i in range(iterations):
        rows = stream(seed, BATCHES, i).integers(0, len(x), batch) if batch else slice(None)
        opt.zero_grad()
        z = net(x[rows])
        loss = torch.nn.functional.LOSS
        losses.append(loss.item())
        penalty = sum(0.5 * l2 * w.square().sum() + l1 * w.abs().sum() for w in weights)
        (loss + penalty).backward()
        opt.step()
        rate.step()
    net.eval()
    trained, tested = (
        (net(rows).argmax(-1) == labels).double().mean().item()
        for rows, labels in ((x[:ASSESSED], t[:ASSESSED]), (x_test[:ASSESSED], t_test[:ASSESSED]))
    )
    print(f"{name}, seed {seed}: loss of the last ten batches {np.mean(losses[-10:])}", end=", ")
    print(f"accuracy on training examples {trained} and on others {tested}")
    return losses
'''
