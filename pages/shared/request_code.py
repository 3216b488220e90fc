"""The same question as a request to the HTTP API, to copy: for curl and for Python."""

from __future__ import annotations

import json
import os
from shlex import quote
from urllib.parse import urlencode, urlsplit

import streamlit as st

from cnn.api_guard import TOKEN
from cnn.data.kinds import kind_of
from cnn.errors import CnnError
from pages.shared.picture_sources import Picture


def draw_request(picture: Picture, data: bytes, model: str, how: str, average: bool) -> None:
    """Show the request that gives this answer, behind a button."""
    with st.popover("As a request", icon=":material/code:", type="tertiary", width="content"):
        st.caption("This very question, asked by a program. The page "
                   "[/api/docs](/api/docs) has all about it.")
        address = f"{api_address(st.context.url)}/predict"
        asked = {"model": model, "how": how, **({"average": "true"} if average else {})}
        st.code(as_curl(picture, data, address, asked), language="bash", wrap_lines=True)
        st.code(as_python(picture, data, address, asked), language="python", wrap_lines=True)


def api_address(page: str | None) -> str:
    """Return the address of the API beside a page of the dashboard."""
    parts = urlsplit(page or "http://localhost:8501/predict")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rsplit('/', 1)[0]}/api"


def as_curl(picture: Picture, data: bytes, address: str, asked: dict[str, str]) -> str:
    """Return the request as a command for a shell."""
    token = f' -H "Authorization: Bearer ${TOKEN}"' if os.environ.get(TOKEN) else ""
    if picture.is_link:
        body = ("-H 'Content-Type: application/json' "
                f"-d {quote(json.dumps({'url': picture.source}))}")
    else:
        body = (f"-H {quote(f'Content-Type: {_media_type(data)}')} "
                f"--data-binary {quote('@' + _file_name(picture))}")
    return f"curl{token} {body} \\\n  {quote(f'{address}?{urlencode(asked)}')}"


def as_python(picture: Picture, data: bytes, address: str, asked: dict[str, str]) -> str:
    """Return the request as a small program that needs the package `requests`."""
    secret = bool(os.environ.get(TOKEN))
    headers = [f'"Authorization": "Bearer " + os.environ["{TOKEN}"]'] if secret else []
    lines = ["import os\n\nimport requests\n" if secret else "import requests\n"]
    if picture.is_link:
        body = f'json={{"url": {picture.source!r}}}'
    else:
        headers.append(f'"Content-Type": "{_media_type(data)}"')
        lines.append(f'picture = open({_file_name(picture)!r}, "rb")')
        body = "data=picture"
    more = f",\n                      headers={{{', '.join(headers)}}}" if headers else ""
    lines += [f'reply = requests.post("{address}",\n                      params={asked!r},\n'
              f"                      {body}{more})",
              "reply.raise_for_status()", 'print(reply.json()["top"])']
    return "\n".join(lines)


def _file_name(picture: Picture) -> str:
    return "picture.png" if picture.kept else picture.source


def _media_type(data: bytes) -> str:
    try:
        return f"image/{kind_of(data).lower()}"
    except CnnError:  # such a picture has an error and no request
        return "application/octet-stream"
