"""Deleting saved models: which of them may go to the trash."""

from __future__ import annotations

from cnn.errors import BadInput
from cnn.paths import PROJECT, models_dir
from cnn.prediction.saved import list_models, model_folder
from cnn.trash import Trash

SHIPPED = ("cifar10-flagship", "cifar10-speedrun", "digits-base")


def deleted_models() -> Trash:
    """Return the deleted saved models."""
    return Trash(models_dir(), "model")


def is_shipped(name: str) -> bool:
    """Whether a saved model is one of those that come with the project."""
    return name in SHIPPED and models_dir() == PROJECT / "saved_models"


def delete_model(name: str) -> str:
    """Move a saved model to the deleted ones, damaged or not, and return its name there.

    Raises:
        NotFound: If there is no such model.
        BadInput: If it comes with the project.
        Unavailable: If its folder cannot be moved; the model is unharmed then.
    """
    listed = next((model.path for model in list_models() if model.name == name), None)
    path = listed or model_folder(name)  # a damaged one may have any name
    if is_shipped(name):
        raise BadInput(f"The model {name} comes with CNN Studio and is not deleted.",
                       "Only models that were made or added here are.")
    return deleted_models().put(path)
