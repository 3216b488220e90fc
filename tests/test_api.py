"""The HTTP API as the dashboard mounts it, with an engine that needs no TensorFlow."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stub_engine
from fastapi import HTTPException, Request
from model_folders import write_model
from run_folders import tell
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from cnn import api as api_module
from cnn.api_pictures import LARGEST_BODY, MOST_FILES, read_pictures
from cnn.api_problems import KINDS
from cnn.config import RunConfig
from cnn.data.images import MAX_BYTES, encode_png
from cnn.errors import CnnError, Damaged, Unavailable
from cnn.paths import PROJECT
from cnn.prediction.client import EngineClient
from cnn.runs.folder import RunFolder, Status
from cnn.training.events import EpochEvent

PNG = encode_png(np.full((9, 7, 3), 200, np.uint8))
RUN = "20260101-000000-first"


pytestmark = pytest.mark.usefixtures("empty_folders")


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=[Mount("/api", app=api_module.api)]),
                      raise_server_exceptions=False)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineClient]:
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    made = EngineClient((sys.executable, stub_engine.__file__, str(tmp_path / "log")))
    monkeypatch.setattr(api_module, "shared_engine", lambda: made)
    yield made
    made.close()


def make_run(tmp_path: Path, **status: Any) -> RunFolder:
    folder = RunFolder(tmp_path / "runs" / RUN)
    folder.path.mkdir(parents=True)
    folder.write_config(RunConfig("digits", "base", "first", epochs=4), "the command")
    folder.write_status(Status(created=time.time(), **status))
    return folder


def assert_problem(response: Any, status: int, expected: str = "") -> dict[str, Any]:
    """The answer is an RFC 9457 problem with a hint; return it."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert set(body) == {"type", "title", "status", "detail", "hint"}
    assert body["status"] == status
    assert body["detail"]
    assert body["hint"]
    kind = body["type"].removeprefix("/api/docs#")
    assert KINDS[kind].status == status
    assert kind == expected or not expected
    return body


def post(client: TestClient, content: Any = PNG, kind: str = "image/png", **query: Any) -> Any:
    return client.post("/api/predict", content=content, headers={"content-type": kind},
                       params=query)


# Reading


def test_health_says_whether_the_engine_is_warm(client: TestClient, engine: EngineClient) -> None:
    assert client.get("/api/health").json() == {"status": "ok", "engine_ready": False}
    engine.call({"op": "ready"})
    assert client.get("/api/health").json() == {"status": "ok", "engine_ready": True}


def test_models_are_listed_with_the_damaged_ones(client: TestClient) -> None:
    write_model("good")
    (write_model("bad") / "card.json").write_text("{")
    listed = {model["name"]: model for model in client.get("/api/models").json()["models"]}
    assert listed["good"]["test_accuracy"] == 0.75
    assert listed["good"]["error"] is None
    assert "card.json" in listed["bad"]["error"]


def test_averaged_accuracy_and_calibration_are_told_or_null(client: TestClient) -> None:
    write_model("new", averaged_test_accuracy=0.8, calibration_error=0.01, sittings=2,
                calibration_error_before=0.04, temperature=1.3)
    write_model("old")
    listed = {model["name"]: model for model in client.get("/api/models").json()["models"]}
    assert (listed["new"]["averaged_test_accuracy"], listed["new"]["calibration_error"]) == (
        0.8, 0.01)
    assert (listed["old"]["averaged_test_accuracy"], listed["old"]["calibration_error"]) == (
        None, None)
    one = client.get("/api/models/new").json()
    assert (one["temperature"], one["calibration_error_before"], one["sittings"]) == (1.3, 0.04, 2)


def test_one_model_is_shown_with_its_classes(client: TestClient) -> None:
    write_model("good")
    assert client.get("/api/models/good").json()["class_names"] == ["ant", "bee", "cat"]


