"""`explain`: a figure is written, and what it shows is said; with a real small network."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from model_folders import make_card, make_evaluation
from PIL import Image

from cnn.cli import main
from cnn.data.images import encode_png
from cnn.models.build import build_model
from cnn.prediction.saved import save_model


@pytest.fixture
def picture(empty_folders: Path) -> Path:
    """A picture, and a model `first` with the classes ant, bee and cat that was not trained."""
    network = build_model("base", (16, 16, 3), 3)
    save_model(network, make_card("first", input_shape=[16, 16, 3]), [], make_evaluation())
    path = empty_folders / "photo.png"
    noise = np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    path.write_bytes(encode_png(noise))
    return path


def test_a_figure_is_written_and_its_classes_are_told(
    picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = picture.with_name("map.png")
    assert main(["explain", str(picture), "--out", str(out), "--class", "cat", "--class", "ant",
                 "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [item["class"] for item in record["classes"]] == ["cat", "ant"]
    assert record["map_size"] == [4, 4] and record["layer"] and not record["coarse"]
    figure = Image.open(io.BytesIO(out.read_bytes()))
    assert figure.format == "PNG" and figure.width > 2 * figure.height


@pytest.mark.parametrize("words, message", [
    (["--out", "map.jpg"], "The figure is a PNG"),
    (["--out", "map.png", "--class", "cow"], "no class 'cow'"),
    (["--out", "map.png", "--model", "nobody"], "no saved model 'nobody'"),
])
def test_what_cannot_be_done_is_said(
    picture: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["explain", str(picture), *words]) == 1
    assert message in capsys.readouterr().err
    assert not picture.with_name("map.png").exists()
