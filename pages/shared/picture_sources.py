"""Where pictures for the Predict page come from: files, clipboard, camera, links and samples.

Gathers bytes and names; what the bytes are is found out by the prediction engine.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from cnn.data.catalogue import describe
from cnn.data.dataset import Dataset
from cnn.data.drops import Bounds
from cnn.data.folders import read_picture
from cnn.data.images import MAX_BYTES, encode_png
from cnn.data.urls import fetch_image_bytes
from cnn.data.zips import MAX_UNPACKED
from cnn.errors import BadInput, CnnError
from cnn.prediction.saved import Card
from pages.shared import cached
from pages.shared.drop_box import dropped_files
from pages.shared.errors import errors_shown
from pages.shared.folder_source import choose_folder
from pages.shared.formats import plain
from pages.shared.paste_box import pasted_picture
from pages.shared.pictures import enlarged
from pages.shared.uploads import Upload, keep_uploads

FILE_TYPES = ["jpg", "jpeg", "png", "webp", "bmp", "gif"]
MOST = 2000  # pictures at once: in a table, their thumbnails go to the browser, 2 kB each
MOST_KEPT = 12  # of one visitor besides files, whose bytes stay in memory
SAMPLES = 6
THUMBNAIL = 72  # pixels
KEPT = "predict_kept"
UPLOADER = "predict_files"


@dataclass(frozen=True)
class Picture:
    """A picture somebody wants an answer for: its bytes, or why there are none."""

    source: str  # name of the file, link, or which sample
    given: bytes | Path = b""  # files stay on disk until they are asked about
    error: CnnError | None = None
    kept: bool = False  # to be removed by a button; files go in the uploader

    @property
    def is_link(self) -> bool:
        """Whether the source is an address that anybody can fetch it from."""
        return self.kept and self.source.startswith(("http://", "https://"))

    @property
    def key(self) -> str:
        """What tells it from others in this visit."""
        if self.error or isinstance(self.given, Path):
            return f"{self.source} {self.given!r}"
        return hashlib.sha256(self.given).hexdigest()

    def read(self) -> bytes:
        """Return its bytes.

        Raises:
            CnnError: Why there are none.
        """
        if self.error:
            raise self.error
        if isinstance(self.given, bytes):
            return self.given
        try:
            return read_picture(self.given)
        except BadInput as error:
            raise BadInput(f"{self.source}: {error.message}.", "Give it again.") from error


def choose_pictures(card: Card) -> list[Picture]:
    """Show the ways to give pictures and return those given, newest first."""
    files, others = st.columns([3, 2], gap="medium")
    with files:
        uploads: list[Upload] = []
        with errors_shown():
            uploads = keep_uploads("Drop one or more pictures, or choose files", FILE_TYPES,
                                   UPLOADER, MAX_BYTES // 2**20)
        dropped = dropped_files(UPLOADER, Bounds(tuple(FILE_TYPES), MOST, MAX_BYTES, MAX_UNPACKED))
    folder: list[Upload] = []
    with others:
        _ask_for_link()
        with errors_shown():
            folder = choose_folder(FILE_TYPES)
        _take_paste()
        camera = st.toggle("Use the camera", key="predict_camera_on")
    if camera:
        _take_photo()
    _offer_samples(card)
    kept: list[Picture] = st.session_state.get(KEPT, [])
    files_given = [*reversed(uploads), *dropped, *folder]
    return [*kept, *(Picture(file.name, file.path) for file in files_given)]


def remove(picture: Picture) -> None:
    """Forget a picture that is no file."""
    st.session_state[KEPT] = [p for p in st.session_state.get(KEPT, []) if p != picture]


def keep(picture: Picture) -> None:
    """Put a picture that is no file first among those given."""
    others = [p for p in st.session_state.get(KEPT, []) if p.source != picture.source]
    st.session_state[KEPT] = [picture, *others][:MOST_KEPT]


def _take_paste() -> None:
    data = pasted_picture("predict_paste")
    if data:
        keep(Picture(_numbered("Pasted picture"), data, kept=True))


def _take_photo() -> None:
    photo = st.camera_input("Take a photo", key="predict_camera")
    st.caption("The photo goes to this dashboard only. Browsers allow the camera on this computer "
               "itself and over https.")
    if photo and photo.file_id != st.session_state.get("predict_photo_id"):
        st.session_state["predict_photo_id"] = photo.file_id
        keep(Picture(_numbered("Photo"), photo.getvalue(), kept=True))


def _numbered(kind: str) -> str:
    number = st.session_state[f"predict_number_{kind}"] = 1 + st.session_state.get(
        f"predict_number_{kind}", 0)
    return f"{kind} {number}"


def _ask_for_link() -> None:
    with st.form("predict_link", border=False, clear_on_submit=True):
        row = st.container(horizontal=True, vertical_alignment="bottom")
        link = row.text_input("Or paste a link to a picture", placeholder="https://",
                              key="predict_url").strip()
        if row.form_submit_button("Fetch", icon=":material/link:") and link:
            with st.spinner("Fetching the picture"):
                keep(_fetched(link))


def _fetched(link: str) -> Picture:
    try:
        return Picture(link, fetch_image_bytes(link), kept=True)
    except CnnError as error:
        return Picture(link, error=error, kept=True)


def _offer_samples(card: Card) -> None:
    try:
        if describe(card.dataset).image_shape is None:
            return
        data = cached.dataset(card.dataset)
    except CnnError:  # samples are a convenience: the page works without the data set
        return
    unseen = "" if card.uploaded else ", which the model has never seen"
    st.markdown(f"Or try a test image of {plain(data.name)}{unseen}:")
    with st.grid("auto", min_column_width=THUMBNAIL, gap="small"):
        for row in _sample_rows(data.name, data.fingerprint, data):
            _show_sample(data, row)


@st.cache_data(max_entries=16, show_spinner=False)
def _sample_rows(name: str, fingerprint: str, _data: Dataset) -> list[int]:
    """Return the first test image of some classes, spread over all of them."""
    labels = _data.test_labels
    present = np.unique(labels)
    chosen = present[np.linspace(0, len(present) - 1, min(SAMPLES, len(present))).astype(int)]
    return [int(np.argmax(labels == label)) for label in chosen]


def _show_sample(data: Dataset, row: int) -> None:
    label = data.class_names[data.test_labels[row]]
    with st.container(gap="xxsmall", horizontal_alignment="center"):
        st.image(enlarged(data.test_images[row], THUMBNAIL), output_format="PNG",
                 alt=f"Test image {row}, in truth {label}")
        st.button(plain(label), key=f"predict_sample_{data.name}_{row}", type="tertiary",
                  help="Try this image", on_click=_take_sample, args=(data, row))


def _take_sample(data: Dataset, row: int) -> None:
    label = data.class_names[data.test_labels[row]]
    keep(Picture(f"{data.name} test image {row}, in truth {label}",
                  encode_png(data.test_images[row]), kept=True))
