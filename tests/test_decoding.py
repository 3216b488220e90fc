"""Writing many pictures: in order, whatever the threads do, with only a few in memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from picture_files import picture, saved, scenery

from cnn.data import decoding
from cnn.data.decoding import Way, write_images
from cnn.data.images import MANY_PIXELS
from cnn.data.layout import Candidate, Entry
from cnn.data.progress import silent
from cnn.errors import BadInput


def files(contents: list[bytes]) -> list[Candidate]:
    return [Candidate(Entry(("a", f"{number}.png"), lambda content=content: content), "a")
            for number, content in enumerate(contents)]


def test_pictures_stand_in_order_and_broken_ones_leave_no_gap(tmp_path: Path) -> None:
    contents = [picture(n, (300, 200) if n % 3 else (12, 10)) for n in range(60)]
    contents[7] = contents[40] = b"no picture"
    written = write_images(tmp_path / "i.npy", files(contents), Way((8, 8)), silent)
    images = np.load(tmp_path / "i.npy", mmap_mode="r")
    assert images[:, 0, 0, 0].tolist() == [n for n in range(60) if n not in (7, 40)]
    assert [name for name, _ in written.broken] == ["a/7.png", "a/40.png"]
    assert [(one.width, one.height) for one in written.stored[:2]] == [(12, 10), (300, 200)]
    assert len(written.stored) == 58


def test_the_digest_is_that_of_the_pixels(tmp_path: Path) -> None:
    digests = [write_images(tmp_path / f"{n}.npy", files([picture(n // 2), picture(9)]),
                            Way((8, 8), "stretch", 1), silent).digest for n in range(3)]
    assert digests[0] == digests[1] != digests[2]


def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path: Path) -> None:
    content = saved(scenery(0, 400))
    peaks = []
    for count in (60, 240):
        tracemalloc.start()
        write_images(tmp_path / f"{count}.npy", files([content] * count), Way((64, 64)), silent)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0] + 240 * 1000


def test_large_pictures_are_decoded_like_small_ones(tmp_path: Path) -> None:
    side = int(MANY_PIXELS**0.5) + 2
    contents = [saved(np.full((side, side, 3), 10 * n, np.uint8), compress_level=1)
                for n in range(3)]
    write_images(tmp_path / "i.npy", files(contents), Way((8, 8)), silent)
    assert np.load(tmp_path / "i.npy")[:, 4, 4, 0].tolist() == [0, 10, 20]


def test_nothing_is_read_far_ahead_of_what_is_written(tmp_path: Path) -> None:
    read = 0

    def content() -> bytes:
        nonlocal read
        read += 1
        return picture(1)

    ahead = []
    write_images(tmp_path / "i.npy", [Candidate(Entry(("a", "x.png"), content), "a")] * 100,
                 Way((8, 8)), lambda what, done, total: ahead.append(read - done))
    assert max(ahead) <= decoding._AHEAD + 1


@pytest.mark.parametrize("values", [((7, 8),), ((8, 513),), ((8, 8.0),), ((8,),),
                                    ((8, 8), "nearest"), ((8, 8), "fit", 4)])
def test_an_impossible_form_is_refused(values: tuple[object, ...]) -> None:
    with pytest.raises(BadInput):
        Way(*values)  # type: ignore[arg-type]
