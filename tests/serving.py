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


@contextlib.contextmanager
def served(script: str, *options: str):
    """The address of a Streamlit server that runs `script` (from the project's folder) with its settings and further `options`.

    TimeoutError where it does not answer within a minute.
    """
    with socket.socket() as s:
        s.bind(("localhost", 0))
        port = s.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        script,
        "--server.port",
        str(port),
        "--server.headless",
        "true",
        *options,
    ]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={k: v for k, v in os.environ.items() if k != "OPTVIZ_EXECUTOR"},
    )
    address = f"http://localhost:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.25)
        else:
            raise TimeoutError(f"{script} did not start within a minute")
        yield address
    finally:
        process.terminate()
        process.wait()
