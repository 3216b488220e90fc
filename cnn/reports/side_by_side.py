"""The part of a report that compares trainings: figures, curves, settings, and who is better.

Takes what `subject` gathered and returns HTML. Knows neither pages nor files.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from cnn.errors import BadInput
from cnn.evaluation.comparison import duel
from cnn.evaluation.results import Evaluation
from cnn.reports.drawings import Line, line_chart
from cnn.reports.markup import figure, table
from cnn.reports.subject import Subject
from cnn.reports.words import UNKNOWN, interval, millions, percent, span, value_text
from cnn.runs.contenders import Contender, differences


def comparison_html(subjects: Sequence[Subject]) -> str:
    """Return what is the same and what differs, with headings of the third level."""
    return "".join((_figures(subjects), _curves(subjects), _settings(subjects), _duels(subjects)))


def _figures(subjects: Sequence[Subject]) -> str:
    rows = []
    for one in (subject.facts for subject in subjects):
        tested = one.test_accuracy is not None and one.test_n > 0
        rows.append((
            one.name, percent(one.test_accuracy) if tested else "not tested",
            interval(one.test_accuracy or 0.0, one.test_n) if tested else "",
            percent(one.val_accuracy), f"{one.best_epoch} of {one.epochs}", span(one.seconds),
            millions(one.parameters), millions(one.multiply_adds), millions(one.file_bytes)))
    return "<h3>What they reached</h3>\n" + table(
        "The best epoch by validation, not the last; 95 % intervals (Wilson); parameters and "
        "multiply-adds in millions",
        ("Name", "Test accuracy", "Interval", "Validation", "Best epoch", "Time",
         "Parameters", "Multiply-adds", "File, MB"), rows)


def _curves(subjects: Sequence[Subject]) -> str:
    charts = []
    for key, title in (("val_accuracy", "Validation accuracy"), ("val_loss", "Validation loss")):
        lines = [Line(one.name, [(r["epoch"], r[key]) for r in one.epochs]) for one in subjects]
        form = (lambda y: percent(y, 1)) if key == "val_accuracy" else (lambda y: f"{y:g}")
        ends = "; ".join(f"{one.name} ends at {form(one.epochs[-1][key])}"
                         for one in subjects if one.epochs)
        drawing = line_chart(lines, f"{title} by epoch. {ends}.", "epoch", form)
        charts.append(figure(drawing, f"{title} by epoch") if drawing else "")
    return f'<h3>How they got there</h3>\n<div class="pair">{"".join(charts)}</div>\n'


def _settings(subjects: Sequence[Subject]) -> str:
    found = differences([subject.facts for subject in subjects])
    title = "<h3>What differs in their settings</h3>\n"
    if not found:
        return f"{title}<p>They were trained with the same settings.</p>\n"
    rows = [(name, *map(value_text, values)) for name, values in found.items()]
    return title + table("Settings that are not the same in all",
                         ("Setting", *(one.name for one in subjects)), rows, numbers=False)


def _duels(subjects: Sequence[Subject]) -> str:
    tested = [(one.facts, one.evaluation) for one in subjects if one.evaluation is not None]
    if len(tested) < 2:
        return ""
    rows = [_duel(*first, *second) for first, second in combinations(tested, 2)]
    return ("<h3>On the same test images</h3>\n<p>Only images on which two models differ say which "
            "is better. Where equally good models would differ as much in 5 % of such tests or "
            "more, they are called not distinguishable (exact McNemar test).</p>\n" + table(
                "Each pair of models, by test images that are answered rightly",
                ("Pair", "Verdict", "Both", "Only the first", "Only the second", "Neither", "p"),
                rows))


def _duel(
    first: Contender, one: Evaluation, second: Contender, other: Evaluation
) -> tuple[str, ...]:
    pair = f"{first.name} and {second.name}"
    if first.fingerprint != second.fingerprint:
        return pair, "tested on different versions of the data", *[UNKNOWN] * 5
    try:
        result = duel(one, other)
    except BadInput:
        return pair, "not tested on the same images", *[UNKNOWN] * 5
    better = first if result.only_first > result.only_second else second
    verdict = f"{better.name} is better" if result.distinguishable else "not distinguishable"
    chance = f"{result.p_value:.3f}" if result.p_value >= 0.001 else "under 0.001"
    return (pair, verdict, *(f"{number:,}" for number in (
        result.both, result.only_first, result.only_second, result.neither)), chance)
