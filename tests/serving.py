"""The app on a free port, for the browser tests and the benchmark of what a key press costs."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as s:
        s.bind(("localhost", 0))
        return s.getsockname()[1]


def wait_for(address: str, context=None) -> None:
    """Until it answers. TimeoutError where it does not within a minute."""
    for _ in range(240):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(address, timeout=1, context=context).close()
            return
        time.sleep(0.25)
    raise TimeoutError(f"{address} did not answer within a minute")


@contextlib.contextmanager
def served(script: str, *options: str, command=(sys.executable, "-m", "streamlit", "run"), **env):
    """The address of a server, as `launched` starts it."""
    with launched(script, *options, command=command, **env) as (address, _process):
        yield address


@contextlib.contextmanager
def launched(
    script, *options, command=(sys.executable, "-m", "streamlit", "run"), port=None, **env
):
    """The address and the process of a Streamlit server that runs `script` (from the project's folder) with its settings and further `options`.

    `command` may be another that takes the script, "" where it needs none; `env` is added to the environment.

    TimeoutError where it does not answer within a minute.
    """
    port = port or free_port()
    settings = ["--server.port", str(port), "--server.headless", "true", *options]
    process = subprocess.Popen(
        [*command, *filter(None, [script]), *settings],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={k: v for k, v in os.environ.items() if k != "OPTVIZ_EXECUTOR"} | env,
    )
    address = f"http://localhost:{port}"
    try:
        wait_for(f"{address}/_stcore/health")
        yield address, process
    finally:
        process.terminate()
        process.wait()
