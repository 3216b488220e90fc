"""Makes pictures, and folders and zips of them, for tests of imports."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

Files = dict[str, bytes]


def picture(value: int = 0, size: tuple[int, int] = (12, 10), kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (value, value, 255 - value)).save(file, kind)
    return file.getvalue()


def class_files(prefix: str = "", first: int = 0, **counts: int) -> Files:
    """Return pictures named <prefix><class>/<n>.png, each of another colour."""
    names = [f"{prefix}{name}/{n}.png" for name, count in counts.items() for n in range(count)]
    return {name: picture(first + number) for number, name in enumerate(names)}


def slide_files(slides: int = 6, each: int = 4) -> Files:
    """Return pictures of two classes named <class>/s<slide>_<n>.png, 8 + n pixels high."""
    return {f"{name}/s{slide}_{n}.png": picture(20 * slide + n + 100 * place, (20, 8 + n))
            for place, name in enumerate(("ant", "bee")) for slide in range(slides)
            for n in range(each)}


def write_folder(root: Path, files: Files) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def write_zip(path: Path, files: Files, comment: bytes = b"") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.comment = comment
    return path


def scenery(seed: int, size: int = 48) -> np.ndarray:
    """Return an RGB picture that looks like no other: soft hills of colour."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC))


def saved(pixels: np.ndarray, kind: str = "PNG", mode: str = "", **options: object) -> bytes:
    """Return an array as a picture file, in another colour mode if one is named."""
    file, image = io.BytesIO(), Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(file, kind, **options)
    return file.getvalue()
