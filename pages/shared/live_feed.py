"""What the live page says of a run from moment to moment, in ready words.

    GET /live/<run id>  ->  {"mark", "bars", "figures", "line"}

The browser asks for it by itself every two seconds: a look by way of Streamlit, which goes through
the whole page, cost it ten times as much, on the same cores as the training (docs/results.md).
"""

from __future__ import annotations

import os
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from cnn.errors import CnnError
from cnn.runs.folder import STATES, Status
from cnn.runs.manager import RunInfo, get_run
from cnn.runs.queue import waiting
from cnn.runs.usage import read_usage
from pages.shared.formats import NOTHING, bytes_in_words, count, duration, mega, percent
from pages.shared.run_log import RunView, view_run

# Seconds between two drawings of the curves, by the seconds of training from which on they hold:
# always a tenth of what there is to see or less.
_PACES = ((0, 2), (30, 5), (100, 10))
Feed = dict[str, Any]


def live_feed(run_id: str) -> Feed:
    """Return what is to be said of a run now.

    "mark" changes when the page has to be drawn anew. "bars" are (share, text), "figures" (label,
    value, help), all plain text.

    Raises:
        BadInput, NotFound: If there is no such run.
    """
    run = get_run(run_id)
    view = view_run(run.folder)
    return {"mark": _mark(run, view), "bars": _bars(run, view),
            "figures": _figures(run.status, view), "line": _line(run.status, view)}


def _mark(run: RunInfo, view: RunView) -> str:
    if run.status.state == "queued":
        return f"queued {' '.join(waiting())}"
    return f"{run.status.state} {seconds_between_curves(view)}"


def seconds_between_curves(view: RunView) -> int:
    """Return how often the curves of a run are drawn: rarely when they hardly change."""
    trained = (view.last or {}).get("seconds", 0.0)
    return [pace for begin, pace in _PACES if trained >= begin][-1]


def answer(request: Request) -> JSONResponse:
    """Answer the browser."""
    try:
        feed = live_feed(request.path_params["run"])
    except CnnError as error:
        return JSONResponse({"error": error.to_dict()}, 404)
    return JSONResponse(feed, headers={"cache-control": "no-store"})


def _bars(run: RunInfo, view: RunView) -> list[tuple[float, str]]:
    last, epochs = view.last, run.config.epochs if run.config else 1
    if run.status.stage != "training" or last is None:
        return [(min(run.status.epoch / epochs, 1.0), _stage(run.status))]
    share = min(last["batch"] / last["batches"], 1.0)
    return [(min((last["epoch"] - 1 + share) / epochs, 1.0), f"Epoch {last['epoch']} of {epochs}"),
            (share, f"Batch {count(last['batch'])} of {count(last['batches'])} in this epoch")]


def _stage(status: Status) -> str:
    if status.state in ("queued", "pausing", "stopping"):
        return STATES[status.state]
    return f"{status.stage[:1].upper()}{status.stage[1:]}"


def _figures(status: Status, view: RunView) -> list[tuple[str, str, str]]:
    if status.state == "queued":
        return []
    last = view.last or {}
    left = last.get("seconds_left")
    usage = read_usage(status)
    return [
        ("Training", percent(last.get("accuracy")),
         "Accuracy on the newest batches, while the network changes."),
        ("Best validation", percent(status.best_val_accuracy if status.best_epoch else None),
         "Highest accuracy so far on the images held back."),
        ("Time left", NOTHING if left is None else duration(left),
         "For all epochs asked for. Early stopping may end it before."),
        ("Images per second", mega(last["images_per_second"]) if last else NOTHING,
         "Training images, over the newest batches."),
        ("Memory", bytes_in_words(usage.memory) if usage else NOTHING,
         "Of the training process."),
        ("Processor", f"{usage.cores:.1f} cores" if usage else NOTHING,
         f"Cores that training keeps busy, of {os.cpu_count()} in this computer."),
    ]


def _line(status: Status, view: RunView) -> str:
    # A resumed run may have lain there for days: its own seconds count, not those.
    elapsed = max(status.seconds, time.time() - (status.asked or status.created))
    rate = f"Learning rate {view.last['learning_rate']:.2g} · " if view.last else ""
    return f"{rate}{duration(elapsed)} since the start"
