"""The page that documents the API, made from its OpenAPI schema.

One HTML page without scripts and without anything from other servers: classrooms are often offline.
Knows the form of a schema, not what the paths do.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from cnn.api_guard import LARGEST_BODY, USUAL_RATE
from cnn.api_pictures import FORM, MOST_FILES
from cnn.api_problems import KINDS, MEDIA_TYPE, SCHEMA
from cnn.data.images import MAX_BYTES

_LINK = {"type": "object", "required": ["url"], "properties": {"url": {
    "type": "string", "description": "http or https link to a picture on the public internet"}}}
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_FILES = {"schema": {"type": "object", "required": ["file"], "additionalProperties": False,
                     "properties": {"file": {"type": "array", "minItems": 1, "maxItems": MOST_FILES,
                                             "items": {"type": "string", "format": "binary"}}}}}
PREDICT_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {
        "image/*": _BYTES, "application/octet-stream": _BYTES, FORM: _FILES,
        "application/json": {"schema": _LINK, "example": {"url": "https://example.com/cat.jpg"}}}},
    "x-codeSamples": [
        {"lang": "Shell", "label": "A picture", "source":
            'curl -H "Content-Type: image/jpeg" --data-binary @cat.jpg "{base}/predict?top=3"'},
        {"lang": "Shell", "label": "Several pictures", "source":
            'curl -F file=@cat.jpg -F file=@dog.jpg "{base}/predict?how=fit"'},
        {"lang": "Shell", "label": "A link", "source":
            'curl -H "Content-Type: application/json" '
            """-d '{"url": "https://example.com/cat.jpg"}' "{base}/predict\""""},
        {"lang": "Python", "label": "A picture", "source": """\
import requests

with open("cat.jpg", "rb") as file:
    reply = requests.post("{base}/predict", params={"top": 3}, data=file,
                          headers={"Content-Type": "image/jpeg"})
print(reply.json()["top"])"""},
        {"lang": "Python", "label": "Several pictures", "source": """\
import requests

files = [("file", open(name, "rb")) for name in ("cat.jpg", "dog.jpg")]
reply = requests.post("{base}/predict", files=files)
for result in reply.json()["results"]:
    print(result["source"], result.get("top") or result["error"]["detail"])"""},
        {"lang": "Python", "label": "A link", "source": """\
import requests

reply = requests.post("{base}/predict", json={"url": "https://example.com/cat.jpg"})
print(reply.json()["top"])"""},
    ],
}
_TOP = {"type": "array", "items": {
    "type": "object", "required": ["class", "probability"], "properties": {
        "class": {"type": "string"},
        "probability": {"type": "number", "minimum": 0, "maximum": 1}}}}
_ONE: dict[str, Any] = {
    "type": "object", "required": ["source", "top", "unlike", "novelty"],
    "properties": {"source": {"type": "string"}, "top": _TOP, "unlike": {"type": "boolean"},
                   "novelty": {"type": ["number", "null"], "minimum": 0, "maximum": 1}}}
_FAILED = {"type": "object", "required": ["source", "error"],
           "properties": {"source": {"type": "string"}, "error": SCHEMA}}
ANSWER: dict[int | str, dict[str, Any]] = {200: {
    "description": "The answers: for a form with `results`, else of the one picture.",
    "content": {"application/json": {"schema": {
        "type": "object", "required": ["model"], "properties": {
            "model": {"type": "string"}, **_ONE["properties"],
            "results": {"type": "array", "items": {"anyOf": [_ONE, _FAILED]}}},
        "anyOf": [{"required": _ONE["required"]}, {"required": ["results"]}]}}}}}
PROBLEMS: dict[int | str, dict[str, Any]] = {"default": {
    "description": "Any error, with a hint.", "content": {MEDIA_TYPE: {"schema": SCHEMA}}}}
