"""The catalogue: every set by its name, made once, with what is missing said in words."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import re
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest

from cnn.data import builtin, cifar, originals, store
from cnn.data.catalogue import all_names, dataset_names, describe, load, origin_of, proposed_size
from cnn.data.download import RemoteFile
from cnn.data.images import encode_png
from cnn.data.importing import import_images, remove_imported
from cnn.data.progress import Cancelled
from cnn.data.registry import BUILT_IN, PICTURE_SETS, register, register_pictures
from cnn.errors import BadInput, Damaged, NotFound, Unavailable

BATCHES = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("CNN_DATA_DIR", str(folder))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(originals, "download", no_network)
    return folder


def no_network(*_: object) -> None:
    raise Unavailable("no network")


def packed(data: bytes) -> bytes:
    """Pack without the time of day: the processes of a test run must name their tests alike."""
    return gzip.compress(data, mtime=0)


def random_images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def write_mnist(path: Path, **changes: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {
        "x_train": random_images(30, 28, 28), "y_train": np.arange(30, dtype=np.uint8) % 10,
        "x_test": random_images(10, 28, 28), "y_test": np.arange(10, dtype=np.uint8)}
    np.savez(path, **(arrays | changes))


def batch(number: int, **changes: object) -> bytes:
    """Return a batch of 4 images as the official ones are, in values (number) and labels."""
    content = {b"batch_label": b"a batch", b"labels": [0, 1, 2, 9],
               b"data": np.full((4, 3072), number, np.uint8), b"filenames": [b"a.png"] * 4}
    return pickle.dumps(content | {k.encode(): v for k, v in changes.items()}, protocol=2)


def write_cifar_folder(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number, name in enumerate(BATCHES):
        (folder / name).write_bytes(batch(number))


def write_cifar_archive(path: Path, extra: tuple[tarfile.TarInfo, ...] = ()) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for member in extra:
            archive.addfile(member)
        for number, name in enumerate(BATCHES):
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(batch(number))
            archive.addfile(member, io.BytesIO(batch(number)))


def test_built_in_sets_are_listed_first_to_last() -> None:
    assert dataset_names() == ["digits", "mnist", "fashion-mnist", "cifar10", "cifar100"]
    assert all_names() == [*dataset_names(), "malaria"]


def test_registering_a_name_twice_raises() -> None:
    digits = BUILT_IN["digits"]
    with pytest.raises(ValueError, match="digits"):
        register("digits", digits.about, str, digits.origin)
    with pytest.raises(ValueError, match="malaria"):
        register_pictures(PICTURE_SETS["malaria"])


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar10", "cifar100", "malaria"])
def test_published_sets_say_where_they_come_from(name: str) -> None:
    info, origin = describe(name), origin_of(name)
    assert origin is not None
    assert all((info.title, info.description, info.licence, info.source, info.citation))
    assert info.homepage.startswith(("https://", "http://yann.lecun.com/"))
    for file in origin.files:
        assert len(file.mirrors) == len(set(file.hosts)) >= 2
        assert all(url.startswith("https://") for url in file.mirrors)
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)


def test_no_two_official_files_have_the_same_length_or_name() -> None:
    files = [file for name in all_names() if (origin := origin_of(name)) for file in origin.files]
    assert len({file.size for file in files}) == len({file.name for file in files}) == len(files)


@pytest.mark.parametrize("call", [load, describe])
@pytest.mark.parametrize(("name", "close"), [("cifar1", "cifar10"), ("XYZ", ""), ("../x", "")])
def test_unknown_name_lists_the_known_and_suggests_the_nearest(
    call: Callable[[str], object], name: str, close: str
) -> None:
    with pytest.raises(NotFound, match="no data set named") as caught:
        call(name)
    assert "digits, mnist, fashion-mnist, cifar10, cifar100, malaria" in caught.value.hint
    assert ("Did you mean" in caught.value.hint) == bool(close)
    assert close in caught.value.hint


def test_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    dataset, reference = load("digits"), load_digits()
    images = np.concatenate([dataset.train_images, dataset.test_images])[..., 0]
    labels = np.concatenate([dataset.train_labels, dataset.test_labels])
    expected = np.round(reference.images * 255 / 16).astype(np.uint8)
    ours = sorted((i.tobytes(), int(n)) for i, n in zip(images, labels, strict=True))
    theirs = zip(expected, reference.target, strict=True)
    assert ours == sorted((i.tobytes(), int(n)) for i, n in theirs)
    assert dataset.class_names == tuple("0123456789")
    assert (len(dataset.train_labels), len(dataset.test_labels)) == (1438, 359)
    assert np.ptp(np.bincount(dataset.test_labels)) <= 2
    assert dataset.dark_background


def test_describing_and_loading_import_nothing_heavy(data: Path) -> None:
    code = ("import sys; from cnn.data.catalogue import *; load('digits'); describe('mnist'); "
            "print([m for m in ('sklearn', 'scipy', 'tensorflow', 'keras', 'pandas', 'httpx2') "
            "if m in sys.modules])")
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                            check=True, cwd=Path(__file__).parent.parent)
    assert result.stdout == "[]\n"


def test_before_preparation_only_what_is_certain_is_described() -> None:
    info = describe("digits")
    assert (info.kind, info.available, info.note) == ("built-in", True, "")
    assert (info.classes, info.image_shape, info.train_count) == ((), None, 0)


def test_after_preparation_sizes_and_classes_are_described() -> None:
    load("digits")
    info = describe("digits")
    assert info.classes == tuple("0123456789")
    assert (info.image_shape, info.train_count, info.test_count) == ((8, 8, 1), 1438, 359)
    assert info.title == "Digits 8×8"


@pytest.mark.parametrize(("name", "file"), [
    ("mnist", "mnist.npz"), ("fashion-mnist", "4 files (29 MB)"), ("malaria", "cell_images.zip"),
    ("cifar10", "cifar-10-python.tar.gz"), ("cifar100", "cifar-100-python.tar.gz")])
def test_what_needs_a_download_says_so(name: str, file: str) -> None:
    info = describe(name)
    assert not info.available
    assert file in info.note
    with pytest.raises(Unavailable, match="no network"):
        load(name)


@pytest.mark.parametrize("place", ["data/mnist.npz", "keras/datasets/mnist.npz"])
def test_mnist_is_found_in_both_folders(tmp_path: Path, place: str) -> None:
    write_mnist(tmp_path / place)
    assert describe("mnist").available
    dataset = load("mnist")
    assert np.array_equal(dataset.train_images[..., 0], random_images(30, 28, 28))
    assert dataset.test_labels.tolist() == list(range(10))


def test_what_is_missing_is_downloaded_into_the_data_folder(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def arrive(files: tuple[RemoteFile, ...], folder: Path, progress: object) -> None:
        file, = files
        assert file.mirrors[0].endswith("tf-keras-datasets/mnist.npz")
        write_mnist(folder / file.name)

    monkeypatch.setattr(originals, "download", arrive)
    assert len(load("mnist").train_labels) == 30
    assert (data / "mnist.npz").is_file()


@pytest.mark.parametrize("changes", [
    {"x_train": random_images(30, 28, 27)},
    {"x_train": random_images(30, 28, 28).astype(np.float32)},
    {"y_train": np.zeros(29, np.uint8)},
    {"y_test": np.full(10, 10, np.uint8)},
    {"y_test": np.zeros(10)},
    {"y_train": np.array([None] * 30)},
])
def test_a_file_that_is_not_mnist_is_damaged(data: Path, changes: dict[str, np.ndarray]) -> None:
    write_mnist(data / "mnist.npz", **changes)
    with pytest.raises(Damaged, match="not the MNIST file") as caught:
        load("mnist")
    assert str(data / "mnist.npz") in caught.value.message


@pytest.mark.parametrize("content", [b"", b"half a file", b"PK\3\4" + bytes(50)])
def test_a_broken_mnist_file_is_damaged(data: Path, content: bytes) -> None:
    (data / "mnist.npz").write_bytes(content)
    with pytest.raises(Damaged, match="not the MNIST file"):
        load("mnist")


@pytest.mark.parametrize("place", [
    "data/cifar-10-batches-py",
    "keras/datasets/cifar-10-batches-py-target/cifar-10-batches-py",
    "keras/datasets/cifar-10-batches-py_extracted/cifar-10-batches-py",
])
def test_cifar10_is_read_from_a_folder(tmp_path: Path, place: str) -> None:
    write_cifar_folder(tmp_path / place)
    assert describe("cifar10").available
    check_cifar10()


@pytest.mark.parametrize("place", [
    "data/cifar-10-python.tar.gz", "data/cifar-10-batches-py.tar.gz",
    "keras/datasets/cifar-10-batches-py-target_archive",
])
def test_cifar10_is_read_from_an_archive_without_unpacking(tmp_path: Path, place: str) -> None:
    write_cifar_archive(tmp_path / place)
    check_cifar10()
    assert not list(tmp_path.rglob("data_batch_*"))


def check_cifar10() -> None:
    dataset = load("cifar10")
    assert (dataset.image_shape, dataset.class_names[9]) == ((32, 32, 3), "truck")
    assert dataset.train_images[:, 0, 0, 0].tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4 + [
        4] * 4
    assert dataset.test_images[:, 0, 0, 0].tolist() == [5] * 4
    assert dataset.test_labels.tolist() == [0, 1, 2, 9]


def test_an_incomplete_folder_is_passed_over(data: Path, tmp_path: Path) -> None:
    write_cifar_folder(data / "cifar-10-batches-py")
    (data / "cifar-10-batches-py" / "test_batch").unlink()
    assert not describe("cifar10").available
    write_cifar_archive(tmp_path / "keras" / "datasets" / "cifar-10-python.tar.gz")
    check_cifar10()


@pytest.mark.parametrize("stored", [np.ascontiguousarray, np.asfortranarray])
def test_pixels_of_a_batch_come_channel_by_channel(
    stored: Callable[[np.ndarray], np.ndarray]
) -> None:
    planes = random_images(4, 3, 32, 32)
    data = stored(planes.reshape(4, 3072))
    images, labels = cifar.read_batch(io.BytesIO(batch(0, data=data)))
    assert np.array_equal(images, planes.transpose(0, 2, 3, 1))
    assert labels.tolist() == [0, 1, 2, 9]


def test_a_batch_as_python_2_wrote_it_is_read() -> None:
    # Protocol 2 with byte strings as Python 2 knew them, like the official files.
    array = (b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntU\x01btR"
             b"(I1\n(I1\nI3072\ntcnumpy\ndtype\n(U\x02u1I0\nI1\ntR(I3\nU\x01|NNNI-1\nI-1\nI0\ntb"
             b"I00\nT\x00\x0c\x00\x00" + bytes([7]) * 3072 + b"tb")
    images, labels = cifar.read_batch(io.BytesIO(
        b"\x80\x02}(U\x04data" + array + b"U\x06labels]I3\nau."))
    assert (images.shape, labels.tolist()) == ((1, 32, 32, 3), [3])
    assert set(images.ravel()) == {7}


class Harm:
    """A pickle of this makes a folder when it is loaded by an ordinary unpickler."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_runs_code_is_refused_and_runs_nothing(data: Path, tmp_path: Path) -> None:
    write_cifar_folder(data / "cifar-10-batches-py")
    harmful = pickle.dumps({b"labels": [], b"data": Harm(tmp_path / "harmed")}, protocol=2)
    (data / "cifar-10-batches-py" / "data_batch_2").write_bytes(harmful)
    with pytest.raises(Damaged, match=r"data_batch_2 .*\(it asks for \w+\.mkdir"):
        load("cifar10")
    assert not (tmp_path / "harmed").exists()
    pickle.loads(harmful)  # the file was one that does harm
    assert (tmp_path / "harmed").exists()


