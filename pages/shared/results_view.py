"""The figures of a model on the Evaluate page: accuracy, confidence, how training went.

Everything comes from the model's folder; no data set and no TensorFlow is needed. Only a figure as
PNG is drawn in the prediction engine, and only when somebody asks for it.
"""

from __future__ import annotations

import streamlit as st

from cnn.data.views import view_count
from cnn.evaluation.calibration import reliability
from cnn.evaluation.figures import FIGURES
from cnn.evaluation.results import Evaluation, wilson_interval
from cnn.prediction.client import shared_engine
from cnn.prediction.saved import Card
from pages.shared import cached
from pages.shared.charts import history_alt, history_option
from pages.shared.formats import amount, count, decimal, duration, mega, percent, plain
from pages.shared.reliability import (
    DIAGRAM_HEIGHT,
    FEW,
    reliability_option,
    reliability_rows,
    reliability_words,
)
from pages.shared.tables import as_percent, csv_bytes

CHART_HEIGHT = 300  # pixels
CALIBRATION_ERROR = (
    "How far the confidence is from the truth, on average over the test images: a model that says "
    "90 % and is right 88 % of the time is off by 2 %. At 0 % its confidence can be taken "
    "literally.")
TEMPERATURE = (
    "One number, found on the validation images after training, that makes all confidences lower "
    "(above 1) or higher (below 1). It changes no answer, only how sure the model says it is.")
_DOWNLOAD = {"on_click": "ignore"}  # a download changes nothing on the page


def show_metrics(card: Card) -> None:
    """Show how good a measured model is on test images, and how sure that is."""
    accuracy = card.test_accuracy or 0.0
    low, high = wilson_interval(round(accuracy * card.test_n), card.test_n)
    with st.grid(4, min_column_width=160):
        st.metric("Test accuracy", percent(accuracy, 2), border=True, height="stretch",
                  delta=f"{percent(low)} to {percent(high)}", delta_color="off", delta_arrow="off",
                  help=f"Of {count(card.test_n)} test images{_unused(card)}. Below it "
                       "the 95 % Wilson interval: another set of as many images would probably "
                       "give a figure in this range.")
        st.metric("Test loss", decimal(card.test_loss), border=True, height="stretch",
                  delta=f"of {amount(card.test_n, 'test image')}", delta_color="off",
                  delta_arrow="off",
                  help="Mean cross-entropy, natural logarithm; 0 would be perfect.")
        _show_newer_metrics(card)


def _show_training(card: Card) -> None:
    """Show what training came to and what it cost."""
    with st.grid(5, min_column_width=160):
        if not card.uploaded:
            _show_training_metrics(card)
        st.metric("Parameters", mega(card.parameters), border=True, height="stretch",
                  help=f"{card.parameters:,} numbers that training found.")


def _unused(card: Card) -> str:
    return ". Whether it learned from some of them is not known" if card.uploaded else \
        " that training never used"


def _show_training_metrics(card: Card) -> None:
    """Show what is known of models that were trained here."""
    st.metric("Validation accuracy", percent(card.val_accuracy, 2), border=True,
              height="stretch", help=f"Of {count(card.validation_n)} images held back from "
              "training, at the best epoch. It chose the epoch, so it flatters a little.")
    st.metric("Best epoch", f"{card.best_epoch} of {card.epochs}", border=True,
              height="stretch", help=_ended(card))
    st.metric("Training images", count(card.train_n), border=True, height="stretch")
    st.metric("Wall time", duration(card.seconds), border=True, height="stretch",
              help=f"From the start of the trainer to the saved model.{_sittings(card)}")


def _show_newer_metrics(card: Card) -> None:
    """Show what models have that were trained since these figures are measured."""
    if card.averaged_test_accuracy is not None:
        gain = 100 * (card.averaged_test_accuracy - (card.test_accuracy or 0.0))
        looks = view_count(card.mirrored)
        st.metric("Averaged accuracy", percent(card.averaged_test_accuracy, 2), border=True,
                  height="stretch", delta=f"{gain:+.2f} points", delta_color="off",
                  delta_arrow="off",
                  help=f"Of the same images, when the network looks at each {looks} times, moved "
                       f"by one pixel{' and mirrored' if card.mirrored else ''}, and the answers "
                       "are averaged. The page Predict can do the same.")
    if card.calibration_error is not None:
        show_calibration_error(card, card.calibration_error)


