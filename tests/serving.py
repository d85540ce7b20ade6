"""The app on a free port, for the browser tests and the benchmark of what a key press costs."""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).parent.parent
UNSAFE = ssl._create_unverified_context()  # the proxy's certificate is our own


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


def nginx() -> str | None:
    """Where the proxy is, if it is."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def _configured(folder, ports, tls):
    """deploy/nginx.conf with the ports and files of this machine in place of the containers'."""
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    for there, here in {
        "app-1:8501": f"127.0.0.1:{ports[0]}",
        "app-2:8501": f"127.0.0.1:{ports[1]}",
        "listen 8080": f"listen 127.0.0.1:{free_port()}",
        "listen 8443": f"listen 127.0.0.1:{tls}",
        "/etc/nginx/tls": str(folder),
        "/tmp/nginx.pid": f"{folder}/nginx.pid",
        "/dev/stdout": f"{folder}/access.log",
        "/dev/stderr": f"{folder}/error.log",
    }.items():
        assert there in text, there
        text = text.replace(there, here)
    (folder / "nginx.conf").write_text(text)
    return folder / "nginx.conf"


@contextlib.contextmanager
def proxied(folder: Path, **env):
    """Two processes of the app behind nginx with the file of `deploy/`: `address`, `log` of what was asked for, `apps`
    (port -> process). `folder` takes its files; `env` is added to the processes' environment.
    """
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    keys = ["-keyout", "privkey.pem", "-out", "fullchain.pem"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subprocess.run([*command, *keys, *names], cwd=folder, check=True, capture_output=True)
    ports, tls = [free_port(), free_port()], free_port()
    with contextlib.ExitStack() as stack:
        apps = {
            port: stack.enter_context(launched("app.py", port=port, **env))[1] for port in ports
        }
        conf = _configured(folder, ports, tls)
        error = subprocess.run([nginx(), "-t", "-c", str(conf)], capture_output=True, text=True)
        assert error.returncode == 0, error.stderr
        proxy = subprocess.Popen(
            [nginx(), "-p", str(folder), "-c", str(conf), "-g", "daemon off;"],
            stderr=subprocess.DEVNULL,
        )
        stack.callback(proxy.wait)
        stack.callback(proxy.terminate)
        wait_for(f"https://localhost:{tls}/_stcore/health", UNSAFE)
        yield SimpleNamespace(
            address=f"https://localhost:{tls}", log=folder / "access.log", apps=apps
        )
