"""A child process that is given little: some seconds, some memory, one folder, and no network.

For work on files from strangers, which can hang or crash whatever reads them. `run_confined` starts
and watches it; `serve` is what the child's module calls. Both talk by small JSON files in the
folder. Knows nothing of the work.

Memory and size of files are limited by the system where it can do that; everywhere the parent looks
at the memory a few times a second. Network, other programs and writing outside of the folder are
closed to Python code of the child only: that is a second lock, not a wall.
"""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cnn.errors import BadInput, CnnError, Refused, Unavailable, error_from_dict
from cnn.files import atomic_write_json, read_json
from cnn.hardware import limit_memory
from cnn.paths import PROJECT

Answer = dict[str, Any]
Work = Callable[[dict[str, Any], Path], Answer]

_REQUEST, _ANSWER, _SAID = "request.json", "answer.json", "said.txt"
_LARGEST_ANSWER = 8 * 2**20  # bytes
_BETWEEN_LOOKS = 0.1  # seconds
# What Python needs to find itself and its packages, and nothing that is secret.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "SYSTEMROOT", "COMSPEC",
                "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE", "TF_ENABLE_ONEDNN_OPTS")
# With many cores these reserve more address space, without using it, than a child may have.
_SPARING = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "4"}
_CLOSED = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn",
           "os.fork", "os.startfile", "pty.", "ftplib.", "smtplib.", "urllib.", "webbrowser.")
_HARMLESS = ("socket.gethostname",)
_CHANGING = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod",
             "os.chown", "os.truncate", "shutil.")


@dataclass(frozen=True)
class Limits:
    """What the child may use."""

    seconds: float  # of the processor, so that a busy computer is not taken for a hanging file
    wall: float  # seconds in all
    memory: int  # bytes
    file: int = 2**30  # bytes of any one file


def run_confined(
    module: str, request: dict[str, Any], folder: Path, limits: Limits, what: str, hint: str
) -> Answer:
    """Run a module in a process of its own and return its answer.

    Args:
        module: It calls `serve`.
        request: JSON-ready.
        folder: The only place where it may write.
        limits: After which it is ended.
        what: Is done, as a noun for messages, such as "The look into the model file".
        hint: What a person can do if it fails without a reason of its own.

    Raises:
        CnnError: What the child answered; BadInput if it was ended or died, as the file is the
            likeliest reason; Unavailable if it cannot be started.
    """
    (folder / _ANSWER).unlink(missing_ok=True)  # of another process that had this folder
    atomic_write_json(folder / _REQUEST, {"limits": asdict(limits), "ask": request})
    with (folder / _SAID).open("wb") as said:
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", module, str(folder)], cwd=PROJECT, env=_environment(folder),
                stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        except OSError as error:
            raise Unavailable(f"{what} cannot be started ({error.strerror or error}).",
                              "Check that the computer has free memory, and try again.") from error
        try:
            _wait(process, limits, what, hint)
        finally:
            process.kill()
            process.wait()
    return _answer(folder, process.returncode, what, hint)


def _wait(process: subprocess.Popen[bytes], limits: Limits, what: str, hint: str) -> None:
    end = time.monotonic() + limits.wall
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_BETWEEN_LOOKS)
            return
        seconds, memory = _used(process.pid)
        if seconds > limits.seconds or time.monotonic() > end:
            raise BadInput(f"{what} came to no end in {limits.seconds:g} seconds of the processor, "
                           f"or in {limits.wall:g} in all, and was ended.", hint)
        if memory > limits.memory:
            raise BadInput(f"{what} took more than {limits.memory / 2**30:.1f} GB of memory and "
                           "was ended.", hint)


def _used(number: int) -> tuple[float, int]:
    """Return the seconds of the processor and the bytes of memory that a process has taken."""
    import psutil

    with suppress(psutil.Error):  # ended this moment
        process = psutil.Process(number)
        times = process.cpu_times()
        return times.user + times.system, int(process.memory_info().rss)
    return 0.0, 0


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    own = {name: str(folder) for name in ("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP",
                                          "KERAS_HOME")}
    # Packages may be in the person's own folder, which Python would look for in HOME.
    return {**kept, **own, **_SPARING, "PYTHONUSERBASE": site.getuserbase(),
            "PYTHONDONTWRITEBYTECODE": "1"}


def _answer(folder: Path, status: int, what: str, hint: str) -> Answer:
    path = folder / _ANSWER
    if status or not path.is_file() or path.stat().st_size > _LARGEST_ANSWER:
        raise BadInput(f"{what} ended without a result (exit status {status}): {_last(folder)}",
                       hint)
    answer = read_json(path)
    if "error" in answer:
        raise error_from_dict(answer["error"])
    return answer


def _last(folder: Path) -> str:
    with (folder / _SAID).open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 4096))
        lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "it said nothing. It may have needed more memory."


def serve(work: Work, prepare: Callable[[], None]) -> None:
    """Do the work that a parent asks for, as the main function of a module.

    Args:
        work: Called with the request and the folder; returns what is JSON-ready.
        prepare: Imports what the work needs, before the doors are closed.
    """
    folder = Path(sys.argv[1]).resolve()
    asked = read_json(folder / _REQUEST)
    limits = Limits(**asked["limits"])
    limit_memory(limits.memory)
    _limit_files_and_time(limits)
    prepare()
    sys.addaudithook(_Doors(folder))
    try:
        answer = work(asked["ask"], folder)
    except CnnError as error:
        answer = {"error": error.to_dict()}
    except MemoryError:
        answer = {"error": BadInput(
            f"This needs more than {limits.memory / 2**30:.1f} GB of memory.",
            "Give a smaller network.").to_dict()}
    (folder / _ANSWER).write_text(json.dumps(answer), encoding="utf-8")


def _limit_files_and_time(limits: Limits) -> None:
    if sys.platform != "win32":  # there the parent's looks are all
        import resource

        seconds = int(limits.seconds) + 2  # should the parent have died
        for kind, value in ((resource.RLIMIT_FSIZE, limits.file), (resource.RLIMIT_CPU, seconds),
                            (resource.RLIMIT_CORE, 0)):
            with suppress(ValueError, OSError):  # macOS refuses some; the system may allow less
                resource.setrlimit(kind, (value, value))


class _Doors:
    """An audit hook: called by Python before it does what could reach beyond the folder."""

    def __init__(self, folder: Path) -> None:
        self._inside = str(folder)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(_CLOSED) and event not in _HARMLESS:
            raise Refused(f"The file tried to use the network or another program ({event}).")
        if (event == "open" and _writes(arguments)) or event.startswith(_CHANGING):
            path = arguments[0]
            if isinstance(path, (str, bytes, os.PathLike)) and \
                    not self._holds(_absolute(os.fsdecode(path), arguments[-1])):
                raise Refused(f"The file tried to write outside of its folder ({event}).")

    def _holds(self, path: str) -> bool:
        full = os.path.realpath(path)
        return full == self._inside or full.startswith(self._inside + os.sep) \
            or full == os.devnull


def _absolute(path: str, folder: Any) -> str:
    """Return a path that is relative to an open folder, as deleting whole trees uses them."""
    if Path(path).is_absolute() or not isinstance(folder, int) or folder < 0:
        return path
    with suppress(OSError):  # not Linux, or no folder
        return str(Path(f"/proc/self/fd/{folder}").readlink() / path)
    return path


def _writes(arguments: tuple[Any, ...]) -> bool:
    _, mode, flags = arguments
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND))
