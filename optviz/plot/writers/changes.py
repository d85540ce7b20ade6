"""What has changed from one Plotly figure to the next: all that a growing picture has to send."""

import numpy as np


def changes(before: dict, now: dict) -> dict | None:
    """What turns one figure of `to_plotly` into the next; None where they hold other traces.

    Of the figure, its layout and every trace it holds only what is another one; of a packed array
    the end, and under `same` how many characters of the old one stand before it.
    """
    if before.get("layout", {}).keys() != now.get("layout", {}).keys():
        return None
    if [t.keys() for t in before["data"]] != [t.keys() for t in now["data"]]:
        return None
    if [t["uid"] for t in before["data"]] != [t["uid"] for t in now["data"]]:
        return None
    data = [_other(*both) for both in zip(before["data"], now["data"], strict=True)]
    news = {**_other(before, now), "data": data}
    if "layout" in news:
        news["layout"] = _other(before["layout"], now["layout"])
    return news


def _other(before, now):
    return {k: _end(before.get(k), v) for k, v in now.items() if before.get(k) != v}


def _end(before, now):
    if not all(isinstance(a, dict) and a.keys() == {"dtype", "bdata"} for a in (before, now)):
        return now
    old, new = (np.frombuffer(a["bdata"].encode(), np.uint8) for a in (before, now))
    n = min(len(old), len(new))
    other = np.flatnonzero(old[:n] != new[:n])
    same = int(other[0]) if len(other) else n
    return {**now, "same": same, "bdata": now["bdata"][same:]}
