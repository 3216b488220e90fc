"""A model file becomes a saved model, in two processes; wishes that cannot be fulfilled."""

import json
import time

import numpy as np
import pytest
from foreign_files import dense, hanging_hdf5, layer, sequential, write_keras
from model_folders import CLASSES, make_card, make_evaluation

from cnn.cli import main
from cnn.confined import Limits
from cnn.data.catalogue import load
from cnn.errors import BadInput, NotFound, Refused
from cnn.evaluation.results import read_evaluation
from cnn.exports.formats import check_possible, get_format
from cnn.models.foreign.ending import LOGITS, ONE_NUMBER, PROBABILITIES
from cnn.models.foreign.plan import plan_of
from cnn.prediction import adopting, measuring
from cnn.prediction.adopting import Found, Wishes, adopt, look_into_file
from cnn.prediction.choice import default_model
from cnn.prediction.learned_from import training_data
from cnn.prediction.predictor import Predictor
from cnn.prediction.saved import MODEL_FILE, list_models, read_card, save_model
from cnn.reports.model_card import model_card

WISHES = Wishes("mine", ("dark", "light"), "0-1")


class Written:
    def save(self, path):
        path.write_bytes(b"not a real network")


def bring(name="brought", **changes):
    """Write a saved model from elsewhere, as `adopt` does, without a network."""
    unknown = {"architecture": "uploaded", "dataset": "", "dataset_fingerprint": "", "config": {},
               "test_accuracy": None, "test_loss": None, "test_n": 0, "val_accuracy": None,
               "best_epoch": 0, "epochs": 0, "train_n": 0, "validation_n": 0, "seconds": 0.0,
               "multiply_adds": 0, "origin": "uploaded"}
    save_model(Written(), make_card(name, **unknown | changes), [], None)
    return read_card(name)


def test_a_file_that_hangs_its_reader_is_ended(tmp_path):
    path = write_keras(tmp_path / "x.keras", weights=hanging_hdf5())
    begin = time.monotonic()
    with pytest.raises(BadInput, match=r"came to no end in 1\.5 seconds"):
        look_into_file(path, Limits(seconds=1.5, wall=60, memory=2**31))
    assert time.monotonic() - begin < 15


def test_a_file_becomes_a_saved_model_that_answers(empty_folders):
    # Class "light" for what is bright: pixel values reach the network as 0 to 1.
    path = write_keras(empty_folders / "some file.keras")
    card = adopt(path, WISHES)
    assert card == read_card("mine")
    assert (card.class_names, card.input_shape, card.origin) == (
        ["dark", "light"], [8, 8, 3], "uploaded")
    assert (card.test_accuracy, card.val_accuracy, card.parameters) == (None, None, 386)
    assert "models add 'some file.keras' --name mine --classes dark,light --pixels 0-1" \
        in card.command
    folder = empty_folders / "models" / "mine"
    assert {file.name for file in folder.iterdir()} == {MODEL_FILE, "card.json", "history.jsonl"}
    answer = Predictor("mine").predict([np.full((20, 30, 3), 200, np.uint8)])[0]
    assert answer.probabilities == pytest.approx([0.5, 0.5])  # the weights of both are equal
    assert answer.novelty is None
    with pytest.raises(BadInput, match="exists already"):
        adopt(path, WISHES)


@pytest.mark.parametrize(("changes", "words"), [
    ({"name": "My Model"}, "cannot be used"),
    ({"resize": "shrink"}, "resize must be one of"),
    ({"class_names": ("a",)}, "2 classes apart; names given: 1"),
    ({"class_names": ()}, "names given: 0"),
    ({"class_names": ("a", "a")}, "given twice"),
    ({"class_names": ("a", " ")}, "cannot be used"),
    ({"class_names": ("a", "b" * 500)}, "cannot be used"),
    ({"pixels": ""}, "is not said in its file"),
    ({"pixels": "0-2"}, "pixels must be one of"),
])
def test_wishes_that_cannot_be_fulfilled(tmp_path, monkeypatch, changes, words):
    monkeypatch.setattr(adopting, "run_confined", one_answer)
    path = write_keras(tmp_path / "x.keras")
    with pytest.raises(BadInput, match=words):
        adopt(path, Wishes(**{"name": "mine", "class_names": ("a", "b"), "pixels": "0-1",
                              **changes}))


def one_answer(module, *_):
    assert module == "cnn.models.foreign.looking"  # nothing is built in vain
    plan = plan_of(sequential(layer("Flatten"), dense()))
    return {"plan": plan.to_dict(), "classes": 2, "parameters": 386, "answers": PROBABILITIES,
            "scaling": ""}


def test_there_has_to_be_a_file(tmp_path):
    with pytest.raises(NotFound, match=r"no file .*none\.keras"):
        look_into_file(tmp_path / "none.keras")