def show_calibration_error(card: Card, error: float) -> None:
    """Show how far confidences are off, 0 to 1, and where it is known, how far they were before."""
    before = card.calibration_error_before
    known = f" Below it the same before the temperature of {card.temperature:.2f} was applied." \
        if before is not None else ""
    st.metric("Calibration error", percent(error), border=True, height="stretch",
              delta=f"{percent(before)} before" if before is not None else None,
              delta_color="off", delta_arrow="off", help=CALIBRATION_ERROR + known)


def _sittings(card: Card) -> str:
    if card.sittings == 1:
        return ""
    return f" In {card.sittings} sittings: training was interrupted and resumed."


def _ended(card: Card) -> str:
    early = f" It ended early: {plain(card.stopped)}." if card.stopped else ""
    return f"{amount(card.epochs, 'epoch')} of training; the best by validation is saved.{early}"


def offer_figure(card: Card, figure: str) -> None:
    """Offer a figure as PNG, drawn when somebody clicks."""
    st.download_button(
        "Figure as PNG", lambda: shared_engine().figure(card.name, figure),
        f"{card.name}-{figure}.png", "image/png", icon=":material/image:",
        key=f"evaluate_png_{figure}", help=f"{FIGURES[figure]}, drawn for print.", **_DOWNLOAD)


def offer_table(card: Card, what: str, rows: list[dict[str, object]]) -> None:
    """Offer a table as CSV."""
    st.download_button(
        "Table as CSV", lambda: csv_bytes(rows), f"{card.name}-{what}.csv", "text/csv",
        icon=":material/table:", key=f"evaluate_csv_{what}", **_DOWNLOAD)


def show_history(card: Card) -> None:
    """Show what training came to, and loss and accuracy by epoch as curves and as a table."""
    _show_training(card)
    epochs = cached.history(card.name, cached.model_stamp(card.name))
    if not epochs:
        st.info("The history of this model was not kept.", icon=":material/info:")
        return
    for place, key in zip(st.columns(2), ("accuracy", "loss"), strict=True):
        with place:
            st.subheader(key.capitalize(), anchor=False)
            st.echarts_chart(history_option(epochs, key), key=f"evaluate_{key}",
                             height=CHART_HEIGHT, alt=history_alt(epochs, key))
    rows = [{"epoch": row["epoch"], "accuracy": row["accuracy"],
             "validation accuracy": row["val_accuracy"], "loss": row["loss"],
             "validation loss": row["val_loss"],
             "best": "best" if row["epoch"] == card.best_epoch else ""} for row in epochs]
    accuracy = st.column_config.NumberColumn(format="%.2f %%")
    loss = st.column_config.NumberColumn(format="%.4f")
    st.dataframe(
        as_percent(rows, "accuracy", "validation accuracy"), hide_index=True,
        alt="Loss and accuracy by epoch", column_config={
            "accuracy": accuracy, "validation accuracy": accuracy, "loss": loss,
            "validation loss": loss, "best": st.column_config.TextColumn("")})
    with st.container(horizontal=True):
        offer_figure(card, "history")
        offer_table(card, "history", rows)


def show_confidence(card: Card, found: Evaluation) -> None:
    """Show how often the answers are right by how sure the model was of them."""
    bins = reliability(found.probabilities, found.labels)
    words = reliability_words(bins)
    st.markdown(words)
    with st.grid(4, min_column_width=160):
        show_calibration_error(card, bins.error)
        if card.calibration_error is not None:  # only then was a temperature looked for
            st.metric("Temperature", decimal(card.temperature, 2), border=True, height="stretch",
                      help=TEMPERATURE)
    st.echarts_chart(reliability_option(bins), key="evaluate_reliability",
                     height=DIAGRAM_HEIGHT, alt=f"Reliability diagram. {words}")
    st.caption("Test images by how sure the model was of its answer. Where the blue bar ends at "
               "the orange mark, it is right as often as it says; a bar below the mark means too "
               f"sure, above it not sure enough. Pale bars stand for fewer than {FEW} images.")
    rows = reliability_rows(bins)
    share = st.column_config.NumberColumn(format="%.1f %%")
    st.dataframe(as_percent(rows, "mean confidence", "right answers"), hide_index=True,
                 alt="Right answers by confidence", height="content", column_config={
                     "mean confidence": share, "right answers": share,
                     "images": st.column_config.NumberColumn(format="localized")})
    offer_table(card, "confidence", rows)
