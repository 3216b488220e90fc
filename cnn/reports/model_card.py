"""A model card in Markdown, with the headings of "Model Cards for Model Reporting".

After Mitchell et al., 2019 (arXiv 1810.03993).

Only what is known is said: figures with their intervals, and limits that follow from how the model
was made. What only a person can know is left to them, in words. Reads a saved model; no TensorFlow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cnn.data.catalogue import DatasetInfo, describe
from cnn.errors import BadInput, CnnError
from cnn.evaluation.results import Evaluation
from cnn.prediction.saved import Card, read_card
from cnn.reports.subject import Subject, subjects
from cnn.reports.words import UNKNOWN, decimal, interval, percent, span, value_text

_FOREIGN = re.compile(r"([\\`*_\[\]<>|~$^&])")  # what means something in the middle of a line
_TO_BE_WRITTEN = "*Not recorded. Whoever publishes the model should write it here.*"


def model_card(name: str) -> str:
    """Return the model card of a saved model as Markdown.

    Raises:
        NotFound: If there is no such model.
        Damaged: If it cannot be read.
        BadInput: If it was brought from elsewhere.
    """
    card = read_card(name)
    if card.uploaded:
        raise BadInput(f"{name} was brought from elsewhere: how it was trained is not known, so "
                       "there is nothing to put on a model card.",
                       "Write one where it was trained.")
    subject = subjects([name])[0]
    parts = [
        f"# Model card: {_plain(name)}",
        f"## Model details\n\n{_details(card)}",
        f"## Intended use\n\n{_use(card)}",
        f"## Factors\n\n{_factors(card)}",
        f"## Metrics\n\n{_metrics(card)}",
        f"## Evaluation data\n\n{_evaluation_data(card)}",
        f"## Training data\n\n{_training_data(card)}",
        f"## Quantitative analyses\n\n{_analyses(card, subject)}",
        f"## Ethical considerations\n\n{_TO_BE_WRITTEN}",
        f"## Caveats and recommendations\n\n{_caveats(card, subject)}",
    ]
    return "\n\n".join(parts) + "\n"


def _plain(value: object) -> str:
    """Return text of a person so that Markdown shows it letter by letter, on one line."""
    return _FOREIGN.sub(r"\\\1", " ".join(str(value).split()))


def _list(facts: Sequence[tuple[str, object]]) -> str:
    return "\n".join(f"- **{label}:** {value}" for label, value in facts if value)


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(headers) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (headers, rule, *rows))


def _details(card: Card) -> str:
    height, width, channels = card.input_shape
    versions = ", ".join(f"{name} {version}" for name, version in card.versions.items())
    facts = _list((
        ("Architecture", f"{_plain(card.architecture)}, a network for classification"),
        ("Parameters", f"{card.parameters:,}; {card.multiply_adds:,} multiply-adds an image"),
        ("Input", f"{height} × {width} pixels, {'RGB' if channels == 3 else 'grey'}, values 0 to "
                  f"255; other sizes by {_plain(card.resize)!r}"),
        ("Output", f"probabilities of {len(card.class_names)} classes: "
                   f"{', '.join(map(_plain, card.class_names))}"),
        ("Trained", f"{_plain(card.created)}, {card.epochs} epochs, the best is {card.best_epoch}, "
                    f"in {span(card.seconds)} on {_plain(card.machine) or 'an unknown machine'}"),
        ("Training ended early", _plain(card.stopped)),
        ("Settings changed while it trained", "; ".join(map(_plain, card.changes))),
        ("Made with", _plain(versions)),
    ))
    command = card.command.replace("```", "")
    return f"{facts}\n\nThe command that makes it again:\n\n```\n{command}\n```"


def _use(card: Card) -> str:
    lines = [
        f"- It tells its {len(card.class_names)} classes apart in pictures like those of the data "
        f"set {_plain(card.dataset)}.",
        "- Out of scope: pictures of anything else. It has no class for them and answers one of "
        "its own.",
        f"- For what it was made, and by whom it is meant to be used: {_TO_BE_WRITTEN}"]
    if card.dark_background:
        lines.insert(1, "- It knows light strokes on black; pictures with a light ground have to "
                        "be inverted first, as CNN Studio and its exports do.")
    return "\n".join(lines)


def _factors(card: Card) -> str:
    groups = "The images were divided so that groups stay together; figures by group are not " \
             "part of this card." if "group" in card.split else \
             "Figures are known by class only: which people, devices or places the pictures come " \
             "from is not recorded."
    return f"{groups} {_seen(card)}".strip()


def _seen(card: Card) -> str:
    changes = card.config.get("augmentation")
    if not isinstance(changes, dict):
        return ""
    used = [f"{_plain(name)} {_plain(value_text(value))}"
            for name, value in changes.items() if value]
    return f"Changes of images that it was trained to bear: {', '.join(used)}." if used else \
        "It was trained on unchanged images only."


def _metrics(card: Card) -> str:
    rows = [("Test accuracy", percent(card.test_accuracy),
             interval(card.test_accuracy or 0.0, card.test_n)),
            ("Test loss (cross-entropy)", decimal(card.test_loss), UNKNOWN)]
    if card.averaged_test_accuracy is not None:
        rows.append(("Test accuracy, averaged over views", percent(card.averaged_test_accuracy),
                     interval(card.averaged_test_accuracy, card.test_n)))
    rows.append(("Validation accuracy (it chose the epoch)", percent(card.val_accuracy),
                 interval(card.val_accuracy or 0.0, card.validation_n)))
    if card.calibration_error is not None:
        rows.append(("Expected calibration error", percent(card.calibration_error), UNKNOWN))
    return _table(("Metric", "Value", "95 % interval"), rows) + (
        f"\n\nOver {card.test_n:,} test images, after training was over. Intervals are Wilson's: "
        "another set of as many images would probably give a figure in them.")


def _info(card: Card) -> DatasetInfo | None:
    try:
        return describe(card.dataset)
    except CnnError:
        return None


def _data_facts(card: Card) -> str:
    info = _info(card)
    origin = (("Title", _plain(info.title)), ("What it is", _plain(info.description)),
              ("Source", f"<{info.homepage}>" if info.homepage else _plain(info.source)),
              ("Licence", _plain(info.licence)),
              ("Citation", _plain(info.citation))) if info else ()
    fingerprint = f"`{_plain(card.dataset_fingerprint)}`" if card.dataset_fingerprint else ""
    return _list((("Name", _plain(card.dataset)), *origin, ("Fingerprint", fingerprint)))


def _evaluation_data(card: Card) -> str:
    split = _plain(card.split) or "the test split that the authors of the data set made"
    return (f"- **Images:** {card.test_n:,}, never used in training\n"
            f"- **How they were chosen:** {split}\n"
            f"- **Preprocessing:** {_plain(card.resize)!r} to the size of the input, nothing else")


def _training_data(card: Card) -> str:
    return (f"{_data_facts(card)}\n"
            f"- **Images that it learned from:** {card.train_n:,}\n"
            f"- **Held back for validation:** {card.validation_n:,}")


def _analyses(card: Card, subject: Subject) -> str:
    if subject.evaluation is None:
        return f"There are no stored test results. {_plain(subject.why_untested)}"
    return _classes(subject.evaluation)


def _classes(found: Evaluation) -> str:
    rows = [(_plain(row["name"]), percent(row["precision"], 1), percent(row["recall"], 1),
             interval(row["recall"], row["support"]), f"{row['support']:,}")
            for row in found.report[:len(found.class_names)]]
    return _table(("Class", "Precision", "Recall", "95 % interval of recall", "Test images"), rows)


def _caveats(card: Card, subject: Subject) -> str:
    novelty = "It says of a picture that it is probably none of its classes; one in twenty " \
        "pictures like the training images is called so too." if subject.novelty else \
        "It cannot say that a picture is of none of its classes."
    calibration = (
        "Confidence is calibrated on the validation images: over the test images it is off by "
        f"{percent(card.calibration_error)} on average. On pictures of another kind it can be off "
        "by more." if card.calibration_error is not None else
        "Whether its confidence can be believed was not measured when it was trained.")
    lines = [novelty, calibration, *_weak(card, subject.evaluation)]
    if card.needs_cnn:
        lines.append("Its Keras file loads only where CNN Studio is installed; exports to other "
                     "formats do not need it.")
    lines.append("One training with one seed: another seed gives another network, and figures that "
                 "differ by chance.")
    return "\n".join(f"- {line}" for line in lines)


def _weak(card: Card, found: Evaluation | None) -> list[str]:
    if found is None:
        return []
    rows = [row for row in found.report[:len(found.class_names)] if row["support"]]
    worst = min(rows, key=lambda row: row["recall"])
    few = [row for row in rows if row["support"] < 30]
    lines = [f"It finds {_plain(worst['name'])} least often: {percent(worst['recall'], 1)} "
             f"({interval(worst['recall'], worst['support'])})."]
    if few:
        lines.append(f"Fewer than 30 test images: {', '.join(_plain(row['name']) for row in few)}. "
                     "What is said of these classes is uncertain.")
    return lines
