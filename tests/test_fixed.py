"""Kernels as constants: the same answers, from the weights of that moment, and not too many."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnn.models import fixed
from cnn.models.build import build_model
from cnn.models.inside import Inside
from cnn.prediction.predictor import compile_network

SHAPE = (16, 16, 3)
IMAGES = np.random.default_rng(0).integers(0, 256, (5, *SHAPE)).astype(np.float32)


@pytest.fixture(scope="module", params=["base", "speedrun-small", "tf-nn"])
def network(request: pytest.FixtureRequest) -> Any:
    return build_model(request.param, SHAPE, 4, seed=1)


def constants(function: Any) -> list[tuple[int, ...]]:
    """Return the shapes of the constants of four dimensions in the graph of a function."""
    graph = function.get_concrete_function().graph
    return [tuple(operation.outputs[0].shape) for operation in graph.get_operations()
            if operation.type == "Const" and len(operation.outputs[0].shape) == 4]


def test_answers_are_those_of_the_network(network: Any) -> None:
    plain, quick = compile_network(network), compile_network(network, fixed=True)
    for count in (1, 5):
        assert quick(IMAGES[:count]).numpy() == pytest.approx(
            plain(IMAGES[:count]).numpy(), abs=1e-6)
    assert constants(quick) and not constants(plain)


def test_inner_values_are_those_of_the_network(network: Any) -> None:
    inside = Inside(network)
    plain, quick = inside.compiled(), inside.compiled(fixed=True)
    for before, now in zip(plain(IMAGES)[:2], quick(IMAGES)[:2], strict=True):
        assert now.numpy() == pytest.approx(before.numpy(), rel=1e-4, abs=1e-5)
    for before, now in zip(plain(IMAGES)[2], quick(IMAGES)[2], strict=True):
        assert now.numpy() == pytest.approx(before.numpy(), rel=1e-4, abs=1e-5)
    assert constants(quick) and not constants(plain)


def test_the_smallest_kernels_are_taken_as_long_as_there_is_room(
    network: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = sorted(4 * int(np.prod(weight.shape))
                   for weight in network.weights if len(weight.shape) == 4)
    monkeypatch.setattr(fixed, "MOST_BYTES", sum(sizes[:2]))
    found = constants(compile_network(network, fixed=True))
    assert sorted(4 * int(np.prod(shape)) for shape in found) == sizes[:2]


def test_a_graph_goes_on_with_the_weights_it_was_made_with() -> None:
    network = build_model("tf-nn", SHAPE, 4, seed=1)
    quick = compile_network(network, fixed=True)
    before = quick(IMAGES).numpy()
    (kernel, *_) = (weight for weight in network.weights if len(weight.shape) == 4)
    kernel.assign(-kernel)
    assert quick(IMAGES).numpy() == pytest.approx(before, abs=1e-6)
    assert compile_network(network)(IMAGES).numpy() != pytest.approx(before, abs=1e-3)
