"""Each scene is trained once: what a training came to is kept on disk, for every process and for the next run.

For tests alone, and for those alone that look at what came out: a test of the engine asks the engine. What is
kept goes by the canonical spec, by the rows, and by every source that the numbers depend on, so that any edit of
the engine forgets it all.
"""

import os
import pickle
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from hashlib import blake2b
from pathlib import Path

import numpy as np

from optviz.spec import canonical_json, to_dict
from optviz.training import Data, Progress, Training, load, train

ROOT = Path(__file__).parent.parent
FOLDER = Path(os.environ.get("OPTVIZ_TEST_MEMO", ROOT / ".pytest_cache" / "trainings"))
ENGINE = (
    "optviz/spec.py",
    *(
        f"optviz/{room}/**/*.py"
        for room in ("data", "functions", "nn", "optim", "training", "tuning")
    ),
)
MAX_BYTES = 600 << 20  # of the folder, and a sixth of it for one thing


@cache
def engine() -> bytes:
    """A hash of what the numbers of a training depend on beside its spec."""
    digest = blake2b(np.__version__.encode())
    for pattern in ENGINE:
        for source in sorted(ROOT.glob(pattern)):
            digest.update(source.read_bytes())
    return digest.digest()


def remembered(kind: str, spec, data: Data | None, compute: Callable):
    """`compute()`, or what it gave before for an equal spec and equal rows."""
    digest = blake2b(
        engine() + kind.encode() + canonical_json(to_dict(spec)).encode(), digest_size=20
    )
    for rows in data or ():
        digest.update(np.ascontiguousarray(rows))
    file = FOLDER / f"{digest.hexdigest()}.pickle"
    try:
        held = pickle.loads(file.read_bytes())
        os.utime(file)  # what is used is not what is forgotten first
    except (OSError, EOFError, pickle.UnpicklingError):
        held = compute()
        packed = pickle.dumps(held, protocol=5)
        if len(packed) <= MAX_BYTES // 6:
            FOLDER.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=FOLDER, delete=False) as new:
                new.write(packed)
            os.replace(new.name, file)  # whole or not at all, whoever else writes it
    return held


def trained(training: Training, data: Data | None = None) -> Progress:
    """The training's last progress, on these rows or on its own."""
    data = load(training) if data is None else data

    def last():
        *_, end = train(training, data)
        return end

    return remembered("training", training, data, last)


def ended(training: Training) -> Progress:
    """The same of a training that is measured in the end alone, which is less work."""
    return trained(replace(training, eval_every=training.iterations))


def forget() -> None:
    """Keep the folder within its size: what was not used for longest goes."""
    files = sorted(((f.stat(), f) for f in FOLDER.glob("*")), key=lambda held: -held[0].st_mtime)
    size = 0
    for stat, file in files:
        size += stat.st_size
        if size > MAX_BYTES:
            file.unlink(missing_ok=True)
