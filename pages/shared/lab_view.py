"""What a draft of the lab costs, its Keras code, and keeping it under a name."""

from __future__ import annotations

import json

import streamlit as st

from cnn.data.catalogue import DatasetInfo
from cnn.errors import CnnError
from cnn.models.code import keras_code
from cnn.models.defaults import default_config
from cnn.models.documents import Document, line_of_text
from cnn.models.estimates import expected_epoch, training_bytes
from cnn.models.own import delete_own, free_own_name, list_own, read_document_bytes, save_own
from cnn.models.registry import Architecture
from cnn.models.summary import Outline, Summary, summarise
from cnn.runs.measuring import Subject, background, known_speeds
from pages.shared.acting import act, show_problem
from pages.shared.errors import error_text, errors_shown, show_error
from pages.shared.formats import NOTHING, bytes_in_words, mega, plain, rough_span
from pages.shared.lab_state import Lab, describe_as, known_start, open_document
from pages.shared.layer_editor import Figure
from pages.shared.layout import TRAIN

_SAVED = "lab_saved"  # in the session: the name that was given last


def batch_size(document: Document, info: DatasetInfo) -> int:
    """Return the images per step that its training takes unless told otherwise."""
    usual = default_config("base", info.name, "draft").batch_size
    return int(document.recipe.get("batch_size", usual))


def time_words(architecture: Architecture, outline: Outline, info: DatasetInfo) -> str:
    """Return how long one epoch takes on this computer; a dash until it was measured."""
    summary = outline.summary
    speeds = known_speeds(summary.input_shape, summary.classes)
    if speeds is None or outline.problem:
        return NOTHING
    usual = default_config("base", info.name, "draft")
    expected = expected_epoch(
        architecture, summary, speeds, info.train_count,
        int(architecture.recipe.get("batch_size", usual.batch_size)), usual.validation_fraction)
    if expected.high < 5:
        return "under 5 s"
    return rough_span(expected.low, expected.high)


def totals_in_words(outline: Outline, time: str) -> str:
    """Return what the whole network costs, in one line."""
    summary = outline.summary
    epoch = f", {time} an epoch" if time != NOTHING else ""
    return (f"{mega(summary.parameters)} parameters, "
            f"{mega(summary.multiply_adds)} multiply-adds{epoch}")


def show_problem_of(outline: Outline) -> None:
    """Say which layer breaks the network, and why, if one does."""
    if outline.problem:
        st.error(f"**{plain(outline.broken)}** {plain(outline.problem)}", icon=":material/block:")


def figures_of(lab: Lab, outline: Outline, info: DatasetInfo, time: str) -> list[Figure]:
    """Return what the network costs, beside what it was begun from; nothing of an impossible one.

    Args:
        lab: What is worked on.
        outline: Of it.
        info: The data set.
        time: For one epoch, in words.
    """
    if outline.problem:
        return []
    summary, start = outline.summary, _start(lab.draft.document, outline)
    batch = batch_size(lab.draft.document, info)
    return [
        ("Parameters", mega(summary.parameters),
         _change(summary.parameters, start.parameters if start else None),
         f"{summary.parameters:,} numbers that make up the network: "
         f"{bytes_in_words(4 * summary.parameters)} as a file."),
        ("Multiply-adds", mega(summary.multiply_adds),
         _change(summary.multiply_adds, start.multiply_adds if start else None),
         "The arithmetic of one look at one image. Learning from it takes three times that."),
        ("Memory of a step", bytes_in_words(training_bytes(summary, batch)), "",
         f"For a batch of {batch} images: what every layer puts out, and the weights with what "
         "Adam keeps of them. TensorFlow itself takes some 700 MB more."),
        ("Time for an epoch", time, "",
         "Once through the training images on this computer while it does nothing else: from what "
         "was measured here, by arithmetic and values moved."),
    ]


def _start(document: Document, outline: Outline) -> Summary | None:
    name = known_start(document)
    try:
        return summarise(name, outline.summary.input_shape, outline.summary.classes) if name else (
            None)
    except CnnError:  # what it was begun from does not fit these images
        return None


