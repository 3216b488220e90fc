"""`python -m cnn`: see `cnn.cli`."""

from __future__ import annotations

import sys

from cnn.cli import main

if __name__ == "__main__":
    sys.exit(main())
