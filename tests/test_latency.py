"""How long an answer takes: the median of warm ones, in the size that the network sees."""

import io
from types import SimpleNamespace

import pytest
from model_folders import write_model
from PIL import Image

from cnn.errors import Damaged, NotFound
from cnn.prediction.client import Prediction
from cnn.prediction.latency import ANSWERS, WARM_UPS, measure_latency


class Slow:
    """Takes 5 s for each of its first answers, and 2 ms for all others, by its own clock."""

    def __init__(self, error=None):
        self.error = error
        self.pictures = []
        self.now = 0.0

    def predict(self, model, images):
        self.pictures += images
        self.now += 5 if len(self.pictures) <= WARM_UPS else 0.002
        return [Prediction(error=self.error)]


def test_loading_and_warming_up_do_not_count(folders, monkeypatch):
    write_model("first")
    engine = Slow()
    monkeypatch.setattr("cnn.prediction.latency.time",
                        SimpleNamespace(perf_counter=lambda: engine.now))
    assert measure_latency(engine, "first") == pytest.approx(0.002)
    assert len(engine.pictures) == WARM_UPS + ANSWERS
    assert Image.open(io.BytesIO(engine.pictures[0])).size == (6, 8)  # as its card says


def test_what_cannot_answer_has_no_latency(folders):
    write_model("first")
    with pytest.raises(Damaged):
        measure_latency(Slow(Damaged("Torn network", "Mend")), "first")
    with pytest.raises(NotFound):
        measure_latency(Slow(), "gone")
