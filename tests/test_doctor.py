"""The checks of this computer, each made to pass, warn and fail."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from model_folders import write_model

from cnn import doctor
from cnn.cli import main
from cnn.doctor import Check
from cnn.errors import Unavailable
from cnn.paths import PROJECT

pytestmark = pytest.mark.usefixtures("empty_folders")


def states(checks: Iterator[Check]) -> dict[str, str]:
    return {check.name: check.state for check in checks}


def test_each_requirement_is_compared_with_what_is_installed(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(
        "# a comment\n\npytest>=1  # any\nnumpy>=1,<1.5  # too old for us\nno-such-package>=2\n")
    found = {check.name: check for check in doctor.check_packages(requirements)}
    assert {name: check.state for name, check in found.items()} == {
        "pytest": "ok", "numpy": "problem", "no-such-package": "problem"}
    assert "<1.5" in found["numpy"].message
    assert "not installed" in found["no-such-package"].message
    assert "requirements.txt" in found["no-such-package"].hint


def test_the_real_requirements_can_be_read() -> None:
    names = {check.name for check in doctor.check_packages()}
    assert {"tensorflow", "keras", "streamlit", "fastapi"} <= names


def test_this_python_is_new_enough_and_an_old_one_is_a_problem(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    assert states(doctor.check_python()) == {"python": "ok"}
    monkeypatch.setattr(doctor, "OLDEST_PYTHON", (99, 0))
    assert states(doctor.check_python()) == {"python": "problem"}


@pytest.mark.parametrize(("code", "state", "words"), [
    ("pass", "ok", "trains"),
    ("raise ImportError('libfoo is missing')", "problem", "libfoo is missing"),
    ("import sys; sys.exit(3)", "problem", "said nothing"),
    ("import time; time.sleep(60)", "problem", "did not train a step in 1 s"),
])
def test_the_training_step_is_judged_by_how_its_process_ends(
    code: str, state: str, words: str
) -> None:
    command = (sys.executable, "-c", code)
    check, = doctor.check_tensorflow(command, 1.0 if "sleep" in code else 30.0)
    assert check.state == state
    assert words in check.message
    assert bool(check.hint) == (state == "problem")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_processor_without_avx_is_named_as_the_likely_cause() -> None:
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGILL)"
    check, = doctor.check_tensorflow((sys.executable, "-c", crash))
    assert check.state == "problem"
    assert "SIGILL" in check.message
    assert "AVX" in check.hint


@pytest.mark.parametrize(("limit", "state"), [
    ((0, 0), "ok"), ((0, 1e18), "warning"), ((1e18, 1e18), "problem")])
@pytest.mark.parametrize(("resource", "check"), [
    ("MEMORY", doctor.check_memory), ("DISK", doctor.check_disk)])
def test_memory_and_disk_are_compared_with_what_is_needed_and_wanted(
    resource: str, check: object, limit: tuple[float, float], state: str,
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, f"{resource}_NEEDED", limit[0])
    monkeypatch.setattr(doctor, f"{resource}_WANTED", limit[1])
    found = list(check())  # type: ignore[operator]
    assert {item.state for item in found} == {state}
    assert all(bool(item.hint) == (state != "ok") for item in found)


def test_a_port_is_a_warning_while_something_listens_on_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        taken, = doctor.check_port(port)
    free, = doctor.check_port(port)
    assert (taken.state, free.state) == ("warning", "ok")
    assert str(port + 1) in taken.hint


def test_folders_that_can_be_written_are_ok_and_made(tmp_path: Path) -> None:
    assert set(states(doctor.check_folders()).values()) == {"ok"}
    assert (tmp_path / "runs").is_dir()


def test_a_folder_that_cannot_be_written_names_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CNN_MODELS_DIR", str(tmp_path / "file" / "models"))
    bad, = (check for check in doctor.check_folders() if check.state != "ok")
    assert bad.state == "problem"
    assert "CNN_MODELS_DIR" in bad.hint


def test_digits_are_available_and_a_download_is_a_warning_that_says_what_to_do() -> None:
    found = {check.name: check for check in doctor.check_datasets()}
    assert found["data digits"].state == "ok"
    assert found["data mnist"].state == "warning"
    assert "network" in found["data mnist"].hint


def test_saved_models_are_read_to_their_last_byte() -> None:
    def archive(name: str) -> Path:
        path = write_model(name) / "model.keras"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("weights", b"0123456789" * 100)
        return path

    archive("good")
    bits = archive("flipped")
    data = bytearray(bits.read_bytes())
    data[100] ^= 1
    bits.write_bytes(data)
    write_model("text")
    (write_model("bare") / "card.json").unlink()
    (write_model("untested") / "evaluation.json").unlink()
    assert states(doctor.check_models()) == {
        "model good": "ok", "model flipped": "problem", "model text": "problem",
        "model bare": "problem", "model untested": "problem"}


def test_no_models_at_all_is_a_warning() -> None:
    assert states(doctor.check_models()) == {"saved models": "warning"}


def _raise(error: Exception) -> Iterator[Check]:
    raise error
    yield


def test_a_check_that_fails_itself_is_a_problem_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "CHECKS", {
        "a": lambda: _raise(Unavailable("The disk is full.", "Free some.")),
        "b": lambda: _raise(ImportError("No module named 'x'")),
        "c": lambda: _raise(RuntimeError("odd")),
        "d": lambda: iter([Check("d", "ok", "fine")])})
    told: list[str] = []
    found = doctor.run_checks(lambda what, done, total: told.append(what))
    assert [check.state for check in found] == ["problem"] * 3 + ["ok"]
    assert found[0] == Check("a", "problem", "The disk is full.", "Free some.")
    assert "pip install" in found[1].hint
    assert told == [f"Checking {name}" for name in "abcd"]


@pytest.mark.parametrize(("state", "status"), [("ok", 0), ("warning", 0), ("problem", 1)])
def test_the_command_fails_only_on_a_problem(
    state: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "CHECKS", {
        "it": lambda: iter([Check("it", state, "so it is", "do this")])})  # type: ignore[arg-type]
    assert main(["doctor", "--json"]) == status
    assert json.loads(capsys.readouterr().out) == {"ok": status == 0, "checks": [
        {"name": "it", "state": state, "message": "so it is", "hint": "do this"}]}
    assert main(["doctor"]) == status
    text = capsys.readouterr().out
    assert state in text
    assert "do this" in text


def test_the_doctor_can_be_called_where_nothing_is_installed() -> None:
    code = ("import sys\n"
            "for name in ('numpy', 'filelock', 'psutil', 'PIL', 'packaging', 'httpx2'):\n"
            "    sys.modules[name] = None\n"
            "from cnn import doctor\n"
            "doctor.CHECKS.pop('tensorflow')\n"
            "from cnn.cli import main\n"
            "sys.exit(main(['doctor']))")
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "pip install -r requirements.txt" in done.stdout
