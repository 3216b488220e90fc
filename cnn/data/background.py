"""Imports and checks that the server does for its visitors, whether they stay or not.

An import is known by the name of the set it makes, a check by the set and its state: a set that was
changed is looked through anew. Knows no pages.
"""

from __future__ import annotations

from collections.abc import Callable

from cnn import paths
from cnn.data import store
from cnn.data.decoding import Way
from cnn.data.dividing import SplitPlan
from cnn.data.importing import ImportReport, Source, check_new_name, import_images
from cnn.data.jobs import Jobs, JobState, key_of_set
from cnn.data.progress import Progress
from cnn.data.reports import make_report
from cnn.errors import BadInput

_IMPORTS, _CHECKS = Jobs("import"), Jobs("check")


def start_import(source: Source, name: str, way: Way, plan: SplitPlan,
                 afterwards: Callable[[], None]) -> None:
    """Begin an import, and look through the new set behind it.

    Args:
        source: Not opened yet.
        name: For the new data set.
        way: How each picture is brought to its form.
        plan: How the test split is made.
        afterwards: Done when the import has succeeded, such as deleting what it was made from.

    Raises:
        BadInput: If the name is taken, cannot be one, or an import of this name is under way.
    """
    def work(tell: Progress) -> ImportReport:
        report = import_images(source, name, way.size, way.how, way.channels, plan, tell)
        afterwards()
        start_check(name)
        return report

    check_new_name(name)
    if not _IMPORTS.start(key_of_set(name), work):
        raise BadInput(f"An import of the name {name!r} is under way.",
                       "Choose another name, or wait until it has ended.")


def look_import(name: str) -> JobState | None:
    """Return how far an import is, or how it ended; its result is an `ImportReport`."""
    return _IMPORTS.look(key_of_set(name))


def running_imports() -> list[str]:
    """Return the names of the sets that are being imported, in alphabetical order."""
    place = str(paths.data_dir())
    names = sorted(name for folder, name in _IMPORTS.known() if folder == place)
    return [name for name in names if (state := look_import(name)) and state.lives]


def cancel_import(name: str) -> None:
    """Ask an import to end; nothing is left of it then."""
    _IMPORTS.cancel(key_of_set(name))


def forget_import(name: str) -> None:
    """Forget how an import ended."""
    _IMPORTS.forget(key_of_set(name))


def start_check(name: str) -> None:
    """Begin to look through a set as it is now, unless that is under way; older checks of it end.

    Raises:
        NotFound: If no set of this name is stored.
        Damaged: If its description cannot be read.
    """
    key = _state_key(name)
    for other in _CHECKS.known():
        if other[:2] == key[:2] and other != key:
            _CHECKS.cancel(other)
            _CHECKS.forget(other)
    _CHECKS.start(key, lambda tell: make_report(name, tell))


def look_check(name: str) -> JobState | None:
    """Return how far the check of a set as it is now is, or how it ended; None without one.

    Raises:
        NotFound: If no set of this name is stored.
        Damaged: If its description cannot be read.
    """
    return _CHECKS.look(_state_key(name))


def cancel_check(name: str) -> None:
    """Ask the check of a set as it is now to end."""
    _CHECKS.cancel(_state_key(name))


def _state_key(name: str) -> tuple[str, str, str]:
    return (*key_of_set(name), store.read_meta(name).fingerprint)
