"""How the server is doing, for those who run it: on its own machine, or with ?token= and the
value of OPTVIZ_STATUS_TOKEN.
"""

import hmac
import os
from pathlib import Path

import streamlit as st
from streamlit.runtime import get_instance

from optviz.training.scheduler import scheduler
from optviz.translation import _
from optviz.ui.cache import PICTURE_CACHE, SHARED_CACHE
from optviz.ui.meter import MINUTES, quantile
from optviz.ui.public import public

EVERY = 5.0  # seconds between two updates


def allowed() -> bool:
    """Whether the visitor may see the page. Behind a proxy everybody comes from this machine."""
    token = os.environ.get("OPTVIZ_STATUS_TOKEN", "")
    given = st.query_params.get("token", "")
    if token:
        return hmac.compare_digest(given.encode(), token.encode())
    local = st.context.ip_address is None and "X-Forwarded-For" not in st.context.headers
    return local and not public()


def page() -> None:
    """Numbers of this process, updated every few seconds."""
    st.markdown(f"# {_('This server')}")
    if allowed():
        _numbers()
    else:
        st.warning(_("This page is for those who run the server."))


@st.fragment(run_every=EVERY)
def _numbers():
    running, waiting = scheduler().load
    rows = {
        _("people now"): f"{_people()}",
        _("jobs running"): f"{running}",
        _("jobs waiting"): f"{waiting}",
        _("results of jobs"): _megabytes(scheduler().size),
        _("figures and numbers kept"): _megabytes(SHARED_CACHE.size + PICTURE_CACHE.size),
        _("memory of the process"): _megabytes(_memory()),
    }
    for kind, name in {"page": _("whole page"), "knob": _("hyperparameter")}.items():
        runs, seconds = quantile(kind, 0.95)
        title = _("{name}: p95 of the last {minutes} minutes").format(name=name, minutes=MINUTES)
        rows[title] = f"{1000 * seconds:.0f} ms ({runs})" if runs else "–"
    lines = [f"| {title} | {value} |" for title, value in rows.items()]
    st.markdown("\n".join(["| | |", "|---|---|", *lines]))


def _people():
    gauges = get_instance().stats_mgr.get_stats(["active_sessions"])["active_sessions"]
    return sum(gauge.value for gauge in gauges)


def _memory():
    """Bytes in use; NaN where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return float("nan")
    return pages * os.sysconf("SC_PAGE_SIZE")


def _megabytes(size):
    return f"{size / 2**20:.0f} MB"
