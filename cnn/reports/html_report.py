"""A report of one training or of several side by side, as one HTML file that needs nothing else.

No script, no link to another file, no font from elsewhere; a policy in the file forbids what might
slip in. Reads models and runs; no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cnn.reports.markup import text
from cnn.reports.one_training import training_html
from cnn.reports.side_by_side import comparison_html
from cnn.reports.subject import Subject, subjects

_STYLE = Path(__file__).with_name("report.css")
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p class="quiet">{about}</p>
</header>
<main>
{content}</main>
</body>
</html>
"""


def html_report(names: Sequence[str]) -> str:
    """Return a report of these trainings.

    Args:
        names: Of saved models, or ids of runs, at most `subject.MOST`, of one data set.

    Raises:
        NotFound, Damaged: If one does not exist or cannot be read.
        BadInput: If they are too many, or cannot be compared.
    """
    found = subjects(names)
    title = f"{found[0].name}" if len(found) == 1 else \
        f"{', '.join(one.name for one in found[:-1])} and {found[-1].name}"
    about = (f"{'Report' if len(found) == 1 else 'Comparison'} by CNN Studio, "
             f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC. Data set: {found[0].facts.dataset}. "
             f"Architecture: {', '.join(dict.fromkeys(map(_architecture, found)))}.")
    content = _single(found[0]) if len(found) == 1 else _several(found)
    return _PAGE.format(title=text(title), about=text(about), content=content,
                        style=_STYLE.read_text(encoding="utf-8"))


def _architecture(one: Subject) -> str:
    return one.card.architecture if one.card else str(one.facts.settings.get("architecture", ""))


def _single(one: Subject) -> str:
    return f"<h2>{text(_architecture(one))} on {text(one.facts.dataset)}</h2>\n{training_html(one)}"


def _several(found: Sequence[Subject]) -> str:
    links = "".join(f'<li><a href="#training-{number}">{text(one.name)}</a></li>'
                    for number, one in enumerate(found))
    parts = "".join(
        f'<section><h2 id="training-{number}">{text(one.name)}</h2>\n{training_html(one)}'
        "</section>\n" for number, one in enumerate(found))
    return (f'<nav aria-label="Contents"><ul><li><a href="#comparison">Side by side</a></li>{links}'
            f'</ul></nav>\n<section><h2 id="comparison">Side by side</h2>\n'
            f"{comparison_html(found)}</section>\n{parts}")
