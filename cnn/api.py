"""The HTTP API: models, runs and data as JSON, and predictions for pictures and links.

`api` is a FastAPI application that the dashboard mounts at /api in its own server, behind
`cnn.api_guard`. It never imports TensorFlow: pictures go to the prediction engine, the child
process that the pages use as well. Every failure is `application/problem+json` with a hint, of a
kind in `cnn.api_problems`. Knows nothing of pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from cnn.api_docs import ANSWER, PREDICT_BODY, PROBLEMS, docs_page
from cnn.api_pictures import Asked, Picture, read_pictures
from cnn.api_problems import MEDIA_TYPE, LinkFailed, Problem, kind_of_status, problem_of
from cnn.api_records import (
    Record,
    answer_record,
    architectures_record,
    card_record,
    datasets_record,
    models_record,
    run_detail,
    runs_record,
)
from cnn.data.images import RESIZE_WAYS
from cnn.data.urls import fetch_image_bytes
from cnn.errors import BadInput, CnnError, Unavailable
from cnn.prediction.choice import default_model
from cnn.prediction.client import Prediction, shared_engine
from cnn.prediction.saved import read_card
from cnn.runs.manager import get_run

# Slow links leave threads for pictures, and both leave the usual ones for what only reads files.
_FETCHING = CapacityLimiter(8)
_ASKING = CapacityLimiter(64)

api = FastAPI(
    title="CNN Studio", version="1", docs_url=None, redoc_url=None, responses=PROBLEMS,
    description="Use saved models from your own programs, and see what is being trained.")


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
def model(name: Annotated[str, Path(description="As in the list of models.")]) -> Record:
    """Return everything that is known of a model: classes, test results, settings, versions."""
    return card_record(name, read_card(name))


@api.get("/runs", summary="All training runs")
def runs() -> Record:
    """List training runs with state and results, newest first."""
    return runs_record()


@api.get("/runs/{run}", summary="One training run")
def one_run(run: Annotated[str, Path(description="As in the list of runs.")]) -> Record:
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


@api.post("/predict", summary="What pictures show", openapi_extra=PREDICT_BODY, responses=ANSWER)
async def predict(
    request: Request,
    asked: Annotated[Asked, Depends(read_pictures)],
    model: Annotated[str, Query(description="Name of a saved model. Default: the best one for "
                                            "everyday pictures, else the best of any.")] = "",
    top: Annotated[int, Query(ge=1, description="How many classes to return.")] = 3,
    how: Annotated[str | None, Query(
        pattern=f"^({'|'.join(RESIZE_WAYS)})$",
        description="How a picture is brought to the network's size: "
                    + ", ".join(RESIZE_WAYS) + ". Default: as the model's card says.")] = None,
    average: Annotated[bool, Query(description=(
        "Whether to average over views of the picture: moved by one pixel, and mirrored where the "
        "model learned from mirrored images. Three or six times the work; what it gains is the "
        "model's averaged_test_accuracy against its test_accuracy."
    ))] = False,
) -> Record:
    """Return the most probable classes of each picture, best first.

    A picture as the body, or a link, has one answer: `model`, `source` and `top`. The files of a
    form, up to 64, have `model` and `results`: one for each file in their order, with `top`, or
    with `error` where that file cannot be used.

    `novelty` is the share of the model's validation images that look less strange to it, null for
    a model that cannot tell. With `unlike` true, above 95 %, it probably shows none of the classes.
    """
    name = model or await to_thread.run_sync(default_model)
    data = [await _bytes_of(picture) for picture in asked.pictures]
    ask = partial(shared_engine().predict, name, data, how or "", average=average)
    predictions = await to_thread.run_sync(ask, limiter=_ASKING)
    if asked.form:
        root = request.scope.get("root_path", "")
        results = [_result(picture, prediction, top, root)
                   for picture, prediction in zip(asked.pictures, predictions, strict=True)]
        return {"model": name, "results": results}
    if predictions[0].error:
        raise predictions[0].error
    return {"model": name, **answer_record(asked.pictures[0].source, predictions[0], top)}


async def _bytes_of(picture: Picture) -> bytes:
    if not picture.is_link:
        return picture.data
    try:
        return await to_thread.run_sync(fetch_image_bytes, picture.source, limiter=_FETCHING)
    except Unavailable as error:  # over there, not here
        raise LinkFailed(error.message, error.hint) from error


def _result(picture: Picture, prediction: Prediction, top: int, root: str) -> Record:
    if prediction.error:
        return {"source": picture.source, "error": problem_of(prediction.error).body(root)}
    return answer_record(picture.source, prediction, top)


@api.get("/docs", include_in_schema=False)
def docs(request: Request) -> HTMLResponse:
    """Show the documentation; unlike FastAPI's own it loads nothing from the network."""
    base = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"
    return HTMLResponse(docs_page(api.openapi(), base))


def _told(request: Request, problem: Problem) -> Response:
    root = request.scope.get("root_path", "")
    return Response(problem.encoded(root), problem.code, dict(problem.headers), MEDIA_TYPE)


@api.exception_handler(CnnError)
def _expected(request: Request, error: CnnError) -> Response:
    return _told(request, problem_of(error))


@api.exception_handler(RequestValidationError)
def _bad_parameter(request: Request, error: RequestValidationError) -> Response:
    wrong = " ".join(map(_parameter_words, error.errors()))
    return _told(request, Problem(BadInput.kind, wrong, _see(request)))


def _parameter_words(item: Mapping[str, Any]) -> str:
    """Return in plain words what a parameter must be and was not."""
    rule = {
        "int_parsing": "a whole number", "bool_parsing": "true or false",
        "greater_than_equal": f"at least {item.get('ctx', {}).get('ge')}",
        "string_pattern_mismatch": f"one of {', '.join(RESIZE_WAYS)}"}.get(item["type"])
    name, received = item["loc"][-1], str(item["input"])[:40]
    return f"{name} must be {rule}. Received: {received!r}." if rule else \
        f"{name}: {item['msg']}."


def _see(request: Request) -> str:
    return f"See the documentation: {request.scope.get('root_path', '')}/docs"


@api.exception_handler(HTTPException)
def _http(request: Request, error: HTTPException) -> Response:
    headers = error.headers or {}
    words = {404: f"There is nothing at {request.url.path}.",
             405: f"{request.url.path} answers {headers.get('Allow')}, not {request.method}."}
    return _told(request, Problem(
        kind_of_status(error.status_code), words.get(error.status_code, error.detail),
        _see(request), headers, error.status_code))


@api.exception_handler(Exception)
def _unexpected(request: Request, error: Exception) -> Response:
    return _told(request, Problem(
        CnnError.kind, "The server failed in a way that nobody expected.",
        "Its terminal has the details. Please report this."))
