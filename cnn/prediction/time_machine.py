"""The engine's side of the time machine: a network with the weights that it had after an epoch.

Handler of the requests that `moments` sends. A network is built once and only its weights are
exchanged, so that a step of the slider costs a fraction of a second. Needs TensorFlow; knows no
pages and no runs, only folders with snapshots.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Images
from cnn.data.images import encode_png
from cnn.errors import BadInput
from cnn.prediction.handlers import Reply, handles
from cnn.prediction.heat import FINEST_NEEDED, map_layer
from cnn.prediction.heat_pictures import overlay, sheet
from cnn.prediction.moments import MOST_MAPS
from cnn.prediction.predictor import decode, to_input
from cnn.training.snapshots import About, Snapshots

if TYPE_CHECKING:
    from cnn.prediction.engine import Engine

NETWORKS_KEPT = 2
COLUMNS, MAP_SIDE = 8, 48  # of a sheet: maps in a row, pixels of one
SIDE = 176  # pixels, about, of the longer side of a heat map
ITS_ANSWER = -1  # in the place of a class: the most probable one
_Network = tuple[str, tuple[int, int, int], int]  # architecture, shape of its images, classes
_machines: OrderedDict[_Network, Machine] = OrderedDict()


class Machine:
    """A network whose weights are exchanged.

    Args:
        network: Its architecture, the shape of its images and the number of classes.

    Raises:
        CnnError: If there is no such architecture any more, or it does not fit.
    """

    def __init__(self, network: _Network) -> None:
        from cnn.models.build import build_model
        from cnn.models.inside import Inside

        self._model = build_model(*network)
        self._inside = Inside(self._model)
        self.maps = self._inside.maps()  # shapes of the feature maps, by layer
        self.heat_layer = map_layer(self.maps) if self._has_places() else ""
        self._function = self._compiled()

    def _has_places(self) -> bool:
        return any(min(shape[:2]) > 1 for shape in self.maps.values())

    def _compiled(self) -> Any:
        """Return one graph from an image and a class to logits, heat and all feature maps."""
        import tensorflow as tf

        names = list(self.maps)

        def look(images: Any, number: Any) -> tuple[Any, Any, list[Any]]:
            with tf.GradientTape() as tape:
                tape.watch(images)
                seen = self._inside.look(images, names)
                best = tf.argmax(seen.logits[0], output_type=tf.int32)
                chosen = tf.where(number < 0, best, number)
                logit = tf.gather(seen.logits[0], chosen)
            if not self.heat_layer:
                return seen.logits, tf.zeros([0, 0]), seen.outputs
            places = seen.outputs[names.index(self.heat_layer)]
            # As `heat.grad_cam`: what each place adds to the value of the class.
            heat = tf.nn.relu(tf.reduce_sum(tape.gradient(logit, places) * places, axis=-1))[0]
            return seen.logits, heat, seen.outputs

        return tf.function(look, input_signature=[
            tf.TensorSpec([1, *self._model.input_shape[1:]], tf.float32),
            tf.TensorSpec([], tf.int32)])

    def travel(self, weights: list[NDArray[np.float32]]) -> None:
        """Take the weights of a snapshot.

        Raises:
            BadInput: If they are of another network.
        """
        if [value.shape for value in weights] != [tuple(w.shape) for w in self._model.weights]:
            raise BadInput("The snapshot is of another network: the architecture of this name was "
                           "changed since.", "Train it again to look back at its training.")
        self._model.set_weights(weights)

    def look(self, seen: Images, number: int = ITS_ANSWER) -> tuple[Any, Any, dict[str, Any]]:
        """Return logits (K,), heat (h, w) for a class, and the feature maps by layer.

        Args:
            seen: uint8 (H, W, C), as the network takes it.
            number: Of the class; -1 for the most probable.
        """
        images = seen[None].astype(np.float32)
        logits, heat, outputs = self._function(images, np.int32(number))
        maps = dict(zip(self.maps, outputs, strict=True))
        return logits[0].numpy(), heat.numpy(), maps


def machine_of(about: About) -> Machine:
    """Return the network of a snapshot, built once, with whatever weights it has."""
    key = (about.architecture, about.input_shape, len(about.class_names))
    if key not in _machines:
        _machines[key] = Machine(key)
        while len(_machines) > NETWORKS_KEPT:
            _machines.popitem(last=False)
    _machines.move_to_end(key)
    return _machines[key]


@handles("moment")
def _moment(engine: Engine, header: dict[str, Any], parts: list[bytes]) -> Reply:
    """Return what a network made of a picture after an epoch.

    The byte strings are PNG: the picture as it was seen, the picture with the heat for a class, and
    the feature maps of a layer; empty where there are none.
    """
    from cnn.prediction.inner_values import softmax

    about, weights = Snapshots(Path(header["folder"])).read(int(header["epoch"]))
    machine = machine_of(about)
    machine.travel(weights)
    picture, _ = decode(parts[0], about.input_shape)
    seen, _ = to_input(picture, about.input_shape, about.resize, about.dark_background)
    logits, heat, maps = machine.look(seen, _number(about, header.get("class", "")))
    layer = header.get("layer", "")
    if layer not in maps:  # a page may ask for one of the network that it showed before
        layer = next(iter(maps), "")
    facts = {"probabilities": softmax(logits[None])[0].tolist(),
             "layers": [{"name": name, "shape": shape} for name, shape in machine.maps.items()],
             "layer": layer, "heat_layer": machine.heat_layer, "size": heat.shape,
             "coarse": bool(heat.size) and min(heat.shape) < FINEST_NEEDED,
             "blank": not heat.any()}
    return facts, [encode_png(seen), _heat_png(seen, heat), _maps_png(maps.get(layer))]


def _number(about: About, name: str) -> int:
    if not name:
        return ITS_ANSWER
    try:
        return about.class_names.index(name)
    except ValueError:
        raise BadInput(f"The run has no class {name[:80]!r}.",
                       f"Its classes: {', '.join(about.class_names)}.") from None


def _heat_png(seen: Images, heat: NDArray[np.float32]) -> bytes:
    if not heat.size:
        return b""
    factor = max(1, SIDE // max(seen.shape[:2]))
    return encode_png(overlay(seen.repeat(factor, axis=0).repeat(factor, axis=1), heat))


def _maps_png(values: Any) -> bytes:
    if values is None:
        return b""
    return encode_png(sheet(values[0, ..., :MOST_MAPS].numpy(), COLUMNS, MAP_SIDE))
