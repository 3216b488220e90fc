"""The part of a report that is about one training: figures, curves, matrix, report, settings.

Takes what `subject` gathered and returns HTML. Knows neither pages nor files.
"""

from __future__ import annotations

import numpy as np

from cnn.evaluation.calibration import reliability
from cnn.evaluation.results import Evaluation
from cnn.reports.drawings import LARGEST_LABELLED, Line, line_chart, matrix
from cnn.reports.markup import figure, figures, folded, table, text
from cnn.reports.subject import Subject
from cnn.reports.words import UNKNOWN, decimal, interval, percent, span, value_text

_MIX_UPS = 8  # most frequent ones that are listed


def training_html(subject: Subject) -> str:
    """Return everything about one training, with headings of the third level."""
    return "".join((_figures(subject), _curves(subject), _results(subject), _settings(subject)))


def _figures(subject: Subject) -> str:
    one, card = subject.facts, subject.card
    values = {}
    if one.test_accuracy is not None and one.test_n:
        values["Test accuracy"] = (percent(one.test_accuracy), (
            f"{interval(one.test_accuracy, one.test_n)} (95 %), {one.test_n:,} images"))
    if card is not None:
        values["Test loss"] = (decimal(card.test_loss), "mean cross-entropy")
        if card.averaged_test_accuracy is not None:
            values["Averaged accuracy"] = (percent(card.averaged_test_accuracy),
                                           "over shifted and mirrored views")
    values["Validation accuracy"] = (percent(one.val_accuracy),
                                     f"best epoch: {one.best_epoch} of {one.epochs}")
    values["Training images"] = (f"{one.train_n:,}" if one.train_n else UNKNOWN, "")
    values["Time"] = (span(one.seconds), "")
    values["Parameters"] = (f"{one.parameters:,}" if one.parameters else UNKNOWN, (
        f"{one.multiply_adds:,} multiply-adds an image" if one.multiply_adds else ""))
    return figures(values)


def _curves(subject: Subject) -> str:
    records = subject.epochs
    if not records:
        return "<h3>Training</h3>\n<p>The history of this training was not kept.</p>\n"
    charts = []
    for key, title in (("accuracy", "Accuracy"), ("loss", "Loss")):
        lines = [Line(name, [(r["epoch"], r[of]) for r in records])
                 for name, of in (("training", key), ("validation", f"val_{key}"))]
        form = (lambda y: percent(y, 1)) if key == "accuracy" else (lambda y: f"{y:g}")
        words = (f"{title} by epoch. Validation ends at {form(records[-1][f'val_{key}'])} after "
                 f"epoch {records[-1]['epoch']}.")
        charts.append(figure(line_chart(lines, words, "epoch", form), f"{title} by epoch"))
    rows = [(r["epoch"], percent(r["accuracy"]), percent(r["val_accuracy"]), decimal(r["loss"]),
             decimal(r["val_loss"]), "best" if r["epoch"] == subject.facts.best_epoch else "")
            for r in records]
    epochs = table("Loss and accuracy by epoch", (
        "Epoch", "Accuracy", "Validation accuracy", "Loss", "Validation loss", ""), rows)
    return (f'<h3>Training</h3>\n<div class="pair">{"".join(charts)}</div>\n'
            + folded(f"All {len(records)} epochs as a table", epochs))


def _results(subject: Subject) -> str:
    found = subject.evaluation
    if found is None:
        return f"<h3>On the test images</h3>\n<p>{text(subject.why_untested)}</p>\n"
    return "".join((_matrix(found), _report(found), _calibration(found, subject)))


