"""Reports as HTML: whole, without anything from elsewhere, and right in their figures."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from model_folders import CLASSES, make_evaluation, write_model
from run_folders import write_run

from cnn.errors import BadInput, Damaged, NotFound
from cnn.evaluation.results import evaluate_predictions, wilson_interval, write_evaluation
from cnn.reports import drawings
from cnn.reports.drawings import Line, line_chart, matrix
from cnn.reports.html_report import html_report
from cnn.reports.subject import MOST, subjects
from cnn.reports.words import interval, millions, percent, span, value_text

VOID = {"meta", "line", "polyline", "rect", "circle", "br"}


class Page(HTMLParser):
    """Checks that tags are closed in order, and collects tables, headings and texts."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tables, self.headings, self.labels, self.tags = [], {}, [], [], set()
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        attrs = dict(attrs)
        if attrs.get("role") == "img":
            self.labels.append(attrs["aria-label"])
        if tag == "table":
            self.table = []
        if tag == "tr":
            self.table.append([])
        if tag in ("th", "td"):
            self.table[-1].append("")
            assert tag == "td" or attrs["scope"] in ("col", "row")
        if tag == "caption":
            self.caption = ""
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "table":
            self.tables[self.caption] = self.table

    def handle_data(self, data):
        inside = self.open[-1] if self.open else ""
        if inside in ("th", "td"):
            self.table[-1][-1] += data
        if inside == "caption":
            self.caption += data
        if re.fullmatch("h[1-6]", inside):
            self.headings[-1] = (self.headings[-1][0], self.headings[-1][1] + data)


def lengths(table):
    return {len(row) for row in table}


@pytest.fixture
def pair(empty_folders):
    """Two models of which the second gets all right; on six images only it does."""
    labels = np.tile(np.arange(3), 20)
    for name, wrong in (("weak", np.arange(6)), ("strong", np.arange(0))):
        answers = labels.copy()
        answers[wrong] = (labels[wrong] + 1) % 3
        sure = (0.05 + 0.85 * np.eye(3, dtype=np.float32))[answers]
        folder = write_model(name, test_n=60, test_accuracy=1 - len(wrong) / 60,
                             config={"epochs": 3, "seed": len(wrong), "optimizer": "adam"})
        write_evaluation(folder, evaluate_predictions(sure, labels, CLASSES))


def test_a_report_of_one_model_says_all_that_is_known(empty_folders):
    write_model("first")
    html = html_report(["first"])
    page = Page(html)
    assert page.headings[0] == (1, "first")
    assert [level for level, _ in page.headings] == [1, 2, 3, 3, 3, 3, 3]
    low, high = wilson_interval(9, 12)
    assert f"{100 * low:.1f} to {100 * high:.1f} % (95 %), 12 images" in html
    assert "python -m cnn train --seed 4" in html
    assert "keras 3.0" in html
    found = make_evaluation()
    report = page.tables["Classification report"]
    assert [row[0] for row in report[1:]] == [*CLASSES, "macro avg", "weighted avg"]
    assert report[1][3] == percent(found.report[0]["recall"])
    cells = page.tables["Test images by true class (rows) and answer (columns)"]
    assert [[int(cell) for cell in row[1:]] for row in cells[1:]] == found.confusion.tolist()
    assert len(page.tables["Loss and accuracy by epoch"]) == 4
    assert page.tables["Loss and accuracy by epoch"][2][-1] == "best"
    assert all(len(lengths(table)) == 1 for table in page.tables.values())
    assert page.tables["Settings"][1:] == [["epochs", "3"], ["seed", "4"]]


def test_a_report_needs_no_other_file_and_runs_nothing(pair):
    html = html_report(["weak", "strong"])
    page = Page(html)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed", "base"}
    assert not re.search(r"url\(|@import|https?:|\bon\w+=|javascript:", html)
    assert "default-src 'none'" in html
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html
    assert len(page.labels) == 2 + 2 * 3
    assert all(page.labels)


def test_every_name_is_text_and_never_markup(empty_folders):
    evil = '<script>alert("1")</script>'
    write_model("first", class_names=[evil, "b&b", "'c'"], machine=evil, config={evil: evil},
                versions={evil: evil}, command=evil, changes=[evil], stopped=evil, split=evil)
    html = html_report(["first"])
    assert "<script" not in html
    assert "script" not in Page(html).tags
    assert evil in {row[0] for row in Page(html).tables["Classification report"]}


def test_a_comparison_says_what_differs_and_who_is_better(pair):
    page = Page(html_report(["weak", "strong"]))
    assert page.tables["Settings that are not the same in all"][1:] == [["seed", "6", "0"]]
    duels = page.tables["Each pair of models, by test images that are answered rightly"]
    assert duels[1] == ["weak and strong", "strong is better", "54", "0", "6", "0", "0.031"]
    assert [text for level, text in page.headings if level == 2] == [
        "Side by side", "weak", "strong"]


def test_equal_models_are_not_distinguishable_and_other_images_are_not_compared(pair):
    write_model("other", dataset_fingerprint="e" * 64)
    duels = [row[1] for row in Page(html_report(["weak", "other", "weak"])).tables[
        "Each pair of models, by test images that are answered rightly"][1:]]
    assert duels == ["tested on different versions of the data"]
    write_model("same")
    write_model("twin")
    assert "not distinguishable" in html_report(["same", "twin"])


