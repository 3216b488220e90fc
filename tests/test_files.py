"""Atomic writing, log reading and safe names, with real faults."""

import os
import subprocess
import sys

import pytest

from cnn.errors import BadInput, Damaged, NotFound, Unavailable
from cnn.files import (
    TEMPORARY,
    atomic_path,
    atomic_write_bytes,
    atomic_write_json,
    check_name,
    read_json,
    read_json_lines,
    suggest_name,
)


def leftovers(folder):
    return [p.name for p in folder.iterdir() if p.name.startswith(TEMPORARY)]


def test_a_failing_writer_leaves_the_old_file_and_no_rubbish(tmp_path):
    target = tmp_path / "a.json"
    atomic_write_json(target, {"old": 1})
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert read_json(target) == {"old": 1}
    assert leftovers(tmp_path) == []


def test_the_temporary_file_is_in_the_same_folder_and_keeps_its_suffix(tmp_path):
    with atomic_path(tmp_path / "model.keras") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".keras"
        temporary.write_bytes(b"x")


def test_a_folder_can_be_written_whole(tmp_path):
    with atomic_path(tmp_path / "model") as folder:
        folder.mkdir()
        (folder / "card.json").write_text("{}")
        assert not (tmp_path / "model").exists()
    assert (tmp_path / "model" / "card.json").exists()


def test_nan_never_reaches_a_json_file(tmp_path):
    with pytest.raises(ValueError, match=r"[Oo]ut of range"):
        atomic_write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_killed_writer_never_tears_the_file(tmp_path):
    target = tmp_path / "a.bin"
    atomic_write_bytes(target, b"a" * 300_000)
    code = ("import sys; from pathlib import Path; from cnn.files import atomic_write_bytes\n"
            "print('go', flush=True)\n"
            "while True: atomic_write_bytes(Path(sys.argv[1]), b'a' * 300_000)")
    for pause in (0.0, 0.003, 0.011, 0.02, 0.05):
        writer = subprocess.Popen([sys.executable, "-c", code, str(target)],
                                  stdout=subprocess.PIPE)
        writer.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            writer.wait(pause)
        writer.kill()
        writer.wait()
        assert target.read_bytes() == b"a" * 300_000


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounting needs root on Linux")
def test_a_full_disk_keeps_the_old_file_and_says_so(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)],
                      check=False, capture_output=True).returncode:
        pytest.skip("cannot mount a small disk here")
    try:
        atomic_write_bytes(disk / "a", b"old")
        with pytest.raises(Unavailable, match="disk is full"):
            atomic_write_bytes(disk / "a", b"x" * 2**21)
        assert (disk / "a").read_bytes() == b"old"
        assert leftovers(disk) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_place_that_cannot_be_written_is_said_in_words(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be written"):
        atomic_write_bytes(tmp_path / "file" / "below", b"")


def test_reading_json_tells_missing_from_damaged(tmp_path):
    with pytest.raises(NotFound):
        read_json(tmp_path / "none.json")
    for text in ("{", "[1]", "", "\x00\xff", "[" * 100_000):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(Damaged):
            read_json(tmp_path / "bad.json")


def test_a_torn_last_line_waits_and_a_damaged_middle_line_is_passed_over(tmp_path):
    log = tmp_path / "metrics.jsonl"
    log.write_text('{"a": 1}\ngarbage\n[1]\n{"a": 2}\n{"a": ')
    records, end = read_json_lines(log)
    assert records == [{"a": 1}, {"a": 2}]
    with log.open("a") as file:
        file.write("3}\n")
    assert read_json_lines(log, end)[0] == [{"a": 3}]
    assert read_json_lines(tmp_path / "none") == ([], 0)
    with pytest.raises(Damaged, match=tmp_path.name):
        read_json_lines(tmp_path)


@pytest.mark.parametrize("name", [
    "", ".", "..", ".hidden", "a/b", "a\\b", "A", "ä", "x" * 65, "con", "lpt1.txt", "a ", "a\n",
    "-dash", "ends.", "a:b", "\u202ename",
])
def test_unsafe_names_are_refused_and_a_safe_one_is_suggested(name):
    with pytest.raises(BadInput):
        check_name(name)
    assert check_name(suggest_name(name))


def test_good_names_pass_unchanged():
    for name in ("a", "cifar10-vgg-bn", "v1.2_3", "9"):
        assert check_name(name) == name
        assert suggest_name(name) == name
