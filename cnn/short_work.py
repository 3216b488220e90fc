"""Work for pages that takes seconds: a short-lived process, and a thread that waits for it.

The process is asked on its command line and answers with one line of JSON on standard output, the
last that it prints. Knows nothing of what is worked out, and needs no TensorFlow.
"""

from __future__ import annotations

import json
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from typing import IO, Any

from cnn.data.jobs import Jobs
from cnn.data.progress import Progress, silent
from cnn.errors import CnnError, Unavailable, error_from_dict
from cnn.paths import PROJECT

_SECONDS_BETWEEN_LOOKS = 0.3  # at a process that says nothing


def answer_of(
    command: Sequence[str], seconds: float, what: str, hint: str, progress: Progress = silent
) -> dict[str, Any]:
    """Run a process to its end and return its answer.

    Args:
        command: Its program and arguments.
        seconds: After which it is ended.
        what: It does, as a noun for messages, such as "The measurement of this computer".
        hint: What a person can do if it fails without a reason of its own.
        progress: Told each line before the answer that is {"step": what, "done": n, "total": m};
            whatever it raises ends the process. Defaults to nobody.

    Raises:
        CnnError: What the process answered, or Unavailable if it gave no answer.
    """
    with tempfile.TemporaryFile() as said:
        last = _last_line(command, seconds, what, hint, progress, said)
        try:
            answer: dict[str, Any] = json.loads(last)
        except ValueError:
            said.seek(0)
            words = said.read().decode(errors="replace").strip().splitlines()
            raise Unavailable(f"{what} failed: {(words or ['it said nothing'])[-1][:300]}.",
                              hint) from None
    if "error" in answer:
        raise error_from_dict(answer["error"])
    return answer


def _last_line(
    command: Sequence[str], seconds: float, what: str, hint: str, progress: Progress,
    said: IO[bytes],
) -> str:
    """Return the last line that the process prints; what it complains of goes to `said`."""
    try:
        process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=said, text=True)
    except OSError as error:
        raise Unavailable(f"{what} cannot be started ({error.strerror or error}).",
                          "Check that the computer has free memory, and try again.") from error
    try:
        return _followed(process, time.monotonic() + seconds, progress)
    except TimeoutError as error:
        raise Unavailable(f"{what} took longer than {seconds:g} seconds.", hint) from error
    finally:
        process.kill()  # harmless where it has ended
        process.wait()


def _followed(process: subprocess.Popen[str], end: float, progress: Progress) -> str:
    """Return the last line; tell the steps as they come, and ask often whether to go on."""
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read, args=(process, lines), daemon=True, name="answer").start()
    step, last = ("Starting", 0, 0), ""
    while time.monotonic() < end:
        progress(*step)
        try:
            line = lines.get(timeout=_SECONDS_BETWEEN_LOOKS)
        except queue.Empty:
            continue
        if line is None:
            return last
        told = _step_of(line)
        if told is None:
            last = line
        else:  # never the answer: the process may die after it
            step, last = told, ""
    raise TimeoutError


def _read(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    for line in process.stdout or ():
        lines.put(line)
    lines.put(None)


def _step_of(line: str) -> tuple[str, int, int] | None:
    try:
        told = json.loads(line)
        return str(told["step"]), int(told["done"]), int(told["total"])
    except (ValueError, KeyError, TypeError):  # the answer, or what a library printed
        return None


class Background:
    """Work that is done while pages are drawn, each piece at most once at a time.

    Args:
        work: Called in a thread with the parts of a subject.
        what: It does, as a noun for messages, such as "measurement".
    """

    def __init__(self, work: Callable[..., object], what: str) -> None:
        self._work, self._jobs = work, Jobs(what)

    def start(self, subject: tuple[Hashable, ...]) -> None:
        """Start to work, unless that is being done already; returns at once."""
        self._jobs.start(subject, lambda _: self._work(*subject))

    def running(self, subject: tuple[Hashable, ...]) -> bool:
        """Whether this is being done now."""
        state = self._jobs.look(subject)
        return state is not None and state.lives

    def failure(self, subject: tuple[Hashable, ...]) -> CnnError | None:
        """Return why the last attempt has failed, if it has."""
        state = self._jobs.look(subject)
        return state.error if state else None
