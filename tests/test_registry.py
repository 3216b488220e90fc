"""One list of architectures, in one order, cheap to import and safe against mistakes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from cnn.config import Augmentation, RunConfig
from cnn.errors import NotFound
from cnn.models import registry
from cnn.models.registry import architecture_names, get_architecture, register
from cnn.models.specs import Flatten, LayerSpec, Shape
from cnn.models.weighted import Dense

CLASSICS = ["alexnet", "zfnet", "vgg", "googlenet", "resnet"]
NAMES = ["dense", "base", "dropout", "deeper", "deeper-dropout", "batchnorm", "augmented",
         "vgg-bn", "tf-nn", "lenet", *CLASSICS, "speedrun", "speedrun-small", "speedrun-deep",
         "speedrun-wide"]


@pytest.fixture
def spare_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_ARCHITECTURES", dict(registry._ARCHITECTURES))
    monkeypatch.setattr(registry, "_HELD", {})


def test_all_architectures_are_listed_from_the_simplest_on() -> None:
    assert architecture_names() == NAMES


@pytest.mark.parametrize("entry", ["registry", "lenet", "vgg", "summary"])
def test_the_order_does_not_depend_on_what_is_imported_first(entry: str) -> None:
    code = (f"import cnn.models.{entry}\n"
            "from cnn.models.registry import architecture_names\n"
            "print(*architecture_names())")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == NAMES


@pytest.mark.parametrize("module", [
    "registry", "summary", "specs", "weighted", "graph", "defaults", "whitening", "blocks", "code",
    "own"])
def test_listing_and_summaries_import_neither_tensorflow_nor_keras(module: str) -> None:
    code = (f"import sys, cnn.models.{module}\n"
            "from cnn.models.registry import architecture_names\n"
            "from cnn.models.summary import summarise\n"
            "[summarise(name, (32, 32, 3), 10) for name in architecture_names()]\n"
            "print(*sorted({'tensorflow', 'keras', 'sklearn', 'scipy'} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", NAMES)
def test_every_architecture_has_one_line_that_describes_it(name: str) -> None:
    architecture = get_architecture(name)
    assert architecture.name == name
    assert architecture.description.endswith(".")
    assert "\n" not in architecture.description
    assert len(architecture.description) <= 90


def test_only_some_networks_bring_a_recipe_and_each_is_a_valid_configuration() -> None:
    recipes = {name: get_architecture(name).recipe for name in NAMES}
    assert {name for name, recipe in recipes.items() if recipe} == {
        "augmented", "vgg-bn", *CLASSICS, "speedrun", "speedrun-small", "speedrun-deep",
        "speedrun-wide"}
    assert recipes["vgg-bn"] == {"augmentation": Augmentation(15, 0.1, True)}
    for name, recipe in recipes.items():
        assert RunConfig("cifar10", name, "first", **recipe).architecture == name


def test_only_the_speedruns_have_a_head_of_unit_weights() -> None:
    unit = {name for name in NAMES if get_architecture(name).head.unit}
    assert unit == {"speedrun", "speedrun-small", "speedrun-deep", "speedrun-wide"}


def test_family_and_engine() -> None:
    assert get_architecture("deeper").family == "ladder"
    assert get_architecture("tf-nn").engine == "tf.nn"
    assert {get_architecture(name).engine for name in NAMES if name != "tf-nn"} == {"keras"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("classes", [2, 10, 100])
def test_every_network_begins_with_rescaling_and_ends_in_one_probability_per_class(
        name: str, classes: int) -> None:
    layers = get_architecture(name).layers((32, 32, 3), classes)
    names = [layer_name for layer_name, _ in layers]
    assert names[0] == "rescaling"
    assert names[-2:] == ["logits", "probabilities"]
    unit = name.startswith("speedrun")
    assert layers[-2][1] == Dense(classes, bias=not unit, unit=unit)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ["lenet", *CLASSICS])
def test_every_classic_names_the_paper_it_comes_from_and_its_year(name: str) -> None:
    architecture = get_architecture(name)
    assert "arXiv" in architecture.source or "19" in architecture.source or (
        "NIPS" in architecture.source)
    assert any(f"of {year}" in architecture.description for year in range(1998, 2016))


def test_what_is_held_hides_every_other_of_its_name(spare_registry: None) -> None:
    mine = replace(get_architecture("base"), name="mine")
    with pytest.raises(NotFound):
        get_architecture("mine")
    registry.hold(mine)
    assert get_architecture("mine") is mine
    assert "mine" not in architecture_names()
    registry.hold(replace(mine, name="vgg"))
    assert get_architecture("vgg").body is mine.body


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one() -> None:
    with pytest.raises(NotFound) as caught:
        get_architecture("batchnrom")
    assert "'batchnrom'" in caught.value.message
    assert "Did you mean 'batchnorm'?" in caught.value.hint


def test_a_name_like_no_other_is_answered_with_the_list() -> None:
    with pytest.raises(NotFound) as caught:
        get_architecture("")
    assert "Did you mean" not in caught.value.hint
    assert all(name in caught.value.hint for name in NAMES)


def test_a_new_architecture_is_one_decorated_function(spare_registry: None) -> None:
    @register("mine", "A test.")
    def mine(input_shape: Shape, classes: int) -> tuple[LayerSpec, ...]:
        return (Flatten(),)

    assert architecture_names()[-1] == "mine"
    assert get_architecture("mine").body is mine
    assert not get_architecture("mine").recipe


def test_a_second_architecture_of_the_same_name_is_an_error(spare_registry: None) -> None:
    before = get_architecture("base")
    with pytest.raises(ValueError, match="'base' is registered twice"):
        register("base", "Another.")(lambda input_shape, classes: ())
    assert get_architecture("base") is before
