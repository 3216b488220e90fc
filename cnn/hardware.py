"""What this computer's processor can do, and how TensorFlow is started on it.

Knows nothing of networks. Every process that needs TensorFlow calls `start_tensorflow` first.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

_SETTINGS = {
    "TF_CPP_MIN_LOG_LEVEL": "2",  # warnings of missing GPUs are no news on a laptop
    # TensorFlow switches its oneDNN kernels on by itself only on processors with AVX-512. With
    # AVX2 alone they are as right: `base` took 0.67 ms of processor time an image against 1.59.
    "TF_ENABLE_ONEDNN_OPTS": "1",
}
_CPU_INFO = Path("/proc/cpuinfo")
_MEMORY_LIMIT = 8 * 2**30  # bytes of address space: a bomb ends its process, not the computer
_NICENESS = 5  # the page stays quick while every core trains; alone, a trainer loses nothing
_PACKAGES = ("tensorflow", "keras", "numpy")  # whose versions decide how fast a network is


def start_tensorflow() -> None:
    """Import TensorFlow as it runs best here, without its own messages.

    On a computer without a GPU it complains of missing drivers while doing so, below Python and
    whatever the log level. What it said is shown only if it fails. What the person has set in the
    environment stays.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            import tensorflow as tf

            tf.config.list_logical_devices()
        except BaseException:
            said.seek(0)
            with os.fdopen(os.dup(terminal), "wb") as out:
                shutil.copyfileobj(said, out)
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
    _let_numpy_rest()


def _let_numpy_rest() -> None:
    """Give NumPy's matrix products one thread, unless the person has set how many.

    With more, its threads wait for the next product by going round in circles, on the processors
    that TensorFlow wants: 32 images, with the judgement of how strange they are, took the flagship
    129 ms instead of 79.
    """
    import threadpoolctl

    if "OPENBLAS_NUM_THREADS" not in os.environ:
        threadpoolctl.threadpool_limits(1, user_api="blas")


def limit_memory(limit: int = _MEMORY_LIMIT) -> None:
    """Let this process have so many bytes and no more: for those that read files of people."""
    if sys.platform == "linux":  # macOS has the call but refuses it; Windows has none
        import resource

        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        least = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_AS, (least, least))


def run_in_background() -> None:
    """Let pages and other programs go first: for processes that train or measure."""
    import psutil

    psutil.Process().nice(
        psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else _NICENESS)


def machine() -> dict[str, Any]:
    """Return what decides how fast networks are here: another value is another machine."""
    return {
        "processor": _processor(), "cores": usable_cores(),
        "kernels": os.environ.get("TF_ENABLE_ONEDNN_OPTS", ""),
        "packages": dict(_packages()),
    }


@lru_cache(maxsize=1)  # a process has the packages that it began with; to look costs 15 ms
def _packages() -> tuple[tuple[str, str], ...]:
    return tuple((name, version(name)) for name in _PACKAGES)


def usable_cores() -> int:
    """Return how many cores this process may use: fewer than there are in a container."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    with suppress(OSError):
        found = re.search(r"^model name\s*:\s*(.+)$", _CPU_INFO.read_text(errors="replace"), re.M)
        if found:
            return found[1].strip()
    return platform.processor() or platform.machine()


def has_bfloat16() -> bool | None:
    """Return whether the processor computes bfloat16 itself; None if that cannot be known here.

    Without it bfloat16 is emulated: `vgg-bn` then took ten times as long as in float32.
    """
    try:
        text = _CPU_INFO.read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux
        return None
    return bool(re.search(r"\b(avx512_bf16|amx_bf16|bf16)\b", text))
