"""The layers of a network one by one: what each is, what goes in, what comes out, its weights.

For people who look inside; serves networks of Keras layers, ours or another's, and those that
`tf_nn` executes. A layer that is used several times has a part for each use. Unlike `inside` it
asks nothing of how a network ends. Imports TensorFlow: for the engine only. Knows nothing of
pictures or of how values are shown.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnn.errors import BadInput
from cnn.models.parts import describe, described_by_hand
from cnn.models.specs import Shape
from cnn.models.tf_nn import TfNetwork, layers_from_config

Arrays = dict[str, NDArray[np.float32]]
# What a value goes through one by one, so that its way can be told beyond its own layer.
ONE_BY_ONE = ("norm", "activation", "dropout", "rescaling")
_WEIGHTS = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
_FRONTS_KEPT = 8  # parts of a network up to some layers; of 3,000 layers one takes a second


@dataclass(frozen=True)
class Part:
    """One use of a layer of a network. Shapes leave out the batch."""

    name: str
    kind: str  # of `parts.KINDS`, or other
    label: str  # what it is, in a few words
    sources: tuple[str, ...]  # the layers whose outputs go in
    input_shapes: tuple[Shape, ...]
    output_shape: Shape  # empty if it gives something else than one array
    parameters: int
    trainable: int  # of these
    settings: dict[str, Any]  # JSON-ready; which there are depends on the kind
    open: bool  # whether its values can be asked for
    first: str = ""  # the part with its first use, whose weights it shares, if this is a later one


@dataclass(frozen=True)
class Flow:
    """What one layer did with one picture."""

    inputs: tuple[NDArray[np.float32], ...]  # one for each source
    output: NDArray[np.float32]
    then: tuple[NDArray[np.float32], ...]  # outputs of the layers of `Anatomy.following`


class Anatomy:
    """A network taken apart.

    Args:
        network: Keras model with one input.
    """

    def __init__(self, network: Any) -> None:
        self._network = network
        self._layers: dict[str, Any] = {}  # by the name of the part
        self._outputs: dict[str, Any] = {}  # symbolic; of parts that give one
        by_hand = (layer for layer in network.layers if isinstance(layer, TfNetwork))
        self._by_hand: Any = next(by_hand, None)
        self._fronts: OrderedDict[tuple[str, ...], Any] = OrderedDict()
        self.parts: dict[str, Part] = {}  # in the order of the network
        makers: dict[int, str] = {}  # by the tensor that comes out
        for name, layer, node in _uses(network):
            source = [makers.get(id(tensor), "") for tensor in node.input_tensors]
            if layer is self._by_hand:
                self._add_by_hand(source)
            else:
                self._add(name, layer, node, source)
            for tensor in node.output_tensors:
                makers[id(tensor)] = list(self.parts)[-1]  # by hand: the last of its steps
        self._users: dict[str, list[str]] = {}
        for part in self.parts.values():
            for name in part.sources:
                self._users.setdefault(name, []).append(part.name)

    def following(self, name: str) -> list[str]:
        """Return the layers after one that change each value by itself, as far as they are alone.

        They end at the first layer of another kind, and where the way divides.
        """
        found: list[str] = []
        users = self._users.get(name, [])
        while len(users) == 1 and self.parts[users[0]].kind in ONE_BY_ONE \
                and self.parts[users[0]].open:
            found.append(users[0])
            users = self._users.get(users[0], [])
        return found

    def flow(self, name: str, image: Any) -> Flow:
        """Return what goes into a layer and comes out of it, and of those that follow.

        Args:
            name: Of a layer that is open.
            image: (H, W, C), 0 to 255, of the network's size.

        Raises:
            BadInput: If there is no such layer, or its values cannot be told.
        """
        part = self.part(name)
        if not part.open:
            raise _closed(name)
        then = self.following(name)
        names = [*part.sources, name, *then]
        values = self._values(np.asarray(image, np.float32)[None], names)
        found = [np.asarray(values[one][0], np.float32) for one in names]
        count = len(part.sources)
        return Flow(tuple(found[:count]), found[count], tuple(found[count + 1:]))

    def part(self, name: str) -> Part:
        """Return a layer by its name.

        Raises:
            BadInput: If there is none.
        """
        if name not in self.parts:
            raise BadInput(f"The network has no layer {name[:80]!r}.", "Choose one from the list.")
        return self.parts[name]

    def weights(self, name: str) -> Arrays:
        """Return the weights of a layer by their usual names, float32; none for other kinds."""
        if self._by_hand is not None and name in self._by_hand.kernels:
            return {"kernel": np.asarray(self._by_hand.kernels[name]),
                    "bias": np.asarray(self._by_hand.biases[name])}
        layer = self._layers.get(name)
        found = {key: getattr(layer, key, None) for key in _WEIGHTS}
        return {key: np.asarray(value, np.float32) for key, value in found.items()
                if isinstance(value, keras.Variable)}

    def _add(self, name: str, layer: Any, node: Any, source: Sequence[str]) -> None:
        inputs, outputs = node.input_tensors, node.output_tensors
        single = len(outputs) == 1
        kind, label, settings = describe(layer)
        known = [one for one in source if one]
        self._layers[name] = layer
        if single:
            self._outputs[name] = outputs[0]
        self.parts[name] = Part(
            name, kind, label, tuple(known), tuple(map(_shape, inputs)),
            _shape(outputs[0]) if single else (), layer.count_params(),
            sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights), settings,
            single and len(known) == len(inputs), layer.name if name != layer.name else "")

    def _add_by_hand(self, source: Sequence[str]) -> None:
        layer = self._by_hand
        shape = _shape(layer.input)
        before = tuple(source)
        for name, spec in layers_from_config(layer.get_config()["layers"]):
            kind, label, settings = described_by_hand(spec)
            output = spec.output_shape(shape)
            self.parts[name] = Part(
                name, kind, label, before, (shape,), output, spec.parameters(shape),
                spec.trainable_parameters(shape), settings, True)
            before, shape = (name,), output

    def _values(self, images: Any, names: Sequence[str]) -> dict[str, Any]:
        if self._by_hand is not None:
            return self._values_by_hand(images)
        wanted = tuple(dict.fromkeys(names))
        if wanted not in self._fronts:
            outputs = [self._outputs[name] for name in wanted]
            self._fronts[wanted] = keras.Model(self._network.inputs[0], outputs)
            while len(self._fronts) > _FRONTS_KEPT:
                self._fronts.popitem(last=False)
        self._fronts.move_to_end(wanted)
        return dict(zip(wanted, self._fronts[wanted](images, training=False), strict=True))

    def _values_by_hand(self, images: Any) -> dict[str, Any]:
        """Return the outputs of all layers: those of a network by hand come one by one."""
        found: dict[str, Any] = {}
        values = images
        for layer in self._network.layers:
            if layer is self._by_hand:
                found |= dict(layer.steps(values))
                values = list(found.values())[-1]
            else:
                values = values if isinstance(layer, keras.layers.InputLayer) else layer(values)
                found[layer.name] = values
        return found


def _closed(name: str) -> BadInput:
    return BadInput(f"The values of the layer {name} cannot be shown: it gives several arrays, or "
                    "what goes in comes from no layer.", "Choose another layer.")


def _uses(network: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield each use of a layer from the input on: its name, the layer, the node of the graph."""
    graph = getattr(network, "_functional", None) or network  # a Sequential holds its graph inside
    places = {id(layer): place for place, layer in enumerate(graph.layers)}
    nodes = [(-depth, places[id(node.operation)], node)
             for depth, nodes in graph._nodes_by_depth.items() for node in nodes
             if id(node.operation) in places]
    taken = {layer.name for layer in graph.layers}
    uses: Counter[int] = Counter()
    for _, place, node in sorted(nodes, key=lambda found: found[:2]):
        uses[place] += 1
        name = node.operation.name
        if uses[place] > 1:
            name = f"{name}, use {uses[place]}"
            while name in taken:
                name += "’"
        yield name, node.operation, node


def _shape(tensor: Any) -> Shape:
    return tuple(int(size) if size is not None else 0 for size in tensor.shape[1:])
