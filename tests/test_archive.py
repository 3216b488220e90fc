"""Archives of runs: what goes in, what comes out elsewhere, and what is refused."""

import hashlib
import io
import json
import time
import zipfile

import numpy as np
import pytest
from run_folders import tell, write_run

from cnn.data.images import encode_png
from cnn.errors import BadInput, CnnError, Damaged, NotFound, Refused, Unavailable
from cnn.paths import runs_dir
from cnn.runs import archive
from cnn.runs.archive import export_run, import_run, verify_archive, write_archive
from cnn.runs.labels import read_label, write_label
from cnn.runs.manager import get_run, list_runs
from cnn.training.events import NoteEvent, PinsEvent
from cnn.training.snapshots import About, snapshot_bytes

RUN = "20260102-030405-first"
CHECKPOINT = "checkpoints/last.npz"
ABOUT = About("base", (2, 2, 1), ("ant", "bee"), "digits", "crop", False)
pytestmark = pytest.mark.usefixtures("empty_folders")


def make(run_id=RUN, **status):
    folder = write_run(run_id, **{"state": "finished", "model": "first", **status})
    (folder.path / CHECKPOINT).parent.mkdir()
    np.savez(folder.path / CHECKPOINT,
             weights=np.arange(6, dtype=np.float32), progress=np.array("{}"))
    folder.snapshots.write(1, snapshot_bytes(
        [np.ones((2, 2))], ABOUT, np.array([0, 1]), np.array([1, 1])))
    return folder


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def exported(tmp_path):
    """A good archive of a run that is no longer there, as its files by name."""
    folder = make()
    path = tmp_path / "run.zip"
    export_run(RUN, path)
    folder.path.rename(tmp_path / "elsewhere")
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def write_zip(path, files, sign=True):
    """Write a zip of files; its manifest is made to agree with them if `sign`."""
    files = dict(files)
    manifest = json.loads(files.pop("manifest.json"))
    if sign:
        manifest["files"] = {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files.items()}
    with zipfile.ZipFile(path, "w") as file:
        for name, data in files.items():
            file.writestr(name, data)
        file.writestr("manifest.json", json.dumps(manifest))
    return path


def test_a_run_comes_back_elsewhere_to_the_last_byte(tmp_path):
    folder = make()
    write_label(RUN, title="Mine", note="why")
    (folder.path / "pins").mkdir()
    (folder.path / "pins" / "1.png").write_bytes(encode_png(np.zeros((8, 8, 3), np.uint8)))
    (folder.path / "pins" / "names.json").write_text('{"names": ["cat.png"]}')
    before = contents(folder.path)
    told = export_run(RUN, tmp_path / "run.zip")
    assert set(told.files) == set(before)
    folder.path.rename(tmp_path / "elsewhere")
    assert verify_archive(tmp_path / "run.zip") == told
    assert list_runs() == []  # verifying imports nothing
    assert import_run(tmp_path / "run.zip") == RUN
    assert contents(folder.path) == before
    run = get_run(RUN)
    assert run.error is None
    assert (run.status.state, run.config.seed, read_label(folder).title) == ("finished", 3, "Mine")


def test_only_what_belongs_to_a_run_is_exported(tmp_path):
    folder = make()
    for name in ("lock", ".tmp-12-last.npz", "secret.txt", "label.json.bak",
                 "checkpoints/.tmp-99-last.npz", "checkpoints/notes.txt"):
        (folder.path / name).write_bytes(b"x")
    last = folder.path / CHECKPOINT
    last.with_name("before.npz").write_bytes(last.read_bytes())
    (folder.path / "pins").mkdir()
    (folder.path / "pins" / "1.png").write_bytes(b"picture")
    (folder.path / "checkpoints" / "link.npz").symlink_to("/etc/hostname")
    told = export_run(RUN, tmp_path / "run.zip")
    assert set(told.files) == {
        "config.json", "status.json", "metrics.jsonl", "log.txt", "checkpoints/last.npz",
        "checkpoints/before.npz", "pins/1.png", f"snapshots/{folder.snapshots.path(1).name}"}


def test_nothing_is_ever_overwritten(tmp_path):
    make()
    export_run(RUN, tmp_path / "run.zip")
    with pytest.raises(BadInput, match="exists already"):
        export_run(RUN, tmp_path / "run.zip")
    before = contents(runs_dir() / RUN)
    assert import_run(tmp_path / "run.zip") == f"{RUN}-2"
    assert import_run(tmp_path / "run.zip") == f"{RUN}-3"
    assert contents(runs_dir() / RUN) == before
    assert contents(runs_dir() / f"{RUN}-3") == before


@pytest.mark.parametrize("state", ["running", "starting", "stopping"])
def test_a_run_exported_while_it_trained_comes_in_interrupted_and_resumable(tmp_path, state):
    # Started by a clock that is ahead of ours: it must not look as if its trainer were starting.
    folder = make(state=state, model="", stage="training", pid=1, created=time.time() + 9999,
                  started=0.0)
    with folder.lock():
        export_run(RUN, tmp_path / "run.zip")
    import_run(tmp_path / "run.zip")
    run = get_run(f"{RUN}-2")
    assert run.status.state == "interrupted"
    assert not run.active
    assert run.status.pid == 0
    assert (run.folder.path / CHECKPOINT).is_file()
    assert state in run.status.message


