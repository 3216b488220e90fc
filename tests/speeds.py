"""Measured speeds as they would be on some computer, without measuring."""

from cnn.models.presets import candidates, to_measure
from cnn.models.speeds import NetworkSpeed, Speeds
from cnn.models.summary import summarise


def made_up(input_shape, classes, slowness=1.0, names=(), busy=0.0, precision="float32"):
    """Speeds of a computer that does 26 G multiply-adds a second when `slowness` is 1."""
    names = names or to_measure(candidates(input_shape, classes))
    networks = []
    for name in names:
        cost = summarise(name, input_shape, classes)
        image = max(cost.training_work(precision) * 38e-12, 100e-6) * slowness
        networks.append(NetworkSpeed(
            name, 1.5, cost.trainable_parameters * 22e-9 * slowness, image, image / 3))
    return Speeds(input_shape, classes, precision, 5.0, busy, tuple(networks))
