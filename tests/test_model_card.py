"""Model cards: the headings, only what is known, and nobody's name as markup."""

import re

from model_folders import CLASSES, make_evaluation, write_model

from cnn.evaluation.novelty import FILE_NAME
from cnn.reports.model_card import model_card
from cnn.reports.words import interval, percent

HEADINGS = ["Model details", "Intended use", "Factors", "Metrics", "Evaluation data",
            "Training data", "Quantitative analyses", "Ethical considerations",
            "Caveats and recommendations"]  # of Mitchell et al., 2019


def test_it_has_the_headings_of_the_paper_in_their_order(empty_folders):
    write_model("first")
    text = model_card("first")
    assert text.startswith("# Model card: first\n")
    assert re.findall("^## (.+)$", text, re.M) == HEADINGS


def test_figures_come_with_their_intervals_and_limits_are_named(empty_folders):
    folder = write_model("first", calibration_error=0.021, averaged_test_accuracy=0.8)
    (folder / FILE_NAME).write_bytes(b"")
    text = model_card("first")
    assert f"| Test accuracy | 75.00 % | {interval(0.75, 12)} |" in text
    assert f"| Test accuracy, averaged over views | 80.00 % | {interval(0.8, 12)} |" in text
    assert "off by 2.10 % on average" in text
    assert "probably none of its classes" in text
    row = min(make_evaluation().report[:3], key=lambda row: row["recall"])
    assert f"It finds {row['name']} least often: {percent(row['recall'], 1)}" in text
    assert "Fewer than 30 test images: ant, bee, cat" in text
    assert all(f"| {name} |" in text for name in CLASSES)


def test_what_is_not_known_is_not_said(empty_folders):
    folder = write_model("first", dataset_fingerprint="", config={})
    (folder / "evaluation.json").unlink()
    text = model_card("first")
    for words in ("Fingerprint", "Changes of images", "averaged", "calibration error", "Licence"):
        assert words not in text
    assert "It cannot say that a picture is of none of its classes" in text
    assert "was not measured" in text
    assert "There are no stored test results" in text
    assert "None" not in text
    assert "Not recorded. Whoever publishes the model" in text


def test_names_of_people_stay_letters(empty_folders):
    evil = "a|b`c*d\n# e <img src=x>"
    write_model("first", class_names=[evil, "bee", "cat"], machine=evil, split=evil,
                config={"augmentation": {evil: evil}}, changes=[evil], command="x\n```\n# y")
    text = model_card("first")
    assert re.findall("^# (.+)$", text, re.M) == ["Model card: first", "y"]  # the latter in a fence
    assert text.count("```") == 2
    assert not re.search(r"(?<!\\)<img", text)
    rows = [line for line in text.splitlines() if line.startswith("| a")]
    assert rows
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 6 for row in rows)


def test_a_published_data_set_is_cited(folders):
    write_model("first", dataset="cifar10")
    text = model_card("first")
    assert "Krizhevsky" in text
    assert "<https://www.cs.toronto.edu/~kriz/cifar.html>" in text
