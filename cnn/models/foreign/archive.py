"""The file that a person gives: a zip of three members, within limits.

Knows nothing of what the members say; `config` and `weights` do.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cnn.data.zips import check_entry, open_checked
from cnn.errors import BadInput, Refused

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
MEMBERS = (METADATA, CONFIG, WEIGHTS)
MAX_FILE = 200 * 2**20  # bytes of the file
MAX_TEXT = 8 * 2**20  # bytes of metadata.json or config.json; ResNet50's has 0.1 MB
MAX_RATIO = 20  # unpacked to packed size; Keras does not pack at all
_RATIO_FREE = 2**20  # bytes below which the ratio does not matter
SAVE_AGAIN = "Save it in Python with model.save('my-model.keras') and give that file."
_MAGIC_ZIP, _MAGIC_HDF = b"PK\3\4", b"\x89HDF"


@contextmanager
def open_model(path: Path) -> Iterator[zipfile.ZipFile]:
    """Yield the zip of a `.keras` file after looking at its list of members.

    Raises:
        BadInput: If it is another kind of file, or damaged.
        Refused: If it holds what no model needs, or unpacks like a bomb.
    """
    _check_kind(path)
    with open_checked(path, SAVE_AGAIN) as archive:
        infos = archive.infolist()
        if len(infos) > 10 * len(MEMBERS):
            raise Refused(f"The model file holds {len(infos):,} files; a model has three.",
                          SAVE_AGAIN)
        for info in infos:
            _check_member(info)
        if sorted(info.filename for info in infos) != sorted(MEMBERS):
            raise Refused("The model file does not hold what a model has, each once: "
                          f"{', '.join(MEMBERS)}.", SAVE_AGAIN)
        yield archive


def _check_kind(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        magic = file.read(4)
    if size > MAX_FILE:
        raise Refused(f"The model file has {size / 2**20:.0f} MB; at most "
                      f"{MAX_FILE // 2**20} MB are read.", "Give a smaller network.")
    if magic == _MAGIC_HDF:
        raise BadInput("This is an HDF5 file (.h5), the older way to save a Keras model.",
                       "Load it where it was made, save it again with "
                       "model.save('my-model.keras') and give that file.")
    if magic != _MAGIC_ZIP:
        raise BadInput("This is no .keras file." if size else "The file is empty.", SAVE_AGAIN)


def _check_member(info: zipfile.ZipInfo) -> None:
    if info.filename not in MEMBERS:
        raise Refused(f"The model file holds {info.filename[:80]!r}, which is no part of a network "
                      "of layers.", "Models that bring files of their own are not taken.")
    try:
        check_entry(info)
    except BadInput as error:
        raise Refused(f"{info.filename} in the model file cannot be used: {error.message}.",
                      SAVE_AGAIN) from error
    if info.file_size > _RATIO_FREE + MAX_RATIO * info.compress_size:
        raise Refused(f"{info.filename} in the model file unpacks to "
                      f"{info.file_size / 2**20:.0f} MB, which is what zip bombs do.", SAVE_AGAIN)
    limit = MAX_FILE if info.filename == WEIGHTS else MAX_TEXT
    if info.file_size > limit:
        raise Refused(f"{info.filename} in the model file has {info.file_size / 2**20:.0f} MB; at "
                      f"most {limit // 2**20} MB are read.", "Give a smaller network.")


def read_text(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return a small member.

    Raises:
        BadInput: If it is damaged.
    """
    with _member(archive, name) as file:
        return file.read()


def copy_weights(archive: zipfile.ZipFile, target: Path) -> None:
    """Write the member with the weights to a file of its own.

    Raises:
        BadInput: If it is damaged.
    """
    with _member(archive, WEIGHTS) as file, target.open("wb") as out:
        shutil.copyfileobj(file, out)


@contextmanager
def _member(archive: zipfile.ZipFile, name: str) -> Iterator[IO[bytes]]:
    # What is read ends at the size that the list states, which was looked at.
    try:
        with archive.open(name) as file:
            yield file
    except Exception as error:  # wrong checksum, broken stream, lying header
        raise BadInput(f"{name} is damaged in the model file ({error}).",
                       "Save or download the model again.") from error
