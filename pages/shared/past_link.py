"""The way to the time machine on Look inside, from a run or a model that left something to see."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from cnn.errors import CnnError
from cnn.prediction.saved import Card
from cnn.runs.folder import RunFolder
from cnn.runs.manager import get_run
from pages.shared.layout import INSIDE

VIEW, TIME = "view", "Time machine"  # in the address: the part of Look inside, and its value
RUN = "run"  # in the address


def link_to_past(folder: RunFolder) -> None:
    """Show a link to the epochs of a run; nothing where it left no snapshots."""
    if folder.snapshots.epochs():
        st.page_link(INSIDE, label="Back through its epochs", icon=":material/history:",
                     query_params={VIEW: TIME, RUN: folder.run_id},
                     help="The time machine: what the network knew after each epoch.")


def link_to_past_of(card: Card) -> None:
    """Show the same for the run that made a model; nothing where it is not here."""
    if card.run:
        with suppress(CnnError):
            link_to_past(get_run(card.run).folder)
