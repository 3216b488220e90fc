"""The TensorFlow operations behind a model, as a list and as Graphviz text.

`operation_graph` imports TensorFlow when it is called; `graph_dot` never does. Nothing here draws.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# Operations that pass a value on unchanged; they would only make the picture longer.
_PASSING = {"Identity", "ReadVariableOp", "Cast"}


def operation_graph(model: Any) -> list[dict[str, Any]]:
    """Return the operations of one forward pass (no dropout), each after those it needs.

    Constants, size arithmetic and reads of variables are folded away.

    Args:
        model: Functional Keras model with one input.

    Returns:
        One dictionary per operation: its `name`, its `type` (TensorFlow's name for it, or Input or
        Variable), the names of its `inputs`, and the `shape` of its output, None for the batch.
    """
    import tensorflow as tf

    forward = tf.function(lambda images: model(images, training=False))
    signature = tf.TensorSpec(model.input_shape, tf.float32, name="image")
    graph = forward.get_concrete_function(signature).graph
    layers = {layer.name for layer in model.layers}
    sources: dict[str, list[str]] = {}  # operation of the graph: names that stand for it here
    nodes = []
    variables = _variables(graph, model.name, layers)
    for operation in graph.get_operations():
        inputs = [name for tensor in operation.inputs for name in sources[tensor.op.name]]
        node = variables.get(operation.name) or _node(operation, model.name, layers)
        if operation.type in _PASSING:
            sources[operation.name] = inputs
        elif operation.name not in variables and _is_noise(operation):
            sources[operation.name] = []
        else:
            sources[operation.name] = [node["name"]]
            nodes.append({**node, "inputs": list(dict.fromkeys(inputs))})
    return nodes


def _is_noise(operation: Any) -> bool:
    # Whole numbers are sizes: pixels come in and stay as floating point numbers.
    return (operation.type in {"Const", "NoOp"} or not operation.outputs
            or operation.outputs[0].dtype.is_integer)


def _node(operation: Any, model_name: str, layers: Iterable[str]) -> dict[str, Any]:
    placeholder = operation.type == "Placeholder"
    shape = operation.outputs[0].shape.as_list() if operation.outputs else []
    return {"name": _readable(operation.name, model_name, layers),
            "type": "Input" if placeholder else operation.type, "shape": shape}


def _variables(graph: Any, model_name: str, layers: Iterable[str]) -> dict[str, dict[str, Any]]:
    by_handle = {id(variable.handle): variable for variable in graph.variables}
    found = {}
    for outside, inside in graph.captures:
        variable = by_handle[id(outside)]
        layer = _readable(inside.op.name, model_name, layers).split("/", maxsplit=1)[0]
        weight = variable.name.split(":")[0].rpartition("/")[2].removeprefix(f"{layer}_")
        found[inside.op.name] = {"name": f"{layer}/{weight}", "type": "Variable",
                                 "shape": variable.shape.as_list()}
    return found


def _readable(name: str, model_name: str, layers: Iterable[str]) -> str:
    """Take the model's name, and the counts TensorFlow adds to names, out of a path."""
    parts = name.split("/")
    if len(parts) > 1 and parts[0].startswith(model_name):
        parts = parts[1:]
    layer, _, count = parts[0].rpartition("_")
    if parts[0] not in layers and layer in layers and count.isdigit():
        parts[0] = layer
    return "/".join(parts)


def graph_dot(operations: list[dict[str, Any]]) -> str:
    """Return what `operation_graph` found as Graphviz text: values flow from top to bottom."""
    lines = ["digraph operations {", '  node [shape=box, style=rounded, fontname="Helvetica"];']
    for operation in operations:
        shape = "×".join(str(size) for size in operation["shape"] if size is not None)
        layer, _, rest = operation["name"].partition("/")
        variable = operation["type"] == "Variable"
        what = rest if variable else operation["type"]
        label = "\\n".join(_escaped(text) for text in (what, layer, shape) if text)
        form = ", shape=ellipse" if variable else ""
        name = _escaped(operation["name"])
        lines.append(f'  "{name}" [label="{label}"{form}];')
        lines += [f'  "{_escaped(source)}" -> "{name}";' for source in operation["inputs"]]
    return "\n".join([*lines, "}"])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
