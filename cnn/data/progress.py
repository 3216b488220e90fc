"""How long work on data tells its caller how far it is. Knows nothing of pages or bars."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]  # what is being done, steps done, steps in all or 0


def silent(what: str, done: int, total: int) -> None:
    """Tell nobody: the progress of a caller who did not ask."""
