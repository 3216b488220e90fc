"""Importing a person's own pictures on the Data page: class folders, or a zip of them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import streamlit as st

from cnn.data.decoding import SIZES
from cnn.data.images import RESIZE_WAYS
from cnn.data.importing import ImportReport, import_images, remove_imported
from cnn.errors import BadInput
from cnn.files import suggest_name
from pages.shared.dataset_picker import ProgressBar
from pages.shared.errors import errors_shown
from pages.shared.formats import amount, plain

SKIPPED_SHOWN = 100


def draw_import() -> None:
    """Draw the form, and import when its button is pressed."""
    st.caption("One folder per class, named after it, with at least two classes and two pictures "
               "in each; or a zip of such folders. Folders named train and test are kept apart.")
    uploaded = st.file_uploader("A zip of class folders", type="zip", key="import_zip")
    path = st.text_input("Or the path of a folder or zip on this computer", key="import_path")
    name, size, how, channels = _choose_form(uploaded.name if uploaded else path)
    if st.button("Import", type="primary", icon=":material/upload:", key="import_start",
                 disabled=not (uploaded or path.strip())):
        bar = ProgressBar("Stay on this page: leaving it ends the import.")
        with errors_shown():
            report = _import(uploaded, path, name, size, how, channels, bar)
            st.session_state["import_report"] = report
            st.session_state["dataset_wanted"] = report.name
            st.rerun()
        bar.clear()


def _choose_form(source: str) -> tuple[str, int, str, int]:
    proposal = suggest_name(Path(source.strip()).stem) if source.strip() else "my-pictures"
    first, second, third = st.columns(3)
    name = first.text_input("Name of the data set", placeholder=proposal, key="import_name")
    size = second.number_input("Height and width, pixels", *SIZES, value=64, step=8,
                               key="import_size")
    channels = third.segmented_control("Colours", [3, 1], default=3, required=True,
                                       format_func={3: "RGB", 1: "Grey"}.get, key="import_channels")
    how = st.segmented_control("How pictures are brought to this size", list(RESIZE_WAYS),
                               default="crop", required=True, key="import_how")
    st.caption(plain(RESIZE_WAYS[how]))
    return name.strip() or proposal, size, how, channels


def _import(uploaded: Any, path: str, name: str, size: int, how: str, channels: int,
            bar: ProgressBar) -> ImportReport:
    if uploaded is None:
        source = Path(path.strip()).expanduser()
        if not source.is_absolute():
            raise BadInput(f"{str(source)!r} is not a whole path.",
                           "Give the path from the root of the disk on.")
        return import_images(source, name, (size, size), how, channels, progress=bar.show)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{suggest_name(Path(uploaded.name).stem)}.zip"
        with file.open("wb") as target:
            shutil.copyfileobj(uploaded, target)
        return import_images(file, name, (size, size), how, channels, progress=bar.show)


def draw_report() -> None:
    """Draw what became of the files of the last import, once."""
    report: ImportReport | None = st.session_state.pop("import_report", None)
    if report is None:
        return
    st.success(f"**{plain(report.name)}** is ready: {amount(report.train_count, 'training image')} "
               f"and {amount(report.test_count, 'test image')} of "
               f"{amount(len(report.kept), 'class')}.", icon=":material/check_circle:")
    if report.skipped:
        st.warning(f"{amount(len(report.skipped), 'file')} could not be used.",
                   icon=":material/warning:")
        files, reasons = zip(*report.skipped[:SKIPPED_SHOWN], strict=True)
        st.dataframe({"File": files, "Why": reasons}, hide_index=True, alt="Skipped files")


def draw_removal(name: str) -> None:
    """Draw the button that removes an imported data set, asking once more."""
    with st.popover("Remove this data set", icon=":material/delete:"):
        st.write("Its stored copy is deleted. Your original pictures are not touched.")
        if st.button("Remove", type="primary", key="import_remove"):
            with errors_shown():
                remove_imported(name)
                st.rerun()
