"""Which model answers where nobody chose one."""

from __future__ import annotations

from pathlib import Path

import pytest
from model_folders import write_model

from cnn.errors import NotFound
from cnn.prediction.choice import default_model


@pytest.fixture(autouse=True)
def _models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNN_MODELS_DIR", str(tmp_path / "models"))


@pytest.mark.parametrize(("models", "chosen"), [
    ([("a", "mnist", 0.99), ("b", "cifar10", 0.6), ("c", "cifar10", 0.7)], "c"),
    ([("a", "mnist", 0.98), ("b", "digits", 0.99)], "b"),
    ([("a", "mnist", 0.98)], "a"),
])
def test_the_best_cifar10_model_comes_first_then_the_best_of_any(
    models: list[tuple[str, str, float]], chosen: str
) -> None:
    for name, dataset, accuracy in models:
        write_model(name, dataset=dataset, test_accuracy=accuracy)
    assert default_model() == chosen


def test_the_figure_over_averaged_views_does_not_decide() -> None:
    write_model("averaged", dataset="cifar10", test_accuracy=0.93, averaged_test_accuracy=0.96)
    write_model("plain", dataset="cifar10", test_accuracy=0.94)
    assert default_model() == "plain"


def test_a_damaged_model_is_never_chosen() -> None:
    write_model("good", dataset="digits", test_accuracy=0.5)
    (write_model("bad", dataset="cifar10", test_accuracy=0.9) / "model.keras").unlink()
    assert default_model() == "good"


def test_a_renamed_folder_is_chosen_by_its_new_name() -> None:
    folder = write_model("before")
    folder.rename(folder.with_name("after"))
    assert default_model() == "after"


def test_without_a_usable_model_the_hint_says_how_to_train_one() -> None:
    with pytest.raises(NotFound) as caught:
        default_model()
    assert "python -m cnn train" in caught.value.hint
