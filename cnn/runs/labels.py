"""What people call a run: a title and a note, in `label.json` in its folder.

Only people write it, never a trainer. Nobody needs it: without one, or with a damaged one, a run
is listed under the name of its model. Knows nothing of how a run is shown.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from cnn.data.layout import UNSAFE
from cnn.errors import BadInput, CnnError
from cnn.files import atomic_write_json, read_json
from cnn.runs.folder import RunFolder
from cnn.runs.manager import get_run

LABEL_FILE = "label.json"
MOST_IN_TITLE = 80  # characters
MOST_IN_NOTE = 2000


@dataclass(frozen=True)
class Label:
    """What a person wrote about a run; empty where nothing was written."""

    title: str = ""  # one line
    note: str = ""


def read_label(folder: RunFolder) -> Label:
    """Return the label of a run; one that is damaged or from a stranger never does harm."""
    try:
        data = read_json(folder.path / LABEL_FILE)
    except CnnError:
        return Label()
    return Label(_clean_title(data.get("title"))[:MOST_IN_TITLE],
                 _clean_note(data.get("note"))[:MOST_IN_NOTE])


def write_label(run_id: str, title: str | None = None, note: str | None = None) -> Label:
    """Record title and note of a run, and return them as recorded.

    Args:
        run_id: Of the run; it may be damaged or active.
        title: One line of at most 80 characters; empty removes it. Defaults to leaving it.
        note: At most 2,000 characters; empty removes it. Defaults to leaving it.

    Raises:
        NotFound: If there is no such run.
        BadInput: If a text is too long.
        Unavailable: If the folder cannot be written.
    """
    folder = get_run(run_id).folder
    old = read_label(folder)
    label = Label(old.title if title is None else _checked("title", _clean_title(title),
                                                           MOST_IN_TITLE),
                  old.note if note is None else _checked("note", _clean_note(note), MOST_IN_NOTE))
    atomic_write_json(folder.path / LABEL_FILE, asdict(label))
    return label


def _clean_title(text: Any) -> str:
    return " ".join(_clean_note(text).split())


def _clean_note(text: Any) -> str:
    lines = text.splitlines() if isinstance(text, str) else []
    return "\n".join(UNSAFE.sub("", line.replace("\t", " ")).rstrip() for line in lines).strip()


def _checked(what: str, text: str, most: int) -> str:
    if len(text) > most:
        raise BadInput(f"The {what} has {len(text):,} characters; at most {most:,} are kept.",
                       f"Shorten it by {len(text) - most:,}.")
    return text
