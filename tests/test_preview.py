"""A preview of augmentation is what training gets: the same pixels out of the same batches."""

import numpy as np
import pytest

from cnn.config import Augmentation
from cnn.data.augmentation import apply_transforms
from cnn.data.batches import Batches
from cnn.data.dataset import Dataset
from cnn.data.preview import shown_in_training
from cnn.data.rows import RowView
from cnn.prediction.moving import move

KINDS = {
    "nothing": Augmentation(), "moves": Augmentation(shift=0.2, flip=True, cutout=0.3),
    "mirrors": Augmentation(flip=True), "hides": Augmentation(cutout=0.5),
    "turns": Augmentation(rotation=20, shift=0.1, flip=True, cutout=0.3)}
SIZE, SEED, EPOCHS = 8, 3, 4


def dataset(count=45):
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (count, 7, 6, 3), np.uint8)
    return Dataset("numbered", ("a", "b"), images, np.arange(count), images[:2],
                   np.zeros(2, np.int64), "f" * 64)


def by_training(data, row, augmentation):
    """What the trainer's loop feeds, epoch after epoch; labels number the images."""
    pictures = []
    batches = Batches(data.train_images, data.train_labels, SIZE, augmentation, SEED)
    for epoch in range(1, EPOCHS + 1):
        for batch in batches.of(epoch):
            images = batch.images.astype(np.float32)
            if batch.transforms is not None:
                images = apply_transforms(images, batch.transforms).numpy()
            pictures += list(images[batch.labels == row])
    return np.stack(pictures)


@pytest.mark.parametrize("row", [0, 17, 44])
@pytest.mark.parametrize("kind", KINDS)
def test_each_picture_is_the_one_in_the_batch_of_its_epoch(kind, row):
    data = dataset()
    shown = shown_in_training(data, row, KINDS[kind], SIZE, SEED, EPOCHS)
    pictures = shown.images
    if shown.transforms is not None:
        _, (pixels,) = move({"shape": shown.images.shape},
                            [shown.images.tobytes(), shown.transforms.tobytes()])
        pictures = np.frombuffer(pixels, np.uint8).reshape(shown.images.shape)
    assert (shown.transforms is None) == (KINDS[kind].rotation == 0)
    np.testing.assert_array_equal(pictures, np.rint(by_training(data, row, KINDS[kind])))


def test_epochs_differ_and_another_seed_shows_others():
    data = dataset()
    one, other = (shown_in_training(data, 5, KINDS["moves"], SIZE, seed, 8).images
                  for seed in (0, 1))
    assert len({picture.tobytes() for picture in one}) > 5
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_an_imported_set_is_shown_like_a_copy_of_its_rows(kind):
    data, rows = dataset(), np.array([7, 3, 40, 21, 9, 30, 2, 11, 5, 1])
    shown = [shown_in_training(
        Dataset("rows", data.class_names, images, data.train_labels[rows], data.test_images,
                data.test_labels, "e" * 64), 4, KINDS[kind], 4, SEED, EPOCHS)
        for images in (RowView(data.train_images, rows), data.train_images[rows])]
    np.testing.assert_array_equal(shown[0].images, shown[1].images)


def test_an_image_that_is_not_there_is_an_error():
    with pytest.raises(IndexError, match="no image 45 among 45"):
        shown_in_training(dataset(), 45, KINDS["moves"], SIZE, SEED, 1)
