"""The training loop: against Keras's own fit, and for what it adds."""

import math
from dataclasses import replace

import keras
import numpy as np
import pytest

from cnn.config import Augmentation, RunConfig
from cnn.training.data import TrainingData
from cnn.training.events import (
    STOPPED_BY_HAND,
    BatchEvent,
    Diverged,
    EpochEvent,
    NoteEvent,
)
from cnn.training.loop import Trainer
from cnn.training.steps import EVAL_BATCH

CLASSES = 3


def tiny_model(seed=0):
    image = keras.Input((6, 6, 1))
    values = keras.layers.Rescaling(1 / 255)(image)
    values = keras.layers.Conv2D(
        4, 3, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3),
        kernel_initializer=keras.initializers.GlorotUniform(seed))(values)
    values = keras.layers.Flatten()(values)
    values = keras.layers.Dense(
        CLASSES, name="logits", kernel_initializer=keras.initializers.GlorotUniform(seed))(values)
    return keras.Model(image, keras.layers.Softmax(name="probabilities")(values))


def tiny_data(train=90, validation=30, seed=0):
    rng = np.random.default_rng(seed)

    def part(count):
        labels = np.arange(count) % CLASSES
        images = rng.integers(0, 90, (count, 6, 6, 1))
        images[np.arange(count), labels * 2] += 150  # a bright row tells the class
        return images.astype(np.uint8), labels.astype(np.int64)

    return TrainingData(*part(train), *part(validation))


def config(**settings):
    return RunConfig(**{"dataset": "d", "architecture": "base", "name": "n", "epochs": 3,
                        "batch_size": 16, **settings})


def train(model=None, data=None, poll=lambda: "", **settings):
    events = []
    model = model or tiny_model()
    trainer = Trainer(model, config(**settings), data or tiny_data(), events.append, poll)
    return trainer.run(), events, model


def epochs_of(events):
    return [event for event in events if isinstance(event, EpochEvent)]


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_one_epoch_equals_keras_fit_on_the_same_order(optimizer):
    data, ours, theirs = tiny_data(), tiny_model(), tiny_model()
    train(ours, data, epochs=1, seed=5, optimizer=optimizer, learning_rate=0.01)
    # 90 images at 16 a batch at most are six batches of equal size.
    order = np.random.default_rng([5, 1]).permutation(90)
    kinds = {"adam": keras.optimizers.Adam(0.01), "sgd": keras.optimizers.SGD(0.01, momentum=0.9)}
    theirs.compile(kinds[optimizer], "sparse_categorical_crossentropy")
    theirs.fit(data.train_images[order], data.train_labels[order], batch_size=15, epochs=1,
               shuffle=False, verbose=0)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=2e-5)


def test_validation_figures_equal_keras_evaluate():
    data = tiny_data(validation=EVAL_BATCH + 7)  # more than one evaluation batch, the last short
    progress, events, model = train(data=data, epochs=1)
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    loss, accuracy = model.evaluate(data.val_images, data.val_labels, verbose=0)
    l2 = float(sum(model.losses))
    event = epochs_of(events)[0]
    assert event.val_loss == pytest.approx(loss - l2, abs=1e-5)
    assert event.val_accuracy == pytest.approx(accuracy)
    assert progress.best_val_accuracy == event.val_accuracy


def test_it_learns_and_keeps_the_best_epoch():
    progress, events, model = train(epochs=8, learning_rate=0.01)
    epochs = epochs_of(events)
    assert [event.epoch for event in epochs] == list(range(1, 9))
    assert epochs[-1].loss < epochs[0].loss / 2
    best = max(epochs, key=lambda event: (event.val_accuracy, -event.val_loss))
    assert progress.best_epoch == best.epoch
    assert best.best
    data = tiny_data()
    trainer = Trainer(model, config(), data, lambda event: None)
    assert trainer.validate()[0] == pytest.approx(best.val_loss, abs=1e-6)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    changes = Augmentation(rotation=10, shift=0.1, flip=True)
    (_, _, one), (_, _, two), (_, _, other) = (
        train(seed=seed, augmentation=changes) for seed in (3, 3, 4))
    assert all(map(np.array_equal, one.get_weights(), two.get_weights()))
    assert not all(map(np.array_equal, one.get_weights(), other.get_weights()))


