"""The API against its own OpenAPI page: schemathesis invents requests and judges the answers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import stub_engine
from model_folders import write_model
from starlette.applications import Starlette
from starlette.routing import Mount

from cnn import api as api_module
from cnn.data.images import encode_png
from cnn.paths import PROJECT
from cnn.prediction.client import EngineClient

schemathesis = pytest.importorskip("schemathesis")
from hypothesis import strategies  # noqa: E402  comes with schemathesis

PNG = encode_png(np.full((9, 7, 3), 200, np.uint8))
# That bytes are a picture, and a link one to a picture, no schema can say: 400 and 424 are right.
SETTINGS: dict[str, Any] = {
    "request-timeout": 120,  # a computer that trains meanwhile is slow, not wrong
    "generation": {"max-examples": 15, "deterministic": True},
    "checks": {"positive_data_acceptance": {
        "expected-statuses": ["2xx", 400, 401, 403, 404, 424]}}}

for kind in ("image/*", "application/octet-stream"):
    schemathesis.openapi.media_type(kind, strategies.sampled_from([PNG, b"", b"no picture"]))


schema = schemathesis.openapi.from_asgi(
    "/api/openapi.json", Starlette(routes=[Mount("/api", app=api_module.api)]),
    config=schemathesis.Config.from_dict(SETTINGS))


@pytest.fixture(scope="module", autouse=True)
def one_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("contract")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("RUNS", "MODELS", "DATA"):
            patch.setenv(f"CNN_{name}_DIR", str(folder / name.lower()))
        patch.setenv("PYTHONPATH", str(PROJECT))
        write_model("first")
        engine = EngineClient((sys.executable, stub_engine.__file__, str(folder / "log")))
        engine.call({"op": "ready"})
        patch.setattr(api_module, "shared_engine", lambda: engine)
        patch.setattr(api_module, "fetch_image_bytes", lambda url: PNG)
        yield
        engine.close()


@schema.parametrize()
def test_every_answer_is_as_the_openapi_page_says(case: Any) -> None:
    case.call_and_validate()
