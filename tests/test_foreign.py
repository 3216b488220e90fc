"""Model files from elsewhere: hostile and damaged ones are refused in words, without TensorFlow."""

import json
import zipfile

import h5py
import numpy as np
import pytest
from foreign_files import (
    KERNEL,
    dense,
    entry,
    hdf5,
    layer,
    plain_net,
    sequential,
    write_keras,
)

from cnn.errors import BadInput, Refused
from cnn.models.foreign import archive, config, plan, weights
from cnn.models.foreign.ending import LOGITS, ONE_NUMBER, PROBABILITIES, ending_of, scales_itself
from cnn.models.foreign.layers import INACTIVE, LAYERS, settings_of
from cnn.models.foreign.looking import look_into, read_arrays, write_arrays
from cnn.models.foreign.pixels import check_pixels
from cnn.models.foreign.plan import plan_from_dict, plan_of


@pytest.fixture
def look(tmp_path):
    """Write a file as `write_keras` does, and look into it."""
    def it(*args, **kwargs):
        return look_into(write_keras(tmp_path / "some.keras", *args, **kwargs), tmp_path)

    return it


def test_a_plain_network_is_understood(look):
    found, arrays = look()
    assert found.input_shape == (8, 8, 3)
    assert [(step.layer, step.kind, step.inputs) for step in found.steps] == [
        ("flatten", "Flatten", (0,)), ("dense", "Dense", (1,))]
    assert [array.shape for array in arrays["dense"]] == [(192, 2), (2,)]


def test_plan_and_arrays_come_back_as_they_were(look, tmp_path):
    found, arrays = look()
    assert plan_from_dict(json.loads(json.dumps(found.to_dict()))) == found
    write_arrays(tmp_path / "a.npz", arrays)
    again = read_arrays(tmp_path / "a.npz")
    assert again.keys() == arrays.keys()
    assert all(np.array_equal(a, b) for a, b in zip(again["dense"], arrays["dense"], strict=True))


# The zip


@pytest.mark.parametrize(("data", "words"), [
    (b"", "empty"),
    (b"hello, I am a network", "no .keras file"),
    (b"\x89HDF\r\n\x1a\n" + bytes(100), "older way"),
    (b"PK\3\4" + bytes(100), "cannot be read as a zip"),
])
def test_other_kinds_of_files_are_refused(tmp_path, data, words):
    path = tmp_path / "x.keras"
    path.write_bytes(data)
    with pytest.raises(BadInput, match=words):
        look_into(path, tmp_path)


def test_a_file_that_ends_early_is_refused(tmp_path):
    path = write_keras(tmp_path / "x.keras")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(BadInput, match="cannot be read"):
        look_into(path, tmp_path)


def test_a_flipped_bit_is_noticed(tmp_path):
    path = write_keras(tmp_path / "x.keras")
    data = bytearray(path.read_bytes())
    data[data.find(b"class_name") + 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadInput, match=r"config\.json is damaged"):
        look_into(path, tmp_path)


@pytest.mark.parametrize("name", [
    "assets/../../tmp/x", "/tmp/x", "assets/vocabulary", "evil.py", "metadata.json/"])
def test_other_members_are_refused(look, name):
    with pytest.raises(Refused, match="is no part of a network"):
        look(**{name: b"x"})


def test_a_missing_member_and_a_member_twice_are_refused(tmp_path):
    path = tmp_path / "x.keras"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", "{}")
    with pytest.raises(Refused, match="each once"):
        look_into(path, tmp_path)
    write_keras(path)
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("config.json", "{}")
    with pytest.raises(Refused, match="each once"):
        look_into(path, tmp_path)


def test_a_bomb_is_refused_before_it_is_unpacked(look):
    with pytest.raises(Refused, match="zip bombs"):
        look(weights=bytes(8 * 2**20), pack=zipfile.ZIP_DEFLATED)


def test_a_long_description_and_a_large_file_are_refused(look, monkeypatch):
    monkeypatch.setattr(archive, "MAX_TEXT", 100)
    with pytest.raises(Refused, match=r"config\.json in the model file has"):
        look()
    monkeypatch.setattr(archive, "MAX_FILE", 100)
    with pytest.raises(Refused, match="at most"):
        look()


# What the description names