@pytest.mark.parametrize(("path", "status", "kind"), [
    ("/api/models/nope", 404, "not-found"), ("/api/runs/nope", 404, "not-found"),
    ("/api/models/..%2f..%2fetc", 404, ""), ("/api/models/NO", 400, "bad-input"),
    ("/api/nope", 404, ""), ("/api/", 404, ""), ("/api/models/a/b", 404, ""),
])
def test_what_does_not_exist_is_a_problem_in_words(
    client: TestClient, path: str, status: int, kind: str
) -> None:
    assert_problem(client.get(path), status, kind)


def test_a_wrong_method_names_the_right_one(client: TestClient) -> None:
    response = client.get("/api/predict")
    assert assert_problem(response, 405)["detail"] == "/api/predict answers POST, not GET."
    assert response.headers["allow"] == "POST"


def test_a_run_is_shown_with_its_last_epoch(client: TestClient, tmp_path: Path) -> None:
    folder = make_run(tmp_path, state="finished", epoch=2, best_epoch=1, best_val_accuracy=0.5,
                      model="first", test_accuracy=0.9, test_loss=0.3, test_n=10)
    for epoch in (1, 2):
        tell(folder, EpochEvent(epoch, 0.5, 0.8, float("nan"), 0.7, 0.001, 99.0, 1.0, True))
    run = client.get(f"/api/runs/{RUN}").json()
    assert (run["state"], run["name"], run["epochs"], run["epochs_asked"]) == (
        "finished", "first", 2, 4)
    assert run["last_epoch"]["epoch"] == 2
    assert run["last_epoch"]["val_loss"] is None  # JSON has no word for "not a number"
    assert run["config"]["epochs"] == 4
    listed, = client.get("/api/runs").json()["runs"]
    assert listed["test_accuracy"] == 0.9


def test_a_run_before_its_first_epoch_and_a_damaged_one_are_listed(
    client: TestClient, tmp_path: Path
) -> None:
    make_run(tmp_path)
    (tmp_path / "runs" / "broken").mkdir()
    runs = {run["run"]: run for run in client.get("/api/runs").json()["runs"]}
    assert runs[RUN]["state"] == "starting"
    assert runs[RUN]["test_accuracy"] is None
    assert "config.json" in runs["broken"]["error"]
    assert client.get(f"/api/runs/{RUN}").json()["last_epoch"] is None


def test_an_architecture_comes_with_the_settings_it_is_meant_for(client: TestClient) -> None:
    listed = client.get("/api/architectures").json()["architectures"]
    recipes = {item["name"]: item["recipe"] for item in listed}
    assert recipes["base"] == {}
    assert recipes["augmented"] == {
        "augmentation": {"rotation": 5, "shift": 0.1, "flip": True, "cutout": 0.0}}
    assert recipes["speedrun"]["optimizer"] == "muon"


def test_data_sets_and_architectures_are_listed(client: TestClient) -> None:
    datasets = {item["name"]: item for item in client.get("/api/datasets").json()["datasets"]}
    assert datasets["digits"]["available"] is True
    names = [item["name"] for item in client.get("/api/architectures").json()["architectures"]]
    assert {"dense", "base", "tf-nn"} <= set(names)


# Predicting


@pytest.mark.parametrize("kind", ["image/png", "image/x-anything", "application/octet-stream",
                                  "IMAGE/PNG; charset=binary"])
def test_a_picture_is_classified(client: TestClient, engine: EngineClient, kind: str) -> None:
    write_model("first")
    response = post(client, kind=kind, top=2)
    assert response.status_code == 200
    assert response.json() == {"model": "first", "source": "upload", "top": [
        {"class": "ant", "probability": 0.75}, {"class": "bee", "probability": 0.125}],
        "unlike": False, "novelty": 0.4}


def test_the_model_can_be_chosen_and_three_classes_are_the_default(
    client: TestClient, engine: EngineClient
) -> None:
    write_model("best", test_accuracy=0.9)
    write_model("other", test_accuracy=0.5, class_names=["a", "b", "c", "d", "e"])
    assert post(client).json()["model"] == "best"
    answer = post(client, model="other").json()
    assert [item["class"] for item in answer["top"]] == ["a", "b", "c"]