@pytest.mark.parametrize("content", [
    b"", b"no pickle", batch(0)[:500], pickle.dumps([1, 2]), pickle.dumps({b"labels": [1]}),
    batch(0, labels=[1, 2, 3]), batch(0, labels=[1, 2, 3, 10]), batch(0, labels=[1, 2, 3, "4"]),
    batch(0, data=np.zeros((4, 3071), np.uint8)), batch(0, data=np.zeros((4, 3072), np.int16)),
    batch(0, data=np.array([None])), batch(0, data="text"),
    batch(0, data=np.zeros((0, 3072), np.uint8), labels=[]),
])
def test_a_batch_that_is_none_is_damaged(data: Path, content: bytes) -> None:
    write_cifar_folder(data / "cifar-10-batches-py")
    (data / "cifar-10-batches-py" / "test_batch").write_bytes(content)
    with pytest.raises(Damaged, match="test_batch is not a CIFAR-10 file"):
        load("cifar10")


def test_links_and_devices_in_an_archive_are_passed_over(data: Path) -> None:
    link, device = tarfile.TarInfo("data_batch_1"), tarfile.TarInfo("x/test_batch")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    device.type = tarfile.CHRTYPE
    write_cifar_archive(data / "cifar-10-python.tar.gz", (link, device))
    check_cifar10()


