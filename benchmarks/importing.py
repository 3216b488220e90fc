"""What an import costs: time and peak memory, from a folder of pictures to a set to train on.

    python -m benchmarks.importing [--pictures 27558] [--kind png] [--side 130] [--write]

Makes the pictures on the spot (hills of colour with grain, ten classes), in a temporary folder.
Every step runs in a process of its own, so that its peak memory is its own. The limits are those of
the malaria cells (27,558 PNG files of about 130 pixels: 90 s) and of CIFAR-10 (60,000 JPEG files of
32 pixels, `--pictures 60000 --kind jpg --side 32 --size 32`: 120 s), for each picture.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from benchmarks.report import arguments, publish, table

CLASSES = 10
LIMITS = {"png": 90 / 27_558, "jpg": 120 / 60_000}  # seconds for each picture


def make_pictures(folder: Path, count: int, kind: str, side: int) -> None:
    """Write pictures into class folders, no two alike."""
    random = np.random.default_rng(0)
    for number in range(CLASSES):
        (folder / f"class{number}").mkdir()
    for number in range(count):
        coarse = random.integers(0, 256, (5, 5, 3), dtype=np.uint8)
        hills = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))
        grain = random.integers(0, 9, hills.shape, dtype=np.uint8)
        path = folder / f"class{number % CLASSES}" / f"S{number % 200}_IMG_{number}.{kind}"
        Image.fromarray(hills // 2 + 60 + grain).save(path)


def peak_memory() -> float:
    """Return the most memory this process has had, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # `ru_maxrss` would count the process that this one was started from
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    info: Any = psutil.Process().memory_info()
    return getattr(info, "peak_wset", info.rss) / 2**20


def measured(step: Callable[..., str], *values: Any) -> tuple[float, float, str]:
    """Return seconds, peak memory in MB and what the step says; runs in the process of the step."""
    begin = time.monotonic()
    said = step(*values)
    return time.monotonic() - begin, peak_memory(), said


def import_them(folder: str, size: int) -> str:
    """Import the folder by group."""
    from cnn.data.dividing import SplitPlan
    from cnn.data.importing import import_images

    report = import_images(Path(folder), "many", (size, size), plan=SplitPlan(group="^(.+)_IMG"))
    return f"{report.train_count:,} + {report.test_count:,} images"


def open_them() -> str:
    """Open the set, and copy the images that a run trains on, as a trainer does."""
    from cnn.data.catalogue import load
    from cnn.data.splits import hold_back

    dataset = load("many")
    split = hold_back(dataset, 0.1, 0, 0)
    return f"{len(dataset.train_images[split.train]):,} images in memory"


def report_them() -> str:
    """Look through the set for copies, leaks and the rest."""
    from cnn.data.preflight import preflight

    return ", ".join(finding.kind for finding in preflight("many").findings) or "nothing found"


def measure(count: int, kind: str, side: int, size: int) -> list[list[object]]:
    """Return the lines of the table."""
    with tempfile.TemporaryDirectory() as folder:
        source, data = Path(folder) / "source", Path(folder) / "data"
        source.mkdir()
        os.environ |= {"CNN_DATA_DIR": str(data), "KERAS_HOME": str(data)}
        make_pictures(source, count, kind, side)
        steps: list[tuple[str, Callable[..., str], tuple[Any, ...], float]] = [
            ("import", import_them, (str(source), size), LIMITS[kind] * count),
            ("open for training", open_them, (), 2.0),
            ("report, near copies included", report_them, (), count / 1000)]
        return [row(*step) for step in steps]


def row(what: str, step: Callable[..., str], values: tuple[Any, ...], limit: float) -> list[object]:
    """Run a step in a process of its own and return its line."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        seconds, memory, said = pool.submit(measured, step, *values).result()
    return [what, said, f"{seconds:.1f} s", f"{limit:.1f} s", f"{memory:.0f} MB", "600 MB"]


def main() -> None:
    """Measure and publish."""
    parser = arguments(__doc__)
    parser.add_argument("--pictures", type=int, default=27_558)
    parser.add_argument("--kind", choices=LIMITS, default="png")
    parser.add_argument("--side", type=int, default=130, help="of the originals, in pixels")
    parser.add_argument("--size", type=int, default=64, help="of the stored images, in pixels")
    options = parser.parse_args()
    lines = measure(options.pictures, options.kind, options.side, options.size)
    body = table(["what", "result", "time", "limit", "peak memory", "limit"], lines)
    command = (f"python -m benchmarks.importing --pictures {options.pictures} "
               f"--kind {options.kind} --side {options.side} --size {options.size}")
    publish(f"importing-{options.kind}", command, body, options.write)


if __name__ == "__main__":
    main()
