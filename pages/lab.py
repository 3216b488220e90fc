"""Architecture lab: change a network layer by layer and see at once what that means.

The address holds the whole draft (`?draft=`), so a reload or a link shows the same; `?from=`
starts from a registered architecture. Nothing here needs TensorFlow.
"""

from __future__ import annotations

import streamlit as st

from cnn.data.catalogue import DatasetInfo
from cnn.models.registry import architecture_names, get_architecture
from cnn.models.summary import Outline, outline
from pages.shared.dataset_picker import choose_dataset, is_ready
from pages.shared.errors import errors_shown, show_error
from pages.shared.formats import plain
from pages.shared.lab_state import FROM, Lab, current, known_start
from pages.shared.lab_view import (
    figures_of,
    offer_to_measure,
    show_code,
    show_keeping,
    show_own,
    show_problem_of,
    time_words,
    totals_in_words,
)
from pages.shared.layer_editor import show_editor

_START = "lab_start"


def draw_start(lab: Lab) -> None:
    """Draw the choice of what to begin from, and the way back."""
    chosen = known_start(lab.draft.document)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.session_state[_START] = chosen or None
        st.selectbox("Start from", architecture_names(), index=0 if chosen else None, key=_START,
                     on_change=_take_start, placeholder="Choose an architecture", width="stretch")
        st.button("Undo", icon=":material/undo:", key="lab_undo", disabled=not lab.before,
                  on_click=lab.undo)
    if chosen:
        architecture = get_architecture(chosen)
        source = f" *{plain(architecture.source)}*" if architecture.source else ""
        st.caption(plain(architecture.description) + source)


def _take_start() -> None:
    if st.session_state[_START]:
        st.query_params[FROM] = st.session_state[_START]


@st.fragment
def draw_lab(info: DatasetInfo, top: st.delta_generator.DeltaGenerator) -> None:
    """Draw the draft, its cost, and what can be done with it; an edit draws this part alone.

    Args:
        info: The data set, ready.
        top: Where the choice of a start belongs.
    """
    above = st.container()  # the list below keeps its place, and so what is open and typed in it
    with above, errors_shown():
        current(info)
    lab: Lab = st.session_state["lab"]
    with top:
        draw_start(lab)
    architecture = lab.draft.document.architecture("draft")
    assert info.image_shape is not None  # noqa: S101  the data set is ready
    found: Outline = outline(
        architecture.layers(info.image_shape, len(info.classes)), info.image_shape,
        len(info.classes))
    time = time_words(architecture, found, info)
    with above:
        if lab.problem:
            show_error(lab.problem)
            lab.problem = None
        show_problem_of(found)
        if not found.problem:
            offer_to_measure(found.summary)
    layers, rest = st.columns([8, 5], gap="medium")
    with layers:
        st.header("Layers", anchor=False)
        show_editor(lab, found, figures_of(lab, found, info, time), totals_in_words(found, time))
    with rest:
        st.header("Keep it", anchor=False)
        show_keeping(lab, found)
        if not found.problem:
            show_code(architecture, found)
        show_own()


def main() -> None:
    """Draw the lab for the data set that all pages share."""
    st.caption("Change a network layer by layer: shapes, parameters, arithmetic and time follow at "
               "once. Saved under a name, it can be trained like every other.")
    left, right = st.columns(2)
    with errors_shown():
        with left:
            info = choose_dataset()
        if is_ready(info):
            draw_lab(info, right)


main()
