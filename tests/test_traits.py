"""What is known of test images beside their class."""

from __future__ import annotations

import numpy as np
import pytest
from picture_files import slide_files, write_folder

from cnn.data import traits
from cnn.data.catalogue import load
from cnn.data.dividing import SplitPlan
from cnn.data.importing import import_images
from cnn.data.traits import brightness, originals_of_test


@pytest.fixture
def imported(empty_folders):
    source = write_folder(empty_folders / "source", slide_files())
    import_images(source, "slides", (8, 8), plan=SplitPlan(group="^(.+)_"))
    return load("slides")


def test_brightness_is_the_mean_of_all_pixels_as_the_eye_weighs_colours(monkeypatch) -> None:
    monkeypatch.setattr(traits, "_BLOCK", 30)  # more than one block
    grey = np.stack([np.full((2, 3, 1), value, np.uint8) for value in (0, 100, 255, 7)])
    grey[3, 0, 0] = 67
    assert brightness(grey).tolist() == pytest.approx([0, 100, 255, 17])
    colours = np.zeros((3, 2, 2, 3), np.uint8)
    for band in range(3):
        colours[band, ..., band] = 200
    assert brightness(colours).tolist() == pytest.approx([59.8, 117.4, 22.8])


def test_a_built_in_set_has_no_originals(folders) -> None:
    assert originals_of_test(load("digits")) is None


def test_originals_of_the_test_images_are_known_by_name_side_and_group(imported) -> None:
    found = originals_of_test(imported)
    assert len(found.files) == len(imported.test_labels) == len(found.sides)
    for file, label, side, group in zip(
            found.files, imported.test_labels, found.sides, found.groups, strict=True):
        name, _, number = file.rpartition("/")[2].removesuffix(".png").partition("_")
        assert file.split("/")[-2] == imported.class_names[label]
        assert found.group_names[group] == name
        assert side == 8 + int(number)
