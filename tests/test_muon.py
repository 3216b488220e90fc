"""Muon against its formulas in NumPy, and for what a training needs of it."""

import keras
import numpy as np
import pytest

from cnn.config import RunConfig
from cnn.models.build import build_model
from cnn.training.data import TrainingData
from cnn.training.loop import Trainer
from cnn.training.muon import Muon, orthogonalised
from cnn.training.steps import make_optimizer

SHAPES = [(3, 3, 2, 8), (2, 2, 5, 3), (12, 3), (8,)]  # two kernels (one is wide), head, offsets


def random_values(seed, scale=1.0):
    rng = np.random.default_rng(seed)
    return [(scale * rng.normal(size=shape)).astype("float32") for shape in SHAPES]


def newton_schulz(matrix):
    x = matrix / (np.linalg.norm(matrix) + 1e-7)
    for _ in range(3):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x


class Reference:
    """Muon as its descriptions say, for one variable, in float64."""

    def __init__(self, value, rate, batch, small_head):
        self.value = value.astype(np.float64)
        self.momentum = np.zeros_like(self.value)
        self.rate, self.batch, self.small_head = rate, batch, small_head

    def step(self, gradient):
        if self.value.ndim == 4:
            self._turn(gradient.astype(np.float64))
        else:
            self._descend(gradient.astype(np.float64))

    def _turn(self, gradient):
        self.momentum = 0.6 * self.momentum + gradient
        filters = self.value.shape[3]
        rows = (gradient + 0.6 * self.momentum).reshape(-1, filters).T
        step = newton_schulz(rows).T.reshape(self.value.shape)
        unit = self.value * np.sqrt(filters) / np.linalg.norm(self.value)
        self.value = unit - self.rate * step

    def _descend(self, gradient):
        rate = 0.05
        if self.small_head:
            rate = (0.67 if self.value.ndim == 2 else 0.053) * self.batch
            gradient = gradient + 2e-6 * self.batch / rate * self.value
        self.momentum = 0.85 * self.momentum + gradient
        self.value = self.value - self.rate / 0.24 * rate * (gradient + 0.85 * self.momentum)


@pytest.mark.parametrize("shape", [(16, 72), (72, 16), (64, 256), (5, 5), (1, 9)])
def test_orthogonalising_keeps_singular_vectors_and_brings_all_values_near_one(shape):
    # Singular values within a factor of five of each other, as three iterations can bring up.
    rng = np.random.default_rng(0)
    left, _, right = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
    matrix = (left * np.linspace(5, 1, min(shape))) @ right
    result = orthogonalised(matrix.astype("float32")).numpy()
    inside = left.T @ result @ right.T
    values = np.diag(inside)
    assert values.min() > 0.5
    assert values.max() < 1.3
    np.testing.assert_allclose(inside, np.diag(values), atol=1e-4)
    np.testing.assert_allclose(result, left @ inside @ right, atol=1e-4)  # nothing outside


def test_orthogonalising_does_not_depend_on_the_length_of_a_gradient():
    matrix = np.random.default_rng(0).normal(size=(4, 9)).astype("float32")
    np.testing.assert_allclose(
        orthogonalised(1000 * matrix), orthogonalised(0.01 * matrix), atol=1e-4)
    assert np.isfinite(orthogonalised(0 * matrix)).all()


@pytest.mark.parametrize("small_head", [True, False])
@pytest.mark.parametrize("rates", [(0.24, 0.24, 0.24), (0.1, 0.05, 0.01)], ids=["same", "falling"])
def test_steps_equal_the_formulas(small_head, rates):
    values = random_values(1)
    variables = [keras.Variable(value) for value in values]
    optimizer = Muon(rates[0], batch_size=50, small_head=small_head)
    references = [Reference(value, rates[0], 50, small_head) for value in values]
    for step, rate in enumerate(rates):
        gradients = random_values(10 + step, 1e-3)
        optimizer.learning_rate = rate
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)
        for reference, gradient in zip(references, gradients, strict=True):
            reference.rate = rate
            reference.step(gradient)
    for variable, reference in zip(variables, references, strict=True):
        np.testing.assert_allclose(variable.numpy(), reference.value, rtol=1e-3, atol=2e-5)


def test_a_kernel_keeps_its_norm_and_a_vanished_gradient_leaves_it_finite():
    kernel = keras.Variable(np.random.default_rng(0).normal(size=(3, 3, 4, 16)).astype("float32"))
    optimizer = Muon(1e-6)
    for _ in range(3):
        optimizer.apply([keras.ops.zeros(kernel.shape)], [kernel])
    assert np.linalg.norm(kernel.numpy()) == pytest.approx(4, rel=1e-4)


def test_its_whole_state_is_in_its_variables():
    one = [keras.Variable(value) for value in random_values(1)]
    first = Muon(0.1, 50, small_head=True)
    first.build(one)
    first.apply(list(map(keras.ops.convert_to_tensor, random_values(2))), one)
    other = [keras.Variable(variable.numpy()) for variable in one]
    second = Muon(0.3, 50, small_head=True)
    second.build(other)
    for new, old in zip(second.variables, first.variables, strict=True):
        new.assign(old)
    for optimizer, variables in ((first, one), (second, other)):
        optimizer.apply(list(map(keras.ops.convert_to_tensor, random_values(3))), variables)
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left.numpy(), right.numpy())


def test_its_configuration_makes_it_again():
    made = Muon.from_config(Muon(0.125, 77, small_head=True).get_config())
    assert (float(made.learning_rate), made.batch_size, made.small_head) == (0.125, 77, True)


@pytest.mark.parametrize(("architecture", "small"), [("base", False), ("speedrun", True)])
def test_the_head_of_the_network_decides_the_rates_of_the_rest(architecture, small):
    config = RunConfig("d", architecture, "n", optimizer="muon", learning_rate=0.1, batch_size=300)
    optimizer = make_optimizer(config)
    assert isinstance(optimizer, Muon)
    assert (optimizer.small_head, optimizer.batch_size) == (small, 300)
    assert float(optimizer.learning_rate) == pytest.approx(0.1)


def bright_rows(count, seed):
    """Noise with one bright row that tells the class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    images = rng.integers(0, 120, (count, 8, 8, 1))
    images[np.arange(count), 1 + 2 * labels] += 100
    return images.astype(np.uint8), labels.astype(np.int64)


@pytest.mark.parametrize("architecture", ["base", "batchnorm"])
def test_it_trains_networks_without_a_small_head(architecture):
    config = RunConfig("d", architecture, "n", epochs=4, batch_size=32, optimizer="muon",
                       learning_rate=0.24, schedule="linear")
    events = []
    data = TrainingData(*bright_rows(192, 0), *bright_rows(60, 1))
    model = build_model(architecture, (8, 8, 1), 3, training=True)
    trainer = Trainer(model, config, data, events.append)
    before, _ = trainer.validate()
    progress = trainer.run()
    assert progress.best_val_loss < before / 2
    assert progress.best_val_accuracy > 0.9