@pytest.mark.parametrize("harm", [
    lambda whole: whole[:200], lambda whole: b"", lambda whole: whole[:-40] + bytes(40)])
def test_a_broken_archive_is_damaged(data: Path, harm: Callable[[bytes], bytes]) -> None:
    path = data / "cifar-10-python.tar.gz"
    write_cifar_archive(path)
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(Damaged, match="not a CIFAR-10 file"):
        load("cifar10")


def test_an_archive_without_some_batches_names_them(data: Path) -> None:
    with tarfile.open(data / "cifar-10-python.tar.gz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("readme.html"))
    with pytest.raises(Damaged, match="it has no data_batch_1"):
        load("cifar10")


def test_a_set_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = load("digits")
    monkeypatch.setattr(builtin, "_digits_file", lambda: None)
    calls: list[str] = []
    again = load("digits", lambda what, done, total: calls.append(what))
    assert again.fingerprint == first.fingerprint
    assert calls == []


def test_making_a_set_tells_its_progress() -> None:
    calls: list[str] = []
    load("digits", lambda what, done, total: calls.append(what))
    assert calls == ["Reading digits", "Storing digits"]


@pytest.mark.parametrize("file", ["meta.json", "train_images.npy", "test_labels.npy"])
def test_a_damaged_built_in_set_is_made_again(data: Path, file: str) -> None:
    fingerprint = load("digits").fingerprint
    (data / store.STORE / "digits" / file).write_bytes(b"damaged")
    assert load("digits").fingerprint == fingerprint
    assert describe("digits").train_count == 1438


def test_a_damaged_imported_set_is_listed_and_says_what_to_do(data: Path) -> None:
    (data / store.STORE / "mine").mkdir(parents=True)
    assert dataset_names()[-1] == "mine"
    info = describe("mine")
    assert (info.kind, info.available) == ("imported", False)
    assert "damaged" in info.note
    with pytest.raises(Damaged, match="'mine' is damaged"):
        load("mine")
    assert len(load("digits").train_labels) == 1438


def test_without_scikit_learn_digits_are_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin.importlib.util, "find_spec", lambda name: None)
    assert "pip install scikit-learn" in describe("digits").note
    with pytest.raises(Unavailable, match="not installed"):
        load("digits")


