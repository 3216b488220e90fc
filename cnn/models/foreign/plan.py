"""The order in which a network from elsewhere is computed: allowed layers, one after the other.

Networks inside networks are opened up, layers that act only while training are passed over, and
arithmetic becomes layers. Knows neither files nor TensorFlow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from cnn.errors import BadInput, Refused
from cnn.models.foreign.layers import (
    INACTIVE,
    LAYERS,
    MERGING,
    WITH_WEIGHTS,
    is_number,
    settings_of,
)

SMALLEST, LARGEST = 8, 224  # pixels of a side: what pages and engine can bring pictures to
MAX_STEPS = 1500
_MAX_INSIDE = 8  # networks inside each other
_NETWORKS = ("Functional", "Sequential", "Model")
_FIXED = "Build it with keras.Input(shape=(height, width, channels)) and numbers for all three."
_ARITHMETIC = {"Add": "Add", "Subtract": "Subtract", "Multiply": "Multiply"}
_OF_NUMBERS = (*_ARITHMETIC, "Divide", "TrueDivide")
_ACTIVATIONS = {"Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid", "Silu": "silu",
                "Tanh": "tanh", "Softmax": "softmax", "HardSigmoid": "hard_sigmoid",
                "HardSilu": "hard_silu", "Gelu": "gelu", "Elu": "elu"}

Config = dict[str, Any]
Reference = tuple[str, int, int]  # layer, which of its calls, which of its outputs


@dataclass(frozen=True)
class Step:
    """One layer that is computed. Value 0 is the picture; value n is what step n gives."""

    layer: str  # a layer that is used twice has two steps
    kind: str  # its Keras class
    settings: dict[str, Any]
    inputs: tuple[int, ...]  # numbers of earlier values
    weights: str  # where they are in the file; "" for a layer without


@dataclass(frozen=True)
class Plan:
    """A network in the order in which it is computed, from a picture to its answer."""

    input_shape: tuple[int, int, int]  # height, width, channels
    steps: tuple[Step, ...]
    output: int  # number of the value that is the answer

    def to_dict(self) -> Config:
        """Return it JSON-ready."""
        return asdict(self)


def plan_from_dict(data: Config) -> Plan:
    """Build a plan from what `Plan.to_dict` returned, JSON in between."""
    height, width, channels = data["input_shape"]
    steps = (Step(**{**step, "inputs": tuple(step["inputs"])}) for step in data["steps"])
    return Plan((height, width, channels), tuple(steps), data["output"])


def plan_of(config: Config) -> Plan:
    """Return the plan of a network.

    Args:
        config: What `parse_config` returned.

    Raises:
        BadInput: If it does not go from one picture to one list of values.
        Refused: If it has a layer or a setting that is not allowed.
    """
    drawing = _Drawing()
    try:
        shape = _input_shape(config)
        output = _expand(drawing, config, 0, "", 0)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise BadInput("The description of the network in the model file is incomplete.",
                       "Load it where it was made and save it again.") from error
    return Plan(shape, tuple(drawing.steps), output)


@dataclass
class _Drawing:
    steps: list[Step] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)  # of layers, by where they are in the file

    def add(
        self, place: str, name: str, kind: str, settings: Config, inputs: Sequence[int]
    ) -> int:
        if len(self.steps) >= MAX_STEPS:
            raise Refused(f"The network has more than {MAX_STEPS:,} layers.",
                          "Give a smaller network.")
        weights = f"{place}/vars" if kind in WITH_WEIGHTS else ""
        self.steps.append(Step(self.name(place, name), kind, settings, tuple(inputs), weights))
        return len(self.steps)

    def name(self, place: str, name: str) -> str:
        """Return a name for the layer at a place in the file; networks inside may repeat names."""
        if place not in self.names:
            plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_.-")[:48] or "layer"
            taken, number, free = set(self.names.values()), 2, plain
            while free in taken:
                free, number = f"{plain}_{number}", number + 1
            self.names[place] = free
        return self.names[place]


def _input_shape(config: Config) -> tuple[int, int, int]:
    inner = config["config"]
    layers = inner["layers"]
    first = layers[0] if layers else {}
    while first.get("class_name") in _NETWORKS:  # a network that begins with another
        inner, first = first["config"], first["config"]["layers"][0]
    given = first.get("config", {}).get("batch_shape") if first.get("class_name") == "InputLayer" \
        else None
    shape = given or inner.get("build_input_shape")
    if not isinstance(shape, list) or len(shape) != 4:
        raise BadInput(f"The network does not take pictures: its input is {str(shape)[:60]}, and "
                       "height, width and channels are needed.", _FIXED)
    height, width, channels = shape[1:]
    if not all(isinstance(side, int) and SMALLEST <= side <= LARGEST for side in (height, width)):
        raise BadInput(f"The network takes pictures of {_words(height)} × {_words(width)} pixels; "
                       f"a size from {SMALLEST} to {LARGEST} is needed.", _FIXED)
    if channels not in {1, 3}:
        raise BadInput(f"The network takes pictures with {_words(channels)} channels; 1 (grey) or "
                       "3 (RGB) are needed.", _FIXED)
    return height, width, channels


def _words(side: Any) -> str:
    return "any number of" if side is None else str(side)[:20]


def _expand(drawing: _Drawing, model: Config, value: int, place: str, depth: int) -> int:
    """Add the steps of a network that is applied to a value; return the number of its answer."""
    if model["class_name"] not in _NETWORKS:
        raise BadInput(f"The file holds a {str(model['class_name'])[:60]}, not a network.",
                       "Give a Sequential or Functional model.")
    if depth > _MAX_INSIDE:
        raise Refused("The networks inside the network are nested too deeply.")
    config = model["config"]
    layers = list(zip(config["layers"], _places(config["layers"], place), strict=True))
    if model["class_name"] == "Sequential":
        for layer, where in layers:
            if layer["class_name"] != "InputLayer":
                value = _apply(drawing, layer, where, [value], {}, depth)
        return value
    return _Graph(drawing, layers, depth).run(_only(config["input_layers"], "inputs"),
                                              _only(config["output_layers"], "outputs"), value)


def _places(layers: Sequence[Config], place: str) -> list[str]:
    """Return where Keras keeps the weights of each layer: by class, numbered."""
    used: dict[str, int] = {}
    found = []
    for layer in layers:
        name = _snake_case("Op" + layer["name"] if _is_operation(layer) else layer["class_name"])
        number = used.get(name, 0)
        used[name] = number + 1
        found.append(f"{place}{'/' if place else ''}layers/{name}{f'_{number}' if number else ''}")
    return found


def _snake_case(name: str) -> str:
    plain = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", plain).lower()


def _is_operation(layer: Config) -> bool:
    return ".ops." in (layer.get("module") or "")


def _only(references: Any, what: str) -> Reference:
    if isinstance(references, list) and len(references) == 1:
        references = references[0]
    if not isinstance(references, list) or len(references) != 3 \
            or not isinstance(references[0], str):
        raise BadInput(f"The network, or a part of it, has several {what}; one is needed.",
                       "Give a model that goes from one picture to one list of values.")
    name, call, output = references
    return name, call, output


class _Graph:
    """A Functional network: layers that name the values that they take."""

    def __init__(
        self, drawing: _Drawing, layers: list[tuple[Config, str]], depth: int
    ) -> None:
        self._drawing, self._depth = drawing, depth
        self._values: dict[Reference, int] = {}
        self._todo = [(layer, place, number, call) for layer, place in layers
                      for number, call in enumerate(layer["inbound_nodes"])]

    def run(self, entry: Reference, answer: Reference, value: int) -> int:
        """Add the steps in an order in which each has what it takes."""
        self._values[entry] = value
        while self._todo:
            waiting = [call for call in self._todo if not self._done(*call)]
            if len(waiting) == len(self._todo):
                raise BadInput("The layers of the network are not connected, or in a circle.",
                               "Load it where it was made and save it again.")
            self._todo = waiting
        return self._values[answer]

    def _done(self, layer: Config, place: str, number: int, call: Config) -> bool:
        given = call["args"]
        if len(given) == 1 and isinstance(given[0], list):
            given = given[0]
        parts = [_constant_or_reference(one) for one in given]
        wanted: list[Any] = [self._values.get(one) if isinstance(one, tuple) else one
                             for one in parts]
        if any(one is None for one in wanted):
            return False
        constants = [not isinstance(one, tuple) for one in parts]
        reference = (layer["name"], number, 0)
        if _is_operation(layer):
            self._values[reference] = _operate(self._drawing, layer, place, wanted, constants,
                                               call["kwargs"])
        elif any(constants):
            raise Refused(f"The layer {layer['name'][:60]} is given a number.")
        else:
            self._values[reference] = _apply(self._drawing, layer, place, wanted, call["kwargs"],
                                             self._depth)
        return True


def _constant_or_reference(given: Any) -> Any:
    if isinstance(given, dict) and given.get("class_name") == "__keras_tensor__":
        name, call, output = given["config"]["keras_history"]
        return str(name), int(call), int(output)
    if not is_number(given):
        raise Refused(f"A layer of the network is given {str(given)[:60]}.",
                      "Only numbers and what other layers give are taken.")
    return given


def _apply(
    drawing: _Drawing, layer: Config, place: str, values: Sequence[int], how: Config, depth: int
) -> int:
    """Add the step of a layer, or the steps of a network; return the number of what comes out."""
    kind, config = layer["class_name"], layer["config"]
    name = str(config.get("name", kind))[:60]
    if not set(how) <= {"training", "mask"} or how.get("mask") is not None:
        raise Refused(f"The layer {name} ({kind}) is called with more than its input.")
    if kind in INACTIVE or kind in _NETWORKS:
        (value,) = values
        return value if kind in INACTIVE else _expand(drawing, layer, value, place, depth + 1)
    if kind not in LAYERS:
        raise Refused(f"The network has a layer of the kind {kind[:60]!r}, which is not taken.",
                      f"Allowed are: {', '.join(sorted(LAYERS))}.")
    if kind == "BatchNormalization" and how.get("training") is True:
        raise Refused(f"The layer {name} is told to train while the network answers.",
                      "Call it without training=True.")
    if (len(values) > 1) != (kind in MERGING):
        raise BadInput(f"The layer {name} ({kind}) takes {len(values)} values.")
    return drawing.add(place, name, kind, settings_of(kind, name, config), values)


def _operate(
    drawing: _Drawing, layer: Config, place: str, values: Sequence[Any], constants: Sequence[bool],
    how: Config
) -> int:
    """Add the step of arithmetic with values, such as x / 127.5 - 1; return its number."""
    kind, name = layer["class_name"], layer["name"]
    plain = {key for key, value in layer["config"].items() if value is not None} <= {"name"}
    if kind in _ACTIVATIONS and constants == [False] and not how and plain:
        return drawing.add(place, name, "Activation", {"activation": _ACTIVATIONS[kind]}, values)
    if kind in _ARITHMETIC and constants == [False, False] and not how:
        return drawing.add(place, name, _ARITHMETIC[kind], {}, values)
    if kind in _OF_NUMBERS and sorted(constants) == [False, True] and not how:
        value, constant = values if constants[1] else reversed(values)
        scale, offset = _linear(kind, name, constant, first=constants[0])
        return drawing.add(place, name, "Rescaling", {"scale": scale, "offset": offset}, [value])
    raise Refused(f"The network computes something that is not taken: {kind[:60]} ({name[:60]}).",
                  "Use layers of Keras in its place.")


def _linear(kind: str, name: str, constant: float, first: bool) -> tuple[float, float]:
    """Return the scale and offset that arithmetic with a number comes to."""
    if kind == "Add":
        return 1.0, constant
    if kind == "Subtract":
        return (-1.0, constant) if first else (1.0, -constant)
    if kind == "Multiply":
        return constant, 0.0
    if first or constant == 0:
        raise Refused(f"The network divides in a way that is not taken ({name[:60]}).")
    return 1 / constant, 0.0