def test_what_a_trainer_adds_meanwhile_does_not_spoil_the_archive(tmp_path, monkeypatch):
    folder = make(state="running", model="")
    original = archive._add

    def add_and_train(file, path, name):
        with folder.metrics_file.open("a") as metrics:
            metrics.write('{"kind": "batch", "epo')  # torn: its writer is still at it
        (folder.path / CHECKPOINT).unlink(missing_ok=True)
        return original(file, path, name)

    monkeypatch.setattr(archive, "_add", add_and_train)
    with folder.lock():
        told = export_run(RUN, tmp_path / "run.zip")
    assert "checkpoints/last.npz" not in told.files
    assert verify_archive(tmp_path / "run.zip") == told


def test_an_archive_can_be_written_into_an_open_file(tmp_path):
    make()
    file = io.BytesIO()
    told = write_archive(RUN, file)
    (tmp_path / "run.zip").write_bytes(file.getvalue())
    assert verify_archive(tmp_path / "run.zip") == told


def test_damaged_and_missing_runs_are_not_exported(tmp_path):
    (make().path / "config.json").unlink()
    with pytest.raises(Damaged, match=r"config\.json"):
        export_run(RUN, tmp_path / "run.zip")
    with pytest.raises(NotFound):
        export_run("nothing-here", tmp_path / "run.zip")
    assert not (tmp_path / "run.zip").exists()


def changed(name, **changes):
    return lambda files: {**files, name: json.dumps(
        {**json.loads(files[name]), **changes}).encode()}


def told(**event):
    return lambda files: {**files, "metrics.jsonl": json.dumps(event).encode() + b"\n"}


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def inflated():
    file = io.BytesIO()
    np.savez_compressed(file, weights=np.zeros(10**6))
    return file.getvalue()


def lying():
    """A checkpoint whose array says that it is far larger than it is."""
    data = npz(weights=np.zeros(1000, np.float32))
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        new.writestr("weights.npy", old.read("weights.npy").replace(b"(1000,)", b"(9**9,)", 1)
                     .replace(b"(9**9,)", b"(9000,)"))
    return file.getvalue()




@pytest.mark.parametrize("change", [
    lambda files: {**files, "../outside.json": b"{}"},
    lambda files: {**files, "checkpoints/../../outside.npz": b"{}"},
    lambda files: {**files, "/outside.json": b"{}"},
    lambda files: {**files, "..\\outside.json": b"{}"},
    lambda files: {**files, "C:/outside.json": b"{}"},
    lambda files: {**files, "checkpoints/con.npz": b"{}"},
    lambda files: {**files, "lock": b""},
    lambda files: {**files, "model.keras": b"x"},
    lambda files: {name: data for name, data in files.items() if name != "status.json"},
    changed("config.json", seed="many"),
    changed("config.json", surprise=1),
    changed("status.json", state="dancing"),
    changed("status.json", seconds=1e300),
    changed("status.json", created=float("nan")),
    changed("manifest.json", run="../outside"),
    changed("manifest.json", run=""),
    changed("manifest.json", version=2),
    changed("manifest.json", format=["x"]),
    lambda files: {**files, "config.json": b" " * (2**20 + 1)},
    lambda files: {**files, "metrics.jsonl": b"x" * (2**20 + 1)},
    told(kind="epoch", epoch="three"),
    told(kind="epoch", epoch=10**400),
    told(kind="pins", epoch=1, tops=[[["cat", "much"]]]),
    told(kind="batch", epoch=1),
    lambda files: {**files, CHECKPOINT: b"not one"},
    lambda files: {**files, "pins/1.png": b"<svg xmlns='http://www.w3.org/2000/svg'/>"},
    lambda files: {**files, "pins/1.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>"},
    lambda files: {**files, CHECKPOINT: npz(weights=np.array([{}], dtype=object))},
    lambda files: {**files, CHECKPOINT: inflated()},
    lambda files: {**files, CHECKPOINT: lying()},
])
def test_an_archive_that_somebody_changed_is_refused_and_leaves_nothing(
        tmp_path, exported, change):
    path = write_zip(tmp_path / "bad.zip", change(exported))
    before = contents(tmp_path)
    for take in (verify_archive, import_run):
        with pytest.raises((BadInput, Refused)):
            take(path)
    assert contents(tmp_path) == before
    assert not runs_dir().exists() or list(runs_dir().iterdir()) == []


def test_a_file_that_is_not_what_was_exported_is_named(tmp_path, exported):
    log = exported["log.txt"].replace(b"words", b"wordz")
    path = write_zip(tmp_path / "bad.zip", {**exported, "log.txt": log}, sign=False)
    with pytest.raises(BadInput, match=r"log\.txt .* sum is wrong"):
        verify_archive(path)


