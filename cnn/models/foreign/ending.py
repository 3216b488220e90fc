"""What a network from elsewhere answers: probabilities, logits, or one number for two classes.

Also what of it is told to a person before it is built. Needs no TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from cnn.errors import BadInput
from cnn.models.foreign.plan import Plan, Step

PROBABILITIES, LOGITS, ONE_NUMBER = "probabilities", "logits", "one number"
_THROUGH = frozenset({"Flatten", "Reshape", "GlobalAveragePooling2D", "GlobalMaxPooling2D"})
_SCALING = frozenset({"Rescaling", "Normalization", "BatchNormalization"})
_BEFORE_SCALING = frozenset({"Resizing", "CenterCrop", "ZeroPadding2D"})


@dataclass(frozen=True)
class Ending:
    """How a network ends."""

    answers: str  # PROBABILITIES, LOGITS or ONE_NUMBER
    classes: int | None  # None where only the built network tells
    head: int  # number of the step whose values are the answer


def ending_of(plan: Plan) -> Ending:
    """Return how a network ends.

    Raises:
        BadInput: If its answer is none that one class could be chosen by.
    """
    activation, number = "linear", plan.output
    while number and _passes(plan.steps[number - 1], activation):
        step = plan.steps[number - 1]
        activation = _activation(step) if activation == "linear" else activation
        number = step.inputs[0]
    head = plan.steps[number - 1] if number else None
    made = head.settings if head else {}
    classes = made.get("units", made.get("filters"))
    if head and activation == "linear":
        activation = _activation(head)
    if activation not in {"linear", "softmax", "sigmoid"}:
        raise BadInput(f"The network ends with {activation}; its answers are no probabilities.",
                       "The last layer should have one unit per class and softmax, or no "
                       "activation.")
    if classes == 1 and head and head.kind == "Dense" and activation != "softmax":
        return Ending(ONE_NUMBER, 2, number)
    if activation == "sigmoid" or classes == 1:
        raise BadInput("The network says yes or no to each class by itself (it ends with "
                       f"{activation} and {classes or 'several'} units), so it does not choose "
                       "one class.", "The last layer should have one unit per class and softmax.")
    return Ending(PROBABILITIES if activation == "softmax" else LOGITS, classes, number)


def _passes(step: Step, activation: str) -> bool:
    """Whether a step leaves the units of the answer as they are."""
    if step.kind in {"Softmax", "Activation"}:
        return activation == "linear"
    return step.kind in _THROUGH


def _activation(step: Step) -> str:
    if step.kind == "Softmax":
        return "softmax"
    return str(step.settings.get("activation", "linear"))


def for_two_classes(plan: Plan, ending: Ending) -> Plan:
    """Return the plan of a network that ends with one number, with two units in its place.

    The first has the logit 0, so the second keeps the probability that the sigmoid gave it. Weights
    have to be widened too, see `building`.
    """
    head = plan.steps[ending.head - 1]
    wide = replace(head, settings={**head.settings, "units": 2, "activation": "softmax"})
    steps = (*plan.steps[: ending.head - 1], wide, *plan.steps[ending.head :])
    return Plan(plan.input_shape, steps, ending.head)


def scales_itself(plan: Plan) -> str:
    """Return the name of the layer that scales pixel values before anything else, or ""."""
    for step in plan.steps:
        if step.kind in _SCALING:
            return step.layer
        if step.kind not in _BEFORE_SCALING:
            break
    return ""
