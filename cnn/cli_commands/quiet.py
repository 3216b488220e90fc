"""Starts TensorFlow for a command without its own messages on the person's terminal."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile

from cnn.cli_commands.output import ProgressLine
from cnn.hardware import prepare_tensorflow


def start_tensorflow(line: ProgressLine) -> None:
    """Import TensorFlow and let it find its devices.

    On a computer without a GPU it complains of missing drivers while doing so, below Python and
    whatever the log level. What it said is shown only if it fails.
    """
    prepare_tensorflow()
    line.show("Starting TensorFlow")
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            import tensorflow as tf

            tf.config.list_logical_devices()
        except BaseException:
            said.seek(0)
            with os.fdopen(os.dup(terminal), "wb") as out:
                shutil.copyfileobj(said, out)
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
