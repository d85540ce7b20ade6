"""What has changed from one Plotly figure to the next: all that a growing picture has to send."""

import numpy as np


def changes(old: dict, new: dict) -> dict | None:
    """What turns one figure of `to_plotly` into the next; None where their traces differ.

    It has the changed entries of the figure, its layout and every trace; of a packed array only the
    end, and as `same` how many characters of the old one precede it.
    """
    if old.get("layout", {}).keys() != new.get("layout", {}).keys():
        return None
    if [t.keys() for t in old["data"]] != [t.keys() for t in new["data"]]:
        return None
    if [t["uid"] for t in old["data"]] != [t["uid"] for t in new["data"]]:
        return None
    data = [_changed_entries(*pair) for pair in zip(old["data"], new["data"], strict=True)]
    news = {**_changed_entries(old, new), "data": data}
    if "layout" in news:
        news["layout"] = _changed_entries(old["layout"], new["layout"])
    return news


def _changed_entries(old, new):
    return {k: _changed_end(old.get(k), v) for k, v in new.items() if old.get(k) != v}


def _changed_end(old, new):
    if not all(isinstance(a, dict) and a.keys() == {"dtype", "bdata"} for a in (old, new)):
        return new
    old_bytes, new_bytes = (np.frombuffer(a["bdata"].encode(), np.uint8) for a in (old, new))
    n = min(len(old_bytes), len(new_bytes))
    differing = np.flatnonzero(old_bytes[:n] != new_bytes[:n])
    same = int(differing[0]) if len(differing) else n
    return {**new, "same": same, "bdata": new["bdata"][same:]}
