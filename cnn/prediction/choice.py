"""Which saved model answers where nobody chose one: the one rule for page, CLI and API."""

from __future__ import annotations

from cnn.errors import NotFound
from cnn.prediction.saved import list_models

FAVOURITE_DATASET = "cifar10"  # its ten classes are what people try first: animals and vehicles


def default_model() -> str:
    """Return the usable cifar10 model with the highest test accuracy, else the best of any.

    The plain accuracy, not that over averaged views: nobody averages without being asked to, and
    only some models have the other figure. One that somebody brought only where there is no other:
    it may have learned from the very images that it was measured on.

    Raises:
        NotFound: If no saved model can be used.
    """
    # By the folder's name, not the card's: a person may have renamed the folder.
    cards = {model.name: model.card for model in list_models() if model.card}
    if not cards:
        raise NotFound("There is no saved model that can be used.",
                       "Train one first, for instance: "
                       "python -m cnn train --dataset digits --architecture base --epochs 5")
    return max(cards, key=lambda name: (not cards[name].uploaded,
                                        cards[name].dataset == FAVOURITE_DATASET,
                                        cards[name].test_accuracy or 0.0))
