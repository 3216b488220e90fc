"""The page that documents the API, made from its OpenAPI schema.

One HTML page without scripts and without anything from other servers: classrooms are often offline.
Knows the form of a schema, not what the paths do.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from cnn.errors import BadInput, CnnError, Damaged, NotFound, Refused, Unavailable

_LINK = {"type": "object", "required": ["url"], "properties": {"url": {
    "type": "string", "description": "http or https link to a picture on the public internet"}}}
_BYTES = {"schema": {"type": "string", "format": "binary"}}
PREDICT_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {
        "image/*": _BYTES, "application/octet-stream": _BYTES,
        "application/json": {"schema": _LINK, "example": {"url": "https://example.com/cat.jpg"}}}},
    "x-codeSamples": [
        {"lang": "Shell", "source": 'curl --data-binary @cat.jpg -H "Content-Type: image/jpeg" '
                                    '"{base}/predict?top=3"'},
        {"lang": "Shell", "source": 'curl --json \'{"url": "https://example.com/cat.jpg"}\' '
                                    "{base}/predict"}],
}
PROBLEM: dict[str, Any] = {
    "description": "Any error, with a hint.",
    "content": {"application/problem+json": {"schema": {
        "type": "object", "properties": {
            "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
            "detail": {"type": "string"}, "hint": {"type": "string"}}}}}}
KINDS = {  # of error: HTTP status and meaning; the kind is the anchor that an error's `type` names
    BadInput.kind: (400, "A value, file or picture that cannot be used as it is."),
    Refused.kind: (403, "Something that is not safe, such as a link to a private address."),
    NotFound.kind: (404, "A name that does not exist."),
    Damaged.kind: (500, "A file of this server is there but cannot be read."),
    Unavailable.kind: (503, "Something outside is missing now: network, disk space, the engine."),
    CnnError.kind: (500, "Another expected failure."),
}
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; border-top: 1px solid #8884; padding-top: 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { background: #8882; padding: .7rem; border-radius: .4rem; white-space: pre-wrap; }
dt { font-weight: 600; } dd { margin: 0 0 .5rem 1.2rem; }
"""


def docs_page(schema: dict[str, Any], base: str) -> str:
    """Return the documentation as HTML.

    Args:
        schema: OpenAPI, as FastAPI makes it.
        base: Address that the paths are relative to, for the examples.
    """
    info = schema["info"]
    operations = "".join(
        _operation(method, path, operation, base)
        for path, methods in schema["paths"].items() for method, operation in methods.items())
    kinds = "".join(
        f'<dt id="{kind}"><code>{kind}</code> ({status})</dt><dd>{escape(text)}</dd>'
        for kind, (status, text) in KINDS.items())
    title = f"{escape(info['title'])} API"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1><p>{escape(info['description'])} "
        f'For programs: <a href="{escape(base)}/openapi.json">openapi.json</a>.</p>'
        f'{operations}<h2 id="errors">Errors</h2><p>An error is <code>application/problem+json'
        "</code> with <code>type</code>, <code>title</code>, <code>status</code>, "
        f"<code>detail</code> and <code>hint</code>. Its type is one of:</p><dl>{kinds}</dl>"
        "</body></html>")


def _operation(method: str, path: str, operation: dict[str, Any], base: str) -> str:
    parameters = "".join(_parameter(parameter) for parameter in operation.get("parameters", ()))
    bodies = ", ".join(operation.get("requestBody", {}).get("content", {}))
    body = f"<p>Body: <code>{escape(bodies)}</code></p>" if bodies else ""
    samples = [sample["source"].replace("{base}", base)
               for sample in operation.get("x-codeSamples", ())] or [f"curl {base}{path}"]
    description = re.sub(r"`(.+?)`", r"<code>\1</code>", escape(operation["description"]))
    description = description.replace("\n\n", "</p><p>")
    return (
        f"<h2>{escape(operation['summary'])}</h2>"
        f"<p><code><b>{method.upper()}</b> {escape(path)}</code></p><p>{description}</p>{body}"
        + (f"<dl>{parameters}</dl>" if parameters else "")
        + f"<pre>{escape(chr(10).join(samples))}</pre>")


def _parameter(parameter: dict[str, Any]) -> str:
    schema = parameter["schema"]
    default = schema.get("default")
    default = f" Default: {json.dumps(default)}." if default not in (None, "") else ""
    about = f"{parameter.get('description', '')}{default}".strip()
    return (f"<dt><code>{escape(parameter['name'])}</code> ({escape(schema['type'])}, "
            f"{escape(parameter['in'])})</dt><dd>{escape(about)}</dd>")
