"""Trainings as a Python script that stands alone: network, optimizer and data written into it."""

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from pprint import pformat
from textwrap import fill, indent, wrap

from optviz.data import ATTRIBUTION, OWN, SOURCES, TOY_SETS
from optviz.data.digits import FILE
from optviz.data.own import read_examples
from optviz.data.preprocessing import standardize
from optviz.nn import ACTIVATIONS, INITIALIZERS, LOSSES, MiniBatch, Mode, Network, one_hot, stream
from optviz.optim.hyperparameter import hyperparameters
from optviz.optim.minimize import take_over
from optviz.shell.export import write
from optviz.shell.export.loops import CALL, TRAIN, UPDATE
from optviz.shell.export.networks import alone, network_names
from optviz.shell.export.source import parts_of, source
from optviz.spec import Choice
from optviz.training import MAX_EVALUATED, Training
from optviz.training.loop import narrow
from optviz.training.spec import COUNTS, Split

WIDTH = 96
OWN_FILE = "own.csv"  # stands for the name of a file of one's own


def training_script(
    question: str,
    trainings: list[Training],
    names: list[list[str]] | None = None,
    link: str = "",
    n_test: int | None = None,
) -> str:
    """A program that trains the networks and prints how each ends, to the last bit.

    `names` are those of the networks of each training, by default what they differ in. Of the rows
    that are not for training, the accuracy is that on the first `n_test`; all at None.
    """
    names = names or network_names(trainings)
    trainings = [without_constants(training) for training in trainings]
    calls = [_call(*each, n_test) for each in zip(trainings, names, strict=True)]
    main = "\n\n".join(map(_changed_lines, calls, [[], *calls]))
    return script(question, trainings, TRAIN, main, link)


def script(
    question: str, trainings: list[Training], loop: str, main: str, link: str, used=(), rules=()
) -> str:
    """All that these trainings need, the `loop` that trains them, and the `main` that calls it.

    What else is `used` is copied as well, and the initializers that are chosen by `rules`.
    """
    networks = [one for training in trainings for one in alone(training)]
    segments = [segment for one in networks for segment in one.optimizer.segments()]
    rules = [*(one.network.initializer for one in networks), *rules]
    registries = {
        "ACTIVATIONS": _used(ACTIVATIONS, [one.network.activation for one in networks]),
        "INITIALIZERS": _used(INITIALIZERS, rules),
    }
    loss = LOSSES[trainings[0].loss]  # a page's trainings have one
    rated = f'opt.scaled("lr", network.rate_factors(adaptive={trainings[0].adaptive}))'
    mup = any(training.network.base_width for training in trainings)
    loop = f"{UPDATE}\n\n{loop}".replace("RATED", rated if mup else "opt")
    loop = loop.replace("LOSS", loss.__name__).replace("ASSESSED", str(MAX_EVALUATED))
    parts = [type(part) for segment in segments for part in parts_of(segment)]
    used = [Network, MiniBatch, Mode, loss, one_hot, stream, narrow, *parts, *used]
    used += data_sources(trainings)
    members = {"partition", "with_holdout", "with_label_noise", "sample", "step"}
    members |= set(re.findall(r"\.(\w+)", loop))
    copied = source(used, members, registries)
    top = write.header(question, "NumPy 2", link)
    return program(trainings, top, write.NUMPY, write.SILENT, copied, loop, main)


def program(trainings, top: str, imports, settings: str, copied, loop: str, calls: str) -> str:
    """A script that stands alone: what `source` has copied, what loads the data of the trainings,
    the loop, and a main function of the lines `calls`.
    """
    keys, (needed, definitions) = {training.dataset.key for training in trainings}, copied
    loading = [LOADERS[key] for key in LOADERS if key in keys]
    imports = imports.union(needed, *(modules for modules, _loader in loading))
    texts = [
        f"{top}\n{ONE_THREAD}\n{write.import_lines(imports)}\n{settings}",
        definitions,
        *(loader for _modules, loader in loading),
        loop,
        f"def main():\n{indent(calls, '    ')}\n",
        digits_text() if "digits" in keys else "",
        "main()\n",
    ]
    return "\n\n".join(filter(None, texts))


def without_constants(training: Training) -> Training:
    """Remove schedules that multiply by 1; initializers have a class of that name, too."""

    def without(config):
        kept = {k: v for k, v in config.schedules.items() if v.key != "constant"}
        fork = config.fork and replace(config.fork, parent=without(config.fork.parent))
        return replace(config, schedules=kept, fork=fork)

    return replace(training, optimizer=without(training.optimizer))


def _with_defaults(choice, registry):
    """A choice with the hyperparameters that it leaves at their defaults."""
    built = choice.build(registry)
    return Choice(
        choice.key, {k.name: k.kind(getattr(built, k.name)) for k in hyperparameters(type(built))}
    )


def _used(registry, choices):
    return list(dict.fromkeys(registry[choice.key] for choice in choices))


def _call(training, names, n_test):
    """The statements that train a batch of networks."""
    rules = [_with_defaults(one.network.initializer, INITIALIZERS) for one in alone(training)]
    return [
        _assignment("names", names),
        _assignment("initializers", rules),
        f"batch, iterations, seeds = {training.batch}, {training.iterations}, {training.seeds}",
        *network_lines(training, n_test),
        "\n".join([*_segments(training), CALL]),
    ]


