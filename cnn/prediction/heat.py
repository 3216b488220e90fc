"""Which parts of a picture speak for a class: Grad-CAM, and saliency as a second opinion.

Grad-CAM after Selvaraju et al. (arXiv 1610.02391), in the form of Draelos and Carin (HiResCAM,
arXiv 2011.08891): how much each place of a feature map adds to the class's value before the
softmax. The original averages the gradient over all places first; its maps of 7 x 7 places told
hardly better than random ones which pixels an answer rests on. Saliency after Simonyan et al.
(arXiv 1312.6034): how much each pixel changes that value, averaged over noisy copies as in
SmoothGrad (arXiv 1706.03825). Needs TensorFlow; knows nothing of files, colours or pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Images
from cnn.errors import BadInput
from cnn.models.specs import Shape

Heat = NDArray[np.float32]  # (h, w), from 0; the scale is the class's own
FINEST_NEEDED = 4  # places on the shorter side of a map, below which it says next to nothing
COPIES = 16  # of the picture, each with other noise
NOISE = 0.1  # standard deviation, as a share of the picture's range of values
_SEED = 0  # of the noise: the same picture always gives the same map


def map_layer(shapes: dict[str, Shape]) -> str:
    """Return the layer whose feature map Grad-CAM is drawn from.

    The deepest that is fine enough to tell places apart; if none is, the finest, the deepest of
    these.

    Args:
        shapes: Of the feature maps, in the order of their layers, without the batch.

    Raises:
        BadInput: If no layer has a feature map.
    """
    sides = {name: min(shape[:2]) for name, shape in shapes.items()
             if min(shape[:2]) > 1}
    if not sides:
        raise BadInput("This network has no feature maps: it takes the picture as one row of "
                       "values, so Grad-CAM has nothing to show.", "Ask for saliency instead.")
    needed = min(FINEST_NEEDED, max(sides.values()))
    return [name for name, side in sides.items() if side >= needed][-1]


def grad_cam(inside: Any, image: Images, classes: Sequence[int], layer: str) -> list[Heat]:
    """Return for each class what each place of a layer's feature map adds to its logit.

    Each value of the map is weighed by the gradient of the logit by it; places that speak against
    the class count as 0. Where the network takes the mean over all places and a dense layer
    follows, this is the class activation map.

    Args:
        inside: `cnn.models.inside.Inside`.
        image: uint8 (H, W, C), of the network's size.
        classes: Their numbers.
        layer: With a feature map (h, w, channels).
    """
    if layer not in inside.functions:
        inside.functions[layer] = _compiled(inside, layer, image.shape)
    batch = np.repeat(image[None].astype(np.float32), len(classes), axis=0)
    return list(inside.functions[layer](batch, np.array(classes, np.int32)).numpy())


def _compiled(inside: Any, layer: str, shape: Shape) -> Any:
    """Return one graph from n images and a class for each to n maps: quicker than step by step."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([None, *shape], tf.float32),
                                  tf.TensorSpec([None], tf.int32)])
    def look(images: Any, numbers: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(images)
            seen = inside.look(images, [layer])
            logits = tf.gather(seen.logits, numbers, batch_dims=1)
        maps = seen.outputs[0]
        return tf.nn.relu(tf.reduce_sum(tape.gradient(logits, maps) * maps, axis=-1))

    return look


def saliency(inside: Any, image: Images, number: int) -> Heat:
    """Return how much the logit of a class changes with each pixel, (H, W).

    The gradients of 16 copies of the picture with different noise are averaged; a pixel counts with
    its largest channel, whatever the sign.

    Args:
        inside: `cnn.models.inside.Inside`.
        image: uint8 (H, W, C), of the network's size.
        number: Of the class.
    """
    import tensorflow as tf

    spread = NOISE * np.ptp(image.astype(np.float32))
    noise = np.random.default_rng(_SEED).normal(0, spread, (COPIES, *image.shape))
    batch = tf.convert_to_tensor((image + noise).astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(batch)
        logit = tf.reduce_sum(inside.look(batch).logits[:, number])
    gradient = tf.reduce_mean(tape.gradient(logit, batch), axis=0)
    heat: Heat = tf.reduce_max(tf.abs(gradient), axis=-1).numpy()
    return heat


def feature_maps(inside: Any, image: Images, layer: str) -> NDArray[np.float32]:
    """Return the feature map of a layer for one picture, (h, w, channels)."""
    values = inside.look(image[None].astype(np.float32), [layer]).outputs[0]
    return np.asarray(values[0], np.float32)