def test_views_are_averaged_only_when_asked(client: TestClient, engine: EngineClient) -> None:
    write_model("first")
    for query, first in (({}, 0.75), ({"average": "false"}, 0.75), ({"average": "true"}, 0.5)):
        assert post(client, **query).json()["top"][0]["probability"] == first
    problem = assert_problem(post(client, average="perhaps"), 400, "bad-input")
    assert "average" in problem["detail"]


def test_a_link_is_fetched_and_classified(
    client: TestClient, engine: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model("first")
    asked: list[str] = []
    monkeypatch.setattr(api_module, "fetch_image_bytes", lambda url: asked.append(url) or PNG)
    answer = client.post("/api/predict", json={"url": "https://example.com/a.png"}).json()
    assert answer["source"] == "https://example.com/a.png" == asked[0]
    assert answer["top"][0]["class"] == "ant"


@pytest.mark.parametrize(("url", "status", "kind"), [
    ("http://127.0.0.1:8501/x.png", 403, "refused"), ("http://[::1]/x.png", 403, "refused"),
    ("file:///etc/passwd", 403, "refused"), ("cat.jpg", 400, "bad-input"), ("", 400, "bad-input"),
])
def test_a_link_that_is_unsafe_or_none_is_refused(
    client: TestClient, engine: EngineClient, url: str, status: int, kind: str
) -> None:
    write_model("first")
    assert_problem(client.post("/api/predict", json={"url": url}), status, kind)


def test_a_link_that_cannot_be_fetched_is_not_a_failure_of_this_server(
    client: TestClient, engine: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model("first")
    error = Unavailable("The host cannot be found.", "Check the link.")
    monkeypatch.setattr(api_module, "fetch_image_bytes", lambda _: (_ for _ in ()).throw(error))
    response = client.post("/api/predict", json={"url": "https://example.com/a.png"})
    assert assert_problem(response, 424, "link-failed")["detail"] == error.message


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"3", b'"url"', b"{}", b'{"url": 3}', b'{"url": null}', b"\xff",
    b"[" * 10_000, b'{"url": ["\\ud800"]}',
])
def test_json_without_a_link_is_bad_input(client: TestClient, body: bytes) -> None:
    assert_problem(post(client, body, "application/json"), 400, "bad-input")


@pytest.mark.parametrize("kind", [
    "application/x-www-form-urlencoded", "text/plain", "", "application/jsonp"])
def test_what_is_neither_picture_form_nor_link_is_refused(client: TestClient, kind: str) -> None:
    assert_problem(post(client, kind=kind), 415)


def test_a_request_without_content_type_is_refused(client: TestClient) -> None:
    assert_problem(client.post("/api/predict", content=PNG), 415)


@pytest.mark.parametrize(("size", "kind"), [
    (MAX_BYTES + 1, "image/png"), (17 * 1024, "application/json")])
def test_a_body_that_is_too_large_is_not_read_to_its_end(
    client: TestClient, size: int, kind: str
) -> None:
    assert_problem(post(client, b" " * size, kind), 413)
    received = 0

    async def receive() -> dict[str, Any]:  # of undeclared length and without end
        nonlocal received
        received += 1000
        return {"type": "http.request", "body": b" " * 1000, "more_body": True}

    scope = {"type": "http", "headers": [(b"content-type", kind.encode())]}
    with pytest.raises(HTTPException):
        asyncio.run(anext(read_pictures(Request(scope, receive))))
    assert received <= size + 1000


def test_a_size_that_is_declared_too_large_is_refused_before_anything_is_read() -> None:
    async def receive() -> dict[str, Any]:
        raise AssertionError("read")

    headers = [(b"content-type", b"image/png"), (b"content-length", b"1073741824")]
    with pytest.raises(HTTPException) as caught:
        asyncio.run(anext(read_pictures(Request({"type": "http", "headers": headers}, receive))))
    assert (caught.value.status_code, caught.value.headers) == (413, {"Connection": "close"})


