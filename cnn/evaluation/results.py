"""How good a model was on the test split: computed once, stored beside the model, read anywhere.

Computing needs scikit-learn (trainer, engine, CLI); reading needs only NumPy, so a page opens a
stored evaluation at once and without the data set. Knows nothing of Keras: probabilities come in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.data.dataset import Labels
from cnn.errors import Damaged, NotFound
from cnn.files import atomic_path, atomic_write_json, read_json

JSON_NAME = "evaluation.json"
ARRAYS_NAME = "evaluation.npz"
REPORT_COLUMNS = {"name", "precision", "recall", "f1", "support"}
SMALLEST = 1e-7  # a probability of 0 counts as this in the loss, as in Keras


@dataclass(frozen=True)
class Evaluation:
    """Test results of one model.

    `report` is scikit-learn's classification report as rows: one per class, then "macro avg" and
    "weighted avg", each with name, precision, recall, f1 and support.
    """

    class_names: tuple[str, ...]
    accuracy: float
    loss: float  # mean cross-entropy, natural logarithm
    report: tuple[dict[str, Any], ...]
    confusion: NDArray[np.int64]  # (K, K), row: true class, column: answer
    labels: Labels  # (N,), in the order of the test split
    probabilities: NDArray[np.float32]  # (N, K)

    @property
    def count(self) -> int:
        """Number of test images."""
        return len(self.labels)

    @property
    def predicted(self) -> Labels:
        """The answer for each test image, int64 (N,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def confidence(self) -> NDArray[np.float32]:
        """Probability of the answer, for each test image."""
        return self.probabilities.max(axis=1)

    def mistakes(self) -> NDArray[np.int64]:
        """Indices of wrong answers, most confident first."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")]


def evaluate_predictions(
    probabilities: NDArray[np.float32], labels: Labels, class_names: tuple[str, ...]
) -> Evaluation:
    """Compare predicted probabilities with the true labels.

    Args:
        probabilities: float32 (N, K), rows sum to 1.
        labels: int64 (N,).
        class_names: K names, in the order of the columns.
    """
    from sklearn.metrics import classification_report, confusion_matrix

    predicted = probabilities.argmax(axis=1)
    indices = np.arange(len(class_names))
    report = classification_report(  # named by number: a class may be called "accuracy"
        labels, predicted, labels=indices, target_names=[str(i) for i in indices],
        output_dict=True, zero_division=0)
    of_truth = probabilities[np.arange(len(labels)), labels]
    return Evaluation(
        class_names=tuple(class_names),
        accuracy=float(np.mean(predicted == labels)),
        loss=float(-np.log(np.clip(of_truth, SMALLEST, 1)).mean()),
        report=_report_rows(report, class_names),
        confusion=confusion_matrix(labels, predicted, labels=indices).astype(np.int64),
        labels=np.asarray(labels, np.int64),
        probabilities=np.asarray(probabilities, np.float32),
    )


def _report_rows(
    report: dict[str, Any], class_names: tuple[str, ...]
) -> tuple[dict[str, Any], ...]:
    rows = {str(i): name for i, name in enumerate(class_names)}
    rows |= {name: name for name in ("macro avg", "weighted avg")}
    return tuple(
        {"name": name, "precision": float(report[key]["precision"]),
         "recall": float(report[key]["recall"]), "f1": float(report[key]["f1-score"]),
         "support": int(report[key]["support"])}
        for key, name in rows.items())


def wilson_interval(right: int, count: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of an accuracy, after Wilson (1927).

    Unlike the textbook interval it stays within 0 and 1 and holds for few images and for an
    accuracy near 1.

    Args:
        right: Number of right answers.
        count: Number of all answers, at least 1.
    """
    z = 1.959964
    share = right / count
    spread = z * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    middle, scale = share + z**2 / (2 * count), 1 + z**2 / count
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def write_evaluation(folder: Path, evaluation: Evaluation) -> None:
    """Store the evaluation in a model folder."""
    with atomic_path(folder / ARRAYS_NAME) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file, confusion=evaluation.confusion, labels=evaluation.labels,
            probabilities=evaluation.probabilities)
    atomic_write_json(folder / JSON_NAME, {
        "class_names": list(evaluation.class_names), "accuracy": evaluation.accuracy,
        "loss": evaluation.loss, "count": evaluation.count, "report": list(evaluation.report)})


def read_evaluation(folder: Path) -> Evaluation:
    """Read what `write_evaluation` stored.

    Raises:
        NotFound: If the model was never evaluated.
        Damaged: If a file is unreadable.
    """
    again = f"Run: python -m cnn evaluate {folder.name}"
    try:
        facts = read_json(folder / JSON_NAME)
        with np.load(folder / ARRAYS_NAME, allow_pickle=False) as arrays:
            confusion, labels, probabilities = (
                arrays[name] for name in ("confusion", "labels", "probabilities"))
        found = Evaluation(
            tuple(facts["class_names"]), float(facts["accuracy"]), float(facts["loss"]),
            tuple(facts["report"]), confusion, labels, probabilities)
        _check(found)
    except (NotFound, FileNotFoundError) as error:
        raise NotFound(f"The model {folder.name} has no stored test results.", again) from error
    except Exception as error:  # a flipped bit in a compressed file can end in many kinds
        raise Damaged(f"The stored test results of {folder.name} cannot be read ({error}).",
                      again) from error
    return found


def _check(found: Evaluation) -> None:
    classes, images = len(found.class_names), len(found.labels)
    fits = (found.confusion.shape == (classes, classes)
            and found.probabilities.shape == (images, classes)
            and images > 0 and found.labels.min() >= 0 and found.labels.max() < classes
            and len(found.report) == classes + 2
            and all(row.keys() == REPORT_COLUMNS for row in found.report))
    if not fits:
        raise ValueError("its parts do not fit together")
