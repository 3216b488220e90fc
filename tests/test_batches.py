"""Batches: every image once, the same for the same seed, and prepared without leaving a thread."""

import threading

import numpy as np
import pytest

from cnn.config import Augmentation
from cnn.data.batches import Batches

EVERYTHING = Augmentation(shift=0.2, flip=True, cutout=0.3)
TURNED = Augmentation(rotation=20, shift=0.1, flip=True)


def numbered(count=90, height=6, width=5):
    """Images that differ in every pixel from left to right, and labels that number them."""
    rng = np.random.default_rng(9)
    return rng.integers(0, 256, (count, height, width, 2), np.uint8), np.arange(count)


def batches(count=90, size=16, augmentation=Augmentation(), seed=3):  # noqa: B008
    return Batches(*numbered(count), size, augmentation, seed)


def labels_of(epoch, source):
    return [batch.labels for batch in source.of(epoch)]


@pytest.mark.parametrize(("count", "size", "sizes"), [
    (90, 16, [15] * 6), (90, 15, [15] * 6), (91, 16, [16] + [15] * 5), (90, 90, [90]),
    (90, 1000, [90]), (5, 1, [1] * 5), (1, 64, [1]),
])
@pytest.mark.parametrize("augmentation", [Augmentation(), EVERYTHING, TURNED],
                         ids=["none", "all", "turn"])
def test_every_image_comes_once_an_epoch_in_parts_of_equal_size(count, size, sizes, augmentation):
    source = batches(count, size, augmentation)
    for epoch in (1, 2):
        labels = labels_of(epoch, source)
        assert [len(part) for part in labels] == sizes
        assert sorted(np.concatenate(labels)) == list(range(count))
    assert source.count == len(sizes)


def test_without_changes_each_label_has_its_very_image():
    images, _ = numbered()
    for batch in batches().of(1):
        np.testing.assert_array_equal(batch.images, images[batch.labels])
        assert batch.transforms is None


def test_the_order_is_new_in_each_epoch_and_for_each_seed():
    orders = [np.concatenate(labels_of(epoch, batches(seed=seed)))
              for epoch, seed in ((1, 3), (2, 3), (1, 4))]
    for number, one in enumerate(orders):
        for other in orders[number + 1:]:
            assert (one == other).mean() < 0.2


@pytest.mark.parametrize("augmentation", [EVERYTHING, TURNED], ids=["all", "turn"])
def test_a_batch_depends_on_seed_epoch_and_number_alone(augmentation):
    fresh, used = batches(augmentation=augmentation), batches(augmentation=augmentation)
    for epoch in (1, 2, 3):
        list(used.of(epoch))
    next(used.of(7))
    for one, other in zip(fresh.of(4), used.of(4), strict=True):
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_array_equal(one.labels, other.labels)
        np.testing.assert_array_equal(one.transforms, other.transforms)


def test_two_batches_of_an_epoch_and_two_epochs_are_changed_differently():
    images = np.tile(numbered(1)[0], (60, 1, 1, 1))  # sixty times the same
    source = Batches(images, np.arange(60), 20, Augmentation(shift=0.4), 0)
    seen = [batch.images.tobytes() for epoch in (1, 2) for batch in source.of(epoch)]
    assert len(set(seen)) == 6


def test_flip_shows_each_image_mirrored_in_every_second_epoch():
    images, _ = numbered()
    source = batches(augmentation=Augmentation(flip=True))
    mirrored = np.empty((4, 90), bool)
    for epoch in range(4):
        for batch in source.of(epoch + 1):
            for image, label in zip(batch.images, batch.labels, strict=True):
                mirrored[epoch, label] = not np.array_equal(image, images[label])
                wanted = images[label][:, ::-1] if mirrored[epoch, label] else images[label]
                np.testing.assert_array_equal(image, wanted)
    np.testing.assert_array_equal(mirrored[0], ~mirrored[1])
    np.testing.assert_array_equal(mirrored[0], mirrored[2])
    np.testing.assert_array_equal(mirrored[1], mirrored[3])
    assert 25 < mirrored[0].sum() < 65  # about half of them begin mirrored


def test_flip_with_rotation_alternates_too():
    source = batches(augmentation=Augmentation(rotation=1e-3, flip=True))
    sides = np.empty((2, 90))
    for epoch in (1, 2):
        for batch in source.of(epoch):
            sides[epoch - 1, batch.labels] = np.sign(batch.transforms[:, 0])
    np.testing.assert_array_equal(sides[0], -sides[1])


def test_nothing_is_mirrored_without_flip():
    images, _ = numbered()
    source = batches(augmentation=Augmentation(cutout=0.3))
    for epoch in (1, 2):
        for batch in source.of(epoch):
            kept = (batch.images == images[batch.labels]).all(axis=3)
            assert (kept.sum(axis=(1, 2)) >= 30 - 2 * 2).all()  # all but a square of 2 by 2


def test_cutout_shows_the_mean_colour_and_leaves_the_data_alone():
    images, labels = numbered()
    before = images.copy()
    source = Batches(images, labels, 30, Augmentation(cutout=0.5), 1)
    color = images.mean(axis=(0, 1, 2)).astype(np.uint8)
    for batch in source.of(1):
        changed = (batch.images != images[batch.labels]).any(axis=3)
        assert (batch.images[changed] == color).all()
        assert changed.any(axis=(1, 2)).all()
    np.testing.assert_array_equal(images, before)


def test_memory_mapped_images_give_the_same_batches(tmp_path):
    images, labels = numbered()
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    for one, other in zip(batches(augmentation=EVERYTHING).of(1),
                          Batches(mapped, labels, 16, EVERYTHING, 3).of(1), strict=True):
        np.testing.assert_array_equal(one.images, other.images)


@pytest.mark.parametrize("taken", [0, 1, 3])
def test_leaving_an_epoch_early_leaves_no_thread(taken):
    before = threading.active_count()
    epoch = batches(augmentation=EVERYTHING).of(1)
    for _ in range(taken):
        next(epoch)
    epoch.close()
    assert threading.active_count() == before


def test_what_goes_wrong_in_the_thread_is_raised_where_the_batch_is_wanted(monkeypatch):
    def fail(*_):
        raise MemoryError("too much")

    monkeypatch.setattr("cnn.data.batches.move_whole_pixels", fail)
    with pytest.raises(MemoryError, match="too much"):
        list(batches(augmentation=EVERYTHING).of(1))