def _matrix(found: Evaluation) -> str:
    names, counts = found.class_names, found.confusion
    wrong = counts - np.diag(np.diag(counts))
    words = (f"Confusion matrix: {found.count - int(wrong.sum()):,} of {found.count:,} test images "
             "right, on the diagonal.")
    places = [divmod(int(place), len(names))
              for place in np.argsort(-wrong, axis=None, kind="stable")[:_MIX_UPS]]
    rows = [(f"{names[true]} taken for {names[answer]}", f"{wrong[true, answer]:,}",
             percent(wrong[true, answer] / counts[true].sum(), 1))
            for true, answer in places if wrong[true, answer]]
    mixed = table("Mixed up most often", ("Truth and answer", "Images", "Of the class"), rows) \
        if rows else "<p>Nothing was mixed up.</p>\n"
    return ("<h3>Confusion matrix</h3>\n" + figure(matrix(names, counts, words), (
        f"{words} Rows are the truth, columns the answers; the stronger the colour, the larger "
        "the share of the row.")) + mixed + _cells(found))


def _cells(found: Evaluation) -> str:
    if len(found.class_names) > LARGEST_LABELLED:
        return ""
    rows = [(name, *row) for name, row in zip(found.class_names, found.confusion.tolist(),
                                              strict=True)]
    return folded("The matrix as a table", table(
        "Test images by true class (rows) and answer (columns)",
        ("True class", *found.class_names), rows))


def _report(found: Evaluation) -> str:
    right, answers = np.diag(found.confusion), found.confusion.sum(axis=0)
    rows = []
    for number, row in enumerate(found.report):
        of_class = number < len(found.class_names)
        rows.append((
            row["name"], percent(row["precision"]),
            interval(right[number] / max(answers[number], 1), int(answers[number]))
            if of_class else "",
            percent(row["recall"]), interval(row["recall"], row["support"]) if of_class else "",
            percent(row["f1"]), f"{row['support']:,}"))
    return ("<h3>Classes</h3>\n<p>Precision: how many answers of this class are right. Recall: how "
            "many images of it are found. Intervals are Wilson's of 95 %.</p>\n" + table(
                "Classification report",
                ("Class", "Precision", "Interval", "Recall", "Interval", "F1", "Images"), rows))


def _calibration(found: Evaluation, subject: Subject) -> str:
    bins = reliability(found.probabilities, found.labels)
    rows = [(f"{100 * number / len(bins.counts):.0f} to {100 * (number + 1) / len(bins.counts):.0f}"
             " %", percent(bins.confidence[number], 1), percent(bins.accuracy[number], 1),
             f"{bins.counts[number]:,}")
            for number in range(len(bins.counts)) if bins.counts[number]]
    before = subject.card.calibration_error_before if subject.card else None
    known = f", and {percent(before)} before calibration" if before is not None else ""
    return (f"<h3>Confidence</h3>\n<p>Confidence is off by {percent(bins.error)} on average over "
            f"the test images (expected calibration error){known}.</p>\n" + table(
                "How often it is right, by how sure it is",
                ("Confidence", "Mean", "Right", "Images"), rows))


def _settings(subject: Subject) -> str:
    rows = [(name, value_text(value)) for name, value in subject.facts.settings.items()]
    return (f"<h3>How it was made</h3>\n<p>The command that makes it again:</p>\n"
            f"<pre><code>{text(subject.command)}</code></pre>\n"
            + table("Origin", ("Fact", "Value"), _origin(subject), numbers=False)
            + table("Settings", ("Setting", "Value"), rows, numbers=False))


def _origin(subject: Subject) -> list[tuple[str, str]]:
    one, card = subject.facts, subject.card
    facts = {"Data set": one.dataset, "Fingerprint of the data": one.fingerprint}
    if card is not None:
        facts |= {
            "Architecture": card.architecture, "Made": card.created, "Run": card.run,
            "Images for training, validation, test":
                f"{card.train_n:,} / {card.validation_n:,} / {card.test_n:,}",
            "How the images were divided": card.split, "Training ended early": card.stopped,
            "Sittings": str(card.sittings) if card.sittings > 1 else "",
            "Changed while it trained": "; ".join(card.changes), "Machine": card.machine}
    facts["Versions"] = ", ".join(f"{name} {version}" for name, version in subject.versions.items())
    return [(name, value) for name, value in facts.items() if value]
