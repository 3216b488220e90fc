"""From a picture of any size to class probabilities: the one way that engine and CLI take.

    RGB picture -> resized as the card says -> grey or RGB as the card says -> network

Needs TensorFlow; not for the server process. Knows nothing of files, links or pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Images
from cnn.data.images import decode_small, resize, to_channels
from cnn.data.parts import cut
from cnn.errors import Damaged
from cnn.evaluation.novelty import UNLIKE, damaged, read_novelty
from cnn.prediction.averaging import average_views, geometric_mean
from cnn.prediction.inner_values import Looker, softmax
from cnn.prediction.saved import Card, load_network, model_folder, read_card

if TYPE_CHECKING:
    from cnn.models.inside import Inside

BATCH = 500
PREVIEW_PIXELS = 512  # a decoded picture stays large enough to be shown like that
ENOUGH = 8  # times the network's side: what a large photo keeps of itself, see `decode_small`
_INNER = (0.075, 0.075, 0.925, 0.925)  # the part of a picture that a closer look takes


def compile_network(network: Any, fixed: bool = False) -> Any:
    """Return a TensorFlow function: float32 (N, H, W, C) in 0..255 to probabilities (N, K).

    One trace for every batch size; ten times quicker for a single image than calling the model.

    Args:
        network: Keras model with the rescaling inside.
        fixed: Whether its weights stay as they are: it is quicker then.
    """
    import tensorflow as tf

    from cnn.models.fixed import fixed_kernels

    def answer(images: Any) -> Any:
        with fixed_kernels(network) if fixed else nullcontext():
            return network(images, training=False)

    signature = [tf.TensorSpec([None, *network.input_shape[1:]], tf.float32)]
    return tf.function(answer, input_signature=signature)


def predict_arrays(network: Any, images: Images) -> NDArray[np.float32]:
    """Return the probabilities of a Keras model for ready images.

    Args:
        network: Keras model with the rescaling inside.
        images: uint8 (N, H, W, C) of the model's input size.

    Returns:
        float32 (N, K).
    """
    return predict_in_batches(compile_network(network), images)


def predict_in_batches(function: Any, images: Images) -> NDArray[np.float32]:
    """Return the probabilities of a function that `compile_network` returned."""
    parts = [
        function(np.asarray(images[begin : begin + BATCH], np.float32)).numpy()
        for begin in range(0, len(images), BATCH)
    ]
    return np.concatenate(parts)


@dataclass(frozen=True)
class Answer:
    """What a model says of one picture."""

    probabilities: NDArray[np.float32]  # (K,)
    seen: NDArray[np.uint8]  # (H, W, C), the very pixels that went into the network
    inverted: bool  # dark strokes on a light ground were turned into what the model knows
    novelty: float | None = None  # share of validation images less strange, 0..1; None: not known

    @property
    def unlike(self) -> bool:
        """Whether the picture is stranger than 95 % of pictures like the training images."""
        return self.novelty is not None and self.novelty >= UNLIKE

    def top(self, class_names: list[str], count: int) -> list[dict[str, Any]]:
        """Return the most probable classes, best first, as {"class", "probability"}."""
        order = np.argsort(-self.probabilities, kind="stable")[:count]
        return [{"class": class_names[i], "probability": float(self.probabilities[i])}
                for i in order]


class Predictor:
    """One loaded model.

    Args:
        name: Of a saved model.

    Raises:
        NotFound: If there is no such model.
        Damaged: If it cannot be read.
    """

    def __init__(self, name: str) -> None:
        self.card: Card = read_card(name)
        network = load_network(name)
        _check_fit(network, self.card)
        self.network = network
        self._function = compile_network(network, fixed=True)
        self._novelty = read_novelty(model_folder(name))

    @cached_property
    def inside(self) -> Inside:
        """The network opened up.

        Raises:
            BadInput: If it does not end with a dense layer.
        """
        from cnn.models.inside import Inside

        return Inside(self.network)

    @cached_property
    def looker(self) -> Looker:
        """Computes the inner values of many images; raises what `inside` raises."""
        return Looker(self.inside, fixed=True)

    def predict(
        self, pictures: list[NDArray[np.uint8]], how: str = "", average: bool = False
    ) -> list[Answer]:
        """Classify pictures of any size, uint8 (H, W, 3).

        Args:
            pictures: Decoded RGB pictures.
            how: crop, fit or stretch; empty for what the model's card says.
            average: Whether to average over views moved by a pixel, mirrored where the model
                learned from mirrored images, and taken closer where there is more to see: three to
                twelve times the work.
        """
        closer = [look_closer(one, self.card, how) for one in pictures] if average else None
        return self.classify([prepare(one, self.card, how) for one in pictures], closer)

    def classify(
        self, prepared: Sequence[tuple[NDArray[np.uint8], bool]],
        closer: Sequence[NDArray[np.uint8] | None] | None = None,
    ) -> list[Answer]:
        """Classify what `prepare` returned for each picture, all in one batch.

        Args:
            prepared: uint8 (H, W, C) as the network takes it, and whether it was inverted.
            closer: To average over views: what `look_closer` returned for each picture.
        """
        if not prepared:
            return []
        images = np.stack([seen for seen, _ in prepared])
        probabilities, novelties = self._judge(images, closer)
        return [Answer(row, seen, inverted, novelty)
                for row, (seen, inverted), novelty
                in zip(probabilities, prepared, novelties, strict=True)]

    def _judge(
        self, images: Images, closer: Sequence[NDArray[np.uint8] | None] | None
    ) -> tuple[NDArray[np.float32], Sequence[float | None]]:
        """Return probabilities and novelties; both from one pass where nothing is averaged."""
        averaged = None if closer is None else self._averaged(images, closer)
        if self._novelty is None:
            return self._ask(images) if averaged is None else averaged, [None] * len(images)
        look = self.looker.look(images)[1]
        if not self._novelty.fits(look):
            raise damaged(self.card.name, "it is of another network")
        novelties = self._novelty.novelties(look).tolist()
        return softmax(look.logits) if averaged is None else averaged, novelties

    def _averaged(
        self, images: Images, closer: Sequence[NDArray[np.uint8] | None]
    ) -> NDArray[np.float32]:
        found = average_views(self._ask, images, self.card.mirrored)
        near = {row: image for row, image in enumerate(closer) if image is not None}
        if near:
            rows = list(near)
            found[rows] = geometric_mean(found[rows], average_views(
                self._ask, np.stack(list(near.values())), self.card.mirrored))
        return found

    def _ask(self, images: Images) -> NDArray[np.float32]:
        if self._novelty is None:
            return predict_in_batches(self._function, images)
        return softmax(self.looker.look(images)[1].logits)  # the one graph that is there anyway


def _check_fit(network: Any, card: Card) -> None:
    takes, gives = list(network.input_shape[1:]), network.output_shape[-1]
    if takes != card.input_shape or gives != len(card.class_names):
        raise Damaged(
            f"The card and the network of the saved model {card.name} do not belong together: "
            f"images {card.input_shape} and {len(card.class_names)} classes on the card, "
            f"{takes} and {gives} in the network.",
            "Restore both files of this model from the same copy, or train it again.")


def prepare(
    picture: NDArray[np.uint8], card: Card, how: str = ""
) -> tuple[NDArray[np.uint8], bool]:
    """Bring one RGB picture to the form a model learned from.

    Returns:
        uint8 (H, W, C) of the card's input shape, and whether light and dark were exchanged.
    """
    return to_input(picture, card.input_shape, how or card.resize, card.dark_background)


def look_closer(
    picture: NDArray[np.uint8], card: Card, how: str = ""
) -> NDArray[np.uint8] | None:
    """Return the inner 85 % of a picture in the form a model learned from.

    Returns:
        uint8 (H, W, C) of the card's input shape. None where it would show nothing new, since the
        picture is hardly larger than the input, and for strokes, whose width means something.
    """
    if card.dark_background or min(picture.shape[:2]) < 2 * max(card.input_shape[:2]):
        return None
    return prepare(cut(picture, _INNER), card, how)[0]


def decode(data: bytes, shape: Sequence[int]) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Return a picture with the detail that a model can use, the same for answers and reasons.

    Args:
        data: JPEG, PNG, WebP, BMP or GIF.
        shape: Height, width and channels of the network's input.

    Returns:
        uint8 (H, W, 3), 0 to 255, and the full height and width of the upright picture.

    Raises:
        BadInput: If it is no picture, is damaged or too large.
    """
    return decode_small(data, max(PREVIEW_PIXELS, ENOUGH * max(shape[:2])))


def to_input(
    picture: NDArray[np.uint8], shape: Sequence[int], how: str, dark_background: bool
) -> tuple[NDArray[np.uint8], bool]:
    """Bring one RGB picture to the form that a network takes.

    Args:
        picture: uint8 (H, W, 3), 0 to 255.
        shape: Height, width and channels of the network's input.
        how: crop, fit or stretch.
        dark_background: Whether the network knows light strokes on black.

    Returns:
        uint8 (H, W, C) of this shape, and whether light and dark were exchanged.
    """
    height, width, channels = shape
    seen = to_channels(resize(picture, (height, width), how), channels)
    if not dark_background:
        return seen, False
    # Digits on paper are dark on light; the data sets have them light on dark. The bars of "fit"
    # say nothing about the ground of the picture.
    ground = resize(picture, (height, width), "stretch") if how == "fit" else seen
    inverted = float(np.median(_border(ground))) > 127
    return (255 - seen if inverted else seen), inverted


def _border(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.concatenate([image[0].ravel(), image[-1].ravel(), image[:, 0].ravel(),
                           image[:, -1].ravel()])