def test_batch_events_cover_every_image_once():
    _, events, _ = train(epochs=2)
    batches = [event for event in events if isinstance(event, BatchEvent)]
    last = [event for event in batches if event.batch == event.batches]
    assert [event.epoch for event in last] == [1, 2]
    assert last[0].batches == math.ceil(90 / 16)
    assert all(0 <= event.accuracy <= 1 for event in batches)
    assert all(event.seconds_left >= 0 for event in batches[1:])


def test_a_stop_inside_a_later_epoch_keeps_the_best_of_those_before():
    wishes = iter([""] * 15 + [STOPPED_BY_HAND])  # asked once before the 6 batches of each epoch
    progress, events, _ = train(epochs=50, poll=lambda: next(wishes))
    assert progress.stopped == STOPPED_BY_HAND
    assert [event.epoch for event in epochs_of(events)] == [1, 2]
    assert progress.best_epoch in (1, 2)


def test_a_stop_inside_the_first_epoch_keeps_what_there_is():
    progress, events, model = train(epochs=50, poll=lambda: STOPPED_BY_HAND)
    assert progress.best_epoch == 1
    assert len(epochs_of(events)) == 1
    assert all(map(np.array_equal, model.get_weights(), progress.best_weights))


def test_early_stopping_counts_epochs_without_better_accuracy():
    # With a vanishing rate nothing improves after the first epoch.
    progress, events, _ = train(epochs=20, early_stopping=3, learning_rate=1e-8)
    assert len(epochs_of(events)) == progress.better_epoch + 3 < 20
    assert "3 epochs" in progress.stopped
    assert any(isinstance(event, NoteEvent) for event in events)


def test_a_trainer_that_goes_on_at_the_epoch_of_an_early_stop_trains_no_further():
    progress, _, model = train(epochs=20, early_stopping=3, learning_rate=1e-8)
    events = []
    again = Trainer(model, config(epochs=20, early_stopping=3), tiny_data(), events.append)
    again.progress = replace(progress, stopped="")
    assert again.run().stopped == progress.stopped
    assert [type(event) for event in events] == [NoteEvent]


def test_a_trainer_that_goes_on_after_the_last_epoch_only_gives_back_the_best():
    progress, _, _ = train(epochs=2)
    events, model = [], tiny_model(1)
    again = Trainer(model, config(epochs=2), tiny_data(), events.append)
    again.progress = progress
    assert again.run() is progress
    assert not events
    assert all(map(np.array_equal, model.get_weights(), progress.best_weights))