def network_lines(training: Training, n_test: int | None) -> list[str]:
    """The statements that say which network is trained, what its weights cost, and on what."""
    network = replace(
        training.network,
        activation=_with_defaults(training.network.activation, ACTIVATIONS),
        initializer=_with_defaults(training.network.initializer, INITIALIZERS),
    )
    cost = training.cost()
    return [
        _assignment("network", network),
        f"penalty = Penalty(l2={write.literal(cost.l2)}, l1={write.literal(cost.l1)})",
        "\n".join(data_lines(training, n_test)),
    ]


def _segments(training):
    """The lines that say which optimizer trains from which iteration on, and if it is warm."""
    yield "segments = []"
    params = training.start()
    before = training.segments()[0].optimizer
    for i, (step, opt, schedules) in enumerate(training.segments()):
        _, warm = take_over(before, opt, before.init(params), params)
        yield from write.optimizer(opt)
        yield f"segments.append(({step}, opt, {write.schedules(schedules)}, {warm and i > 0}))"
        before = opt


def _changed_lines(statements, before):
    """The statements that differ from those before, and the last one, which trains."""
    return "\n".join([s for s in statements[:-1] if s not in before] + statements[-1:])


def _assignment(name, value):
    """The statement that gives a value a name."""
    begin = f"{name} = "
    text = pformat(value, width=WIDTH - len(begin), sort_dicts=False)
    return begin + text.replace("\n", "\n" + " " * len(begin))


def data_sources(trainings: list[Training]) -> list:
    """The functions and classes that the lines of `data_lines` name."""
    keys = {training.dataset.key for training in trainings}
    sources = [Split, *(TOY_SETS[key] for key in sorted(keys & TOY_SETS.keys()))]
    if OWN in keys:
        sources.append(read_examples)
    if OWN in keys or any(training.inputs == "standardized" for training in trainings):
        sources.append(standardize)
    return sources


def data_lines(training: Training, n_test: int | None) -> Iterator[str]:
    """The lines that load and split the rows, put them on their scale, and leave the first `n_test`
    of those to be judged by; all at None.
    """
    key, split = training.dataset.key, training.split
    if key in SOURCES:
        yield f"split = {split!r}"
        yield f"data = split.with_holdout(split.with_label_noise(Data(*mnist({split.rows}))))"
    else:
        rows = {OWN: "read_examples(FILE.read_bytes())[:2]", "digits": "digits()"}.get(key)
        if key in TOY_SETS:
            rows = f"{write.call(training.dataset.build(TOY_SETS))}.sample({split.seed})"
        yield f"data = {split!r}.partition(*{rows})"
    standard = "standardize({0}, like=data.x)"
    scaled = {
        "given": standard if key == OWN else "",
        "centered": "{0} - data.x.mean(0)",
        "standardized": standard,
        "raw": f"{COUNTS.get(key, 1.0)} * {{0}}",
        "offset": f"{standard if key == OWN else '{0}'} + 5.0",
    }
    if scale := scaled[training.inputs]:
        x, test = (scale.format(f"data.{k}") for k in ("x", "x_test"))
        yield f"data = data._replace(x={x}, x_test={test})"
    if n_test is not None:
        first = (f"{k}=data.{k}[:{n_test}]" for k in ("x_test", "t_test"))
        yield f"data = data._replace({', '.join(first)})  # the others are not looked at"


def digits_text():
    """The digits as text, at the end of the script."""
    lines = wrap(base64.b64encode(FILE.read_bytes()).decode(), WIDTH)
    return 'DIGITS = """\n' + "\n".join(lines) + '\n"""\n'


ONE_THREAD = """\
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices are slower with more
"""
DIGITS = '''\
def digits():
    """ATTRIBUTION.

    The source counts 0 to 16 in each pixel.
    """
    with np.load(io.BytesIO(base64.b64decode(DIGITS))) as stored:
        return stored["x"] / 16.0, stored["t"].astype(int)
'''
MNIST = '''\
FOLDER = Path("NAME")  # with the four files of NAME, *-ubyte.gz, as they are published


def mnist(rows):
    """So many rows for training and all rows for the test, from files in the IDX format."""
    for part, n in (("train", rows), ("t10k", None)):
        for kind, head in (("images-idx3", 16), ("labels-idx1", 8)):
            file = gzip.decompress((FOLDER / f"{part}-{kind}-ubyte.gz").read_bytes())
            values = np.frombuffer(file, np.uint8, offset=head)
            if head == 8:
                yield values[:n].astype(int)
            else:
                yield values.reshape(-1, 784)[:n].astype(np.float32) / np.float32(255)
'''
OWN_ROWS = f'FILE = Path("{OWN_FILE}")  # one example per row, its label last\n'
LOADERS = {  # of what no function of ours makes: what is imported, and what loads it
    "digits": (
        {("base64", ""), ("io", "")},
        DIGITS.replace("ATTRIBUTION", fill(ATTRIBUTION, WIDTH - 8, subsequent_indent=" " * 4)),
    ),
    OWN: ({("pathlib", "Path")}, OWN_ROWS),
}
for key in sorted(SOURCES):
    LOADERS[key] = {("gzip", ""), ("pathlib", "Path")}, MNIST.replace("NAME", key)
