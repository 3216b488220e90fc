"""What this computer's processor can do, and how TensorFlow is told to use it.

Knows nothing of networks. Call `prepare_tensorflow` before TensorFlow is first imported.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_SETTINGS = {
    "TF_CPP_MIN_LOG_LEVEL": "2",  # warnings of missing GPUs are no news on a laptop
    # TensorFlow switches its oneDNN kernels on by itself only on processors with AVX-512. With
    # AVX2 alone they are as right: `base` took 0.67 ms of processor time an image against 1.59.
    "TF_ENABLE_ONEDNN_OPTS": "1",
}
_CPU_INFO = Path("/proc/cpuinfo")


def prepare_tensorflow() -> None:
    """Set TensorFlow's environment; what the person has set stays."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)


def has_bfloat16() -> bool | None:
    """Return whether the processor computes bfloat16 itself; None if that cannot be known here.

    Without it bfloat16 is emulated: `vgg-bn` then took ten times as long as in float32.
    """
    try:
        text = _CPU_INFO.read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux
        return None
    return bool(re.search(r"\b(avx512_bf16|amx_bf16|bf16)\b", text))