def _change(value: int, start: int | None) -> str:
    change = value / start if start else 1.0
    return f"{change:.3g} × the start" if abs(change - 1) > 0.005 else ""


def offer_to_measure(summary: Summary) -> None:
    """Offer to measure this computer where that has not been done for such images."""
    subject: Subject = (summary.input_shape, summary.classes, "")
    if known_speeds(*subject[:2]) is not None:
        return
    failure = background.failure(subject)
    if failure and not background.running(subject):
        show_error(failure)
    st.button("Measure this computer, to see how long an epoch takes", type="tertiary",
              icon=":material/speed:", key="lab_measure", disabled=background.running(subject),
              on_click=background.start, args=(subject,), help="Some seconds, once for images of "
              "this size. Best while no other program works hard.")


def show_code(architecture: Architecture, outline: Outline) -> None:
    """Draw the same network as a Python file for plain Keras."""
    place = st.expander("The same network in Keras", icon=":material/code:", key="lab_code",
                        on_change="rerun")
    if not place.open:  # drawn hidden, its colours would cost the browser half of each edit
        return
    code = keras_code(architecture, outline.summary.input_shape, outline.summary.classes)
    with place:
        st.download_button("Download", code, f"{architecture.name}.py", "text/x-python",
                           icon=":material/download:", on_click="ignore", key="lab_code_file")
        st.code(code, language="python", height=420)


def show_keeping(lab: Lab, outline: Outline) -> None:
    """Draw the fields that keep the draft under a name, and what to do with it then."""
    show_problem()
    proposal = free_own_name(f"my-{lab.draft.document.based_on or 'network'}"[:60])
    with st.container(border=True):
        name = st.text_input("Name", placeholder=proposal, key="lab_name",
                             help="Under this name, page, command line and API know it.").strip()
        said = st.text_input("What it is, in one line", lab.draft.document.description,
                             key="lab_description", max_chars=200)
        if st.button("Save as an architecture", type="primary", icon=":material/save:",
                     key="lab_save", disabled=bool(outline.problem), width="stretch"):
            act(_save, lab, name or proposal, said)
        saved = st.session_state.get(_SAVED)
        if saved and saved[1] == lab.text:
            st.success(f"Saved as **{plain(saved[0])}**.", icon=":material/check:")
            st.page_link(TRAIN, label="Train it", icon=":material/model_training:",
                         query_params={"architecture": saved[0], "run": "new"})


def _save(lab: Lab, name: str, said: str) -> None:
    describe_as(line_of_text(said))
    save_own(name, lab.draft.document)
    st.session_state[_SAVED] = name, lab.text


def show_own() -> None:
    """Draw what was kept before: to take along, to open from a file, to delete."""
    # One label for all times: under another one, an open place would be another one, and closed.
    place = st.expander("Made here, or from a file", icon=":material/inventory_2:", key="lab_own",
                        on_change="rerun")
    if not place.open:
        return
    with place:
        for entry in list_own():
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{plain(entry.name)}**" if entry.architecture else
                            f":red[**{plain(entry.name)}**]", width="stretch")
                if entry.architecture:
                    text = json.dumps(dict(entry.architecture.document or {}), indent=2)
                    st.download_button("File", text, f"{entry.name}.json", "application/json",
                                       icon=":material/download:", on_click="ignore",
                                       key=f"lab_file_{entry.name}")
                with st.popover("Delete", icon=":material/delete:", key=f"lab_ask_{entry.name}"):
                    st.markdown("Runs and models that were made with it stay.")
                    if st.button(f"Delete {plain(entry.name)}", key=f"lab_delete_{entry.name}",
                                 type="primary"):
                        act(delete_own, entry.name)
            if entry.error:
                st.caption(error_text(entry.error))
        _open_file()


def _open_file() -> None:
    given = st.file_uploader("Open the file of an architecture", type="json", key="lab_upload",
                             max_upload_size=1)
    if given and st.button("Open it here", icon=":material/file_open:", key="lab_open_file"):
        with errors_shown():
            open_document(read_document_bytes(given.getvalue(), given.name))
            st.rerun()
