"""The only decoder and the only resizer: bytes to RGB arrays, arrays to other sizes and to files.

Training, CLI, API and pages all take this way, so a model always sees a picture as it was trained
to. Knows nothing of files, links or models: callers read bytes, and add the name of the file to a
message themselves. Every picture is taken for hostile: only five formats are parsed, sizes are
checked before pixels are decoded, and whatever Pillow raises becomes `BadInput`.
"""

from __future__ import annotations

import io
from contextlib import nullcontext, suppress
from threading import Lock

import numpy as np
from PIL import Image, ImageOps

from cnn.data.kinds import SAVE_AS, kind_of
from cnn.data.parts import Box, Pixels, centred_part
from cnn.errors import BadInput

MAX_BYTES = 20 * 2**20  # of an encoded picture
MAX_PIXELS = 40_000_000  # 400 MB of memory while decoding
MANY_PIXELS = 4_000_000  # from here on one picture is decoded at a time: it takes 40 MB and more
MAX_ASPECT = 50  # longest side over shortest: beyond any panorama, nothing is left after resizing

RESIZE_WAYS: dict[str, str] = {
    "crop": "Cut the largest centred part of the right shape, then scale it.",
    "fit": "Scale the whole picture to fit, and fill the rest with grey bars.",
    "stretch": "Scale height and width separately, changing the proportions.",
}

_SMALLER = "Save it smaller: models look at a few hundred pixels at most."

# What `convert` turns into RGB rightly. F and LAB are left out: their range is anybody's guess.
_PLAIN_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK")
_MANY = Lock()


def decode_image(data: bytes) -> Pixels:
    """Return the picture in `data` upright and in colour.

    Transparent parts become white, 16-bit grey is scaled to 8 bits, and of an animation the first
    frame is taken.

    Args:
        data: A whole JPEG, PNG, WebP, BMP or GIF file.

    Returns:
        RGB values from 0 to 255, shape (height, width, 3), read-only.

    Raises:
        BadInput: If it is not such a file, too large, or damaged.
    """
    return _decode(data, 0)[0]


def decode_small(data: bytes, side: int) -> tuple[Pixels, tuple[int, int]]:
    """Return a picture that will be made small anyway, at less cost than `decode_image`.

    A JPEG holds its frequencies apart, so that one of more than `MANY_PIXELS` can be decoded at a
    half, a quarter or an eighth of its size: an average of pixels, as `resize` begins with too.
    At 12 megapixels that takes 2 MB in place of 36, and a fifth of the time. What `resize` then
    makes of it differs by less than one of the 255 steps on average, at hard edges by 20 (colours
    are averaged before they are cut off at 0 and 255, not after). All else is decoded whole.

    Args:
        data: As for `decode_image`.
        side: In pixels; height and width stay at least that. For `resize` it should be eight times
            the longer side of what that is to make.

    Returns:
        RGB values as from `decode_image`, and the full height and width of the upright picture.

    Raises:
        BadInput: As `decode_image`.
    """
    return _decode(data, side)


def _decode(data: bytes, side: int) -> tuple[Pixels, tuple[int, int]]:
    if len(data) > MAX_BYTES:
        raise BadInput(
            f"The picture has {len(data) / 2**20:.1f} MB; the limit is {MAX_BYTES // 2**20} MB.",
            _SMALLER)
    kind = kind_of(data)
    try:
        picture, (height, width) = _open_rgb(data, kind, side)
        return np.asarray(picture), (height, width)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels("far too many pixels") from error
    except BadInput:
        raise
    except Exception as error:  # Pillow raises at least eight classes, of which two are its own
        raise BadInput(
            f"The picture is damaged or of a rare kind: it begins like {kind} but cannot be read.",
            SAVE_AS) from error


def _open_rgb(data: bytes, kind: str, side: int) -> tuple[Image.Image, tuple[int, int]]:
    with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
        full = picture.size
        _check_header(*full)
        if side and kind == "JPEG" and full[0] * full[1] > MANY_PIXELS:
            picture.draft(None, (side, side))
        stored = picture.size
        with _MANY if picture.width * picture.height > MANY_PIXELS else nullcontext():
            # First and once, on a fresh object: after a failed load, a second can return normally
            # with half a picture, and anything that looks at EXIF may load.
            picture.load()
            # Damaged EXIF says nothing about the pixels: like a browser, show them as stored.
            with suppress(Exception):
                ImageOps.exif_transpose(picture, in_place=True)
            width, height = full if picture.size == stored else full[::-1]
            return _to_rgb(picture), (height, width)


def _check_header(width: int, height: int) -> None:
    # Our own limit, not `Image.MAX_IMAGE_PIXELS` with its warning: both that number and the warning
    # filters belong to the whole process, which other threads and libraries change.
    if not 0 < width * height <= MAX_PIXELS:
        raise _too_many_pixels(f"{width} x {height} pixels")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise BadInput(
            f"The picture is a strip of {width} x {height} pixels; the long side may be at most "
            f"{MAX_ASPECT} times the short one.", "Cut out the part that matters.")


def _too_many_pixels(size: str) -> BadInput:
    return BadInput(
        f"The picture says it has {size}; the limit is {MAX_PIXELS // 10**6} million.", _SMALLER)


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):
        return _from_16_bit(picture).convert("RGB")
    if picture.mode not in _PLAIN_MODES:
        raise BadInput(f"The picture stores its colours in a way we do not read ({picture.mode}).",
                       SAVE_AS)
    if not picture.has_transparency_data:
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    # `convert` alone would show the colours that transparency hides, often black.
    layer = picture if picture.mode == "RGBA" else picture.convert("RGBA")
    white = Image.new("RGB", picture.size, "white")
    white.paste(layer, mask=layer)
    return white


