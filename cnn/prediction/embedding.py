"""Places images on a map, those that are alike near each other: some seconds, a process of its own.

    python -m cnn.prediction.embedding '{"dataset": "digits", "model": "", "method": "pca"}'

Prints one line of JSON, an answer or an error. Started by `cnn.prediction.maps`, which remembers
what comes out. Looks at training images only, and knows nothing of pages.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.data.catalogue import load
from cnn.data.dataset import Dataset, Images, Labels
from cnn.data.images import resize
from cnn.data.splits import Rows, stratified_sample
from cnn.errors import BadInput, CnnError
from cnn.hardware import start_tensorflow

METHODS = ("pca", "tsne")
MOST_IMAGES = 2000  # more would cover each other, and t-SNE would take minutes
LARGEST = 32  # pixels of the longest side: a comparison of pixels sees no finer detail anyway
NEAREST = 6  # most similar images that are found for each
FEWEST = 5  # images
_COMPONENTS = 50  # that t-SNE works on; what is left out is mostly noise, and would cost minutes
_PERPLEXITY = 30.0  # about how many neighbours t-SNE tries to keep near
_SEED = 0

Vectors = NDArray[np.float32]


def place_images(name: str, model: str, method: str) -> dict[str, Any]:
    """Return a map of a sample of the training images of a data set.

    Args:
        name: Of the data set.
        model: A saved model whose features are compared; "" for pixels.
        method: One of `METHODS`.

    Returns:
        JSON-ready: "fingerprint" of the data set; "rows", the n training images on the map;
        "points", n pairs; "nearest", for each the positions in "rows" of the most similar ones;
        "agreement", the share of images whose most similar one is of their class; "explained", the
        share of the variance along each axis (PCA only); "dimensions", how many numbers were
        compared; "seconds".

    Raises:
        BadInput: If there are too few images, they are all alike, or the model takes others.
        NotFound, Damaged: If data set or model cannot be used.
    """
    begin = time.monotonic()
    data = load(name)
    rows = stratified_sample(data.train_labels, MOST_IMAGES, _SEED)
    if len(rows) < FEWEST:
        raise BadInput(f"A map needs {FEWEST} training images. {name} has {len(rows)}.",
                       "Add more images.")
    vectors = features(model, data, rows) if model else pixels(data.train_images[rows])
    if not np.ptp(vectors, axis=0).any():
        raise BadInput(f"The training images of {name} are all alike: there is nothing to place.",
                       "Compare something else, or look at the images.")
    points, explained = _points(vectors, method)
    nearest = _nearest(vectors)
    labels = data.train_labels[rows]
    return {"fingerprint": data.fingerprint, "rows": rows.tolist(),
            "points": np.round(points.astype(float), 4).tolist(), "nearest": nearest.tolist(),
            "agreement": float((labels[nearest[:, 0]] == labels).mean()),
            "explained": explained, "dimensions": vectors.shape[1],
            "seconds": time.monotonic() - begin}


def pixels(images: Images) -> Vectors:
    """Return images as vectors of their values from 0 to 1, large ones shrunk before.

    Args:
        images: uint8 (N, H, W, C).

    Returns:
        float32 (N, D).
    """
    height, width = images.shape[1:3]
    factor = LARGEST / max(height, width)
    if factor < 1:
        size = max(round(factor * height), 1), max(round(factor * width), 1)
        images = np.stack([resize(image, size, "stretch") for image in images])
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def features(model: str, data: Dataset, rows: Rows) -> Vectors:
    """Return what the last layer but one of a saved model makes of images.

    Args:
        model: Its name.
        data: Its images must be of the model's input shape.
        rows: Of training images, N of them.

    Returns:
        float32 (N, D).

    Raises:
        BadInput: If the model takes images of another shape, or has no such layer.
        NotFound, Damaged: If it cannot be used.
    """
    from cnn.prediction.saved import read_card

    card = read_card(model)
    if tuple(card.input_shape) != data.image_shape:
        raise BadInput(f"The model {model} takes images of {card.input_shape}, those of "
                       f"{data.name} are {list(data.image_shape)} (height, width, channels).",
                       "Choose a model that was trained on images of this size.")
    if card.needs_cnn:
        raise BadInput(f"The model {model} is one layer to Keras: it cannot be opened before its "
                       "last step.", "Choose a model of another architecture.")
    start_tensorflow()
    import keras

    from cnn.prediction.predictor import predict_arrays
    from cnn.prediction.saved import load_network

    network = load_network(model)
    cut = keras.Model(network.inputs, network.get_layer("logits").input)
    return predict_arrays(cut, np.asarray(data.train_images[rows])).reshape(len(rows), -1)


def _points(vectors: Vectors, method: str) -> tuple[Vectors, list[float]]:
    """Return two numbers for each vector, and the variance that each of them explains."""
    from sklearn.decomposition import PCA

    components = min(_COMPONENTS, *vectors.shape)
    pca = PCA(components, random_state=_SEED)
    reduced = pca.fit_transform(vectors).astype(np.float32)
    if method == "pca" or components < 2:
        nothing = np.zeros((len(reduced), 1), np.float32)  # for images of a single pixel
        shares = [*pca.explained_variance_ratio_.astype(float).tolist(), 0.0]
        return np.hstack([reduced, nothing])[:, :2], shares[:2]
    from sklearn.manifold import TSNE


    perplexity = min(_PERPLEXITY, (len(vectors) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=_SEED).fit_transform(reduced), []


def _nearest(vectors: Vectors) -> Labels:
    """Return for each vector which others are nearest, int64 (N, up to NEAREST)."""
    from sklearn.neighbors import NearestNeighbors

    count = min(NEAREST, len(vectors) - 1)
    found = NearestNeighbors(n_neighbors=count).fit(vectors).kneighbors(return_distance=False)
    return np.asarray(found, np.int64)  # without arguments, none is its own neighbour


def main(request: str) -> int:
    """Make the map that the request asks for and print it; returns the exit status."""
    # Read by scikit-learn when it is imported. Beside a training, its threads wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        asked = json.loads(request)
        answer = place_images(asked["dataset"], asked["model"], asked["method"])
    except CnnError as error:
        sys.stdout.write(json.dumps({"error": error.to_dict()}) + "\n")
        return 1
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