@pytest.mark.parametrize("more", [b"", b"and more"])
def test_a_file_shorter_or_longer_than_stated_is_refused(tmp_path, exported, more):
    path = write_zip(tmp_path / "bad.zip", {**exported, "log.txt": more * 9}, sign=False)
    with pytest.raises(BadInput, match="sum is wrong"):
        import_run(path)
    assert list_runs() == []


def test_a_bomb_is_refused_while_it_unpacks(tmp_path, exported):
    path = tmp_path / "bomb.zip"
    data = b"\0" * (300 * 2**20 // 4)
    manifest = json.loads(exported["manifest.json"])
    manifest["files"]["log.txt"] = {"bytes": len(data), "sha256": "0" * 64}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in manifest["files"]:
            file.writestr(name, data if name == "log.txt" else exported[name])
        file.writestr("manifest.json", json.dumps(manifest))
    assert path.stat().st_size < 2**20
    with pytest.raises(BadInput, match="200 times"):
        import_run(path)
    assert list_runs() == []


def test_a_size_that_no_disk_should_be_asked_for_is_refused_at_once(tmp_path, exported):
    manifest = json.loads(exported["manifest.json"])
    manifest["files"]["log.txt"]["bytes"] = archive.MOST_BYTES
    files = {**exported, "manifest.json": json.dumps(manifest).encode()}
    with pytest.raises(Refused, match="4 GB"):
        import_run(write_zip(tmp_path / "bad.zip", files, sign=False))


@pytest.mark.parametrize("spoil", [
    lambda data: b"", lambda data: b"hello", lambda data: data[:-30], lambda data: data[40:],
    lambda data: data[:len(data) // 2], lambda data: data.replace(b"PK\x01\x02", b"PK\x09\x02")])
def test_what_is_no_zip_is_refused_in_words(tmp_path, exported, spoil):
    good = write_zip(tmp_path / "good.zip", exported).read_bytes()
    path = tmp_path / "bad.zip"
    path.write_bytes(spoil(good))
    with pytest.raises(CnnError) as caught:
        import_run(path)
    assert caught.value.hint
    assert list_runs() == []


def test_every_flipped_bit_of_the_data_is_found(tmp_path, exported):
    good = write_zip(tmp_path / "good.zip", exported).read_bytes()
    path = tmp_path / "bad.zip"
    for place in range(40, good.index(b"PK\x01\x02"), 997):
        path.write_bytes(good[:place] + bytes([good[place] ^ 4]) + good[place + 1:])
        try:
            verify_archive(path)
        except (BadInput, Refused):
            continue
        # What the list at the end says twice, such as a time, may differ; the files may not.
        import_run(path)
        assert contents(runs_dir() / RUN) == {
            name: data for name, data in exported.items() if name != "manifest.json"}


def test_two_files_of_one_name_are_refused(tmp_path, exported):
    path = write_zip(tmp_path / "bad.zip", exported)
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("log.txt", "another")
    with pytest.raises(Refused, match="two files"):
        import_run(path)


def test_a_file_that_the_manifest_does_not_list_is_refused(tmp_path, exported):
    path = write_zip(tmp_path / "bad.zip", exported)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("pins/1.png", "picture")
    with pytest.raises(Refused, match=r"pins/1\.png"):
        verify_archive(path)


def test_an_archive_that_was_packed_again_by_hand_is_taken(tmp_path, exported):
    path = tmp_path / "again.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.mkdir("checkpoints")
        for name, data in exported.items():
            file.writestr(name, data)
    assert import_run(path) == RUN


def test_events_of_every_kind_pass_the_checks(tmp_path):
    folder = make()
    tell(folder, NoteEvent(1, "lower rate", 2.0))
    tell(folder, PinsEvent(1, [[("cat", 0.5), ("dog", 0.25)], []]))
    with folder.metrics_file.open("a") as file:
        file.write('{"kind": "of a newer version"}\n[]\n3\n{"kind": ["epoch"]}\n{"kind": "ba\n')
        file.write('{"kind": "note", "epoch": 1, "text": "x", "seconds": NaN}\n')
    export_run(RUN, tmp_path / "run.zip")
    assert import_run(tmp_path / "run.zip") == f"{RUN}-2"


def test_a_folder_of_runs_that_cannot_be_written_is_said_and_nothing_is_left(
        tmp_path, exported, monkeypatch):
    path = write_zip(tmp_path / "good.zip", exported)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CNN_RUNS_DIR", str(tmp_path / "file"))
    with pytest.raises(Unavailable, match="cannot be written"):
        import_run(path)


def test_a_disk_that_fills_leaves_nothing_half_done(tmp_path, exported, monkeypatch):
    path = write_zip(tmp_path / "good.zip", exported)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive.os, "fsync", full)
    with pytest.raises(Unavailable, match="disk is full"):
        import_run(path)
    assert list(runs_dir().iterdir()) == []
    with pytest.raises(Unavailable, match="no room"):
        verify_archive(path)
