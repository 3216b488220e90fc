"""Every picture here is made in memory; none comes from a file or the network."""

from __future__ import annotations

import io
import random
import struct
import threading
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnn.data import images, kinds
from cnn.data.images import (
    MAX_BYTES,
    RESIZE_WAYS,
    decode_image,
    encode_jpeg,
    encode_png,
    resize,
    thumbnail,
    to_channels,
)
from cnn.errors import BadInput, CnnError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def png(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def scene(height: int = 24, width: int = 40) -> np.ndarray:
    """Return a smooth RGB picture without any symmetry, so that JPEG keeps it and turns show."""
    y, x = np.mgrid[0:height, 0:width]
    bands = [x * 255 // width, y * 255 // height, (x + 2 * y) * 2 % 200]
    return np.stack(bands, axis=-1).astype(np.uint8)


def assert_near(actual: np.ndarray, expected: np.ndarray, tolerance: int) -> None:
    assert actual.shape == expected.shape
    assert np.abs(actual.astype(int) - expected.astype(int)).max() <= tolerance


# Formats and modes


@pytest.mark.parametrize("kind", FORMATS)
def test_every_allowed_format_decodes_to_rgb(kind: str) -> None:
    flat = np.full((24, 40, 3), (204, 51, 102), np.uint8)  # web-safe: also in the GIF palette
    image = decode_image(encoded(Image.fromarray(flat), kind))
    assert image.dtype == np.uint8
    assert_near(image, flat, 4)


def test_lossless_colours_are_exact() -> None:
    assert np.array_equal(decode_image(encoded(Image.fromarray(scene()))), scene())


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK"])
def test_opaque_modes_keep_white_and_black(mode: str) -> None:
    picture = Image.new("RGB", (8, 4), "white")
    picture.paste("black", (0, 0, 4, 4))
    kind = "JPEG" if mode == "CMYK" else "PNG"
    image = decode_image(encoded(picture.convert(mode), kind))
    assert image.shape == (4, 8, 3)
    assert image[:, :3].max() <= 12
    assert image[:, 5:].min() >= 243


def test_cmyk_keeps_its_hue() -> None:
    red, green, blue = decode_image(
        encoded(Image.new("RGB", (16, 16), (200, 30, 30)).convert("CMYK"), "JPEG"))[8, 8]
    assert red > 150
    assert max(green, blue) < 80


def test_grey_gives_three_equal_channels() -> None:
    image = decode_image(encoded(Image.fromarray(scene()[..., 0])))
    assert np.array_equal(image, np.repeat(scene()[..., :1], 3, axis=-1))


def test_16_bit_ramp_is_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 1024).astype(np.uint16).reshape(32, 32)
    image = decode_image(encoded(Image.fromarray(ramp)))
    assert np.array_equal(image, np.repeat((ramp // 257).astype("uint8")[..., None], 3, axis=-1))
    assert image.max() == 255
    assert len(np.unique(image)) == 256


def test_32_bit_grey_takes_the_way_of_16_bit() -> None:
    values = np.array([[0, 65535, -5, 99999]], np.int32)
    assert np.asarray(images._to_rgb(Image.fromarray(values)))[0, :, 0].tolist() == [0, 255, 0, 255]


@pytest.mark.parametrize("mode", ["F", "LAB", "HSV"])
def test_mode_without_a_known_range_is_refused(mode: str) -> None:
    with pytest.raises(BadInput, match=f"do not read .{mode}"):
        images._to_rgb(Image.new(mode, (2, 2)))


# Transparency


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparent_parts_become_white_not_the_hidden_colour(kind: str) -> None:
    picture = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (4, 0, 8, 8))
    image = decode_image(encoded(picture, kind, lossless=True, exact=True))
    assert (image[:, :4] == 255).all()
    assert (image[:, 4:] == (0, 0, 255)).all()


def test_half_transparent_is_mixed_with_white() -> None:
    image = decode_image(encoded(Image.new("RGBA", (2, 2), (100, 0, 200, 128))))
    assert_near(image, np.full((2, 2, 3), (177, 127, 227), np.uint8), 1)


def test_grey_with_alpha_becomes_white() -> None:
    image = decode_image(encoded(Image.merge("LA", [Image.new("L", (2, 1), 9),
                                                    Image.frombytes("L", (2, 1), b"\0\xff")])))
    assert image[0, :, 0].tolist() == [255, 9]


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_transparent_palette_entry_becomes_white(kind: str) -> None:
    picture = Image.frombytes("P", (2, 1), b"\0\1")
    picture.putpalette([255, 0, 0, 0, 0, 255])
    image = decode_image(encoded(picture, kind, transparency=0))
    assert image.tolist() == [[[255, 255, 255], [0, 0, 255]]]


def test_palette_with_an_alpha_for_each_entry_is_mixed() -> None:
    picture = Image.frombytes("P", (2, 1), b"\0\1")
    picture.putpalette([0, 0, 0, 0, 0, 255])
    image = decode_image(encoded(picture, transparency=b"\x80\xff"))
    assert_near(image, np.array([[[127] * 3, [0, 0, 255]]], np.uint8), 1)


@pytest.mark.parametrize(("depth", "row", "key"), [
    (8, b"\0" + bytes([5, 200]), 5),
    (16, b"\0" + struct.pack(">2H", 1000, 200 * 257), 1000),
])
def test_transparent_grey_value_becomes_white(depth: int, row: bytes, key: int) -> None:
    data = png(2, 1, depth, 0, row, chunk(b"tRNS", struct.pack(">H", key)))
    assert decode_image(data)[0, :, 0].tolist() == [255, 200]


# EXIF and animation


TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a[::-1].swapaxes(0, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a[:, ::-1].swapaxes(0, 1),
}


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.fromarray(scene())
    image = decode_image(encoded(picture, kind, exif=exif, quality=100))
    stored = decode_image(encoded(picture, kind, quality=100))
    assert np.array_equal(image, TURNS[orientation](stored))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("exif", [b"garbage", b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff"])
def test_damaged_exif_does_not_spoil_a_sound_picture(exif: bytes) -> None:
    data = encoded(Image.fromarray(scene()), "JPEG", quality=100)
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    assert np.array_equal(decode_image(data[:2] + segment + data[2:]), decode_image(data))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_first_frame_of_an_animation_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("#ff0000", "#0000ff")]
    image = decode_image(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert_near(image, np.full((8, 8, 3), (255, 0, 0), np.uint8), 4)


def test_first_picture_of_a_several_picture_jpeg_is_taken() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("#ff0000", "#0000ff")]
    image = decode_image(encoded(frames[0], "MPO", save_all=True, append_images=frames[1:]))
    assert_near(image, np.full((8, 8, 3), (254, 0, 0), np.uint8), 4)


# Refusals


@pytest.mark.parametrize(("data", "words"), [
    (b"", "empty"),
    (b"hello, I am a picture\n", "text file"),
    ("Größe und Übung, zum Abschneiden: ä".encode() * 40, "text file"),
    ("notepad".encode("utf-16"), "text file"),
    (b"name,label\r\n1,2\r\n", "text file"),
    (b"<!DOCTYPE html><html><svg></svg></html>", "web page"),
    (b"\xef\xbb\xbf\n<html>", "web page"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    (b"<?xml version='1.0'?><!-- a --><svg/>", "SVG"),
    (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
    (b"\0\0\0\x18ftypavif\0\0\0\0mif1", "AVIF"),
    (b"\0\0\0\x18ftypisom\0\0\0\0mp41", "not a picture we can read"),
    (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
    (encoded(Image.new("L", (2, 2)), "TIFF"), "TIFF"),
    (b"MM\0*\0\0\0\x08", "TIFF"),
    (b"PK\3\4\x14\0\0\0", "not a picture we can read"),
    (encoded(Image.new("L", (2, 2)), "ICO"), "not a picture we can read"),
    (b"\x89HDF\r\n\x1a\n", "not a picture we can read"),
    (b"\0" * 64, "not a picture we can read"),
])
def test_other_files_are_refused_by_what_they_are(data: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        decode_image(data)
    assert caught.value.hint


def test_size_in_bytes_is_limited() -> None:
    with pytest.raises(BadInput, match=r"20\.0 MB; the limit is 20 MB"):
        decode_image(b"\xff\xd8\xff" + b"\0" * MAX_BYTES)


@pytest.mark.parametrize("side", [6_500, 10_000, 100_000])
def test_bomb_is_refused_by_its_header(side: int, recwarn: pytest.WarningsRecorder) -> None:
    with pytest.raises(BadInput, match="limit is 40 million"):
        decode_image(png(side, side, 8, 2, b""))


def test_bomb_is_refused_whatever_other_threads_do_to_the_warning_filters(
    recwarn: pytest.WarningsRecorder,
) -> None:
    found = []

    def decode() -> None:
        try:
            decode_image(png(10_000, 10_000, 8, 2, b""))
        except BadInput as error:
            found.append(error.message)

    threads = [threading.Thread(target=decode) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all("40 million" in message for message in found)


@pytest.mark.filterwarnings("error")
def test_bomb_gets_the_same_message_where_warnings_are_errors() -> None:
    with pytest.raises(BadInput, match="far too many pixels; the limit is 40 million"):
        decode_image(png(10_000, 10_000, 8, 2, b""))


def test_large_webp_canvas_is_refused_by_its_header() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    data = bytearray(encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]))
    start = data.index(b"VP8X") + 12
    data[start:start + 6] = struct.pack("<I", 9000)[:3] * 2
    with pytest.raises(BadInput, match="9001 x 9001 pixels"):
        decode_image(bytes(data))


def test_strip_is_refused() -> None:
    decode_image(encoded(Image.new("L", (50, 1))))
    with pytest.raises(BadInput, match="51 x 1"):
        decode_image(encoded(Image.new("L", (51, 1))))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("part", [0.1, 0.4, 0.7])
def test_truncated_file_is_refused_as_damaged(kind: str, part: float) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(BadInput, match="damaged"):
        decode_image(data[: int(len(data) * part)])


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")  # of Pillow
@pytest.mark.parametrize("kind", FORMATS)
def test_random_changes_give_a_picture_or_a_message_and_nothing_else(kind: str) -> None:
    dice = random.Random(kind)
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"exif": exif} if kind in ("JPEG", "PNG", "WEBP") else {}
    good = encoded(Image.fromarray(scene(16, 12)), kind, **options)
    seen = set()
    for _ in range(150):
        data = bytearray(good)
        for _ in range(dice.choice((1, 1, 2, 8))):
            data[dice.randrange(len(data))] = dice.randrange(256)
        if dice.random() < 0.2:
            del data[dice.randrange(len(data)):]
        try:
            image = decode_image(bytes(data))
        except CnnError as error:
            seen.add("refused")
            assert error.message
        else:
            seen.add("decoded")
            assert image.dtype == np.uint8
            assert image.ndim == 3
            assert image.shape[2] == 3
            assert image.size
    assert seen == {"decoded", "refused"}


def test_random_bytes_behind_each_signature_never_let_another_exception_out() -> None:
    dice = random.Random(0)
    signatures = [*kinds.SIGNATURES, b"RIFF\x40\0\0\0WEBPVP8 ", b"RIFF\x40\0\0\0WEBPVP8L"]
    for signature in signatures:
        for _ in range(40):
            with pytest.raises(BadInput):
                decode_image(signature + dice.randbytes(dice.randrange(200)))


# Resizing


def test_every_way_is_described() -> None:
    assert list(RESIZE_WAYS) == ["crop", "fit", "stretch"]
    assert all(text.endswith(".") for text in RESIZE_WAYS.values())


@pytest.mark.parametrize("how", RESIZE_WAYS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(8, 8), (5, 31), (31, 5), (100, 64), (1, 1)])
def test_resize_gives_the_size_asked_for(how: str, channels: int, size: tuple[int, int]) -> None:
    image = resize(scene()[..., :channels], size, how)
    assert image.shape == (*size, channels)
    assert image.dtype == np.uint8


@pytest.mark.parametrize("how", RESIZE_WAYS)
def test_any_size_to_any_size(how: str) -> None:
    dice = random.Random(0)
    for _ in range(150):
        height, width, new_height, new_width = (dice.randint(1, 60) for _ in range(4))
        flat = np.full((height, width, 1), 128, np.uint8)
        assert (resize(flat, (new_height, new_width), how) == 128).all()


@pytest.mark.parametrize("how", RESIZE_WAYS)
@pytest.mark.parametrize("side", [64, 300])
def test_fine_checkerboard_becomes_grey(how: str, side: int) -> None:
    board = (np.indices((side, side)).sum(0) % 2 * 255).astype("uint8")[..., None]
    small = resize(board, (8, 8), how)
    assert small[1:-1, 1:-1].min() >= 115  # picking single pixels would give 0 or 255
    assert small[1:-1, 1:-1].max() <= 140


@pytest.mark.parametrize("how", RESIZE_WAYS)
def test_same_size_changes_nothing(how: str) -> None:
    assert np.array_equal(resize(scene(), scene().shape[:2], how), scene())


def test_enlarging_is_smooth() -> None:
    step = np.zeros((2, 2, 1), np.uint8)
    step[:, 1] = 200
    assert len(np.unique(resize(step, (16, 16)))) > 4


@pytest.mark.parametrize("turn", [False, True])
def test_crop_takes_the_centre(turn: bool) -> None:
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = 255
    image = resize(wide.swapaxes(0, 1) if turn else wide, (20, 20), "crop")
    assert (image == 255).all()


def test_fit_keeps_the_proportions_between_equal_grey_bars() -> None:
    white = np.full((20, 40, 3), 255, np.uint8)
    image = resize(white, (32, 32), "fit")
    assert (image[8:24] == 255).all()
    assert (image[:8] == 128).all()
    assert (image[24:] == 128).all()
    assert np.array_equal(resize(white.swapaxes(0, 1), (32, 32), "fit"), image.swapaxes(0, 1))


def test_stretch_uses_the_whole_picture() -> None:
    halves = np.zeros((10, 40, 1), np.uint8)
    halves[:, 20:] = 255
    image = resize(halves, (10, 10), "stretch")
    assert (image[:, :3] == 0).all()
    assert (image[:, 7:] == 255).all()


def test_default_way_is_crop() -> None:
    assert np.array_equal(resize(scene(), (9, 9)), resize(scene(), (9, 9), "crop"))


def test_unknown_way_names_the_known_ones() -> None:
    with pytest.raises(BadInput, match=r"one of crop, fit, stretch. Received: 'zoom'"):
        resize(scene(), (8, 8), "zoom")


@pytest.mark.parametrize("size", [(0, 8), (8, -1), (10_000, 10_000)])
def test_impossible_size_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(BadInput, match=f"Received: {size[0]} x {size[1]}"):
        resize(scene(), size)


@pytest.mark.parametrize("array", [
    np.zeros((4, 4, 3), np.float32), np.zeros((4, 4, 4), np.uint8), np.zeros(4, np.uint8),
    np.zeros((0, 4, 3), np.uint8), np.zeros((1, 4, 4, 3), np.uint8),
])
def test_array_that_is_no_image_is_refused(array: np.ndarray) -> None:
    with pytest.raises(BadInput, match="Received"):
        resize(array, (2, 2))


# Channels, thumbnails, PNG


def test_grey_is_the_luma_of_itu_r_601() -> None:
    expected = scene() @ np.array([0.299, 0.587, 0.114])
    grey = to_channels(scene(), 1)
    assert grey.shape == (24, 40, 1)
    assert np.abs(grey[..., 0] - expected).max() <= 1


def test_rgb_from_grey_repeats_it() -> None:
    grey = scene()[..., :1]
    assert np.array_equal(to_channels(grey, 3), np.repeat(grey, 3, axis=-1))


@pytest.mark.parametrize("channels", [1, 3])
def test_right_channels_stay_as_they_are(channels: int) -> None:
    image = scene()[..., :channels]
    assert np.array_equal(to_channels(image, channels), image)


def test_other_channel_counts_are_refused() -> None:
    with pytest.raises(BadInput, match="Received: 4"):
        to_channels(scene(), 4)


# Large photos, decoded smaller than they are


def photo(width: int, height: int, **options: Any) -> bytes:
    """Return a JPEG of a real photograph, enlarged, with colours that reach 0 and 255."""
    from sklearn.datasets import load_sample_image

    picture = Image.fromarray(load_sample_image("flower.jpg"))
    return encoded(picture.resize((width, height), Image.Resampling.BICUBIC), "JPEG", **options)


@pytest.mark.parametrize("how", ["crop", "fit", "stretch"])
@pytest.mark.parametrize("options", [{"quality": 85}, {"quality": 95, "subsampling": 0}], ids=str)
def test_a_large_photo_decoded_small_gives_the_network_the_same_picture(
    how: str, options: dict[str, Any]
) -> None:
    data = photo(3001, 2003, **options)
    small, size = images.decode_small(data, 8 * 32)
    assert size == (2003, 3001)
    assert small.shape == (501, 751, 3)  # a quarter: an eighth would be less than 256
    whole = resize(decode_image(data), (32, 32), how).astype(int)
    apart = abs(resize(small, (32, 32), how).astype(int) - whole)
    assert apart.mean() < 1
    assert apart.max() <= 24


def test_a_turned_large_photo_has_its_upright_size() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = photo(3000, 2000, exif=exif)
    small, size = images.decode_small(data, 500)
    assert size == (3000, 2000) == decode_image(data).shape[:2]
    assert small.shape == (750, 500, 3)


def test_what_is_small_or_no_jpeg_is_decoded_whole() -> None:
    for data in (photo(1200, 800), encoded(Image.new("RGB", (2500, 1700)), "PNG")):
        small, size = images.decode_small(data, 10)
        assert np.array_equal(small, decode_image(data))
        assert size == small.shape[:2]


def test_limits_hold_for_the_full_size_of_what_is_decoded_small() -> None:
    with pytest.raises(BadInput, match="pixels"):
        images.decode_small(encoded(Image.new("L", (8000, 5100)), "JPEG"), 100)
    with pytest.raises(BadInput, match="damaged"):
        images.decode_small(photo(3000, 2000)[:90_000], 100)


def test_thumbnail_keeps_proportions_and_never_enlarges() -> None:
    assert thumbnail(scene(24, 40), 20).shape == (12, 20, 3)
    assert thumbnail(scene(40, 24)[..., :1], 20).shape == (20, 12, 1)
    assert thumbnail(scene(1, 40), 10).shape == (1, 10, 3)
    assert np.array_equal(thumbnail(scene(), 100), scene())


@pytest.mark.parametrize("image", [scene(), scene()[..., :1], scene()[..., 0]])
def test_png_comes_back_as_it_was(image: np.ndarray) -> None:
    expected = image if image.ndim == 3 else image[..., None]
    assert np.array_equal(to_channels(decode_image(encode_png(image)), 3), to_channels(expected, 3))


@pytest.mark.parametrize("shape", [(9, 14), (9, 14, 1), (9, 14, 3)])
def test_jpeg_comes_back_nearly_as_it_was(shape: tuple[int, ...]) -> None:
    image = np.full(shape, 90, np.uint8)
    data = encode_jpeg(image)
    assert data.startswith(b"\xff\xd8")
    back = decode_image(data)
    assert back.shape == (9, 14, 3)
    assert abs(back.astype(int) - 90).max() <= 2
