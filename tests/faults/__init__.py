"""Scripts that break things on purpose and count what was lost: `python -m tests.faults`.

pytest does not collect them: all counts together take hours. docs/reliability.md has their results.
"""