_ELSEWHERE = """
<h2 id="elsewhere">From other computers</h2><p>The dashboard listens on this computer only. Where it
is started for a network, the API needs a token: start the server with <code>CNN_API_TOKEN</code> in
its environment, and send it with each request:</p>
<pre>export CNN_API_TOKEN=$(openssl rand -hex 16)
streamlit run dashboard.py --server.address 0.0.0.0
curl -H "Authorization: Bearer $CNN_API_TOKEN" "{base}/models"</pre>
<pre>import requests

reply = requests.get("{base}/models", headers={"Authorization": "Bearer TOKEN"})</pre>
<p>If the variable is set, the token is needed on this computer too. Without one, use the name
<code>localhost</code>. Pages of other sites are refused. One client may send {rate} requests a
second (<code>CNN_API_RATE</code> changes that); a picture may have {picture} MB, a request {body}
MB.</p>
"""
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; border-top: 1px solid #8884; padding-top: 1rem; }
h3 { font-size: .9rem; margin: 1rem 0 .3rem; }
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
        f'<dt id="{name}"><code>{name}</code> ({kind.status})</dt><dd>{escape(kind.meaning)}</dd>'
        for name, kind in KINDS.items())
    title = f"{escape(info['title'])} API"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1><p>{escape(info['description'])} "
        f'For programs: <a href="{escape(base)}/openapi.json">openapi.json</a>.</p>'
        f'{operations}{_elsewhere(base)}<h2 id="errors">Errors</h2>'
        "<p>An error is <code>application/problem+json"
        "</code> with <code>type</code>, <code>title</code>, <code>status</code>, "
        f"<code>detail</code> and <code>hint</code>. Its type is one of:</p><dl>{kinds}</dl>"
        "</body></html>")


def _elsewhere(base: str) -> str:
    values = {"base": escape(base), "rate": f"{USUAL_RATE:g}", "picture": MAX_BYTES >> 20,
              "body": LARGEST_BODY >> 20}
    return re.sub(r"\{(base|rate|picture|body)\}", lambda found: str(values[found[1]]), _ELSEWHERE)


def _operation(method: str, path: str, operation: dict[str, Any], base: str) -> str:
    parameters = "".join(_parameter(parameter) for parameter in operation.get("parameters", ()))
    bodies = ", ".join(operation.get("requestBody", {}).get("content", {}))
    body = f"<p>Body: <code>{escape(bodies)}</code></p>" if bodies else ""
    samples = "".join(_sample(sample["source"], base, f"{sample['label']}, {sample['lang']}")
                      for sample in operation.get("x-codeSamples", ())) or "".join((
        _sample(f'curl "{{base}}{path}"', base),
        _sample(f'import requests\n\nprint(requests.get("{{base}}{path}").json())', base)))
    description = re.sub(r"`(.+?)`", r"<code>\1</code>", escape(operation["description"]))
    description = description.replace("\n\n", "</p><p>")
    return (
        f"<h2>{escape(operation['summary'])}</h2>"
        f"<p><code><b>{method.upper()}</b> {escape(path)}</code></p><p>{description}</p>{body}"
        + (f"<dl>{parameters}</dl>" if parameters else "")
        + samples)


def _sample(source: str, base: str, label: str = "") -> str:
    title = f"<h3>{escape(label)}</h3>" if label else ""
    return f'{title}<pre>{escape(source.replace("{base}", base))}</pre>'


def _parameter(parameter: dict[str, Any]) -> str:
    schema = parameter["schema"]
    schema = next((one for one in schema.get("anyOf", ()) if one["type"] != "null"), schema)
    default = schema.get("default")
    default = f" Default: {json.dumps(default)}." if default not in (None, "") else ""
    about = f"{parameter.get('description', '')}{default}".strip()
    return (f"<dt><code>{escape(parameter['name'])}</code> ({escape(schema['type'])}, "
            f"{escape(parameter['in'])})</dt><dd>{escape(about)}</dd>")
