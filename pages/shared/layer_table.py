"""What a network is before it is trained: layers, parameters, cost, and its operation graph."""

from __future__ import annotations

import streamlit as st

from cnn.models.registry import get_architecture
from cnn.models.summary import Summary
from cnn.prediction.client import shared_engine
from pages.shared.errors import errors_shown
from pages.shared.formats import mega


def show_layers(summary: Summary) -> None:
    """Show the totals and one row per layer."""
    st.markdown(f"**{mega(summary.parameters)}** parameters, "
                f"**{mega(summary.multiply_adds)}** multiply-adds per image, "
                f"**{4 * summary.parameters / 1e6:.2g} MB**",
                help=f"{summary.trainable_parameters:,} of {summary.parameters:,} parameters are "
                     "trained by gradients. Their size is that of 32-bit numbers.")
    number = st.column_config.NumberColumn(format="localized")
    st.dataframe(
        {"Layer": [row.name for row in summary.rows],
         "What it does": [row.label for row in summary.rows],
         "Output": [" × ".join(map(str, row.output_shape)) for row in summary.rows],
         "Parameters": [row.parameters for row in summary.rows],
         "Multiply-adds": [row.multiply_adds for row in summary.rows]},
        hide_index=True, height="content", alt="The layers of the network, from input to output",
        column_config={"Parameters": number, "Multiply-adds": number})


def show_graph(architecture: str, summary: Summary) -> None:
    """Offer the TensorFlow operation graph of an architecture that has one of its own."""
    if get_architecture(architecture).engine != "tf.nn":
        return
    if st.toggle("Show the graph of TensorFlow operations", key="train_graph"):
        with errors_shown(), st.spinner("Asking TensorFlow; the first time takes some seconds"):
            st.graphviz_chart(_graph(architecture, summary.input_shape, summary.classes),
                              width="stretch", alt=f"TensorFlow operations of {architecture}")


@st.cache_data(max_entries=8, show_spinner=False)
def _graph(architecture: str, input_shape: tuple[int, int, int], classes: int) -> str:
    return shared_engine().graph(architecture, input_shape, classes)
