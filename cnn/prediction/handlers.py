"""What the engine can do: one function for each operation, found by its name.

A module adds its operations by decorating them with `handles`; `cnn.prediction.engine` imports the
modules that do. Knows neither the operations nor how requests travel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnn.prediction.engine import Engine

Reply = tuple[dict[str, Any], list[bytes]]  # JSON-ready, and byte strings such as pictures
Handler = Callable[["Engine", dict[str, Any], list[bytes]], Reply]

HANDLERS: dict[str, Handler] = {}


def handles(op: str) -> Callable[[Handler], Handler]:
    """Return a decorator for the function that answers requests with this `op`.

    It is called with the engine (for its loaded models), the header of the request and its byte
    strings. A `CnnError` that it raises reaches the one who asked, as the same kind.
    """
    def add(function: Handler) -> Handler:
        HANDLERS[op] = function
        return function
    return add