def test_processes_that_make_the_same_set_at_once_all_get_it() -> None:
    code = "from cnn.data.catalogue import load; print(load('digits').fingerprint)"
    processes = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True,
                                  cwd=Path(__file__).parent.parent) for _ in range(3)]
    printed = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(set(printed)) == 1
    assert printed[0].strip() == load("digits").fingerprint


def test_who_waits_for_another_process_is_told_and_does_not_make_it_again(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Event()
    results: list[str] = []

    def tell(what: str, done: int, total: int) -> None:
        if what.startswith("Waiting"):
            told.set()
        else:
            results.append(what)

    with store.preparing("digits", tell):
        waiter = Thread(target=lambda: results.append(load("digits", tell).name))
        waiter.start()
        assert told.wait(timeout=10)
        class_names, train, test = BUILT_IN["digits"].make(lambda *_: None)
        store.write_set("digits", class_names, train, test, BUILT_IN["digits"].about)
    waiter.join(timeout=10)
    assert results == ["digits"]


def write_idx(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    path.write_bytes(gzip.compress(head + array.tobytes()))


def write_fashion(folder: Path) -> None:
    for split, count in (("train", 20), ("t10k", 10)):
        write_idx(folder / f"{split}-images-idx3-ubyte.gz", random_images(count, 28, 28))
        write_idx(folder / f"{split}-labels-idx1-ubyte.gz", np.arange(count, dtype=np.uint8) % 10)


def test_fashion_mnist_is_read_from_where_keras_keeps_it(tmp_path: Path) -> None:
    write_fashion(tmp_path / "keras" / "datasets" / "fashion-mnist")
    assert describe("fashion-mnist").available
    dataset = load("fashion-mnist")
    assert np.array_equal(dataset.train_images[..., 0], random_images(20, 28, 28))
    assert dataset.test_labels.tolist() == list(range(10))
    assert dataset.class_names[9] == "Ankle boot"


@pytest.mark.parametrize("content", [
    b"", b"half a file", packed(b"short"),
    packed(struct.pack(">HBB3I", 0, 8, 3, 20, 28, 28)),  # without the values
    packed(struct.pack(">HBB3I", 0, 8, 3, 2**31, 2**31, 2**31)),
    packed(struct.pack(">HBB3I", 0, 13, 3, 1, 1, 1) + bytes(4)),  # numbers of four bytes
    packed(struct.pack(">HBB3I", 0, 8, 3, 1, 28, 28) + bytes(28 * 28)),  # 1 for 20 labels
    packed(struct.pack(">HBB3I", 0, 8, 3, 1, 28, 28) + bytes(10**6)),  # too many values
])
def test_a_file_that_is_not_of_fashion_mnist_is_damaged(data: Path, content: bytes) -> None:
    write_fashion(data / "fashion-mnist")
    (data / "fashion-mnist" / "train-images-idx3-ubyte.gz").write_bytes(content)
    with pytest.raises(Damaged, match=r"train-images-idx3-ubyte\.gz is not the Fashion-MNIST"):
        load("fashion-mnist")


def fine_batch(number: int, **changes: object) -> bytes:
    labels = {"fine_labels": [0, 1, 2, 99], "coarse_labels": [0, 0, 0, 19]}
    content = pickle.loads(batch(number)) | {k.encode(): v for k, v in (labels | changes).items()}
    del content[b"labels"]
    return pickle.dumps(content, protocol=2)


@pytest.mark.parametrize("place", ["data/cifar-100-python",
                                   "keras/datasets/cifar-100-python-target/cifar-100-python"])
def test_cifar100_has_its_fine_classes(tmp_path: Path, place: str) -> None:
    (tmp_path / place).mkdir(parents=True)
    for number, name in enumerate(("train", "test")):
        (tmp_path / place / name).write_bytes(fine_batch(number))
    check_cifar100()


def check_cifar100() -> None:
    dataset = load("cifar100")
    assert (len(dataset.class_names), dataset.image_shape) == (100, (32, 32, 3))
    assert [dataset.class_names[n] for n in dataset.train_labels] == [
        "apple", "aquarium fish", "baby", "worm"]
    assert dataset.train_images[:, 0, 0, 0].tolist() == [0] * 4
    assert dataset.test_images[:, 0, 0, 0].tolist() == [1] * 4


def test_cifar100_is_read_from_its_archive(data: Path) -> None:
    with tarfile.open(data / "cifar-100-python.tar.gz", "w:gz") as archive:
        for number, name in enumerate(("train", "test")):
            member = tarfile.TarInfo(f"cifar-100-python/{name}")
            member.size = len(fine_batch(number))
            archive.addfile(member, io.BytesIO(fine_batch(number)))
    check_cifar100()


@pytest.mark.parametrize("content", [batch(0), fine_batch(0, fine_labels=[0, 1, 2, 100])])
def test_a_batch_that_is_not_of_cifar100_is_damaged(data: Path, content: bytes) -> None:
    (data / "cifar-100-python").mkdir()
    for name in ("train", "test"):
        (data / "cifar-100-python" / name).write_bytes(content)
    with pytest.raises(Damaged, match="train is not a CIFAR-100 file"):
        load("cifar100")


def write_cells(folder: Path) -> None:
    with zipfile.ZipFile(folder / "cell_images.zip", "w") as archive:
        for number, name in enumerate(("Parasitized", "Uninfected")):
            for cell in range(5):
                picture = np.full((40 + cell, 44, 3), 100 * number + cell, np.uint8)
                archive.writestr(f"cell_images/{name}/C{cell}P1ThinF_IMG_1_cell_{cell}.png",
                                 encode_png(picture))
            archive.writestr(f"cell_images/{name}/Thumbs.db", b"rubbish")


@pytest.mark.parametrize(("size", "side"), [(None, 64), (32, 32)])
def test_cells_are_imported_at_a_chosen_size(data: Path, size: int | None, side: int) -> None:
    write_cells(data)
    assert proposed_size("malaria") == 64
    assert not describe("malaria").available  # it takes more than seconds
    dataset = load("malaria", size=size)
    assert dataset.class_names == ("Parasitized", "Uninfected")
    assert dataset.image_shape == (side, side, 3)
    assert (len(dataset.train_labels), len(dataset.test_labels)) == (8, 2)
    assert dataset.split.startswith("by group")  # the slide in the file name
    info = describe("malaria")
    assert (info.title, info.kind, info.available) == ("Malaria cells", "imported", True)
    assert "Rajaraman" in info.citation
    assert proposed_size("malaria") is None
    assert all_names().count("malaria") == 1


def test_cells_that_were_removed_can_be_imported_at_another_size(data: Path) -> None:
    write_cells(data)
    load("malaria")
    remove_imported("malaria")
    assert load("malaria", size=16).image_shape == (16, 16, 3)


def test_a_size_out_of_range_is_refused(data: Path) -> None:
    write_cells(data)
    with pytest.raises(BadInput, match="8 to 512"):
        load("malaria", size=4)


def test_own_pictures_named_malaria_are_not_taken_for_the_published(data: Path) -> None:
    write_cells(data)
    (data / "cell_images.zip").rename(data / "mine.zip")
    import_images(data / "mine.zip", "malaria", (16, 16))
    info = describe("malaria")
    assert (info.title, info.source, info.citation) == ("malaria", "mine.zip", "")
    assert load("malaria").image_shape == (16, 16, 3)


def test_a_progress_that_cancels_leaves_no_half_set(data: Path) -> None:
    write_cells(data)
    load("digits")

    def stop(what: str, done: int, total: int) -> None:
        if what == "Reading pictures" and done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        load("malaria", stop)
    assert not describe("malaria").image_shape
    store_folder = data / store.STORE
    assert [p.name for p in store_folder.iterdir() if not p.name.endswith(".lock")] == ["digits"]
