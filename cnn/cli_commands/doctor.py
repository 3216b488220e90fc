"""`doctor`: checks this computer and says what to do."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from cnn.cli_commands.output import Output, ProgressLine, table
from cnn.doctor import Check, run_checks


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add nothing: everything is checked."""


def run(options: argparse.Namespace) -> Output:
    """Run all checks; the command fails if one found a problem."""
    with ProgressLine() as line:
        checks = run_checks(line.steps)
    problem = any(check.state == "problem" for check in checks)
    return Output({"ok": not problem, "checks": [asdict(check) for check in checks]},
                  _text(checks), failed=problem)


def _text(checks: list[Check]) -> str:
    lines = table(("Result", "What", "Found"),
                  [(check.state, check.name, check.message) for check in checks])
    to_do = [f"- {check.name}: {check.hint}" for check in checks if check.hint]
    return "\n".join((lines, "", "What to do:", *to_do)) if to_do else lines
