"""Getting a published data set here: its download, seen by all visitors, or a file from elsewhere.

The download is done by the server (`cnn.data.transfers`); this only starts, shows and ends it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from cnn.data import originals, transfers
from cnn.data.catalogue import DatasetInfo, origin_of, proposed_size
from cnn.data.decoding import SIZES
from cnn.data.jobs import JobState
from cnn.data.progress import bytes_in_words, silent
from cnn.data.registry import Origin
from cnn.errors import BadInput
from pages.shared.errors import errors_shown, show_error
from pages.shared.formats import plain

SECONDS_BETWEEN_LOOKS = 1.0
LARGEST_UPLOAD = 400  # MB; the largest official file has 337


def draw_download(info: DatasetInfo) -> None:
    """Draw how far the download of a data set is, or what there is to do to get it.

    Args:
        info: Of a set that is not on this computer.
    """
    origin = origin_of(info.name)
    if origin is None or not origin.files:  # such as digits without scikit-learn
        st.info(plain(info.note), icon=":material/info:")
        return
    transfer = transfers.look(info.name)
    if transfer and transfer.lives:
        _watch(info.name)
        return
    if transfer and transfer.error:
        show_error(transfer.error)
    with errors_shown():
        size = _draw_offer(info, origin, again=bool(transfer and transfer.error))
        if originals.missing(origin.files):
            _draw_own_file(info, origin, size)
        _draw_addresses(origin)


def offer_new_copy(info: DatasetInfo) -> None:
    """Draw the button that puts a damaged official file out of the way, if there is one."""
    origin = origin_of(info.name)
    if origin is None or len(originals.missing(origin.files)) == len(origin.files):
        return
    if st.button("Set the damaged file aside, to download it anew", icon=":material/refresh:",
                 key="download_anew"):
        with errors_shown():
            originals.set_aside(origin.files)
            st.rerun()


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def _watch(name: str) -> None:
    """Show a download that is under way; when it ends, draw the whole page anew."""
    transfer = transfers.look(name)
    if transfer and transfer.lives:
        _draw_progress(name, transfer)
    else:
        st.rerun()


def _draw_progress(name: str, transfer: JobState) -> None:
    share = min(transfer.done / transfer.total, 1.0) if transfer.total else 0.0
    percent = f": {share:.0%}" if transfer.total else ""
    st.progress(share, text=plain(f"{transfer.what}{percent}"))
    # Not in a callback: the click must reach a server that was started anew meanwhile.
    if st.button("Cancel", icon=":material/close:", key="download_cancel",
                 disabled=transfer.state == "ending"):
        transfers.cancel(name)
        st.rerun(scope="fragment")
    st.caption("The server does this: you can leave this page. What has come is kept when it is "
               "cancelled or breaks off.")


def _draw_offer(info: DatasetInfo, origin: Origin, again: bool) -> int | None:
    lacking = originals.missing(origin.files)
    kept = originals.kept(origin.files)
    size = proposed_size(info.name)
    words = [f"**{plain(info.title)}** is not on this computer yet. {plain(info.note)}"]
    if kept:
        words.append(f"{bytes_in_words(kept)} are here from an earlier try: it goes on from there.")
    if lacking and not again:  # else the error above says so
        words.append("Without a network: choose **Digits 8×8** above, import pictures of your own, "
                     "or give the file from elsewhere.")
    st.info(" ".join(words), icon=":material/download:")
    if size is not None:
        size = st.number_input("Height and width of the images, pixels", *SIZES, value=size, step=8,
                               key="download_size", width=280)
    if st.button(_label(lacking, kept, again), type="primary", icon=":material/download:",
                 key="prepare"):
        transfers.start(info.name, size)
        st.rerun()
    return size


def _label(lacking: tuple[Any, ...], kept: int, again: bool) -> str:
    if not lacking:
        return "Prepare it"
    left = bytes_in_words(sum(file.size for file in lacking) - kept)
    if again:
        return f"Try again ({left})"
    return f"Go on with the download ({left} left)" if kept else f"Download ({left})"


def _draw_own_file(info: DatasetInfo, origin: Origin, size: int | None) -> None:
    with st.expander("I have the file", icon=":material/folder_open:"):
        names = ", ".join(file.name.rpartition("/")[2] for file in origin.files)
        st.caption(f"Wanted: {plain(names)}. The name does not matter, the bytes do: a copy is "
                   "checked by its SHA-256.")
        uploaded = st.file_uploader("Official files", accept_multiple_files=True, key="own_files",
                                    max_upload_size=LARGEST_UPLOAD)
        path = st.text_input("Or the path of the file or its folder on the computer of the server",
                             key="own_path").strip()
        if st.button("Use it", icon=":material/check:", key="own_use",
                     disabled=not (uploaded or path)):
            _take(origin, uploaded, path)
            transfers.start(info.name, size)
            st.rerun()


def _take(origin: Origin, uploaded: list[Any], path: str) -> None:
    with st.spinner("Checking"):
        for file in uploaded:
            originals.take(origin.files, file, file.name, silent)
        if path:
            source = Path(path).expanduser()
            if not source.is_absolute():
                raise BadInput(f"{path!r} is not a whole path.",
                               "Give the path from the root of the disk on.")
            originals.take_path(origin.files, source, silent)
    lacking = originals.missing(origin.files)
    if lacking:
        names = ", ".join(file.name.rpartition("/")[2] for file in lacking)
        raise BadInput(f"Taken; but there is more to this data set: {names}.",
                       "Give these files too, or download what is missing.")


def _draw_addresses(origin: Origin) -> None:
    with st.expander("Where it comes from", icon=":material/public:"):
        st.caption("Tried one after the other; one that is slow is left for the next. Every file "
                   "must have exactly these bytes:")
        for file in origin.files:
            st.markdown("\n".join([f"**{plain(file.name)}**, {bytes_in_words(file.size)}, SHA-256 "
                                   f"`{file.sha256}`", *(f"- {url}" for url in file.mirrors)]))
