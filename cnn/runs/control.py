"""What a person asks of a run while it lives: `control.json`, written by pages and CLI.

The trainer looks at it a few times a second and writes it never. Knows nothing of processes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cnn.config import CHANGEABLE, Augmentation, RunConfig, config_from_dict
from cnn.errors import BadInput, CnnError, NotFound
from cnn.files import atomic_write_json, locked, read_json

PAUSE, STOP = "pause", "stop"
WISHES = ("", PAUSE, STOP)


@dataclass(frozen=True)
class Control:
    """The last wishes; None: as the run was told at its start."""

    wish: str = ""  # "": to go on
    learning_rate: float | None = None
    epochs: int | None = None
    augmentation: Augmentation | None = None

    def applied_to(self, config: RunConfig) -> RunConfig:
        """Return a configuration with the settings that were changed in their place.

        Raises:
            BadInput: If one is out of range.
        """
        changes = {name: getattr(self, name) for name in CHANGEABLE}
        return replace(config, **{k: v for k, v in changes.items() if v is not None})


def read_control(path: Path) -> Control:
    """Return the wishes in a file; none if there is no file.

    Raises:
        Damaged: If it is unreadable.
        BadInput: If a wish is unknown or a setting is out of range.
    """
    try:
        data = read_json(path)
    except NotFound:
        return Control()
    if data.get("wish", "") not in WISHES:
        raise BadInput(f"wish must be one of {', '.join(map(repr, WISHES))}. "
                       f"Received: {data['wish']!r}.")
    changes = {name: data[name] for name in CHANGEABLE if data.get(name) is not None}
    config = config_from_dict({"dataset": "any", "architecture": "any", "name": "any", **changes})
    return Control(data.get("wish", ""), **{name: getattr(config, name) for name in changes})


def update_control(path: Path, **changes: Any) -> Control:
    """Change some wishes and leave the others, also when two people do it at once.

    Raises:
        BadInput: If a value is out of range.
        Unavailable: If the folder cannot be written.
    """
    with locked(path.with_suffix(".lock")):
        try:
            control = read_control(path)
        except CnnError:  # edited by hand: what cannot be understood is not kept
            control = Control()
        control = replace(control, **changes)
        control.applied_to(RunConfig("any", "any", "any"))
        atomic_write_json(path, asdict(control))
    return control
