"""Graphs list the operations in their order, in names that a reader knows from the table."""

from __future__ import annotations

import re
from typing import Any

import keras
import pytest

from cnn.models.build import build_model
from cnn.models.graph import graph_dot, operation_graph


@pytest.fixture(scope="module")
def operations() -> list[dict[str, Any]]:
    return operation_graph(build_model("tf-nn", (28, 28, 1), 10))


def test_the_operations_of_tf_nn_in_their_order(operations: list[dict[str, Any]]) -> None:
    stage = ["Conv2D", "BiasAdd", "Relu", "MaxPool"]
    dense = ["MatMul", "BiasAdd"]
    assert [op["type"] for op in operations if op["type"] != "Variable"] == [
        "Input", "Mul", "AddV2", *stage * 3, "Reshape", *dense, "Relu", *dense, "Softmax"]


def test_variables_have_the_names_and_shapes_of_their_layers(
        operations: list[dict[str, Any]]) -> None:
    variables = {op["name"]: op["shape"] for op in operations if op["type"] == "Variable"}
    assert variables == {
        "conv_1/kernel": [3, 3, 1, 32], "conv_1/bias": [32],
        "conv_2/kernel": [3, 3, 32, 64], "conv_2/bias": [64],
        "conv_3/kernel": [3, 3, 64, 128], "conv_3/bias": [128],
        "dense_1/kernel": [1152, 256], "dense_1/bias": [256],
        "logits/kernel": [256, 10], "logits/bias": [10]}


def test_one_operation_in_full(operations: list[dict[str, Any]]) -> None:
    assert {"name": "conv_2/Conv2D", "type": "Conv2D", "shape": [None, 14, 14, 64],
            "inputs": ["pool_1/MaxPool2d", "conv_2/kernel"]} in operations


@pytest.mark.parametrize("name", ["tf-nn", "batchnorm", "lenet", "dense"])
def test_every_input_comes_before_its_use_and_only_the_softmax_is_the_end(name: str) -> None:
    seen, used = set(), set()
    for operation in operation_graph(build_model(name, (28, 28, 1), 10)):
        assert set(operation["inputs"]) <= seen
        assert operation["name"] not in seen
        seen.add(operation["name"])
        used.update(operation["inputs"])
    assert {name.split("/")[0] for name in seen - used} == {"probabilities"}


def test_names_carry_the_layer_and_not_the_model() -> None:
    names = [op["name"] for op in operation_graph(build_model("batchnorm", (8, 8, 1), 3))]
    assert "norm_1/moving_variance" in names
    assert not any(re.match(r"batchnorm|.*_\d+_\d+/", name) for name in names)


def test_dot_text_has_a_labelled_node_per_operation_and_an_edge_per_input(
        operations: list[dict[str, Any]]) -> None:
    dot = graph_dot(operations)
    assert dot.startswith("digraph")
    assert dot.endswith("}")
    assert dot.count("[label=") == len(operations)
    assert dot.count("->") == sum(len(op["inputs"]) for op in operations)
    assert '"conv_1/kernel" [label="kernel\\nconv_1\\n3×3×1×32", shape=ellipse];' in dot
    assert '"pool_1/MaxPool2d" [label="MaxPool\\npool_1\\n14×14×32"];' in dot


def test_a_quote_in_a_name_cannot_break_out_of_its_label() -> None:
    dot = graph_dot([{"name": 'a"] evil', "type": "Relu", "inputs": [], "shape": [None, 3]}])
    assert r'"a\"] evil" [label="Relu\na\"] evil\n3"];' in dot


def test_a_model_of_another_maker_has_a_graph_too() -> None:
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(),
                              keras.layers.Dense(2)])
    assert [op["type"] for op in operation_graph(model)][-1] == "BiasAdd"
