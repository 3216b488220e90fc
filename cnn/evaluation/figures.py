"""Figures that are saved or printed: drawn with Matplotlib and Seaborn, returned as PNG bytes.

Runs in engine and CLI, not in the server: Seaborn brings 100 MB of imports. Uses `Figure` objects,
never pyplot, whose global state threads would share.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from cnn.data.dataset import Images
from cnn.errors import BadInput, NotFound
from cnn.evaluation.results import Evaluation

FIGURES = {
    "confusion": "Confusion matrix, counts",
    "confusion-percent": "Confusion matrix, per cent of each true class",
    "history": "Loss and accuracy by epoch",
}
DPI = 150
TRAINING, VALIDATION = "#1a56db", "#c2410c"  # blue and orange: told apart with any colour vision
LARGEST_ANNOTATED = 20  # classes; beyond, numbers in the cells cannot be read
LARGEST_SIDE = 16.0  # inches


def draw(
    figure: str, name: str, evaluation: Evaluation | None, history: Sequence[dict[str, Any]]
) -> bytes:
    """Return a figure as PNG.

    Args:
        figure: A key of FIGURES.
        name: Of the model, for the title.
        evaluation: Test results, which "history" can do without.
        history: Epoch records, for the curves.

    Raises:
        BadInput: If there is no such figure.
        NotFound: If it needs test results and there are none.
    """
    if figure not in FIGURES:
        raise BadInput(f"figure must be one of {', '.join(FIGURES)}. Received: {figure!r}.")
    if figure == "history":
        return _png(_history(name, history))
    if evaluation is None:
        raise NotFound(f"The model {name} has no stored test results.",
                       f"Run: python -m cnn evaluate {name}")
    return _png(_confusion(name, evaluation, percent=figure == "confusion-percent"))


def draw_heat(
    picture: Images, maps: Sequence[Images], titles: Sequence[str], shades: Images
) -> bytes:
    """Return a picture beside its heat maps, with a scale for their colours, as PNG.

    Args:
        picture: uint8 (H, W, 1 or 3).
        maps: Heat laid over the picture, uint8 (H, W, 3).
        titles: Of the maps.
        shades: The colours from the least to the most, uint8 (N, 3).
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3 * (len(maps) + 1) + 1, 3.4), layout="constrained")
    axes = figure.subplots(1, len(maps) + 1)
    axes[0].imshow(picture if picture.shape[2] == 3 else picture[..., 0], cmap="gray", vmin=0,
                   vmax=255)
    for one, image, title in zip(axes, [None, *maps], ["Picture", *titles], strict=True):
        one.set_title(_literal(title))
        one.axis("off")
        if image is not None:
            drawn = one.imshow(image, cmap=ListedColormap(shades / 255), vmin=0, vmax=1)
    bar = figure.colorbar(drawn, ax=axes, shrink=0.8, ticks=[0, 1])
    bar.ax.set_yticklabels(["nothing", "most"])
    return _png(figure)


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, bbox_inches="tight", facecolor="white")
    return buffer.getvalue()


def _confusion(name: str, evaluation: Evaluation, percent: bool) -> Any:
    import seaborn
    from matplotlib.figure import Figure

    counts = evaluation.confusion
    values = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) if percent else counts
    names = [_literal(class_name) for class_name in evaluation.class_names]
    annotated = len(names) <= LARGEST_ANNOTATED
    side = min(LARGEST_SIDE, max(4.5, (0.62 if annotated else 0.2) * len(names)))
    figure = Figure(figsize=(side + 1, side))
    axes = figure.subplots()
    seaborn.heatmap(
        values, ax=axes, cmap="Blues", square=True, annot=annotated,
        fmt=".1f" if percent else "d", xticklabels=False, yticklabels=False,
        linewidths=0.5 if annotated else 0, annot_kws={"size": 8},
        cbar_kws={"label": "per cent of the true class" if percent else "test images"})
    axes.set(xlabel="Answer", ylabel="True class", title=(
        f"{name}: {evaluation.accuracy:.2%} of {evaluation.count:,} test images right"))
    # Set here, because Seaborn measures each label on a fresh canvas: a minute for 150 classes.
    places, size = np.arange(len(names)) + 0.5, 10 if annotated else 5
    axes.set_xticks(places, labels=names, size=size, rotation=45, ha="right",
                    rotation_mode="anchor")
    axes.set_yticks(places, labels=names, size=size)
    return figure


def _literal(text: str) -> str:
    return text.replace("$", r"\$")  # Matplotlib takes what is between two dollars for a formula


def _history(name: str, history: Sequence[dict[str, Any]]) -> Any:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure = Figure(figsize=(10, 4), layout="constrained")
    figure.suptitle(name)
    epochs = [record["epoch"] for record in history]
    best = [record["epoch"] for record in history if record["best"]]
    panels = zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True)
    for axes, key in panels:
        axes.plot(epochs, [r[key] for r in history], color=TRAINING, marker=".", label="training")
        axes.plot(epochs, [r[f"val_{key}"] for r in history], color=VALIDATION, marker="s",
                  markersize=4, linestyle="--", label="validation")
        if best:
            axes.axvline(best[-1], color="grey", linewidth=1, linestyle=":", label="best epoch")
        axes.set(xlabel="epoch", ylabel="cross-entropy" if key == "loss" else key)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
        if key == "accuracy":
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    return figure
