"""Tells by its first bytes what kind of file a picture is, and says in words what is none.

Knows nothing of pixels: `images` decodes what has a kind.
"""

from __future__ import annotations

from cnn.errors import BadInput

# Pillow's format names by the first bytes. The allow-list is what protects: none of the known holes
# of recent years sits in these five parsers, and formats that are not named here are never tried.
SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",  # also MPO, several pictures in one JPEG: the first is taken
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"BM": "BMP",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
}
_READABLE = "JPEG, PNG, WebP, BMP or GIF"
_CHOOSE = f"Choose a {_READABLE} file."
SAVE_AS = "Open it in a picture program, save it as JPEG or PNG, and use that file."
_FOREIGN = {
    b"%PDF": "a PDF document",
    b"II*\0": "a TIFF or camera raw picture",
    b"MM\0*": "a TIFF or camera raw picture",
}
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_BRANDS = dict.fromkeys((b"avif", b"avis"), "an AVIF picture")
_BRANDS |= dict.fromkeys(_HEIC_BRANDS, "a HEIC picture, as iPhones take them")


def kind_of(data: bytes) -> str:
    """Return Pillow's name of the format that a file begins like.

    Raises:
        BadInput: If it is none of the five that are read.
    """
    if not data:
        raise BadInput("The file is empty (0 bytes).", _CHOOSE)
    for signature, kind in SIGNATURES.items():
        if data.startswith(signature):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    raise _not_readable(data)


def _not_readable(data: bytes) -> BadInput:
    foreign = _FOREIGN.get(data[:4])
    if data[4:8] == b"ftyp":
        foreign = _BRANDS.get(data[8:12])
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<svg", b"<?xml", b"<!")) and b"<svg" in start and b"<html" not in start:
        foreign = "an SVG drawing, which has no pixels"
    if foreign:
        return BadInput(f"This is {foreign}; pictures must be {_READABLE}.", SAVE_AS)
    if start.startswith((b"<!doctype html", b"<html")):
        return BadInput("This is a web page, not a picture.",
                        "Open the page, right-click the picture and copy the picture's address.")
    if _is_text(data[:1024]):
        return BadInput("This is a text file, not a picture, whatever its name says.", _CHOOSE)
    return BadInput(f"This is not a picture we can read; pictures must be {_READABLE}.", SAVE_AS)


def _is_text(start: bytes) -> bool:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16, as Windows Notepad writes it
        return True
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:  # else only a character cut off by the slice
            return False
        text = start[: error.start].decode("utf-8")
    return all(character.isprintable() or character in "\t\r\n\f" for character in text)