def test_the_rate_is_halved_on_a_plateau_and_said_so():
    data = tiny_data()
    wrong = TrainingData(data.train_images, data.train_labels, data.val_images,
                         (data.val_labels + 1) % CLASSES)  # validation loss can only rise
    _, events, _ = train(data=wrong, epochs=6, reduce_on_plateau=2, learning_rate=0.01)
    rates = [event.learning_rate for event in epochs_of(events)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[-1] == pytest.approx(0.0025)
    assert sum(isinstance(event, NoteEvent) for event in events) == 2


def test_divergence_is_named_with_epoch_and_batch_and_the_best_weights_stay():
    model = tiny_model()
    seen = []

    def poison(event):
        if isinstance(event, EpochEvent):
            seen.append(model.get_weights())
            model.layers[2].kernel.assign(np.full(model.layers[2].kernel.shape, np.nan))

    trainer = Trainer(model, config(epochs=5), tiny_data(), poison)
    with pytest.raises(Diverged, match="epoch 2, batch 1"):
        trainer.run()
    assert all(map(np.array_equal, model.get_weights(), seen[0]))


def test_a_validation_loss_that_is_no_number_is_divergence_too(monkeypatch):
    trainer = Trainer(tiny_model(), config(), tiny_data(), lambda event: None)
    monkeypatch.setattr(trainer.steps, "evaluate", lambda images, labels: (math.inf, 0.1))
    with pytest.raises(Diverged, match="validation loss became inf in epoch 1"):
        trainer.run()


# Schedule and label smoothing


def test_a_linear_schedule_falls_evenly_and_is_above_zero_to_the_last_step(monkeypatch):
    trainer = Trainer(tiny_model(), config(schedule="linear", learning_rate=0.1), tiny_data(),
                      lambda event: None)
    rates, original = [], trainer.steps.train
    monkeypatch.setattr(trainer.steps, "train", lambda *batch: (
        rates.append(trainer.steps.learning_rate), original(*batch))[1])
    trainer.run()
    assert len(rates) == 3 * 6
    assert rates == pytest.approx([0.1 * (18 - step) / 18 for step in range(18)], rel=1e-6)
    assert rates[-1] == pytest.approx(0.1 / 18)


def test_without_a_schedule_the_rate_stays():
    _, events, _ = train(learning_rate=0.02)
    assert [event.learning_rate for event in epochs_of(events)] == pytest.approx([0.02] * 3)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_the_training_loss_equals_that_of_keras_with_the_same_smoothing(smoothing):
    data, model = tiny_data(), tiny_model()
    trainer = Trainer(model, config(label_smoothing=smoothing), data, lambda event: None)
    logits = trainer.steps.model(data.train_images.astype("float32"))
    wanted = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)(
        keras.utils.to_categorical(data.train_labels, CLASSES), logits)
    loss, _ = trainer.steps.train(data.train_images, data.train_labels, None)
    assert loss == pytest.approx(float(wanted), abs=1e-5)


def test_the_validation_loss_is_without_smoothing():
    data, model = tiny_data(), tiny_model()
    smoothed = Trainer(model, config(label_smoothing=0.4), data, lambda event: None)
    plain = Trainer(model, config(), data, lambda event: None)
    assert smoothed.validate() == plain.validate()


def test_smoothing_changes_the_gradients_as_keras_does():
    data, ours, theirs = tiny_data(), tiny_model(), tiny_model()
    train(ours, data, epochs=1, seed=5, optimizer="sgd", learning_rate=0.01, label_smoothing=0.3)
    order = np.random.default_rng([5, 1]).permutation(90)
    theirs.compile(keras.optimizers.SGD(0.01, momentum=0.9),
                   keras.losses.CategoricalCrossentropy(label_smoothing=0.3))
    theirs.fit(data.train_images[order],
               keras.utils.to_categorical(data.train_labels[order], CLASSES),
               batch_size=15, epochs=1, shuffle=False, verbose=0)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=2e-5)


def test_class_weights_change_the_gradients_as_keras_does_and_not_the_loss_that_is_told():
    weights, plain = (0.2, 1.0, 3.0), tiny_data()
    data, ours, theirs = replace(plain, class_weights=weights), tiny_model(), tiny_model()
    told = train(ours, data, epochs=1, seed=5, optimizer="sgd", learning_rate=0.01, batch_size=90)
    order = np.random.default_rng([5, 1]).permutation(90)
    theirs.compile(keras.optimizers.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy")
    theirs.fit(data.train_images[order], data.train_labels[order], batch_size=90, epochs=1,
               shuffle=False, verbose=0, class_weight=dict(enumerate(weights)))
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=2e-5)
    unweighted = train(tiny_model(), plain, epochs=1, seed=5, batch_size=90)
    assert epochs_of(told[1])[0].loss == pytest.approx(epochs_of(unweighted[1])[0].loss)
