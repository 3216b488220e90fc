"""A training in two sittings equals one in one sitting, bit for bit; a bad file is refused."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
import pytest

from cnn.config import Augmentation, RunConfig
from cnn.errors import Damaged
from cnn.models.build import build_model
from cnn.training.checkpoint import checkpoint_bytes, restore
from cnn.training.data import TrainingData
from cnn.training.events import PAUSED, BatchEvent, ChangeEvent, EpochEvent, NoteEvent
from cnn.training.loop import Trainer

SETTINGS = {
    "adam": {"augmentation": Augmentation(shift=0.2, flip=True, cutout=0.3)},
    "sgd": {"learning_rate": 0.01, "augmentation": Augmentation(rotation=10, flip=True)},
    "muon": {"learning_rate": 0.24, "schedule": "linear", "label_smoothing": 0.1},
}
TIMES = ("seconds", "images_per_second")


def data():
    rng = np.random.default_rng(0)
    labels = (np.arange(60) % 3).astype(np.int64)
    images = rng.integers(0, 255, (60, 8, 8, 1)).astype(np.uint8)  # nothing to learn: dropout rules
    return TrainingData(images[:45], labels[:45], images[45:], labels[45:])


def trainer_of(architecture="dropout", **settings):
    """Return a trainer and the list of its events, as another process would make them."""
    config = RunConfig(**{"dataset": "d", "architecture": architecture, "name": "n", "epochs": 4,
                          "batch_size": 15, "seed": 5, **settings})
    keras.utils.set_random_seed(np.random.randint(10**6))  # nothing may hang on global state
    model = build_model(architecture, (8, 8, 1), 3, seed=5, training=True)
    events = []
    return Trainer(model, config, data(), events.append), events


def stop_after(trainer, epochs, path):
    """Save after each epoch and leave after some, as a process that is killed."""
    class Killed(BaseException):
        pass

    def save():
        path.write_bytes(checkpoint_bytes(trainer))
        if trainer.progress.epoch == epochs:
            raise Killed

    trainer.save = save
    with pytest.raises(Killed):
        trainer.run()


def told(events):
    """Return what events say but for times."""
    return [{key: value for key, value in asdict(event).items() if key not in TIMES}
            for event in events if isinstance(event, (EpochEvent, NoteEvent))]


def assert_same_end(one, other):
    assert all(map(np.array_equal, one.model.get_weights(), other.model.get_weights()))
    for name in ("epoch", "best_epoch", "better_epoch", "best_val_accuracy", "best_val_loss",
                 "lowest_val_loss", "epochs_since_lowest", "stopped"):
        assert getattr(one.progress, name) == getattr(other.progress, name), name
    for mine, theirs in zip(one.steps.optimizer.variables, other.steps.optimizer.variables,
                            strict=True):
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(theirs))


@pytest.mark.parametrize(("architecture", "optimizer"), [
    ("dropout", "adam"), ("dropout", "sgd"), ("batchnorm", "muon"), ("tf-nn", "adam")])
def test_two_sittings_equal_one_bit_for_bit(architecture, optimizer, tmp_path):
    settings = {"optimizer": optimizer, **SETTINGS[optimizer]}
    whole, all_events = trainer_of(architecture, **settings)
    whole.run()
    first, first_events = trainer_of(architecture, **settings)
    stop_after(first, 2, tmp_path / "last.npz")
    second, second_events = trainer_of(architecture, **settings)
    restore(second, (tmp_path / "last.npz").read_bytes())
    assert second.progress.epoch == 2
    second.run()
    assert_same_end(whole, second)
    # The event of the second epoch was lost with the process, after its checkpoint.
    assert told(all_events) == told(first_events)[:1] + told(all_events)[1:2] + told(second_events)


def test_the_rate_that_a_plateau_has_lowered_is_kept_and_falls_on(tmp_path):
    # Validation labels that are wrong: the loss rises, so the rate is halved after each epoch.
    settings = {"architecture": "base", "reduce_on_plateau": 1, "learning_rate": 0.01, "epochs": 5}
    wrong = data()
    wrong = TrainingData(wrong.train_images, wrong.train_labels, wrong.train_images,
                         (wrong.train_labels + 1) % 3)
    trainers = [trainer_of(**settings) for _ in range(3)]
    for trainer, _ in trainers:
        trainer.data = wrong
    (whole, all_events), (first, _), (second, events) = trainers
    whole.run()
    stop_after(first, 3, tmp_path / "last.npz")
    restore(second, (tmp_path / "last.npz").read_bytes())
    assert second.steps.learning_rate < 0.01
    second.run()
    assert_same_end(whole, second)
    rates = [event.learning_rate for event in all_events if isinstance(event, EpochEvent)]
    assert rates[-1] < rates[0] / 2
    assert [e.learning_rate for e in events if isinstance(e, EpochEvent)] == rates[3:]


def test_the_best_epoch_before_the_interruption_can_win(tmp_path):
    first, _ = trainer_of()
    stop_after(first, 2, tmp_path / "last.npz")
    second, _ = trainer_of(learning_rate=1e-3)
    restore(second, (tmp_path / "last.npz").read_bytes())
    second.progress.best_val_accuracy = 2.0  # no epoch to come is better
    wanted = [weight.copy() for weight in second.progress.best_weights]
    assert second.run().best_epoch <= 2
    assert all(map(np.array_equal, second.model.get_weights(), wanted))


def test_the_seconds_of_earlier_sittings_count(tmp_path):
    first, _ = trainer_of()
    stop_after(first, 1, tmp_path / "last.npz")
    second, events = trainer_of()
    restore(second, (tmp_path / "last.npz").read_bytes())
    second.progress.seconds = 1000.0
    second.run()
    assert 1000 < events[0].seconds < 1100
    assert 1000 < second.progress.seconds < 1100


# In the middle of an epoch


def pause_after(trainer, batches):
    """Let a trainer be paused after so many batches, and return its checkpoint."""
    asked, kept = iter(range(10**6)), []
    trainer.poll = lambda: PAUSED if next(asked) == batches else ""
    trainer.save = lambda: kept.append(checkpoint_bytes(trainer))
    assert trainer.run().stopped == PAUSED
    return kept[-1]


@pytest.mark.parametrize(("architecture", "optimizer", "parts"), [
    ("dropout", "adam", (1, 1, 3, 2)),  # up to epoch and batch 0/1, 0/2, 1/2 and 2/1
    ("dropout", "sgd", (5, 2)), ("batchnorm", "muon", (5, 2))])  # 1/2 and 2/1
def test_paused_in_the_middle_of_epochs_it_ends_as_if_it_had_not_been(
    architecture, optimizer, parts
):
    settings = {"optimizer": optimizer, **SETTINGS[optimizer]}
    whole, all_events = trainer_of(architecture, **settings)  # three batches an epoch
    whole.run()
    told_of, data = [], None
    for batches in parts:
        part, events = trainer_of(architecture, **settings)
        if data:
            restore(part, data)
        data = pause_after(part, batches)
        told_of += told(events)
    last, events = trainer_of(architecture, **settings)
    restore(last, data)
    assert (last.progress.epoch, last.progress.partial.batch) == (2, 1)
    last.run()
    assert_same_end(whole, last)
    mine, theirs = told_of + told(events), told(all_events)
    for here, there in zip(mine, theirs, strict=True):  # means over an epoch in several parts
        assert here == pytest.approx(there, rel=1e-6)


def test_a_pause_after_the_last_batch_of_an_epoch_leaves_its_validation_to_the_next_sitting():
    first, first_events = trainer_of()
    data = pause_after(first, 3)
    assert not [event for event in first_events if isinstance(event, EpochEvent)]
    second, events = trainer_of(epochs=1)
    restore(second, data)
    second.change(replace(second.config, epochs=1))
    second.run()
    epochs = [event for event in events if isinstance(event, EpochEvent)]
    assert [event.epoch for event in epochs] == [1]
    assert [event for event in events if isinstance(event, BatchEvent)] == []


def test_a_pause_before_the_first_step_keeps_the_state_too():
    first, _ = trainer_of()
    data = pause_after(first, 0)
    second, _ = trainer_of()
    restore(second, data)
    assert (second.progress.epoch, second.progress.best_weights) == (0, [])
    assert all(map(np.array_equal, first.model.get_weights(), second.model.get_weights()))


# Settings changed while it trains


CHANGES = {"learning_rate": 0.002, "epochs": 3, "augmentation": Augmentation(flip=True)}


def test_settings_that_were_changed_hold_in_the_next_sitting():
    first, events = trainer_of()
    first.change(replace(first.config, **CHANGES))
    texts = [event.text for event in events if isinstance(event, ChangeEvent)]
    assert len(texts) == 3
    assert "0.002" in texts[0] and "3, from 4" in texts[1] and "on" in texts[2]
    data = pause_after(first, 4)
    second, events = trainer_of()
    restore(second, data)
    assert {name: getattr(second.config, name) for name in CHANGES} == CHANGES
    assert second.run().epoch == 3
    rates = [event.learning_rate for event in events if isinstance(event, EpochEvent)]
    assert rates == pytest.approx([0.002] * 2)


def test_a_changed_rate_is_where_the_schedule_falls_from_and_more_epochs_stretch_it():
    trainer, events = trainer_of(optimizer="muon", schedule="linear", learning_rate=0.1, epochs=2)
    asked = iter(range(10**6))

    def poll():
        if next(asked) == 3:
            trainer.change(replace(trainer.config, learning_rate=0.2, epochs=4))
        return ""

    trainer.poll = poll
    trainer.run()
    rates = [event.learning_rate for event in events if isinstance(event, EpochEvent)]
    # Of the last batch of each epoch, when 2 of 6 steps are done, then 5, 8 and 11 of 12.
    assert rates == pytest.approx([0.1 * (1 - 2 / 6), 0.2 * 7 / 12, 0.2 * 4 / 12, 0.2 / 12])


def test_more_epochs_begin_patience_anew_and_fewer_end_the_training():
    trainer, _ = trainer_of(early_stopping=1, learning_rate=1e-8, epochs=9)
    trainer.run()
    stopped_at = trainer.progress.epoch
    assert stopped_at < 9
    trainer.progress.stopped = ""
    trainer.change(replace(trainer.config, epochs=10))
    trainer.run()
    assert trainer.progress.epoch == stopped_at + 1


@pytest.fixture(scope="module")
def good_checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("good") / "last.npz"
    stop_after(trainer_of("base")[0], 1, path)
    return path


@pytest.fixture
def checkpoint(good_checkpoint, tmp_path):
    """A copy that a test may damage."""
    return Path(shutil.copy(good_checkpoint, tmp_path))


def assert_damaged(path, architecture="base", **settings):
    trainer, _ = trainer_of(architecture, **settings)
    before = trainer.model.get_weights()
    with pytest.raises(Damaged, match="checkpoint") as caught:
        restore(trainer, path.read_bytes())
    assert "same settings" in caught.value.hint
    assert all(map(np.array_equal, before, trainer.model.get_weights()))
    assert trainer.progress.epoch == 0


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_checkpoint_is_damaged(checkpoint, share):
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[:int(len(whole) * share)])
    assert_damaged(checkpoint)


def test_a_checkpoint_with_a_flipped_bit_is_damaged(checkpoint):
    data = bytearray(checkpoint.read_bytes())
    data[len(data) // 2] ^= 16
    checkpoint.write_bytes(data)
    assert_damaged(checkpoint)


@pytest.mark.parametrize("content", [b"hello", b"\x80\x04N.", b"PK\x03\x04" + b"x" * 100])
def test_another_kind_of_file_is_damaged(checkpoint, content):
    checkpoint.write_bytes(content)
    assert_damaged(checkpoint)


def test_a_single_array_in_its_place_is_damaged(checkpoint):
    with checkpoint.open("wb") as file:
        np.save(file, np.zeros(3))
    assert_damaged(checkpoint)


@pytest.mark.parametrize(("architecture", "settings"), [
    ("deeper", {}), ("dropout", {}), ("base", {"optimizer": "sgd"})])
def test_a_checkpoint_of_another_training_is_damaged(checkpoint, architecture, settings):
    assert_damaged(checkpoint, architecture, **settings)


@pytest.mark.parametrize("change", [
    lambda arrays: arrays.pop("progress"), lambda arrays: arrays.pop("model/0"),
    lambda arrays: arrays.pop("best/0"), lambda arrays: arrays.pop("optimizer/1"),
    lambda arrays: arrays.update({"other/0": np.zeros(1)}),
    lambda arrays: arrays.update(progress=np.array("no json")),
    lambda arrays: arrays.update(progress=np.array("3")),
    lambda arrays: arrays.update(progress=np.array(json.dumps({"epoch": 1}))),
    lambda arrays: arrays.pop("settings"),
    lambda arrays: arrays.update(settings=np.array('{"epochs": 0}')),
    lambda arrays: arrays.update(settings=np.array('{"epoch": 3}')),
    lambda arrays: [arrays.pop(key) for key in list(arrays) if key.startswith("best/")],
])
def test_a_checkpoint_with_parts_missing_or_foreign_is_damaged(checkpoint, change):
    with np.load(checkpoint) as file:
        arrays = dict(file)
    change(arrays)
    np.savez(checkpoint, **arrays)
    assert_damaged(checkpoint)


def test_a_checkpoint_holds_no_pickle(checkpoint):
    with np.load(checkpoint, allow_pickle=False) as file:
        assert {array.dtype.kind for array in file.values()} <= set("fiuU")
