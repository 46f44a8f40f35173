"""Where the Hugging Face hub keeps a file: ``hf://[datasets/]owner/name[@revision]/path``.

``HF_ENDPOINT`` names another hub of the kind; ``HF_TOKEN``, or the file that ``hf auth login``
writes, opens private and gated repositories. Source: the ``hf://`` paths and environment variables
in the documentation of huggingface_hub.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from kanna.errors import UsageError

_PATH: Final = re.compile(
    r"hf://(?P<kind>datasets/|spaces/|models/)?(?P<repository>[^/@]+/[^/@]+)"
    r"(@(?P<revision>refs/(?:convert|pr)/[^/]+|[^/]+))?/(?P<file>.+)"
)
# What the browser shows of a file: its page, not the file.
_PAGE: Final = re.compile(r"(?P<place>/.+?/.+?)/blob/(?P<rest>.+)")


def resolved(url: str, how: str = "resolve") -> str:
    """Return the URL at which a file can be read; ``raw`` is that of its git-lfs pointer.

    Raises:
        UsageError: it is an ``hf://`` path that names no file.
    """
    if not url.startswith("hf://"):
        return _without_page(url)
    match = _PATH.fullmatch(url)
    if match is None:
        raise UsageError("remote.hf_form", url=url)
    kind = (match["kind"] or "").replace("models/", "")
    revision = quote(match["revision"] or "main", safe="")
    # a URL ends at a "#", names of files do not
    file = match["file"].replace("#", "%23")
    return f"{endpoint()}/{kind}{match['repository']}/{how}/{revision}/{file}"


def endpoint() -> str:
    """Return the hub's address."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def authorization(url: str) -> dict[str, str]:
    """Return the header that opens the user's repositories; nothing for another server."""
    token = _token() if url.startswith(endpoint() + "/") else ""
    return {"Authorization": f"Bearer {token}"} if token else {}


def _without_page(url: str) -> str:
    if not url.startswith(endpoint() + "/"):
        return url
    parts = urlsplit(url)
    page = _PAGE.fullmatch(parts.path)
    return parts._replace(path=f"{page['place']}/resolve/{page['rest']}").geturl() if page else url


def _token() -> str:
    if token := os.environ.get("HF_TOKEN"):
        return token.strip()
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    place = Path(os.environ.get("HF_TOKEN_PATH", home / "token"))
    try:
        return place.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
