"""Makes a network from elsewhere anew: Keras layers of our own choice, with its weights in them.

Needs TensorFlow, and belongs into a process that can be ended: layers can be allowed and yet take
more memory than there is. Knows no files.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from cnn.errors import BadInput
from cnn.models.foreign.ending import LOGITS, ONE_NUMBER, ending_of, for_two_classes
from cnn.models.foreign.pixels import PIXELS
from cnn.models.foreign.plan import Plan, Step
from cnn.models.foreign.weights import Arrays

_SAVE_AGAIN = "Load the model where it was made and save it again."


def build_foreign(plan: Plan, weights: Arrays, pixels: str) -> Any:
    """Return a Keras model from pixel values 0 to 255, (N, H, W, C), to probabilities (N, K).

    Args:
        plan: Which layers, in which order.
        weights: Of these layers.
        pixels: Which pixel values the network was trained on, one of `PIXELS`.

    Raises:
        BadInput: If its parts do not fit together.
    """
    ending = ending_of(plan)
    if ending.answers == ONE_NUMBER:
        name = plan.steps[ending.head - 1].layer
        plan = for_two_classes(plan, ending)
        weights = {**weights, name: [_widened(array) for array in weights[name]]}
    picture = keras.Input(plan.input_shape, name="picture_of_any_network")
    output = _connected(plan, weights, _scaled(picture, pixels))
    if ending.answers == LOGITS:
        output = keras.layers.Softmax(name="probabilities_of_any_network")(output)
    if len(output.shape) != 2 or not isinstance(output.shape[1], int):
        raise BadInput(f"The network answers with values of the shape {tuple(output.shape[1:])}; "
                       "one number for each class is needed.",
                       "Its last layer should have one unit per class.")
    return keras.Model(picture, output, name="network")


def _scaled(picture: Any, pixels: str) -> Any:
    scale, offset = PIXELS[pixels].scale, PIXELS[pixels].offset
    if (scale, offset) == (1.0, 0.0):
        return picture
    return keras.layers.Rescaling(scale, offset, name="pixels_of_any_network")(picture)


def _widened(array: Any) -> Any:
    """Return weights for two units in place of one: the first has only zeros."""
    return np.concatenate([np.zeros_like(array), array], axis=-1)


def _connected(plan: Plan, weights: Arrays, value: Any) -> Any:
    layers: dict[str, Any] = {}
    values = [value]
    for step in plan.steps:
        given = [values[number] for number in step.inputs]
        new = step.layer not in layers
        try:
            layer = layers.setdefault(step.layer, None) or _layer(step)
            values.append(layer(given if len(given) > 1 else given[0]))
        except (ValueError, TypeError) as error:
            raise BadInput(f"The layer {step.layer} ({step.kind}) does not fit what comes before "
                           f"it: {str(error).strip().splitlines()[0][:160]}",
                           _SAVE_AGAIN) from error
        if new:
            layers[step.layer] = layer
            _fill(layer, step, weights.get(step.layer, []))
    return values[plan.output]


def _layer(step: Step) -> Any:
    return getattr(keras.layers, step.kind)(**step.settings, name=step.layer, dtype="float32")


def _fill(layer: Any, step: Step, arrays: list[Any]) -> None:
    shapes = [tuple(array.shape) for array in arrays]
    wanted = [tuple(weight.shape) for weight in layer.weights]
    if shapes != wanted:
        raise BadInput(f"The weights of the layer {step.layer} ({step.kind}) do not fit it: "
                       f"{shapes} in the file, {wanted} in the network.", _SAVE_AGAIN)
    if arrays:
        layer.load_own_variables({str(number): array for number, array in enumerate(arrays)})