@pytest.mark.parametrize("how", ["crop", "fit", "stretch"])
def test_the_way_to_the_right_size_can_be_chosen(
    client: TestClient, engine: EngineClient, tmp_path: Path, how: str
) -> None:
    write_model("first")
    assert post(client, how=how).status_code == 200
    assert json.loads((tmp_path / "log").read_text().splitlines()[-1])["how"] == how
    assert "how" in assert_problem(post(client, how="squeeze"), 400, "bad-input")["detail"]


# Forms


def files(*contents: bytes) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("file", (f"{n}.png", content, "image/png")) for n, content in enumerate(contents)]


def test_the_files_of_a_form_are_answered_in_their_order(
    client: TestClient, engine: EngineClient, tmp_path: Path
) -> None:
    write_model("first")
    reply = client.post("/api/predict?top=1", files=files(PNG, b"hello", PNG)).json()
    assert reply["model"] == "first"
    assert [one["source"] for one in reply["results"]] == ["0.png", "1.png", "2.png"]
    good, bad, last = reply["results"]
    assert good["top"] == last["top"] == [{"class": "ant", "probability": 0.75}]
    assert set(bad) == {"source", "error"}
    assert bad["error"]["type"] == "/api/docs#bad-input"
    asked = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [header["op"] for header in asked].count("predict") == 1  # together


def test_one_file_of_a_form_has_a_list_of_one_result(
    client: TestClient, engine: EngineClient
) -> None:
    write_model("first")
    (only,) = client.post("/api/predict", files=files(PNG)).json()["results"]
    assert only["top"][0]["class"] == "ant"


def test_a_form_with_a_field_that_is_no_file_or_without_any_is_bad_input(
    client: TestClient, engine: EngineClient
) -> None:
    write_model("first")
    both = client.post("/api/predict", files=files(PNG), data={"url": "https://example.com"})
    assert "'url'" in assert_problem(both, 400, "bad-input")["detail"]
    nothing = post(client, b"--x--\r\n", "multipart/form-data; boundary=x")
    assert "no file" in assert_problem(nothing, 400, "bad-input")["detail"]


@pytest.mark.parametrize(("body", "kind"), [
    (b"", "multipart/form-data"), (b"--y\r\n", "multipart/form-data; boundary=x"),
    (b"--x\r\nno header\r\n\r\n", "multipart/form-data; boundary=x"),
    (b"--x\r\n" * 9, "multipart/form-data; boundary="),
])
def test_a_form_that_is_damaged_is_bad_input(client: TestClient, body: bytes, kind: str) -> None:
    assert_problem(post(client, body, kind), 400, "bad-input")


def test_too_many_files_are_bad_input_and_too_many_bytes_too_large(client: TestClient) -> None:
    many = client.post("/api/predict", files=files(*[b"x"] * (MOST_FILES + 1)))
    assert_problem(many, 400, "bad-input")
    large = client.post("/api/predict", files=files(bytes(LARGEST_BODY)))
    assert_problem(large, 413, "too-large")


def test_a_form_of_undeclared_length_is_read_no_further_than_is_allowed() -> None:
    received = 0

    async def receive() -> dict[str, Any]:
        nonlocal received
        start = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        body = bytes(2**20) if received else start
        received += len(body)
        return {"type": "http.request", "body": body, "more_body": True}

    scope = {"type": "http", "headers": [(b"content-type", b"multipart/form-data; boundary=x")]}
    with pytest.raises(HTTPException) as caught:
        asyncio.run(anext(read_pictures(Request(scope, receive))))
    assert caught.value.status_code == 413
    assert received <= LARGEST_BODY + 2**20 + 100


@pytest.mark.parametrize(("content", "words"), [
    (b"", "empty"), (b"hello", "text file"), (PNG[:50], "damaged")])
def test_what_is_no_picture_is_bad_input_and_the_next_one_works(
    client: TestClient, engine: EngineClient, content: bytes, words: str
) -> None:
    write_model("first")
    assert words in assert_problem(post(client, content), 400, "bad-input")["detail"]
    assert post(client).status_code == 200


