"""Work for pages that takes seconds: a short-lived process, and a thread that waits for it.

The process is asked on its command line and answers with one line of JSON on standard output, the
last that it prints. Knows nothing of what is worked out, and needs no TensorFlow.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from cnn.data.jobs import Jobs
from cnn.errors import CnnError, Unavailable, error_from_dict
from cnn.paths import PROJECT


def answer_of(command: Sequence[str], seconds: float, what: str, hint: str) -> dict[str, Any]:
    """Run a process to its end and return its answer.

    Args:
        command: Its program and arguments.
        seconds: After which it is ended.
        what: It does, as a noun for messages, such as "The measurement of this computer".
        hint: What a person can do if it fails without a reason of its own.

    Raises:
        CnnError: What the process answered, or Unavailable if it gave no answer.
    """
    try:
        done = subprocess.run(command, cwd=PROJECT, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=seconds, text=True, check=False)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{what} took longer than {seconds:g} seconds.", hint) from error
    except OSError as error:
        raise Unavailable(f"{what} cannot be started ({error.strerror or error}).",
                          "Check that the computer has free memory, and try again.") from error
    try:
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise Unavailable(f"{what} failed: {last[:300]}.", hint) from None
    if "error" in answer:
        raise error_from_dict(answer["error"])
    return answer


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
