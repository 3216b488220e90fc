"""Downloads official files from fixed addresses and checks that they are what they should be.

Not for links that users give: those are fetched by `cnn.data.urls`, which guards against them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from cnn.data.progress import Progress
from cnn.errors import Unavailable
from cnn.files import atomic_path

_CONNECT_SECONDS = 10
_SILENCE_SECONDS = 30  # without a single byte
_MAX_BYTES = 2**30  # a server that never ends must not fill the disk


def download(urls: Sequence[str], target: Path, sha256: str, progress: Progress) -> None:
    """Download a file to `target` from the first of `urls` that delivers it whole.

    Args:
        urls: Addresses of the same file, the best first.
        target: Where to put it; nothing is there until the whole file is right.
        sha256: The hash of the file, in hexadecimal.
        progress: Called with the bytes received so far and in all (0 if unknown).

    Raises:
        Unavailable: If no address delivers this file, or the disk cannot take it.
    """
    import httpx2

    problems = []
    for url in urls:
        try:
            with atomic_path(target) as temporary:
                if _receive(url, temporary, progress) == sha256:
                    return
                raise ValueError("what came is not the official file")
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            problems.append(f"{url}: {reason}")
    raise Unavailable(
        f"{target.name} could not be downloaded ({'; '.join(problems)}).",
        f"Check the network and try again, or put the file into {target.parent} by hand "
        "(the folder that CNN_DATA_DIR names). The data set 'digits' needs no network.")


def _receive(url: str, target: Path, progress: Progress) -> str:
    """Write what `url` delivers to `target` and return its sha256."""
    import httpx2

    digest, done = hashlib.sha256(), 0
    what = f"Downloading {url.rsplit('/', 1)[-1]}"
    timeout = httpx2.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS)
    # Asked for and hashed as it is stored there: some servers offer to unpack a .gz on the way.
    with (target.open("wb") as file,
          httpx2.stream("GET", url, timeout=timeout, follow_redirects=True,
                        headers={"Accept-Encoding": "identity"}) as response):
        response.raise_for_status()
        total = int(response.headers.get("content-length", 0))
        for chunk in response.iter_raw(2**18):
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if done > _MAX_BYTES:
                raise ValueError("it is far too long")
            progress(what, done, total)
    return digest.hexdigest()
