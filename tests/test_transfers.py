"""Downloads by the server: one at a time for each set, seen, cancelled and gone on with."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from cnn.data import builtin, catalogue, download, originals, transfers
from cnn.data.progress import Progress
from cnn.errors import Unavailable
from tests.mirrors import Mirrors, serving


def mnist_bytes() -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (400, 28, 28), dtype=np.uint8)
    labels = np.arange(400, dtype=np.uint8) % 10
    np.savez(buffer, x_train=noise, y_train=labels, x_test=noise[:20], y_test=labels[:20])
    return buffer.getvalue()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirrors]:
    monkeypatch.setenv("CNN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "_SCHEMES", ("http",))
    with serving(mnist_bytes()) as mirrors:
        yield mirrors


def serve_mnist(site: Mirrors, monkeypatch: pytest.MonkeyPatch, *paths: str) -> None:
    monkeypatch.setattr(builtin, "_MNIST", site.file(*paths, name="mnist.npz"))


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def state() -> str:
    transfer = transfers.look("mnist")
    return transfer.state if transfer else ""


def test_a_set_is_downloaded_and_prepared(site: Mirrors, monkeypatch: pytest.MonkeyPatch) -> None:
    serve_mnist(site, monkeypatch, "good")
    assert transfers.look("mnist") is None
    transfers.start("mnist")
    until(lambda: state() == "done")
    assert catalogue.describe("mnist").train_count == 400


def test_it_is_seen_while_it_runs_and_not_begun_twice(
    site: Mirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_mnist(site, monkeypatch, "waiting")
    transfers.start("mnist")
    until(lambda: bool((transfer := transfers.look("mnist")) and transfer.done))
    transfers.start("mnist")
    transfer = transfers.look("mnist")
    assert transfer is not None
    assert transfer.state == "running"
    assert transfer.what.startswith("Downloading mnist.npz: ")
    assert 0 < transfer.done < transfer.total == len(site.body)
    site.go_on.set()
    until(lambda: state() == "done")
    assert len(site.asked) == 1


def test_a_cancelled_download_ends_and_the_next_goes_on(
    site: Mirrors, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    serve_mnist(site, monkeypatch, "slow")
    transfers.start("mnist")
    until(lambda: bool((transfer := transfers.look("mnist")) and transfer.done))
    transfers.cancel("mnist")
    assert state() in ("ending", "cancelled")
    until(lambda: state() == "cancelled")
    kept = originals.kept((builtin._MNIST,))
    assert kept > 0
    assert not (tmp_path / "data" / "mnist.npz").exists()
    serve_mnist(site, monkeypatch, "good")
    transfers.start("mnist")
    until(lambda: state() == "done")
    assert site.asked[-1] == ("good", f"bytes={kept}-")


def test_a_failed_download_says_why_and_can_be_started_again(
    site: Mirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_mnist(site, monkeypatch, "gone")
    transfers.start("mnist")
    until(lambda: state() == "failed")
    transfer = transfers.look("mnist")
    assert transfer is not None
    assert isinstance(transfer.error, Unavailable)
    assert "404" in transfer.error.message
    serve_mnist(site, monkeypatch, "good")
    transfers.start("mnist")
    until(lambda: state() == "done")


def test_a_fault_of_the_program_is_said_too(
    site: Mirrors, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(name: str, progress: Progress, size: int | None) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(catalogue, "load", fail)
    transfers.start("mnist")
    until(lambda: state() == "failed")
    transfer = transfers.look("mnist")
    assert transfer is not None
    assert "not known" in str(transfer.error)
    assert "a fault" in caplog.text


def test_cancelling_nothing_does_nothing(site: Mirrors) -> None:
    transfers.cancel("mnist")
    assert transfers.look("mnist") is None