@pytest.mark.parametrize("top", [0, -1, "many"])
def test_an_impossible_number_of_classes_is_bad_input(client: TestClient, top: Any) -> None:
    assert "top" in assert_problem(post(client, top=top), 400, "bad-input")["detail"]


@pytest.mark.parametrize(("parameters", "words"), [
    ({"top": 0}, "top must be at least 1. Received: '0'."),
    ({"top": "many"}, "top must be a whole number. Received: 'many'."),
    ({"how": "squash"}, "how must be one of crop, fit, stretch. Received: 'squash'."),
    ({"average": "maybe"}, "average must be true or false. Received: 'maybe'.")])
def test_a_wrong_parameter_is_told_with_what_it_may_be(
    client: TestClient, parameters: dict[str, Any], words: str
) -> None:
    assert assert_problem(post(client, **parameters), 400, "bad-input")["detail"] == words


def test_without_any_model_the_hint_says_how_to_get_one(
    client: TestClient, engine: EngineClient
) -> None:
    assert "train" in assert_problem(post(client), 404, "not-found")["hint"]
    assert_problem(post(client, model="nope"), 404, "not-found")


@pytest.mark.parametrize(("error", "status", "kind"), [
    (Unavailable("The engine died.", "Wait."), 503, "unavailable"),
    (Damaged("The file is broken.", "Restore it."), 500, "damaged"),
    (CnnError("It failed.", "Try again."), 500, "error"),
    (type("Odd", (CnnError,), {"kind": "odd"})("It is odd.", "Try again."), 500, "error"),
])
def test_each_kind_of_error_has_its_status(
    client: TestClient, engine: EngineClient, monkeypatch: pytest.MonkeyPatch,
    error: CnnError, status: int, kind: str
) -> None:
    write_model("first")
    monkeypatch.setattr(engine, "predict", lambda *_, **__: (_ for _ in ()).throw(error))
    problem = assert_problem(post(client), status, kind)
    assert (problem["detail"], problem["hint"]) == (error.message, error.hint)


def test_what_nobody_expected_is_a_problem_without_inner_details(
    client: TestClient, engine: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model("first")
    monkeypatch.setattr(engine, "predict", lambda *_, **__: 1 / 0)
    problem = assert_problem(post(client), 500)
    assert "ZeroDivision" not in json.dumps(problem)


# Documentation


def test_the_documentation_names_every_path_and_loads_nothing(client: TestClient) -> None:
    page = client.get("/api/docs")
    assert page.headers["content-type"].startswith("text/html")
    for path in client.get("/api/openapi.json").json()["paths"]:
        assert path in page.text
    for kind in KINDS:
        assert f'id="{kind}"' in page.text
    assert "http://testserver/api/predict" in page.text
    for words in ("--data-binary @cat.jpg", "-F file=@cat.jpg", "requests.post", "Bearer"):
        assert words in page.text
    average = page.text.partition("<code>average</code> (boolean, query)")[2].partition("</dd>")[0]
    assert average.endswith("Default: false.")
    assert not [word for word in ("<script", "<link", "src=", "@import") if word in page.text]


def test_a_hostile_host_header_cannot_put_tags_into_the_documentation(client: TestClient) -> None:
    page = client.get("/api/docs", headers={"host": 'a"><script>x</script>'})
    assert "<script" not in page.text


def test_the_schema_describes_bodies_and_problems(client: TestClient) -> None:
    operation = client.get("/api/openapi.json").json()["paths"]["/predict"]["post"]
    assert set(operation["requestBody"]["content"]) == {
        "image/*", "application/octet-stream", "multipart/form-data", "application/json"}
    assert "application/problem+json" in operation["responses"]["default"]["content"]
    assert "422" not in operation["responses"]


def test_the_api_is_imported_without_heavy_libraries() -> None:
    code = ("import sys, cnn.api; print(*{'tensorflow', 'keras', 'sklearn', 'scipy', 'pandas', "
            "'matplotlib', 'seaborn'} & set(sys.modules))")
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True,
                          check=True)
    assert done.stdout.strip() == ""
