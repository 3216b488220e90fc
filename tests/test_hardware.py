"""What is found out about the processor, from files as Linux writes them."""

import os
import subprocess
import sys
from pathlib import Path

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


def test_it_starts_without_a_word_and_the_persons_own_settings_win():
    code = ("import os; from cnn.hardware import start_tensorflow; start_tensorflow()\n"
            "print(os.environ['TF_ENABLE_ONEDNN_OPTS'], os.environ['TF_CPP_MIN_LOG_LEVEL'])")
    own = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0"}
    own.pop("TF_CPP_MIN_LOG_LEVEL", None)
    done = subprocess.run([sys.executable, "-c", code], env=own, capture_output=True, text=True,
                          check=True)
    assert done.stdout.split() == ["0", "2"]
    assert done.stderr == ""


@pytest.mark.parametrize(("own", "threads"), [({}, 1), ({"OPENBLAS_NUM_THREADS": "7"}, 7)])
def test_numpy_has_one_thread_for_matrix_products_unless_the_person_says_otherwise(own, threads):
    code = ("import numpy, os, threadpoolctl; from cnn.hardware import start_tensorflow\n"
            "given = int(os.environ.get('OPENBLAS_NUM_THREADS', 2))\n"
            "threadpoolctl.threadpool_limits(given, 'blas')  # fewer processors would give fewer\n"
            "start_tensorflow()\n"
            "print(max(one['num_threads'] for one in threadpoolctl.threadpool_info()\n"
            "          if one['user_api'] == 'blas'))")
    rest = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", code], env=rest | own, capture_output=True,
                          text=True, check=True)
    assert int(done.stdout) == threads


def test_what_tensorflow_said_is_shown_when_it_fails(tmp_path):
    broken = tmp_path / "tensorflow.py"
    broken.write_text("import os; os.write(2, b'no such library'); raise ImportError('broken')")
    code = "from cnn.hardware import start_tensorflow; start_tensorflow()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path.cwd())])})
    assert "no such library" in done.stderr
    assert "ImportError: broken" in done.stderr


def test_a_machine_is_told_by_processor_cores_and_packages(tmp_path, monkeypatch):
    here = hardware.machine()
    assert here == hardware.machine()
    assert here["cores"] >= 1
    assert set(here["packages"]) == {"tensorflow", "keras", "numpy"}
    monkeypatch.setattr(hardware, "_CPU_INFO", tmp_path / "cpuinfo")
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Fast One 3000\n")
    assert hardware.machine()["processor"] == "Fast One 3000"
    monkeypatch.setattr(hardware, "usable_cores", lambda: 99)
    assert hardware.machine()["cores"] == 99