def test_a_run_without_a_model_is_reported_from_its_training(empty_folders):
    run = write_run(state="stopped")
    html = html_report([run.run_id])
    assert "This run has no saved model" in html
    assert "Confusion matrix" not in html
    assert len(Page(html).tables["Loss and accuracy by epoch"]) == 3


def test_a_run_stands_for_the_model_it_made(empty_folders):
    write_model("first", dataset="digits")
    run = write_run(state="finished", model="first")
    assert [one.name for one in subjects([run.run_id, "first"])] == ["first"]


def test_a_model_with_damaged_results_is_reported_without_them(empty_folders):
    folder = write_model("first")
    (folder / "evaluation.npz").write_bytes(b"torn")
    (folder / "history.jsonl").unlink()
    html = html_report(["first"])
    assert "cannot be read" in html
    assert "The history of this training was not kept" in html


def test_what_cannot_be_reported_is_refused_with_the_reason(empty_folders):
    names = [write_model(f"m{number}").name for number in range(MOST + 1)]
    with pytest.raises(BadInput, match=f"1 to {MOST}"):
        subjects(names)
    write_model("else", dataset="other")
    with pytest.raises(BadInput, match="other, shapes"):
        subjects(["m0", "else"])
    with pytest.raises(NotFound, match="neither a saved model nor a run"):
        subjects(["nobody"])
    (empty_folders / "models" / "m1" / "card.json").write_text("{")
    with pytest.raises(Damaged):
        subjects(["m1"])
    with pytest.raises(BadInput, match="no epoch yet"):
        subjects([write_run("20260102-030405-new", epochs=0).run_id])


def test_many_classes_make_a_small_matrix_without_empty_cells():
    names, counts = [f"class {i}" for i in range(200)], np.eye(200, dtype=np.int64)
    counts[3, 7] = 2
    drawing = matrix(names, counts, "words")
    assert drawing.count("<rect") == 201
    assert "class 3 → class 7: 2" in drawing
    assert len(drawing) < 60_000


def test_curves_leave_out_what_is_not_a_number_and_long_ones_are_thinned():
    chart = line_chart([Line("loss", [(1, 2.0), (2, float("nan")), (3, 1.0)])], "w", "epoch", str)
    assert chart.count("<circle") == 3  # two points and the legend
    assert line_chart([Line("loss", [(1, float("inf"))])], "w", "epoch", str) == ""
    many = [(float(i), 1 / i) for i in range(1, 10_001)]
    points = re.search(r'polyline points="([^"]+)"/></g>\n</svg>', line_chart(
        [Line("loss", many)], "w", "epoch", str))[1].split()
    assert len(points) <= drawings.MOST_POINTS + 1
    assert points[0].startswith(f"{drawings.LEFT}")
    assert points[-1].startswith(f"{drawings.WIDTH - drawings.RIGHT}")


@pytest.mark.parametrize("values", [(0.2, 0.97), (5, 5), (0, 0), (-3, 1e-4), (1, 1000)])
def test_axes_have_a_few_round_numbers_around_all_values(values):
    ticks = drawings._ticks(values)
    assert 2 <= len(ticks) <= 8
    assert ticks[0] <= min(values)
    assert ticks[-1] >= max(values)


def luminance(color):
    parts = [part / 255 for part in color]
    linear = [p / 12.92 if p <= 0.04 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_numbers_in_cells_can_be_read_at_every_strength_on_both_papers():
    def css(name, dark):
        values = re.findall(rf"--{name}: #(\w+)", drawings_css())
        return [int(values[dark][i:i + 2], 16) for i in (0, 2, 4)]

    for dark, switch in ((0, drawings.SWITCH_LIGHT), (1, drawings.SWITCH_DARK)):
        paper, cell = (np.array(css(name, dark)) for name in ("paper", "cell"))
        inks = [(0, 0, 0), (255, 255, 255)]
        for strength in np.linspace(0, 1, 51):
            ground = luminance(paper + (cell - paper) * strength)
            text = luminance(inks[int((strength > switch) != bool(dark))])
            low, high = sorted((ground, text))
            assert (high + 0.05) / (low + 0.05) > 4.5, (dark, strength)


def drawings_css():
    from cnn.reports import html_report as module

    return module._STYLE.read_text()


def test_words_for_numbers():
    assert (percent(0.97204), percent(None), percent(float("nan"))) == ("97.20 %", "–", "–")
    assert interval(0.5, 0) == "–"
    assert [span(seconds) for seconds in (0, 12.54, 185, 14252.1)] == [
        "–", "12.5 s", "3 min 05 s", "3 h 57 min"]
    assert [millions(number) for number in (0, 1234, 3_752_952, 211_051_872, 4 * 10**9)] == [
        "–", "0.00123", "3.75", "211", "4,000"]
    assert [value_text(value) for value in (True, None, 0.1, 3, "x")] == ["yes", "–", "0.1", "3",
                                                                           "x"]


def test_a_class_without_test_images_has_no_interval(empty_folders):
    folder = write_model("first")
    found = make_evaluation()
    rows = [replace_support(row) if row["name"] == "cat" else row for row in found.report]
    write_evaluation(folder, replace(found, report=tuple(rows)))
    report = Page(html_report(["first"])).tables["Classification report"]
    assert report[3][4] == "–"


def replace_support(row):
    return {**row, "support": 0}
