"""Writes one export: the network in another format, checked, with all that is needed to use it.

    <model>-<format>.zip
        <model>-<format>/  <network>  labels.json  labels.txt  preprocessing.json  usage.py
                           export.json  README.md

Needs TensorFlow; runs in a process of its own (`worker`). Knows no pages.
"""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cnn.data.progress import Progress, silent
from cnn.errors import Refused
from cnn.exports.checking import Difference, compare, refuse_if_different
from cnn.exports.formats import Format, check_possible, get_format
from cnn.exports.readme import readme_text
from cnn.exports.usage import LABELS_FILE, USAGE_FILE, preprocessing, usage_text
from cnn.files import atomic_path, atomic_write_bytes, atomic_write_json, disk_error
from cnn.prediction.predictor import predict_arrays
from cnn.prediction.saved import MODEL_FILE, Card, load_network, model_folder, read_card

RECORD_FILE = "export.json"
_STEPS = 4


def export_model(
    name: str, format_name: str, target: Path, progress: Progress = silent
) -> dict[str, Any]:
    """Export a saved model and return what is known of the export.

    Args:
        name: Of the saved model.
        format_name: One of `formats.FORMATS`.
        target: The zip to write; there is nothing of it unless the export passes its check.
        progress: Told what is being done. Defaults to nobody.

    Raises:
        NotFound, Damaged: If the model cannot be read.
        BadInput: If there is no such format.
        Refused: If the format cannot hold this network, or answers otherwise.
        Unavailable: If packages are missing, or the target cannot be written.
    """
    card, form = read_card(name), get_format(format_name)
    check_possible(form, card)
    with tempfile.TemporaryDirectory(prefix="cnn-export-") as place:
        scratch = Path(place)
        folder = scratch / f"{name}-{form.name}"
        folder.mkdir()
        progress("Reading the network", 0, _STEPS)
        network = load_network(name)
        progress(f"Writing {form.title}", 1, _STEPS)
        _write_network(network, card, form, folder)
        _write_helpers(card, form, folder)
        progress("Comparing it with the original", 2, _STEPS)
        difference = compare(card, lambda images: predict_arrays(network, images), folder, scratch)
        refuse_if_different(difference, form.title, name)
        progress("Packing", 3, _STEPS)
        record = _record(card, form, difference)
        atomic_write_json(folder / RECORD_FILE, record)
        readme = readme_text(card, form, difference, record["versions"])
        atomic_write_bytes(folder / "README.md", readme.encode())
        _pack(folder, target)
    return {**record, "bytes": target.stat().st_size}


def _write_network(network: Any, card: Card, form: Format, folder: Path) -> None:
    try:
        _WRITERS[form.name](network, card, folder / form.file)
    except OSError as error:
        raise disk_error(folder / form.file, error) from error
    except MemoryError:  # which is no fault of the format
        raise
    except Exception as error:  # each converter has its own kinds, for layers it does not know
        words = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise Refused(f"{form.title} cannot hold the network {card.architecture}: {words[:300]}",
                      "Choose another format.") from error


def _copy_keras(network: Any, card: Card, path: Path) -> None:
    shutil.copyfile(model_folder(card.name) / MODEL_FILE, path)


def _write_saved_model(network: Any, card: Card, path: Path) -> None:
    import tensorflow as tf

    # Not `network.export`: that stores every weight twice.
    module = tf.Module()
    module.weights = [variable.value for variable in network.variables]
    module.serve = tf.function(
        lambda image: network(image, training=False),
        [tf.TensorSpec([None, *card.input_shape], tf.float32, name="image")])
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.serve})


def _write_tflite(network: Any, card: Card, path: Path) -> None:
    import tensorflow as tf

    path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(network).convert())


def _write_onnx(network: Any, card: Card, path: Path) -> None:
    import numpy as np

    network(np.zeros((1, *card.input_shape), np.float32))  # Keras exports no model never called
    network.export(str(path), format="onnx", verbose=False)


_WRITERS: dict[str, Callable[[Any, Card, Path], None]] = {
    "keras": _copy_keras, "savedmodel": _write_saved_model, "tflite": _write_tflite,
    "onnx": _write_onnx}


def _write_helpers(card: Card, form: Format, folder: Path) -> None:
    atomic_write_json(folder / "preprocessing.json", preprocessing(card))
    labels = json.dumps(card.class_names, ensure_ascii=False, indent=1)
    atomic_write_bytes(folder / LABELS_FILE, labels.encode())
    one_line = [" ".join(name.split()) for name in card.class_names]
    atomic_write_bytes(folder / "labels.txt", ("\n".join(one_line) + "\n").encode())
    atomic_write_bytes(folder / USAGE_FILE, usage_text(card, form).encode())


def _record(card: Card, form: Format, difference: Difference) -> dict[str, Any]:
    packages = ("tensorflow", "keras", "numpy", "pillow", *form.runtime, *form.writers)
    return {
        "model": card.name, "format": form.name, "file": form.file,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "compared": asdict(difference) | {"count": difference.count},
        "versions": {name: importlib.metadata.version(name) for name in dict.fromkeys(packages)}}


def _pack(folder: Path, target: Path) -> None:
    with atomic_path(target) as temporary, zipfile.ZipFile(
            temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder.parent))