@pytest.mark.parametrize(("answers", "words"), [
    (PROBABILITIES, ""), (LOGITS, "softmax is put behind"), (ONE_NUMBER, "second class")])
def test_what_is_changed_is_said(answers, words):
    found = Found(plan_of(sequential(dense())), 2, 3, answers, "")
    assert words in found.remark
    assert bool(found.remark) == bool(words)
    assert found.layers == 1


# Saved models with nothing measured


def test_a_model_from_elsewhere_answers_only_where_there_is_no_other(empty_folders):
    bring(test_accuracy=1.0, dataset="cifar10")
    assert default_model() == "brought"
    save_model(Written(), make_card("own", test_accuracy=0.2), [], make_evaluation())
    assert default_model() == "own"


def test_what_it_learned_from_is_not_known(empty_folders):
    with pytest.raises(NotFound, match="brought from elsewhere"):
        training_data(bring())


def test_it_is_measured_on_a_data_set_with_the_same_classes(folders):
    digits = load("digits")
    names = [str(number) for number in reversed(range(10))]  # in another order
    card = measuring.named(bring(class_names=names, input_shape=[16, 16, 1]), "digits")
    dataset = measuring.open_test(card)
    seen = []

    def predict(images):
        seen.append(images.shape)
        return np.tile(np.arange(10, dtype=np.float32), (len(images), 1))

    answers = measuring.as_in(card, dataset, predict)(dataset.test_images)
    assert seen == [(250, 16, 16, 1), (len(digits.test_images) - 250, 16, 16, 1)]
    assert answers[0].tolist() == list(reversed(range(10)))
    evaluation = make_evaluation(dataset.class_names)
    measuring.keep_measured(card, dataset, evaluation)
    again = read_card("brought")
    assert (again.dataset, again.test_n, again.test_accuracy) == ("digits", 12, 0.75)
    assert again.class_names == names
    assert read_evaluation(folders / "models" / "brought").class_names == dataset.class_names


def test_it_gets_no_model_card_and_no_export(empty_folders):
    card = bring()
    with pytest.raises(BadInput, match="how it was trained is not known"):
        model_card("brought")
    with pytest.raises(Refused, match="brought from elsewhere"):
        check_possible(get_format("keras"), card)


def test_other_classes_cannot_be_measured(folders):
    with pytest.raises(BadInput, match="do not know the same classes"):
        measuring.open_test(measuring.named(bring(), "digits"))


def test_which_data_set_has_to_be_said(empty_folders):
    with pytest.raises(BadInput, match="no test images belong to it"):
        measuring.named(bring(), "")
    with pytest.raises(BadInput, match="was trained on shapes, not on digits"):
        measuring.named(make_card(), "digits")
    assert measuring.named(make_card(), "shapes") == make_card()


# The command line


def spoken(capsys, *words):
    status = main(words)
    said = capsys.readouterr()
    return status, said.out, said.err


def test_the_command_adds_a_model(empty_folders, capsys, monkeypatch):
    asked = []

    def pretend(path, wishes):
        asked.append((path.name, wishes))
        return bring(wishes.name)

    monkeypatch.setattr("cnn.cli_commands.models.adopt", pretend)
    status, out, _ = spoken(capsys, "models", "add", "My Cats.keras", "--classes", "cat, dog",
                            "--pixels", "0-1", "--json")
    assert (status, json.loads(out)["name"]) == (0, "my-cats")
    assert asked == [("My Cats.keras", Wishes("my-cats", ("cat", "dog"), "0-1", "crop"))]
    assert spoken(capsys, "models", "ad", "x.keras")[0] == 1


def test_commands_say_that_nothing_was_measured(empty_folders, capsys):
    bring()
    assert "–" in spoken(capsys, "models")[1]
    out = spoken(capsys, "models", "brought")[1]
    assert "not measured here" in out
    assert "Validation" not in out
    record = json.loads(spoken(capsys, "models", "--json")[1])["models"][0]
    assert (record["test_accuracy"], record["uploaded"]) == (None, True)
    status, _, said = spoken(capsys, "evaluate", "brought")
    assert status == 1
    assert "--dataset NAME" in said


def test_a_file_that_is_refused_is_said_in_words(empty_folders, capsys, monkeypatch):
    def refuse(path, wishes):
        raise Refused("The file holds a program.", "It is not taken.")

    monkeypatch.setattr("cnn.cli_commands.models.adopt", refuse)
    assert spoken(capsys, "models", "add", "x.keras")[::2] == (
        1, "The file holds a program.\nIt is not taken.\n")


def test_the_list_of_models_says_which_were_brought(empty_folders):
    bring()
    assert [model.card.uploaded for model in list_models()] == [True]
    assert list(CLASSES) == read_card("brought").class_names
