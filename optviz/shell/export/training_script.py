"""Trainings as a short Python script on optviz, which prints the very numbers of the page."""

from pprint import pformat

from optviz.spec import to_dict
from optviz.training import Training

SCRIPT = '''"""{question}

Made with optviz. Needs the folder `optviz` beside this file, or on the path, and NumPy and SymPy.
"""

from optviz.spec import from_dict
from optviz.training import Training, train

TRAININGS = {specs}

for number, spec in enumerate(TRAININGS, 1):
    *_, last = train(from_dict(Training, spec))
    for i in range(last.loss.shape[1]):
        for s, seed in enumerate(last.training.seeds):
            learned, tested = (float(part) for part in last.accuracy[-1, :, i, s])
            loss = float(last.loss[-10:, i, s].mean()) if len(last.loss) else float("nan")
            print(f"training {{number}}, network {{i + 1}}, seed {{seed}}:", repr(loss), repr(learned), repr(tested))
'''


def training_script(question: str, trainings: list[Training]) -> str:
    """A script that trains all of them and prints, for each network, the mean loss of its last ten mini-batches
    and its accuracy on training and test rows.
    """
    specs = pformat([to_dict(training) for training in trainings], width=110, sort_dicts=False)
    return SCRIPT.format(question=question, specs=specs)
