"""Starting and stopping the real dashboard, for benchmarks and browser tests.

Knows nothing of what is measured.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parent.parent
CHROMIUM_ARGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Dashboard:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]
    seconds_to_health: float

    @property
    def url(self) -> str:
        """Address of the first page."""
        return f"http://127.0.0.1:{self.port}"

    def memory(self) -> tuple[float, float]:
        """Return resident MB of the server and of its engine."""
        server = psutil.Process(self.process.pid)
        children = [child.memory_info().rss for child in server.children()]
        return server.memory_info().rss / 2**20, sum(children) / 2**20

    def kill(self) -> None:
        """End the server at once, as a crash does."""
        self.process.kill()
        self.process.wait()


def healthy(port: int) -> bool:
    """Whether a server answers on the port."""
    with suppress(OSError), urllib.request.urlopen(
            f"http://127.0.0.1:{port}/_stcore/health", timeout=1) as reply:
        return bool(reply.status == 200)
    return False


def start_dashboard(
    environment: Mapping[str, str], port: int = 0, script: str = "dashboard.py"
) -> Dashboard:
    """Start a server and return when it answers.

    Args:
        environment: Variables beside those of this process.
        port: To listen on. Defaults to a free one.
        script: What it serves. Defaults to the dashboard.

    Raises:
        TimeoutError: If it does not within a minute.
    """
    port = port or free_port()
    begin = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)],
        cwd=PROJECT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    while time.monotonic() < begin + 60:
        if healthy(port):
            return Dashboard(port, process, time.monotonic() - begin)
        time.sleep(0.02)
    process.kill()
    raise TimeoutError("the dashboard did not answer within a minute")


@contextmanager
def dashboard(
    environment: Mapping[str, str], script: str = "dashboard.py"
) -> Iterator[Dashboard]:
    """Run a server for the length of a block, and stop it as Ctrl-C does."""
    server = start_dashboard(environment, script=script)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                server.process.wait(10)
            server.process.kill()
            server.process.wait()
