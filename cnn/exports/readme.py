"""What the README of an export says: what is in it, how to use it, how far it is from the original.

Plain Markdown; knows neither networks nor zips.
"""

from __future__ import annotations

from collections.abc import Mapping

from cnn.evaluation.results import wilson_interval
from cnn.exports.checking import LARGEST_DIFFERENCE, Difference
from cnn.exports.formats import Format
from cnn.exports.usage import preprocessing
from cnn.prediction.saved import Card

_TEXT = """# {name}, as {title}

A network that tells {classes} classes apart, trained on the data set "{dataset}" with CNN Studio.
It was right on {accuracy:.2%} of {n:,} test images (95 % interval {low:.1%} to {high:.1%}).

## Use it

    python -m pip install {packages}
    python usage.py PICTURE

`usage.py` is all there is to it: copy what you need. It was run on {pictures} picture files before
this export was packed.

| file | what it is |
|---|---|
| `{file}` | the network |
| `labels.json`, `labels.txt` | names of the classes, in the order of the output |
| `preprocessing.json` | what is done to a picture first, for other languages |
| `usage.py` | classifies a picture file |
| `export.json` | the figures below, for programs |

## What the network takes and gives

{input_words} It gives {classes} probabilities that sum to 1.{calibrated}

Before that, each picture goes through these steps, in this order:

{steps}

CNN Studio itself decodes JPEGs of over 4 megapixels at a fraction of their size, and scales 16-bit
grey to 8 bits; `usage.py` does neither, and on such pictures probabilities can differ in the second
or third digit.

## How far it is from the original

Compared with the saved model on {count} inputs: {vectors}, and {pictures} picture files
that went through `usage.py`.

- Greatest difference of a probability: {largest:.2g} (an export is only offered up to {limit:g}).
- Same most probable class: {same} of {count}.

Made with {versions}.
"""


def readme_text(
    card: Card, form: Format, difference: Difference, versions: Mapping[str, str]
) -> str:
    """Return the README of an export as Markdown.

    Args:
        card: Of the model.
        form: What it was exported to.
        difference: From the original.
        versions: Of the packages that wrote and checked it.
    """
    low, high = wilson_interval(round((card.test_accuracy or 0.0) * card.test_n), card.test_n)
    steps = preprocessing(card)["steps"]
    return _TEXT.format(
        name=card.name, title=form.title, classes=len(card.class_names),
        dataset=" ".join(card.dataset.split()), accuracy=card.test_accuracy, n=card.test_n,
        low=low, high=high,
        packages=" ".join(("numpy", "pillow", *form.runtime)), file=form.file,
        input_words=_input_words(card), calibrated=_calibrated(card),
        steps="\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1)),
        count=difference.count, vectors=_vectors(difference), pictures=difference.pictures,
        largest=difference.largest, limit=LARGEST_DIFFERENCE, same=difference.same_answer,
        versions=", ".join(f"{name} {version}" for name, version in versions.items()))


def _input_words(card: Card) -> str:
    height, width, channels = card.input_shape
    colour = "red, green, blue" if channels == 3 else "grey"
    return (f"The network takes float32 of shape (batch, {height}, {width}, {channels}): {colour}, "
            "values 0 to 255. Its first layer rescales them.")


def _calibrated(card: Card) -> str:
    if card.calibration_error is None:
        return ""
    return (" They are calibrated, by a temperature that is in the weights: over the test images "
            f"confidence is off by {card.calibration_error:.1%} on average.")


def _vectors(difference: Difference) -> str:
    made = f"{difference.generated} generated images"
    return f"{made}, {difference.test_images} test images" if difference.test_images else made
