"""How a saved model was made: its card in full, and the network it is."""

from __future__ import annotations

import streamlit as st

from cnn.models.registry import built_in_names
from cnn.models.summary import summarise
from cnn.prediction.saved import Card
from pages.shared.errors import errors_shown
from pages.shared.formats import NOTHING, count, decimal, percent, plain, size
from pages.shared.layer_table import show_graph


def show_details(card: Card) -> None:
    """Show what is needed to make this model once more, and what it was made with."""
    st.subheader("The command that makes it again", anchor=False)
    st.code(card.command, language="bash", wrap_lines=True)
    st.subheader("Card", anchor=False)
    st.table(_facts(card), alt="What the model's card says")
    st.subheader("Settings of the run", anchor=False)
    st.json(card.config)
    if card.architecture in built_in_names():  # a newer version may know more
        with errors_shown():
            height, width, channels = card.input_shape
            show_graph(card.architecture, summarise(
                card.architecture, (height, width, channels), len(card.class_names)))


def _short(fingerprint: str) -> str:
    return f"{fingerprint[:16]}…" if len(fingerprint) > 16 else fingerprint


def _facts(card: Card) -> dict[str, str]:
    versions = ", ".join(f"{name} {version}" for name, version in card.versions.items())
    facts = {
        "Made": card.created, "Run": card.run,
        "Architecture": card.architecture, "Data set": card.dataset,
        "Fingerprint of the data": _short(card.dataset_fingerprint),
        **({} if card.uploaded else _training_facts(card)),
        "Input": size(card.input_shape),
        "Pictures of another size": card.resize,
        "Light on dark": "yes" if card.dark_background else "no",
        "Loads without this package": "no" if card.needs_cnn else "yes",
        "Training ended early": card.stopped, "Versions": versions, "Machine": card.machine,
        **_newer_facts(card),
    }
    return {name: plain(value) or NOTHING for name, value in facts.items()}


def _training_facts(card: Card) -> dict[str, str]:
    """Return what is known of a model that was trained here."""
    return {
        "Seed": str(card.seed),
        "Images for training, validation, test":
            " / ".join(map(count, (card.train_n, card.validation_n, card.test_n))),
        "Multiply-adds per image": count(card.multiply_adds)}


def _newer_facts(card: Card) -> dict[str, str]:
    """Return what older cards do not say."""
    facts = {}
    if card.averaged_test_accuracy is not None:
        facts["Test accuracy, plain and averaged over views"] = \
            f"{percent(card.test_accuracy, 2)} / {percent(card.averaged_test_accuracy, 2)}"
    if card.calibration_error is not None:
        facts["Temperature"] = decimal(card.temperature, 3)
        facts["Calibration error, before and after the temperature"] = \
            f"{percent(card.calibration_error_before, 2)} / {percent(card.calibration_error, 2)}"
    if card.split:
        facts["How the images were divided"] = card.split
    if card.sittings > 1:
        facts["Sittings"] = f"{card.sittings}: training was interrupted and resumed"
    return facts