def _from_16_bit(picture: Image.Image) -> Image.Image:
    # `convert` clips at 255, which turns 99.6 % of the values white; 257 maps 65535 to 255 exactly.
    values = np.asarray(picture)
    grey = (values.clip(0, 65535) // 257).astype(np.uint8)
    transparent = picture.info.get("transparency")  # PNG: one value that is invisible
    if transparent is not None:
        grey[values == transparent] = 255
    return Image.fromarray(grey)


def resize(image: Pixels, size: tuple[int, int], how: str = "crop") -> Pixels:
    """Return `image` at another size, antialiased.

    Bicubic, because it stays sharp when enlarging small pictures and rings half as much at edges as
    Lanczos. Large pictures are first averaged down to three times the target: on 12 megapixels that
    is four times faster and changes values by at most 3.

    Args:
        image: Values from 0 to 255, shape (height, width, channels); channels 1 or 3.
        size: The new height and width in pixels.
        how: One of `RESIZE_WAYS`. Defaults to the centred crop.

    Returns:
        Values from 0 to 255, shape (*size, channels), read-only; the image itself if it has that
        size already.

    Raises:
        BadInput: If the way is unknown, the size not positive, or the array not an image.
    """
    if how not in RESIZE_WAYS:
        raise BadInput(f"resize must be one of {', '.join(RESIZE_WAYS)}. Received: {how!r}.",
                       "Choose one of these names.")
    height, width = size
    if height < 1 or width < 1 or height * width > MAX_PIXELS:
        raise BadInput(f"The new size must be 1 x 1 to {MAX_PIXELS // 10**6} million pixels. "
                       f"Received: {height} x {width}.", "Choose a size such as 32 x 32.")
    picture = _picture_of(image)
    if picture.size == (width, height) and image.ndim == 3:
        return image
    if how == "fit":
        return _array_of(_fit(picture, height, width))
    box = _centred_box(picture, height, width) if how == "crop" else None
    return _array_of(_scale(picture, height, width, box))


def _scale(picture: Image.Image, height: int, width: int, box: Box | None = None) -> Image.Image:
    return picture.resize((width, height), Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)


def _centred_box(picture: Image.Image, height: int, width: int) -> Box:
    across, down = picture.size
    left, top, right, bottom = centred_part((down, across), (height, width))
    return left * across, top * down, right * across, bottom * down


def _fit(picture: Image.Image, height: int, width: int) -> Image.Image:
    scale = min(height / picture.height, width / picture.width)
    inner_height = max(1, round(picture.height * scale))
    inner_width = max(1, round(picture.width * scale))
    canvas = Image.new(picture.mode, (width, height), "#808080")  # mid grey, also in mode L
    canvas.paste(_scale(picture, inner_height, inner_width),
                 ((width - inner_width) // 2, (height - inner_height) // 2))
    return canvas


def _picture_of(image: Pixels) -> Image.Image:
    # Of shape (H, W), (H, W, 1) or (H, W, 3).
    plain = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
    right = plain.ndim == 2 or (plain.ndim == 3 and plain.shape[2] == 3)
    if not right or image.dtype != np.uint8 or not image.size:
        raise BadInput(
            "An image must be whole numbers from 0 to 255 (uint8) with 1 or 3 channels. "
            f"Received: {image.dtype} of shape {image.shape}.")
    return Image.fromarray(plain)


def _array_of(picture: Image.Image) -> Pixels:
    values: Pixels = np.asarray(picture)
    return values[..., np.newaxis] if values.ndim == 2 else values


def to_channels(image: Pixels, channels: int) -> Pixels:
    """Return `image` with 1 channel (grey) or 3 (RGB); itself if it has so many.

    Grey is the luma of ITU-R 601 (0.299 red, 0.587 green, 0.114 blue), as in JPEG and in most
    published data sets; RGB from grey repeats it.

    Args:
        image: Values from 0 to 255, shape (height, width, 1 or 3).
        channels: 1 or 3.

    Raises:
        BadInput: If `channels` is another number, or the array not an image.
    """
    if channels not in (1, 3):
        raise BadInput(f"channels must be 1 (grey) or 3 (RGB). Received: {channels!r}.")
    picture = _picture_of(image)
    if image.ndim == 3 and image.shape[2] == channels:
        return image
    return _array_of(picture.convert("L" if channels == 1 else "RGB"))


def thumbnail(image: Pixels, longest: int) -> Pixels:
    """Return `image` antialiased so that its longest side has at most `longest` pixels.

    Args:
        image: Values from 0 to 255, shape (height, width, 1 or 3).
        longest: In pixels. A smaller image keeps its size.

    Raises:
        BadInput: If the array is not an image.
    """
    height, width = image.shape[:2]
    if max(height, width) <= longest:
        return image
    scale = longest / max(height, width)
    return resize(image, (max(1, round(height * scale)), max(1, round(width * scale))), "stretch")


def encode_png(image: Pixels) -> bytes:
    """Return `image` as a PNG file, without any of the metadata an upload may have had.

    Args:
        image: Values from 0 to 255, shape (height, width) or (height, width, 1 or 3).

    Raises:
        BadInput: If the array is not an image.
    """
    return _encoded(image, "PNG")


def encode_jpeg(image: Pixels) -> bytes:
    """Return `image` as a JPEG file: of a small photo a quarter of what a PNG takes.

    Args, Raises:
        As `encode_png`.
    """
    return _encoded(image, "JPEG", quality=85)


def _encoded(image: Pixels, kind: str, **options: int) -> bytes:
    file = io.BytesIO()
    _picture_of(image).save(file, kind, **options)
    return file.getvalue()
