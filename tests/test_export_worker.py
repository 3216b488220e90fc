"""The process that makes an export: what it prints, without TensorFlow."""

import json
import sys

import pytest

from cnn.errors import Refused, Unavailable
from cnn.short_work import answer_of

# A process in which the export itself is replaced: `export` gets what `export_model` would.
SCRIPT = """
import sys, types
from cnn.errors import Refused
from cnn.exports import worker
def export(name, form, target, progress):
    {body}
worker.start_tensorflow = lambda: None
sys.modules["cnn.exports.package"] = types.SimpleNamespace(export_model=export)
sys.exit(worker.main(sys.argv[1]))
"""


def asked(body, progress):
    request = json.dumps({"model": "first", "format": "onnx", "target": "x.zip"})
    return answer_of([sys.executable, "-c", SCRIPT.format(body=body), request], 30, "The export",
                     "", progress)


def test_steps_and_the_answer_are_told_and_what_a_converter_prints_is_not():
    steps = []
    body = ("print('{\"noise\": 1}', flush=True); progress('Writing', 1, 4); import os; "
            "os.write(1, b'more noise\\n'); return {'to': [name, form, str(target)]}")
    found = asked(body, lambda *step: steps.append(step))
    assert found == {"to": ["first", "onnx", "x.zip"]}
    assert ("Starting", 0, 0) in steps


@pytest.mark.parametrize(("body", "kind", "words"), [
    ("raise Refused('It differs.')", Refused, "It differs"),
    ("raise MemoryError", Unavailable, "not enough memory"),
    ("import os; os._exit(139)", Unavailable, "The export failed"),
    ("raise KeyError('zoom')", Unavailable, "KeyError: 'zoom'")])
def test_a_failure_is_told_in_words_whatever_it_is(body, kind, words):
    with pytest.raises(kind, match=words):
        asked(body, lambda *step: None)
