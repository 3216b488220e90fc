"""What is in pictures that shall be imported, and what they will look like: size, colours, fit.

Shows; the looking is `cnn.data.looking`, and a preview is made by the very code of the import.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import streamlit as st

from cnn.data.decoding import SIZES, Way
from cnn.data.images import RESIZE_WAYS, Pixels, thumbnail
from cnn.data.layout import Skipped
from cnn.data.looking import Look, look_at, size_reason
from cnn.data.progress import bytes_in_words
from cnn.data.tables import TEST, TRAIN, VALIDATION
from pages.shared.formats import amount, count, plain
from pages.shared.import_sources import PATH, Chosen
from pages.shared.pictures import enlarged
from pages.shared.tables import csv_bytes

SAMPLES = 3
PREVIEW = 96  # pixels of the longest side
_LOOK = "import_look"
_TITLES = {"crop": "Crop", "fit": "Fit", "stretch": "Stretch"}


def look(chosen: Chosen) -> tuple[str, Look]:
    """Return what is in the chosen pictures, looked at once, and a text that is its own.

    Raises:
        CnnError: If they cannot be understood or are not there.
    """
    token, number, found = st.session_state.get(_LOOK, (None, "", None))
    if token != chosen.token:
        with st.spinner("Looking at the pictures"):
            found = look_at(chosen.open())
        number = uuid.uuid4().hex
        st.session_state[_LOOK] = (chosen.token, number, found)
        st.session_state["import_size"] = found.size
        st.session_state["import_channels"] = found.channels
    return number, found


def look_again() -> None:
    """Forget what was found, so that it is looked for anew."""
    st.session_state.pop(_LOOK, None)


def show_found(chosen: Chosen, found: Look) -> None:
    """Show classes with counts, given parts, a table and the sizes of the originals."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{amount(len(found.files), 'picture')}** of "
                    f"**{amount(len(found.classes), 'class')}**. {_layout(found)}",
                    width="content")
        if chosen.token[0] == PATH and st.button(  # uploads do not change
                "Look again", icon=":material/refresh:", type="tertiary", key="import_again"):
            look_again()
            st.rerun()
    if found.classes:
        st.dataframe({"Class": list(found.classes), "Pictures": list(found.classes.values())},
                     hide_index=True, width="content", alt="Pictures per class",
                     height="content" if len(found.classes) <= 8 else 300)
    st.caption(_sizes(found))
    if found.skipped:
        with st.expander(f"{amount(len(found.skipped), 'file')} will not be used",
                         icon=":material/warning:"):
            show_skipped(found.skipped, "import_found")


def _layout(found: Look) -> str:
    what = f"The table {plain(found.table)} says what they show." if found.table else ""
    if found.parts:
        parts = ", ".join(f"{part} {count(found.parts[part])}"
                          for part in (TRAIN, VALIDATION, TEST) if part in found.parts)
        what += f" They are divided already: {parts}."
    return what or "Their folders say what they show."


def _sizes(found: Look) -> str:
    if not found.sizes:
        return "None of those that were looked at can be read as a picture."
    low, high = (min(found.sizes, key=lambda size: size[0] * size[1]),
                 max(found.sizes, key=lambda size: size[0] * size[1]))
    sizes = f"{low[0]}×{low[1]} pixels"
    if len(set(found.sizes)) > 1:
        sizes = f"from {sizes} to {high[0]}×{high[1]}"
    grey = ", all grey" if found.channels == 1 else ""
    return f"{amount(len(found.sizes), 'picture')} looked at: {sizes}{grey}."


def show_skipped(skipped: Sequence[Skipped], key: str) -> None:
    """Show files that are not used with the reasons, to search and to take along.

    Args:
        skipped: Files and reasons.
        key: For the keys of the widgets.
    """
    rows = [{"file": file, "reason": reason} for file, reason in skipped]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.text_input("Search", type="search", key=f"{key}_search", live=True,
                               placeholder="part of a name or reason").strip().casefold()
        st.download_button("CSV", lambda: csv_bytes(rows), "skipped.csv", "text/csv",
                           icon=":material/download:", on_click="ignore", key=f"{key}_csv")
    fitting = [row for row in rows if wanted in f"{row['file']} {row['reason']}".casefold()]
    st.dataframe({"File": [row["file"] for row in fitting],
                  "Why": [row["reason"] for row in fitting]},
                 hide_index=True, alt="Skipped files",
                 height="content" if len(fitting) <= 8 else 300)
    if wanted:
        st.caption(f"{count(len(fitting))} of {amount(len(rows), 'file')}.")


def choose_way(found: Look) -> Way:
    """Show size, colours and fit with what they make of some pictures; return the choice.

    Raises:
        BadInput: If the size is out of range.
    """
    st.session_state.setdefault("import_size", found.size)
    st.session_state.setdefault("import_channels", found.channels)
    first, second, third = st.columns([3, 2, 4])
    size = first.number_input("Height and width, pixels", *SIZES, step=8, key="import_size")
    channels = second.segmented_control("Colours", [3, 1], required=True, key="import_channels",
                                        format_func={3: "RGB", 1: "Grey"}.get)
    how = third.segmented_control("Other shapes are made square by", list(RESIZE_WAYS),
                                  default="crop", required=True, format_func=_TITLES.get,
                                  key="import_how")
    way = Way((size, size), how, channels)
    reason = f"Proposed: **{found.size}**. {plain(size_reason(found))} " if found.sizes else ""
    stored = bytes_in_words(len(found.files) * size * size * channels)
    st.caption(f"{reason}Stored, they take {stored}.")
    _preview(found, way)
    return way


def _preview(found: Look, chosen: Way) -> None:
    if not found.samples:
        return
    samples = [picture for _, picture in found.samples[:SAMPLES]]
    with st.grid(2, min_column_width=300, gap="small"):
        _draw_samples("As they are", "", [thumbnail(picture, PREVIEW) for picture in samples])
        for how, words in RESIZE_WAYS.items():
            way = Way(chosen.size, how, chosen.channels)
            _draw_samples(_TITLES[how], words, [way.apply(picture) for picture in samples],
                          chosen=how == chosen.how)
    square = all(picture.shape[0] == picture.shape[1] for picture in samples)
    st.caption("Some of your pictures as the network would get them."
               + (" They are square, so all three ways give the same." if square else ""))


def _draw_samples(title: str, words: str, pictures: list[Pixels], chosen: bool = False) -> None:
    with st.container(border=True, height="stretch"):
        mark = ":material/check_circle: " if chosen else ""
        st.markdown(f"{mark}**{title}**", help=words or None)
        with st.container(horizontal=True, gap="small"):
            for number, picture in enumerate(pictures, 1):
                st.image(enlarged(picture, PREVIEW), output_format="PNG",
                         width="content" if max(picture.shape[:2]) <= PREVIEW else PREVIEW,
                         alt=f"Example {number}: {title}")
