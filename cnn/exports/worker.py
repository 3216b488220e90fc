"""The process that makes an export: TensorFlow and the converters, limited in memory.

    python -m cnn.exports.worker '{"model": "first", "format": "onnx", "target": "/tmp/first.zip"}'

Prints its steps and then what `package.export_model` returned, or an error: one line of JSON each.
Started by `cnn.exports.asking`. A converter that crashes ends this process and nothing else.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from cnn.errors import CnnError, Unavailable
from cnn.hardware import limit_memory, run_in_background, start_tensorflow


def main(request: str) -> int:
    """Make the export that is asked for and print the answer; returns the exit status."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # converters print where they like: not into the answers

    def say(record: dict[str, Any]) -> None:
        answers.write(json.dumps(record) + "\n")
        answers.flush()

    def progress(what: str, done: int, total: int) -> None:
        say({"step": what, "done": done, "total": total})

    try:
        asked = json.loads(request)
        limit_memory()
        run_in_background()
        progress("Starting TensorFlow", 0, 0)
        start_tensorflow()
        from cnn.exports.package import export_model

        say(export_model(asked["model"], asked["format"], Path(asked["target"]), progress))
    except CnnError as error:
        say({"error": error.to_dict()})
        return 1
    except MemoryError:
        say({"error": Unavailable("There is not enough memory for this export.",
                                  "Close other programs, and try again.").to_dict()})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
