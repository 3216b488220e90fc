"""What a model file says of its network: JSON that names nothing but what Keras itself brings.

A first look at everything that is written there, whatever it is for: custom classes, functions,
links, paths and endless nesting end here. Which layers and settings are allowed is decided in
`layers`, what they are connected to in `plan`.
"""

from __future__ import annotations

import json
from typing import Any

from cnn.errors import BadInput, CnnError, Refused

MAX_DEPTH = 60  # of nesting; each network inside a network takes six
MAX_VALUES = 500_000
MAX_STRING = 256
# Never used, so never looked at: how it was trained, and shapes that follow from the layers.
UNUSED = ("compile_config", "build_config")
_MODULES = frozenset({
    "keras", "keras.layers", "keras.models", "keras.initializers", "keras.regularizers",
    "keras.constraints", "keras.dtype_policies", "keras.src.models.functional",
    "keras.src.models.sequential", "keras.src.ops.numpy", "keras.src.ops.nn"})
_TENSOR = "__keras_tensor__"
_PATHS = ("/", "~", "\\", "..", "://")
_OWN_CODE = "Only networks of Keras's own layers are taken: code of others is not run here."


def parse_config(metadata: bytes, config: bytes) -> dict[str, Any]:
    """Return the description of a network.

    Args:
        metadata: The member metadata.json of the file.
        config: The member config.json.

    Raises:
        BadInput: If it is no JSON, or of a Keras before version 3.
        Refused: If it names what does not belong into a network of layers.
    """
    version = str(_parsed(metadata, "metadata.json").get("keras_version", ""))
    if not version.startswith("3."):
        raise BadInput(f"The model was saved by Keras {version[:20] or 'of an unknown version'}; "
                       "version 3 is needed.", "Load it with Keras 3 and save it again.")
    found = _parsed(config, "config.json")
    _look_through(found)
    return found


def _parsed(text: bytes, name: str) -> dict[str, Any]:
    try:
        found = json.loads(text, object_pairs_hook=_without_twins, parse_constant=_no_number)
    except CnnError:
        raise
    except RecursionError as error:
        raise Refused(f"{name} in the model file is nested far too deeply.") from error
    except ValueError as error:
        raise BadInput(f"{name} in the model file is no JSON.",
                       "Save or download the model again.") from error
    if not isinstance(found, dict):
        raise BadInput(f"{name} in the model file does not hold a JSON object.",
                       "Save or download the model again.")
    return found


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):  # two readers would read two networks
        raise Refused("The model file says the same thing twice with different values.")
    return found


def _no_number(text: str) -> Any:
    raise Refused(f"The model file has {text} in the place of a number.")


def _look_through(found: dict[str, Any]) -> None:
    todo: list[tuple[Any, int]] = [(found, 0)]
    seen = 0
    while todo:
        value, depth = todo.pop()
        seen += 1
        if depth > MAX_DEPTH or seen > MAX_VALUES:
            raise Refused("The description of the network is nested too deeply or too long.",
                          "Give a smaller network.")
        if isinstance(value, str):
            _check_text(value)
        elif isinstance(value, list):
            todo += [(one, depth + 1) for one in value]
        elif isinstance(value, dict):
            _check_object(value)
            todo += [(key, depth + 1) for key in value]
            todo += [(one, depth + 1) for key, one in value.items() if key not in UNUSED]


def _check_text(text: str) -> None:
    if len(text) > MAX_STRING or not text.isprintable():
        raise Refused("The description of the network holds an odd text: "
                      f"{text[:40]!r}.", _OWN_CODE)
    if text.startswith(_PATHS[:2]) or any(mark in text for mark in _PATHS[2:]):
        raise Refused(f"The description of the network names a file or a link: {text[:80]!r}.",
                      "Networks that read something else while they work are not taken.")


def _check_object(value: dict[str, Any]) -> None:
    """Refuse an object that is not of a class of Keras, by its name, module and registration."""
    if "class_name" not in value or value["class_name"] == _TENSOR:
        return
    name, module = value["class_name"], value.get("module")
    registered = value.get("registered_name")
    if not isinstance(name, str) or name.startswith("__") or name == "Lambda":
        raise Refused(f"The network has a part of the kind {str(name)[:60]!r}, which can hold any "
                      "program.", _OWN_CODE)
    if name == "function" or not _of_keras(module) or registered not in (None, name):
        own = registered or f"{module or ''}.{value.get('config') or name}"
        raise Refused(f"The network uses {str(own)[:80]!r}, which is not a layer of Keras.",
                      _OWN_CODE)


def _of_keras(module: Any) -> bool:
    return module is None or (isinstance(module, str) and module in _MODULES)
