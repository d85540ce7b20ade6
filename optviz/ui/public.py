"""What a server that is open to anybody does without: OPTVIZ_PUBLIC=1.

Nobody uploads (unless OPTVIZ_UPLOADS=1), nobody makes the server fetch files, a session trains for
so many seconds (OPTVIZ_TRAINING_SECONDS), and logs repeat nothing that a visitor has typed.
"""

import logging
import math
import os
import traceback
from functools import cache

TRAINING_SECONDS = 900.0  # of one core, in a session


def _on(variable):
    return os.environ.get(variable, "") not in ("", "0")


def public() -> bool:
    """Whether those who run the server say that it is open to anybody."""
    return _on("OPTVIZ_PUBLIC")


def uploads() -> bool:
    """Whether a visitor may upload files."""
    return not public() or _on("OPTVIZ_UPLOADS")


def training_seconds() -> float:
    """For how long a session may train. ValueError where the environment has no number."""
    if not public():
        return math.inf
    return float(os.environ.get("OPTVIZ_TRAINING_SECONDS", TRAINING_SECONDS))


@cache
def quiet_logs() -> None:
    """Exceptions are logged by their kind and place: their messages quote what was typed."""
    make_record = logging.getLogRecordFactory()

    def make_quiet_record(*args, **kwargs):
        record = make_record(*args, **kwargs)
        if record.exc_info and record.exc_info[0]:
            kind, _error, trace = record.exc_info
            record.exc_text = f"{''.join(traceback.format_tb(trace))}{kind.__name__}"
        return record

    logging.setLogRecordFactory(make_quiet_record)
