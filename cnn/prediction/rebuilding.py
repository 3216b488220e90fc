"""Builds a network from elsewhere, tries it, and saves it clean: the second of two processes.

    python -m cnn.prediction.rebuilding FOLDER

Started by `cnn.confined`, after `cnn.models.foreign.looking` left the plan and plain weights. The
model file itself is not opened here. Needs TensorFlow; knows no cards.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cnn.confined import serve
from cnn.errors import BadInput
from cnn.hardware import start_tensorflow
from cnn.models.foreign.looking import ARRAYS, read_arrays
from cnn.models.foreign.plan import plan_from_dict
from cnn.prediction.batching import MOST_PICTURES
from cnn.prediction.saved import MODEL_FILE

_ROUNDING = 1e-3  # by which probabilities may miss the sum of 1


def _work(request: dict[str, Any], folder: Path) -> dict[str, Any]:
    from cnn.models.foreign.building import build_foreign

    network = build_foreign(plan_from_dict(request["plan"]), read_arrays(folder / ARRAYS),
                            request["pixels"])
    classes = int(network.output_shape[1])
    if classes < 2:
        raise BadInput("The network knows one class only.", "Two and more can be told apart.")
    check_answers(network)
    network.save(folder / MODEL_FILE)
    return {"classes": classes, "parameters": int(network.count_params())}


def check_answers(network: Any) -> None:
    """Try a network on as many pictures as are ever asked about at a time.

    Raises:
        BadInput: If its answers are no probabilities, or it takes more memory than it may.
    """
    from cnn.prediction.predictor import predict_arrays

    shape = (MOST_PICTURES, *network.input_shape[1:])
    pictures = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    pictures[0], pictures[1] = 0, 255
    try:
        answers = predict_arrays(network, pictures)
    except Exception as error:  # TensorFlow has many kinds for a lack of memory
        raise BadInput(f"The network failed on {MOST_PICTURES} pictures "
                       f"({type(error).__name__}).",
                       "Most likely it needs too much memory: give a smaller network.") from error
    if not np.isfinite(answers).all():
        raise BadInput("The network answers with values that are no numbers.",
                       "Look whether its weights are finite where it was made.")
    if (answers < 0).any() or abs(answers.sum(axis=1) - 1).max() > _ROUNDING:
        raise BadInput("The answers of the network are no probabilities: they do not add up to 1.",
                       "The last layer should have one unit per class and softmax.")


def _prepare() -> None:
    start_tensorflow()
    import keras  # noqa: F401  it loads libraries and looks for its settings


if __name__ == "__main__":
    serve(_work, _prepare)
