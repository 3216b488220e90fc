"""The pixel part of a preview of augmentation, for the engine: the operation that training uses.

Which way each image moves was decided before, see `cnn.data.preview`. Needs TensorFlow.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cnn.data.augmentation import apply_transforms


def move(header: dict[str, Any], parts: list[bytes]) -> tuple[dict[str, Any], list[bytes]]:
    """Answer a request to move the pixels of some images.

    Args:
        header: "shape", the images' (N, H, W, C).
        parts: The images as uint8 and their transforms as float32 (N, 8), both as plain bytes.

    Returns:
        An empty reply, and the moved images as bytes: uint8, rounded from what training sees.
    """
    images = np.frombuffer(parts[0], np.uint8).reshape(header["shape"])
    transforms = np.frombuffer(parts[1], np.float32).reshape(-1, 8)
    moved = apply_transforms(images.astype(np.float32), transforms).numpy()
    return {}, [np.rint(np.clip(moved, 0, 255)).astype(np.uint8).tobytes()]
