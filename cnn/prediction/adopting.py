"""A Keras model from elsewhere becomes a saved model: looked into, made anew, and given a card.

Both steps happen in processes that are given little (`cnn.confined`); here is the side that starts
them, which needs no TensorFlow. Knows no pages.
"""

from __future__ import annotations

import shlex
import shutil
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from cnn.confined import Limits, run_confined
from cnn.data.images import RESIZE_WAYS
from cnn.data.layout import MAX_CLASS_NAME
from cnn.errors import BadInput, NotFound
from cnn.files import TEMPORARY, check_name
from cnn.models.foreign.ending import LOGITS, ONE_NUMBER
from cnn.models.foreign.pixels import PIXELS, WHOLE, check_pixels
from cnn.models.foreign.plan import Plan, plan_from_dict
from cnn.prediction.saved import MODEL_FILE, UPLOADED, Card, free_name, read_card, save_model

LOOK = Limits(seconds=6, wall=60, memory=2 * 2**30)  # a network of 25 million weights takes 2
REBUILD = Limits(seconds=120, wall=300, memory=6 * 2**30)  # the start of TensorFlow takes 8
_one_at_a_time = threading.Lock()  # each may take a good part of the memory
_HINT = "The file is damaged, made to do harm, or its network is too large."


@dataclass(frozen=True)
class Found:
    """What was understood of a model file."""

    plan: Plan
    classes: int | None  # None where only the built network tells
    parameters: int
    answers: str  # kinds in `cnn.models.foreign.ending`
    scaling: str  # name of the layer that scales pixel values itself, or ""

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the pictures that it takes."""
        return self.plan.input_shape

    @property
    def layers(self) -> int:
        """Number of layers that are computed."""
        return len({step.layer for step in self.plan.steps})

    @property
    def remark(self) -> str:
        """What is changed at the end of the network, in words; "" for nothing."""
        if self.answers == LOGITS:
            return ("Its last layer has no activation, so a softmax is put behind it: its answers "
                    "become probabilities.")
        if self.answers == ONE_NUMBER:
            return ("It ends with one number for two classes. It gets a value for each: the number "
                    "says how likely the second class is.")
        return ""


@dataclass(frozen=True)
class Wishes:
    """What only the person knows who gives a model."""

    name: str
    class_names: tuple[str, ...]  # in the order of the outputs
    pixels: str = ""  # one of PIXELS; "" where the network scales them itself
    resize: str = "crop"  # crop, fit or stretch


def look_into_file(path: Path, limits: Limits = LOOK) -> Found:
    """Return what a `.keras` file holds, without loading it; takes about a second.

    Raises:
        NotFound: If there is no such file.
        BadInput: If it is damaged, hangs or crashes its reader, or is no network for pictures.
        Refused: If it holds or does what is not allowed.
    """
    with _one_at_a_time, _folder() as folder:
        return _look(path, Path(folder), limits)


def adopt(path: Path, wishes: Wishes) -> Card:
    """Make a saved model of a `.keras` file and return its card; takes about ten seconds.

    Raises:
        NotFound: If there is no such file.
        BadInput: If it cannot be used, or a wish cannot be fulfilled.
        Refused: If it holds or does what is not allowed.
        Unavailable: If the disk is full.
    """
    _check_name_and_resize(wishes)
    with _one_at_a_time, _folder() as name:
        folder = Path(name)
        found = _look(path, folder, LOOK)
        wishes = _fulfillable(wishes, found)
        request = {"plan": found.plan.to_dict(), "pixels": wishes.pixels}
        built = run_confined("cnn.prediction.rebuilding", request, folder, REBUILD,
                             "The trial of the network", _HINT)
        check_class_names(wishes.class_names, built["classes"])
        card = _card(path, wishes, found, built["parameters"])
        save_model(_Written(folder / MODEL_FILE), card, [], None)
    return read_card(card.name)


def _check_name_and_resize(wishes: Wishes) -> None:
    check_name(wishes.name, "model name")
    if wishes.resize not in RESIZE_WAYS:
        raise BadInput(f"resize must be one of {', '.join(RESIZE_WAYS)}. "
                       f"Received: {wishes.resize!r}.")
    if free_name(wishes.name) != wishes.name:
        raise BadInput(f"A saved model {wishes.name!r} exists already.",
                       f"Choose another name, for instance {free_name(wishes.name)!r}.")


def _fulfillable(wishes: Wishes, found: Found) -> Wishes:
    """Return wishes that fit what was found, with the pixel values of a network that scales them.

    Raises:
        BadInput: If they do not fit, or are not complete.
    """
    if found.classes is not None or not wishes.class_names:
        check_class_names(wishes.class_names, found.classes)
    if not wishes.pixels and not found.scaling:
        raise BadInput("Which pixel values the network was trained on is not said in its file.",
                       f"Say so: one of {', '.join(PIXELS)}. 0-1 is usual where pictures were "
                       "divided by 255.")
    return replace(wishes, pixels=check_pixels(wishes.pixels or WHOLE))


def check_class_names(names: Sequence[str], classes: int | None) -> None:
    """Look whether there is a name for each output.

    Args:
        names: In the order of the outputs.
        classes: Number of outputs; None where it is not known yet.

    Raises:
        BadInput: If there are more or fewer, or one is empty, too long or given twice.
    """
    if len(names) != classes:
        known = "classes" if classes is None else f"{classes} classes"
        raise BadInput(f"The network tells {known} apart; names given: {len(names)}.",
                       "Give one name for each class, in the order in which it was trained: "
                       "image_dataset_from_directory takes them in alphabetical order.")
    odd = [name for name in names if not name.strip() or len(name) > MAX_CLASS_NAME
           or not name.isprintable()]
    if odd:
        raise BadInput(f"The class name {odd[0][:80]!r} cannot be used.",
                       f"Use 1 to {MAX_CLASS_NAME} printable characters.")
    twice = [name for name in names if list(names).count(name) > 1]
    if twice:
        raise BadInput(f"The class name {twice[0]!r} was given twice.", "Give each name once.")


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix=f"{TEMPORARY}model-", ignore_cleanup_errors=True)


def _look(path: Path, folder: Path, limits: Limits) -> Found:
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", "Give the path of a .keras file.")
    answer = run_confined("cnn.models.foreign.looking", {"path": str(path.resolve())}, folder,
                          limits, "The look into the model file", _HINT)
    return Found(plan_from_dict(answer["plan"]), answer["classes"], answer["parameters"],
                 answer["answers"], answer["scaling"])


def _card(path: Path, wishes: Wishes, found: Found, parameters: int) -> Card:
    return Card(
        name=wishes.name, architecture="uploaded", dataset="",
        class_names=list(wishes.class_names), input_shape=list(found.input_shape),
        resize=wishes.resize, test_accuracy=None, test_loss=None, test_n=0, val_accuracy=None,
        best_epoch=0, epochs=0, seed=0, train_n=0, validation_n=0, seconds=0.0,
        parameters=parameters, multiply_adds=0, command=_command(path, wishes),
        created=datetime.now(UTC).isoformat(timespec="seconds"), origin=UPLOADED,
        versions={name: version(name) for name in ("tensorflow", "keras")})


def _command(path: Path, wishes: Wishes) -> str:
    return shlex.join(["python", "-m", "cnn", "models", "add", path.name, "--name", wishes.name,
                       "--classes", ",".join(wishes.class_names), "--pixels", wishes.pixels,
                       "--resize", wishes.resize])


class _Written:
    """A network that another process has written already, for `save_model`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def save(self, target: Path) -> None:
        shutil.move(self._path, target)
