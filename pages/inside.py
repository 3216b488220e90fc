"""Look inside: step through a network on one picture, see its graph, and go back in its training.

The address says which model, picture and layer; a link shows the same again.
"""

from __future__ import annotations

import streamlit as st

from cnn.prediction.saved import Card
from pages.shared import cached
from pages.shared.errors import errors_shown
from pages.shared.formats import amount
from pages.shared.inside_answer import show_answer
from pages.shared.inside_graph import drawn, layers_dot
from pages.shared.inside_layers import choose_layer, layers_of, show_all, show_layers
from pages.shared.inside_picture import choose_subject
from pages.shared.inside_time import show_time_machine
from pages.shared.model_picker import choose_model, origin_text
from pages.shared.past_link import TIME, VIEW

LAYERS, GRAPH = "Layer by layer", "The whole network"
VIEWS = [LAYERS, GRAPH, TIME]


def draw_layers(card: Card) -> None:
    """Draw one layer at work on one picture."""
    layers = layers_of(card.name, cached.model_stamp(card.name))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        subject = choose_subject(card.dataset, card.input_shape)
    with right, errors_shown():
        show_answer(card, subject)
    show_layers(card, layers, subject)


def draw_graph(card: Card) -> None:
    """Draw how the layers hang together, and all of them in a table."""
    layers = layers_of(card.name, cached.model_stamp(card.name))
    chosen = choose_layer(layers)
    some = drawn(layers, chosen.name)
    if len(some) < len(layers):
        st.caption(f"The {amount(len(some), 'layer')} around the chosen one, of {len(layers):,}.")
    st.graphviz_chart(layers_dot(some, chosen.name, st.context.theme.type == "dark"),
                      width="content", alt=f"Graph of {amount(len(some), 'layer')}")
    st.header("All layers", anchor=False)
    show_all(layers)


def main() -> None:
    """Draw the page."""
    view = st.segmented_control("Show", VIEWS, default=LAYERS, required=True, key=VIEW,
                                bind="query-params", label_visibility="collapsed")
    with errors_shown():
        if view == TIME:
            show_time_machine()
            return
        card = choose_model()
        if card is not None:
            st.caption(origin_text(card))
            (draw_layers if view == LAYERS else draw_graph)(card)


main()
