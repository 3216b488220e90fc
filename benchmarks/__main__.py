"""`python -m benchmarks`: the quick one, server and engine; the others are run by name."""

from benchmarks.server import main

main()
