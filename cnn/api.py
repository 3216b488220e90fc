"""The HTTP API: models, runs and data as JSON, and predictions for pictures and links.

`api` is a FastAPI application that the dashboard mounts at /api in its own server. It never imports
TensorFlow: pictures go to the prediction engine, the child process that the pages use as well.
Every failure is `application/problem+json` (RFC 9457) with a hint. Knows nothing of pages.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException as AnyHTTPException

from cnn.api_docs import KINDS, PREDICT_BODY, PROBLEM, docs_page
from cnn.api_records import (
    Record,
    architectures_record,
    card_record,
    datasets_record,
    models_record,
    run_detail,
    runs_record,
)
from cnn.data.images import MAX_BYTES
from cnn.data.urls import fetch_image_bytes
from cnn.errors import BadInput, CnnError
from cnn.prediction.choice import default_model
from cnn.prediction.client import shared_engine
from cnn.prediction.saved import read_card
from cnn.runs.manager import get_run

LONGEST_LINK = 16 * 1024  # bytes of a JSON body

api = FastAPI(
    title="CNN Studio", version="1", docs_url=None, redoc_url=None, responses={"default": PROBLEM},
    description="Use saved models from your own programs, and see what is being trained.")


@dataclass(frozen=True)
class Picture:
    """What a request wants classified: the bytes of a picture, or a link to one."""

    data: bytes = b""
    url: str | None = None


async def read_picture(request: Request) -> Picture:
    """Return what the body of a request holds, reading no more of it than is allowed.

    A web form of another site can send neither of these content types without asking first, so no
    foreign page can use the API through a visitor's browser.

    Raises:
        HTTPException: 415 for another content type, 413 for a body that is too large.
        BadInput: If the JSON has no link.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return Picture(url=_link(await _read_body(request, LONGEST_LINK)))
    if kind.startswith("image/") or kind == "application/octet-stream":
        return Picture(await _read_body(request, MAX_BYTES))
    raise HTTPException(415, "Send a picture as image/* or application/octet-stream, or a link as "
                             f"application/json. Received: {kind[:80] or 'no content type'}.")


async def _read_body(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:  # the declared length may be missing or a lie
            raise HTTPException(413, f"The body is larger than {limit / 2**20:g} MB.")
    return bytes(body)


def _link(body: bytes) -> str:
    try:
        url = json.loads(body)["url"]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise BadInput("The body is not a JSON object with a url.",
                       'Send {"url": "https://..."}.') from error
    if not isinstance(url, str):
        raise BadInput(f"url must be text. Received: {str(url)[:80]}.",
                       'Send {"url": "https://..."}.')
    return url


@api.get("/health", summary="Whether the server works")
def health() -> Record:
    """Say that the server answers, and whether the prediction engine is warm.

    With `engine_ready` false the next prediction waits some seconds for TensorFlow to start.
    """
    return {"status": "ok", "engine_ready": shared_engine().ready}


@api.get("/models", summary="All saved models")
def models() -> Record:
    """List saved models, newest first; one that cannot be used has an `error`."""
    return models_record()


@api.get("/models/{name}", summary="One saved model")
def model(name: str) -> Record:
    """Return everything that is known of a model: classes, test results, settings, versions."""
    return card_record(name, read_card(name))


@api.get("/runs", summary="All training runs")
def runs() -> Record:
    """List training runs with state and results, newest first."""
    return runs_record()


@api.get("/runs/{run}", summary="One training run")
def one_run(run: str) -> Record:
    """Return a run with its settings, state and last finished epoch."""
    return run_detail(get_run(run))


@api.get("/datasets", summary="All data sets")
def datasets() -> Record:
    """List data sets; `available` says whether one needs no download."""
    return datasets_record()


@api.get("/architectures", summary="All architectures")
def architectures() -> Record:
    """List the networks that can be trained."""
    return architectures_record()


@api.post("/predict", summary="What a picture shows", openapi_extra=PREDICT_BODY)
def predict(
    picture: Annotated[Picture, Depends(read_picture)],
    model: Annotated[str, Query(description="Name of a saved model. Default: the best one for "
                                            "everyday pictures, else the best of any.")] = "",
    top: Annotated[int, Query(ge=1, description="How many classes to return.")] = 3,
    average: Annotated[bool, Query(description=(
        "Whether to average over views of the picture: moved by one pixel, and mirrored where the "
        "model learned from mirrored images. Three or six times the work; what it gains is the "
        "model's averaged_test_accuracy against its test_accuracy."
    ))] = False,
) -> Record:
    """Return the most probable classes of one picture, best first."""
    name = model or default_model()
    data = picture.data if picture.url is None else fetch_image_bytes(picture.url)
    prediction = shared_engine().predict(name, [data], average=average)[0]
    if prediction.error:
        raise prediction.error
    best = [{"class": label, "probability": share} for label, share in prediction.top[:top]]
    return {"model": name, "source": picture.url or "upload", "top": best}


@api.get("/docs", include_in_schema=False)
def docs(request: Request) -> HTMLResponse:
    """Show the documentation; unlike FastAPI's own it loads nothing from the network."""
    base = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"
    return HTMLResponse(docs_page(api.openapi(), base))


def _problem(
    request: Request, status: int, detail: str, hint: str = "", kind: str = ""
) -> JSONResponse:
    phrase = HTTPStatus(status).phrase
    return JSONResponse({
        "type": f"{request.scope.get('root_path', '')}/docs#{kind}" if kind else "about:blank",
        "title": kind.replace("-", " ").capitalize() or phrase,
        "status": status, "detail": detail, "hint": hint,
    }, status, media_type="application/problem+json")


@api.exception_handler(CnnError)
def _expected(request: Request, error: CnnError) -> Response:
    kind = error.kind if error.kind in KINDS else CnnError.kind
    return _problem(request, KINDS[kind][0], error.message, error.hint, kind)


@api.exception_handler(RequestValidationError)
def _bad_parameter(request: Request, error: RequestValidationError) -> Response:
    wrong = "; ".join(f"{item['loc'][-1]}: {item['msg']}" for item in error.errors())
    return _problem(request, 400, wrong, "See the documentation of this path.", BadInput.kind)


@api.exception_handler(AnyHTTPException)
def _http(request: Request, error: AnyHTTPException) -> Response:
    detail = error.detail
    if error.status_code == 404:
        detail = f"There is nothing at {request.url.path}."
    response = _problem(request, error.status_code, detail, "See the documentation: "
                        f"{request.scope.get('root_path', '')}/docs")
    response.headers.update(error.headers or {})  # Allow, for a wrong method
    return response


@api.exception_handler(Exception)
def _unexpected(request: Request, error: Exception) -> Response:
    return _problem(request, 500, "The server failed in a way that nobody expected.",
                    "Its terminal has the details. Please report this.")