@pytest.mark.parametrize(("text", "kind", "words"), [
    (b"[" * 200_000, Refused, "nested far too deeply"),
    (b'{"a": ' * 100 + b"1" + b"}" * 100, Refused, "nested too deeply"),
    (b"{", BadInput, "is no JSON"),
    (b"\xff\xfe\xfa", BadInput, "is no JSON"),
    (b"[]", BadInput, "JSON object"),
    (b"{}", BadInput, "incomplete"),
    (b'{"a": NaN}', Refused, "NaN"),
    (b'{"a": 1' + b"0" * 5000 + b"}", BadInput, "no JSON"),
    (b'{"class_name": "Sequential", "class_name": "Lambda"}', Refused, "twice"),
])
def test_odd_json_is_refused(look, text, kind, words):
    with pytest.raises(kind, match=words):
        look(text)


def test_a_network_of_an_older_keras_is_refused_with_what_to_do(look):
    with pytest.raises(BadInput, match=r"Keras 2\.15\.0; version 3 is needed") as caught:
        look(metadata=b'{"keras_version": "2.15.0"}')
    assert "save it again" in caught.value.hint


def call(module, name, **more):
    return {"module": module, "class_name": "function", "config": name, "registered_name": name,
            **more}


HOSTILE = {
    "lambda layer": layer("Lambda", function={"class_name": "__lambda__", "config": {}}),
    "bytecode": dense(activation={"class_name": "__lambda__", "config": {"value": "4wEAA"}}),
    "type spec": dense(extra={"class_name": "__typespec__", "module": "os"}),
    "os.system": dense(activation=call("os", "system")),
    "builtins": dense(activation=call("builtins", "eval")),
    "a function of keras": dense(kernel_initializer=call("keras.datasets.mnist", "load_data")),
    "keras switches": dense(kernel_initializer=call("keras.config", "enable_unsafe")),
    "a download": dense(kernel_initializer={"module": "keras.utils", "class_name": "get_file",
                                            "config": {}, "registered_name": None}),
    "a class of others": layer("Evil", module="evil.layers"),
    "a module that is none": layer("Dense", module=["keras"]),
    "a registered class": {**layer("Mine"), "registered_name": "my>Mine"},
    "torch": layer("TorchModuleWrapper", module="keras.layers"),
    "a saved model": layer("TFSMLayer", filepath="saved"),
    "a file as words": layer("StringLookup", vocabulary="/etc/passwd"),
    "a link": layer("StringLookup", vocabulary="https://example.org/words"),
    "a path up": dense(extra="../../secret"),
    "a path of Windows": dense(extra="C:\\secret"),
    "a home": dense(extra="~root"),
    "a long text": dense(extra="x" * 1000),
    "an unknown setting": dense(lora_rank=4),
    "a huge layer": dense(units=2**28),
    "a negative layer": dense(units=-1),
    "a huge kernel": layer("Conv2D", filters=1, kernel_size=[100_000, 100_000]),
    "a fraction": dense(units=2.5),
    "a truth": dense(units=True),
    "an activation of others": dense(activation="my_activation"),
    "channels first": layer("Conv2D", filters=1, kernel_size=3, data_format="channels_first"),
    "a layer for text": layer("Embedding", input_dim=10),
    "a number that is none": layer("Rescaling", scale=1e300),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_layers_are_refused(look, what):
    with pytest.raises(Refused) as caught:
        look(sequential(HOSTILE[what], layer("Flatten"), dense()))
    assert len(str(caught.value)) < 1200


def test_what_is_for_training_only_is_never_looked_at(look):
    net = plain_net()
    net["compile_config"] = {"loss": call("os", "system"), "path": "/etc/passwd"}
    net["config"]["layers"][2]["config"] |= {
        "kernel_initializer": layer("GlorotUniform", module="keras.initializers"),
        "kernel_regularizer": None, "dtype": layer("DTypePolicy", module="keras")}
    found, _ = look(net)
    assert found.steps[-1].settings == {"units": 2, "activation": "softmax", "use_bias": True}


def test_too_many_layers_are_refused(look):
    chain = [layer("ReLU", f"r{number}") for number in range(plan.MAX_STEPS + 1)]
    with pytest.raises(Refused, match="more than 1,500 layers"):
        look(sequential(*chain, layer("Flatten"), dense()))


def test_too_long_a_description_is_refused(monkeypatch):
    monkeypatch.setattr(config, "MAX_VALUES", 20)
    with pytest.raises(Refused, match="too long"):
        config.parse_config(b'{"keras_version": "3.0.0"}', json.dumps(plain_net()).encode())


def test_networks_in_networks_end_somewhere():
    net = plain_net()
    for _ in range(12):
        net = sequential(net)
    with pytest.raises(Refused, match="nested too deeply"):
        plan_of(net)


# What it is


@pytest.mark.parametrize(("shape", "words"), [
    ((None, None, 3), "any number of × any number of pixels"),
    ((4, 4, 3), "4 × 4 pixels; a size from 8 to 224"),
    ((299, 299, 3), "299 × 299"),
    ((32, 32, 4), "4 channels"),
    ((128,), "does not take pictures"),
])
def test_only_networks_for_pictures_are_taken(shape, words):
    with pytest.raises(BadInput, match=words):
        plan_of(sequential(layer("Flatten"), dense(), shape=shape))


def graph(*layers, inputs=("entry", 0, 0), outputs=("dense", 0, 0)):
    return layer("Functional", "net", "keras.src.models.functional",
                 layers=[{**entry(), "name": "entry", "inbound_nodes": []}, *layers],
                 input_layers=list(inputs), output_layers=list(outputs))


def tensor(name, number=0):
    return {"class_name": "__keras_tensor__",
            "config": {"shape": [None], "dtype": "float32", "keras_history": [name, number, 0]}}


def node(made, *args, **kwargs):
    return {**made, "name": made["config"]["name"],
            "inbound_nodes": [{"args": list(args), "kwargs": kwargs}]}


def test_arithmetic_becomes_layers():
    ops = "keras.src.ops.numpy"
    found = plan_of(graph(
        node(layer("TrueDivide", "half", ops), tensor("entry"), 2),
        node(layer("Subtract", "turned", ops), 1.0, tensor("half")),
        node(layer("Add", "sum", ops), tensor("half"), tensor("turned")),
        node(layer("Flatten"), tensor("sum")), node(dense(), tensor("flatten"))))
    assert [(step.kind, step.settings, step.inputs) for step in found.steps[:3]] == [
        ("Rescaling", {"scale": 0.5, "offset": 0.0}, (0,)),
        ("Rescaling", {"scale": -1.0, "offset": 1.0}, (1,)), ("Add", {}, (1, 2))]
    assert scales_itself(found) == "half"


@pytest.mark.parametrize(("layers", "kind", "words"), [
    ([node(layer("TrueDivide", "d", "keras.src.ops.numpy"), 1, tensor("entry")),
      node(dense(), tensor("d"))], Refused, "divides"),
    ([node(layer("Power", "p", "keras.src.ops.numpy"), tensor("entry"), 9),
      node(dense(), tensor("p"))], Refused, "Power"),
    ([node(dense(), tensor("flatten")), node(layer("Flatten"), tensor("dense"))], BadInput,
     "in a circle"),
    ([node(dense(), tensor("nothing"))], BadInput, "not connected"),
    ([node(dense(), 3)], Refused, "is given a number"),
    ([node(dense(), {"class_name": "__tensor__"})], Refused, "is given"),
    ([node(dense(), tensor("entry"), other=tensor("entry"))], Refused, "more than its input"),
    ([node(layer("BatchNormalization", "b"), tensor("entry"), training=True),
      node(dense(), tensor("b"))], Refused, "told to train"),
    ([node(dense(), [tensor("entry"), tensor("entry")])], BadInput, "takes 2 values"),
])
def test_odd_connections_are_refused(layers, kind, words):
    with pytest.raises(kind, match=words):
        plan_of(graph(*layers))


def test_several_inputs_or_outputs_are_refused():
    made = [node(layer("Flatten"), tensor("entry")), node(dense(), tensor("flatten"))]
    two = [["dense", 0, 0], ["flatten", 0, 0]]
    with pytest.raises(BadInput, match="several outputs"):
        plan_of(graph(*made, outputs=two))
    with pytest.raises(BadInput, match="several inputs"):
        plan_of(graph(*made, inputs=two))


def test_layers_that_act_while_training_only_are_passed_over():
    inactive = [layer(kind, whatever=object()) for kind in sorted(INACTIVE)]
    found = plan_of(sequential(*inactive, layer("Flatten"), dense()))
    assert [step.kind for step in found.steps] == ["Flatten", "Dense"]
    assert INACTIVE.isdisjoint(LAYERS)


@pytest.mark.parametrize(("last", "answers", "classes"), [
    ([dense(3)], PROBABILITIES, 3),
    ([dense(3, "linear")], LOGITS, 3),
    ([dense(3, "linear"), layer("Activation", activation="softmax")], PROBABILITIES, 3),
    ([dense(3, "linear"), layer("Softmax")], PROBABILITIES, 3),
    ([dense(1, "sigmoid")], ONE_NUMBER, 2),
    ([dense(1, "linear")], ONE_NUMBER, 2),
    ([dense(1, "linear"), layer("Activation", activation="sigmoid")], ONE_NUMBER, 2),
    ([layer("Conv2D", filters=4, kernel_size=1, activation="softmax"),
      layer("GlobalAveragePooling2D")], PROBABILITIES, 4),
])
def test_how_a_network_ends_is_understood(last, answers, classes):
    found = ending_of(plan_of(sequential(*last)))
    assert (found.answers, found.classes) == (answers, classes)


@pytest.mark.parametrize(("last", "words"), [
    (dense(3, "sigmoid"), "yes or no to each class"),
    (dense(3, "relu"), "ends with relu"),
    (dense(1, "softmax"), "does not choose one class"),
])
def test_answers_that_choose_no_class_are_refused(last, words):
    with pytest.raises(BadInput, match=words):
        ending_of(plan_of(sequential(last)))


def test_pixel_values_are_one_of_three():
    assert check_pixels("0-1") == "0-1"
    with pytest.raises(BadInput, match="minus1-1"):
        check_pixels("0-2")


def test_settings_are_a_list_of_what_is_allowed():
    given = {"filters": 8, "kernel_size": [3, 3], "strides": None, "name": "c", "dtype": "float16",
             "kernel_initializer": "anything", "data_format": "channels_last"}
    assert settings_of("Conv2D", "c", given) == {"filters": 8, "kernel_size": [3, 3]}


# The weights


def changed(how):
    def change(file):
        del file[KERNEL]
        how(file)

    return hdf5(change)


def external_file(file):
    file.create_dataset(KERNEL, (192, 2), "f4", external=[("/etc/passwd", 0, 1536)])


def virtual(file):
    sources = h5py.VirtualLayout(shape=(192, 2), dtype="f4")
    sources[:] = h5py.VirtualSource("other.h5", "data", shape=(192, 2))
    file.create_virtual_dataset(KERNEL, sources)


def link(kind):
    def make(file):
        file[KERNEL] = kind

    return make


@pytest.mark.parametrize(("data", "kind", "words"), [
    (changed(external_file), Refused, "in another file"),
    (changed(virtual), Refused, "in another file"),
    (changed(link(h5py.ExternalLink("/etc/passwd", "/"))), Refused, "link to somewhere else"),
    (changed(link(h5py.SoftLink("/layers/dense/vars/1"))), Refused, "link to somewhere else"),
    (changed(lambda file: file.create_dataset(KERNEL, (10**8, 10**7), "f4")), Refused, "more than"),
    (changed(lambda file: file.create_dataset(KERNEL, (1000, 1000), "f4")), Refused, "larger than"),
    (changed(lambda file: file.create_dataset(
        KERNEL, data=np.zeros((9999, 99), "f4"), compression="gzip")), Refused, "packed"),
    (changed(lambda file: file.create_dataset(KERNEL, data=["a", "b"])), BadInput, "no arrays"),
    (changed(lambda file: file.create_group(KERNEL)), BadInput, "no arrays"),
    (changed(lambda file: None), BadInput, "not in the model file"),
    (hdf5(lambda file: file.__delitem__("layers")), BadInput, "not in the model file"),
    (hdf5(lambda file: [file.create_dataset(f"layers/dense/vars/{number}", data=0.0)
                        for number in range(2, 20)]), BadInput, "too many arrays"),
    (b"\x89HDF\r\n\x1a\n" + bytes(500), BadInput, "cannot be read"),
    (hdf5()[:700], BadInput, "cannot be read"),
    (b"", BadInput, "cannot be read"),
])
def test_hostile_weights_are_refused(look, data, kind, words):
    with pytest.raises(kind, match=words):
        look(weights=data)


def test_too_many_weights_are_refused(look, monkeypatch):
    monkeypatch.setattr(weights, "MAX_NUMBERS", 300)
    with pytest.raises(Refused, match="more than 300 weights"):
        look()
