"""What the HTTP API stands: many clients at once, memory over thousands of pictures, a dead engine.

    python -m benchmarks.api_load [--seconds S] [--clients N] [--predictions N] [--write]

A fresh dashboard in its own process; the clients are threads of this one, each with a connection of
its own that it keeps, and send a 32×32 PNG as soon as the last was answered. Client and server
share the computer, so both are in the figures. Memory is that of server and engine together, from
after the first hundreds of predictions on. The engine is killed while the clients send.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from benchmarks.dashboard_process import Dashboard, dashboard
from benchmarks.report import arguments, publish, table
from cnn.data.images import encode_png
from cnn.paths import models_dir

WARM = 500  # predictions before memory is looked at for the first time
HEADERS = {"Content-Type": "image/png"}


@dataclass
class Answers:
    """What the clients saw, in order of the answers' coming."""

    times: list[float] = field(default_factory=list)  # seconds from sending to the whole answer
    ends: list[float] = field(default_factory=list)  # when it came, `time.monotonic`
    errors: list[str] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """Return the time within which this share of the requests was answered."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def send(server: Dashboard, image: bytes, answers: Answers, go_on: Callable[[], bool]) -> None:
    """Ask again and again over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    while go_on():
        begin = time.monotonic()
        try:
            connection.request("POST", "/api/predict", image, HEADERS)
            reply = connection.getresponse()
            body = reply.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            answers.errors.append(type(error).__name__)
            continue
        if reply.status == 200:
            answers.ends.append(time.monotonic())
            answers.times.append(answers.ends[-1] - begin)
        else:
            answers.errors.append(json.loads(body)["detail"])
    connection.close()


def load(
    server: Dashboard, image: bytes, clients: int, seconds: float = 1e9, requests: int = 10**9,
    meanwhile: Callable[[], None] = lambda: None,
) -> tuple[Answers, float]:
    """Let clients send for so long or so often; return their answers and the seconds it took."""
    answers, begin = Answers(), time.monotonic()

    def go_on() -> bool:
        return time.monotonic() < begin + seconds and len(answers.times) < requests

    threads = [threading.Thread(target=send, args=(server, image, answers, go_on))
               for _ in range(clients)]
    for thread in threads:
        thread.start()
    meanwhile()
    for thread in threads:
        thread.join()
    return answers, time.monotonic() - begin


def wait_for_engine(server: Dashboard, image: bytes) -> None:
    """Return when the engine has answered."""
    first = Answers()
    send(server, image, first, lambda: not first.times and len(first.errors) < 5)
    if not first.times:
        raise SystemExit(f"The API does not answer: {first.errors}")


def kill_engine(server: Dashboard) -> None:
    """Kill the engine of a server, as a bad picture could."""
    for child in psutil.Process(server.process.pid).children():
        if "cnn.prediction.engine" in child.cmdline():
            child.kill()


def recovery(server: Dashboard, image: bytes, clients: int) -> tuple[float, Answers]:
    """Return the seconds without an answer after the engine was killed, and all answers."""
    killed: list[float] = []

    def kill() -> None:
        time.sleep(2)
        kill_engine(server)
        killed.append(time.monotonic())
        time.sleep(1)

    answers, _ = load(server, image, clients, seconds=15, meanwhile=kill)
    later = [end for end in answers.ends if end > killed[0] + 0.1]  # what was on its way then
    return (min(later) - killed[0] if later else float("inf")), answers


def measure(server: Dashboard, options: argparse.Namespace) -> list[list[object]]:
    """Return the rows of the table."""
    image = encode_png(np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8))
    wait_for_engine(server, image)
    answers, took = load(server, image, options.clients, options.seconds)
    rows: list[list[object]] = [
        [f"{options.clients} clients: requests per second", f"{len(answers.times) / took:.0f}",
         "100 or more"],
        ["answers, errors", f"{len(answers.times):,}, {len(answers.errors)}", "0 errors"],
        ["median, 95 %, slowest", f"{statistics.median(answers.times):.3f} s, "
         f"{answers.percentile(0.95):.3f} s, {max(answers.times):.3f} s", "95 % under 1 s"]]
    load(server, image, 4, requests=WARM)
    before = sum(server.memory())
    many, _ = load(server, image, 4, requests=options.predictions)
    after = sum(server.memory())
    rows.append([f"memory, before and after {len(many.times):,} predictions",
                 f"{before:.0f} MB, {after:.0f} MB ({100 * (after / before - 1):+.1f} %)", "5 %"])
    seconds, through = recovery(server, image, options.clients)
    rows.append(["engine killed: seconds to the next answer, errors",
                 f"{seconds:.1f} s, {len(through.errors)}", "12 s, 0 errors"])
    for words in sorted(set(answers.errors + many.errors + through.errors)):
        rows.append(["an error said", words, ""])
    return rows


def main() -> None:
    """Measure and publish."""
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of load (default: 60)")
    parser.add_argument("--clients", type=int, default=25, help="at once (default: 25)")
    parser.add_argument("--predictions", type=int, default=5000,
                        help="between the two looks at memory (default: 5000)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        places = {"CNN_RUNS_DIR": str(Path(folder) / "runs"), "CNN_MODELS_DIR": str(models_dir())}
        with dashboard(places) as server:
            body = table(["what", "measured", "wanted"], measure(server, options))
    publish("api_load", "python -m benchmarks.api_load", body, options.write)


if __name__ == "__main__":
    main()
