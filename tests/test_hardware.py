"""What is found out about the processor, from files as Linux writes them."""

import os

import pytest

from cnn import hardware


@pytest.mark.parametrize(("flags", "has"), [
    ("flags\t\t: fpu avx2 avx512f avx512_bf16 amx_tile", True),
    ("Features\t: fp asimd bf16 i8mm", True),
    ("flags\t\t: fpu sse4_2 avx2 fma", False),
    ("flags\t\t: notbf16x", False),
])
def test_bfloat16_is_read_from_the_processors_flags(tmp_path, monkeypatch, flags, has):
    monkeypatch.setattr(hardware, "_CPU_INFO", tmp_path / "cpuinfo")
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{flags}\n")
    assert hardware.has_bfloat16() is has


def test_it_is_unknown_where_there_is_no_such_file(tmp_path, monkeypatch):
    monkeypatch.setattr(hardware, "_CPU_INFO", tmp_path / "none")
    assert hardware.has_bfloat16() is None


def test_the_persons_own_settings_win(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    hardware.prepare_tensorflow()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "2"
