"""How engine and client talk over pipes: a JSON header and any number of byte strings.

No pickle, so that neither side can be made to run code by the other. Knows nothing of what is said.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any, BinaryIO

_LENGTHS = struct.Struct(">II")
LARGEST = 256 * 2**20  # bytes of one part; a longer one means that the stream is out of step


def send(stream: BinaryIO, header: dict[str, Any], parts: Sequence[bytes] = ()) -> None:
    """Write one message."""
    head = json.dumps({**header, "parts": [len(part) for part in parts]}).encode()
    stream.write(_LENGTHS.pack(len(head), len(parts)) + head)
    for part in parts:
        stream.write(part)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict[str, Any], list[bytes]]:
    """Read one message.

    Raises:
        EOFError: If the other side is gone or speaks nonsense.
    """
    length, count = _LENGTHS.unpack(_read(stream, _LENGTHS.size))
    try:
        header = json.loads(_read(stream, length))
        sizes = [int(size) for size in header.pop("parts")]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise EOFError("message is not ours") from error
    if len(sizes) != count or min(sizes, default=0) < 0:
        raise EOFError("message out of step")
    return header, [_read(stream, size) for size in sizes]


def _read(stream: BinaryIO, size: int) -> bytes:
    if size > LARGEST:
        raise EOFError("message too long")
    data = stream.read(size)
    if data is None or len(data) < size:
        raise EOFError("stream closed")
    return data
