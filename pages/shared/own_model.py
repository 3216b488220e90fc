"""Using a model from elsewhere: give its file, see what it is, say what its file does not say.

The file is read in processes of their own (`cnn.prediction.adopting`), never in the server.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from cnn.data.images import RESIZE_WAYS
from cnn.data.layout import shown
from cnn.data.progress import bytes_in_words
from cnn.data.staging import Staging
from cnn.errors import CnnError
from cnn.files import suggest_name
from cnn.models.foreign.archive import MAX_FILE
from cnn.models.foreign.pixels import PIXELS, WHOLE
from cnn.models.foreign.plan import LARGEST, SMALLEST
from cnn.prediction.adopting import Found, Wishes, adopt, look_into_file
from cnn.prediction.saved import free_name
from pages.shared.errors import errors_shown, show_error
from pages.shared.formats import amount, mega, plain, size
from pages.shared.leaving import clear_when_left
from pages.shared.unmeasured import how_to_measure
from pages.shared.uploads import take_uploads

_GIVEN, _ADDED, _TURN = "own_given", "own_added", "own_turn"
_LAYERS_HEIGHT = 240  # pixels


@dataclass(frozen=True)
class _Given:
    """A file that somebody gave, and what was understood of it."""

    stage: Staging
    title: str  # as the browser calls it
    path: Path
    bytes: int
    found: Found | CnnError


def choose_added() -> None:
    """Choose the model that was added a moment ago; to be called before the choice is drawn."""
    name = st.session_state.pop(_ADDED, None)
    if name:
        st.session_state["model"] = name
        st.success(f"**{plain(name)}** is one of the saved models now, on every page. "
                   f"{how_to_measure(name)}", icon=":material/check_circle:")


def offer_own_model() -> None:
    """Offer to take a model from elsewhere; when that is done, the page is drawn anew with it."""
    turn = st.session_state.setdefault(_TURN, 0)
    section = st.expander("Use a model of yours", icon=":material/upload_file:",
                          key=f"own_section_{turn}", on_change="rerun")
    if not section.open:
        return
    with section, errors_shown():
        given = st.session_state.get(_GIVEN)
        if given is None:
            _ask_for_file()
            return
        _show_file(given)
        if isinstance(given.found, CnnError):
            show_error(given.found)
        else:
            _show_found(given.found)
            _ask_the_rest(given, given.found)


def _ask_for_file() -> None:
    st.caption("A Keras network for pictures, saved with `model.save('my-model.keras')`. It takes "
               f"pictures of {SMALLEST} to {LARGEST} pixels and answers with one value per class. "
               "Only its layers and numbers are taken: no code in the file is run.")
    stage = Staging()
    files = take_uploads("A .keras file", ["keras"], stage, "own_file", several=False,
                         largest=MAX_FILE // 2**20)
    if not files:
        return
    title, path, length = files[0]
    try:
        with st.spinner("Looking into the file, in a process of its own"):
            found: Found | CnnError = look_into_file(path)
    except CnnError as error:
        found = error
        stage.clear()
    clear_when_left(stage)
    st.session_state[_GIVEN] = _Given(stage, title, path, length, found)
    st.rerun()


def _show_file(given: _Given) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/deployed_code: **{plain(shown(given.title))}**, "
                    f"{bytes_in_words(given.bytes)}", width="content")
        if st.button("Another file", icon=":material/close:", key="own_again", type="tertiary"):
            _forget(given)
            st.rerun()


def _forget(given: _Given) -> None:
    given.stage.clear()
    st.session_state.pop(_GIVEN, None)


def _show_found(found: Found) -> None:
    classes = "classes: not known yet" if found.classes is None else \
        f"**{amount(found.classes, 'class')}**"
    st.markdown(f"**{amount(found.layers, 'layer')}** · **{mega(found.parameters)}** parameters · "
                f"pictures of **{size(found.input_shape)}** · {classes}")
    if found.remark:
        st.caption(f":material/info: {found.remark}")
    if st.toggle("Show its layers", key="own_layers"):
        st.dataframe({"Layer": [step.layer for step in found.plan.steps],
                      "Kind": [step.kind for step in found.plan.steps]},
                     hide_index=True, height=_LAYERS_HEIGHT, alt="The layers of the network")


def _ask_the_rest(given: _Given, found: Found) -> None:
    with st.form("own_form", border=False):
        known = "classes" if found.classes is None else amount(found.classes, "class")
        names = st.text_area(
            f"Names of its {known}, one a line", key="own_classes", placeholder="cat\ndog",
            help="In the order of its outputs. Keras's image_dataset_from_directory takes the "
                 "folders in alphabetical order.")
        itself = f" It begins with a layer that scales them ({plain(found.scaling)}), so it " \
            "probably takes them as they are." if found.scaling else ""
        pixels = st.segmented_control(
            "Pixel values it was trained on", list(PIXELS), key="own_pixels", required=True,
            default=WHOLE if found.scaling else None, format_func=lambda name: PIXELS[name].words,
            help="Pictures here have values of 0 to 255. With another choice a layer is put in "
                 "front that scales them. The wrong one makes every answer worthless.")
        st.caption(f"The file does not say it; your training code does.{itself}")
        how = st.segmented_control(
            "How a picture is brought to size", list(RESIZE_WAYS), default="crop", required=True,
            key="own_how", format_func=str.capitalize,
            help=" ".join(f"{way.capitalize()}: {words}" for way, words in RESIZE_WAYS.items()))
        name = st.text_input("Name", key="own_name",
                             value=free_name(suggest_name(Path(given.title).stem)))
        asked = st.form_submit_button("Use this model", type="primary", icon=":material/check:")
    if asked:
        _add(given, Wishes(name.strip(), _lines(names), pixels or "", how))


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _add(given: _Given, wishes: Wishes) -> None:
    with st.spinner("Building the network anew and trying it, in a process of its own: about ten "
                    "seconds", show_time=True):
        card = adopt(given.path, wishes)
    _forget(given)
    st.session_state[_ADDED] = card.name
    st.session_state[_TURN] += 1  # closed again
    st.rerun()
