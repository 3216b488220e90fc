"""How well the expected time of a network that never ran is met, for all networks of this program.

    python -m benchmarks.estimates [--size 32] [--write]

Measures the two networks that presets measure, says by them what the others should take for an
image of a training step, and measures those too, in the precision that is quicker here. The lab and
the form of a training show a range around the expected time; the last column says what is outside.
"""

from __future__ import annotations

from benchmarks.report import arguments, publish, table
from cnn.hardware import start_tensorflow
from cnn.models.estimates import HIGH, LOW, estimated_speed
from cnn.models.presets import candidates, to_measure
from cnn.models.registry import built_in_names
from cnn.models.speeds import Speeds
from cnn.models.summary import fits, summarise
from cnn.training.speed import Others, measure, measure_network

CLASSES = 10


def row(name: str, speeds: Speeds) -> list[object]:
    """Return what one network should take and takes, in microseconds for an image."""
    expected = estimated_speed(summarise(name, speeds.input_shape, CLASSES), speeds).image
    took = measure_network(name, speeds.input_shape, CLASSES, speeds.precision, Others()).image
    inside = LOW <= took / expected <= HIGH
    return [f"`{name}`", f"{expected * 1e6:.0f} µs", f"{took * 1e6:.0f} µs",
            f"{took / expected:.2f}", "" if inside else "outside"]


def main() -> None:
    """Measure all and publish."""
    parser = arguments(__doc__)
    parser.add_argument("--size", type=int, default=32)
    options = parser.parse_args()
    shape = (options.size, options.size, 3)
    start_tensorflow()
    speeds = measure(shape, CLASSES, to_measure(candidates(shape, CLASSES)))
    rows = [row(name, speeds) for name in built_in_names() if fits(name, shape, CLASSES)]
    head = ["network", "expected", "took", "times", f"of {LOW} to {HIGH}"]
    publish(f"estimates-{options.size}", f"python -m benchmarks.estimates --size {options.size}",
            f"Colour images of {options.size}×{options.size}, {speeds.precision}.\n\n"
            + table(head, rows), options.write)


if __name__ == "__main__":
    main()
