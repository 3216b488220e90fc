"""`datasets`: one set with its origin, its download, and its files from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cnn.cli import main
from cnn.data import builtin, download, registry
from cnn.data.catalogue import describe
from tests.mirrors import Mirrors, serving


def mnist_bytes(folder: Path) -> bytes:
    images = np.zeros((40, 28, 28), np.uint8)
    labels = np.arange(40, dtype=np.uint8) % 10
    np.savez(folder / "small.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    return (folder / "small.npz").read_bytes()


@pytest.fixture
def site(empty_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirrors]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "_SCHEMES", ("http",))
    with serving(mnist_bytes(empty_folders)) as mirrors:
        file = mirrors.file("gone", "good", name="mnist.npz")
        known = registry.BUILT_IN["mnist"]
        monkeypatch.setattr(builtin, "_MNIST", file)
        monkeypatch.setitem(registry.BUILT_IN, "mnist", replace(
            known, origin=replace(known.origin, files=(file,))))
        yield mirrors


def test_one_set_is_shown_with_its_origin(
    empty_folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["datasets", "malaria"]) == 0
    said = capsys.readouterr().out
    for words in ("Downloads cell_images.zip (337 MB)", "National Library of Medicine",
                  "None stated", "Rajaraman", "https://lhncbc.nlm.nih.gov/"):
        assert words in said


def test_a_set_is_downloaded_and_prepared(
    site: Mirrors, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["datasets", "--download", "mnist", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["train_count"], record["image_shape"]) == (40, [28, 28, 1])
    assert [path for path, _ in site.asked] == ["gone", "good"]


def test_a_file_from_elsewhere_is_taken(
    site: Mirrors, empty_folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["datasets", "mnist", "--file", str(empty_folders / "small.npz")]) == 0
    assert "yes" in capsys.readouterr().out
    assert describe("mnist").train_count == 40
    assert site.asked == []


@pytest.mark.parametrize(("words", "said"), [
    (["mnist", "--file", "no-such-file"], "no-such-file"),
    (["mnist", "--file", __file__], "not an official file"),
    (["digits", "--file", __file__], "not made of official files"),
    (["--file", __file__], "not said which"),
    (["--size", "32"], "not said which"),
    (["mnist", "--download", "cifar10"], "Two data sets"),
    (["--download", "cifar"], "'cifar10'"),
])
def test_what_cannot_be_had_is_said_in_words(
    site: Mirrors, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["datasets", *words]) == 1
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""
    assert site.asked == []


def test_a_set_that_is_here_at_another_size_is_not_passed_off_as_the_wanted(
    site: Mirrors, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["datasets", "--download", "mnist"]) == 0
    assert main(["datasets", "--download", "mnist", "--size", "64"]) == 1
    assert "28×28×1" in capsys.readouterr().err
