"""How quick and how small the server is: start, first page, memory, first and later answers.

    python -m benchmarks.server [--write]

Each start is a fresh server process on a free port. "First script run" is the time from the message
with which a browser asks for a page to the one that says the script has finished, on the websocket
that Streamlit's own front end uses; each page is the first visit of a fresh server, the worst case.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import urllib.request
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from benchmarks.dashboard_process import Dashboard, dashboard
from benchmarks.report import arguments, publish, table
from cnn.paths import models_dir
from cnn.prediction.choice import default_model
from cnn.prediction.client import EngineClient

PAGES = ("", "data", "train", "runs", "evaluate", "predict")
STARTS = 3
FIRST_VISITS = 3
ANSWERS = 200


def first_run(server: Dashboard, page: str) -> float:
    """Return the seconds of one script run of a page."""
    address = f"ws://127.0.0.1:{server.port}/_stcore/stream"
    with connect(address, origin=Origin(server.url), subprotocols=[Subprotocol("streamlit")],
                 max_size=None) as socket:
        ask = BackMsg()
        ask.rerun_script.page_name = page
        begin = time.perf_counter()
        socket.send(ask.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(socket.recv(timeout=60))
            if answer.WhichOneof("type") == "script_finished":
                return time.perf_counter() - begin


def cold_answer(server: Dashboard, image: bytes) -> float:
    """Return the seconds from now to the first answer of the API."""
    begin = time.monotonic()
    request = urllib.request.Request(
        f"{server.url}/api/predict", data=image, headers={"Content-Type": "image/png"})
    with urllib.request.urlopen(request, timeout=120) as reply:
        reply.read()
    return time.monotonic() - begin


def engine_latency(image: bytes) -> list[float]:
    """Return the milliseconds of single requests to a warm engine of its own."""
    engine, name = EngineClient(), default_model()
    engine.predict(name, [image])
    times = []
    for _ in range(ANSWERS):
        begin = time.perf_counter()
        engine.predict(name, [image], pictures=True)
        times.append((time.perf_counter() - begin) * 1000)
    engine.close()
    return times


def picture() -> bytes:
    """Return a 640×480 PNG."""
    import numpy as np

    from cnn.data.images import encode_png

    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    return encode_png(noise.repeat(10, axis=0).repeat(10, axis=1))


def measure(environment: dict[str, str]) -> list[list[object]]:
    """Return the rows of the table."""
    image = picture()
    health, cold = [], []
    for _ in range(STARTS):
        with dashboard(environment) as server:
            health.append(server.seconds_to_health)
            cold.append(cold_answer(server, image))
    rows: list[list[object]] = [
        row("health answers after start", health, "s", 2.0),
        row("first answer, engine cold, from server start on", cold, "s", 12.0)]
    for name in PAGES:
        runs = []
        for _ in range(FIRST_VISITS):
            with dashboard(environment) as server:
                time.sleep(8)  # the engine's start, which every core works on, is over
                runs.append(first_run(server, name))
        rows.append(row(f"first script run of /{name}", runs, "s", 0.5))
    with dashboard(environment) as server:
        for name in PAGES:
            first_run(server, name)
        time.sleep(10)
        memory, engine = server.memory()
        rows.append(row("server memory, idle, after all pages", [memory], "MB", 250))
        rows.append(["engine memory, one model", f"{engine:.0f} MB", "", ""])
    latency = engine_latency(image)
    rows.append(row("engine, one 640×480 PNG with pictures, warm", latency, "ms", 100))
    return rows


def row(what: str, values: list[float], unit: str, limit: float) -> list[object]:
    """Return a line of the table: median, worst of n, limit."""
    digits = 0 if unit == "MB" else 2
    return [what, f"{statistics.median(values):.{digits}f} {unit}",
            f"{max(values):.{digits}f} {unit} of {len(values)}", f"{limit:g} {unit}"]


def main() -> None:
    """Measure and publish."""
    options = arguments(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        places = {"CNN_RUNS_DIR": str(Path(folder) / "runs"), "CNN_MODELS_DIR": str(models_dir())}
        body = table(["what", "median", "worst", "limit"], measure(places))
    publish("server", "python -m benchmarks.server", body, options.write)


if __name__ == "__main__":
    main()
