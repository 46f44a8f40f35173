"""About files that are no model files at all."""

from __future__ import annotations

from typing import Final

_NAME: Final = "Give a .safetensors, .ckpt, .pt, .pth, .bin or .gguf file."

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "empty": ("{path} is empty.", "Download or copy it again."),
    "zeros": (
        "{path} begins with nothing but zeros: the download did not finish.",
        "Download it again.",
    ),
    "web_page": (
        "{path} is a web page, not a model: the site sent a login or error page.",
        "Log in on the site, or use its download link, and download the model again.",
    ),
    "lfs_pointer": (
        "{path} is a git-lfs pointer: the model itself ({missing:,} bytes) is not here.",
        "Run `git lfs pull` in its repository.",
    ),
    "archive": ("{path} is a {name} archive, not a model.", "Unpack it and open what is inside."),
    "empty_zip": ("{path} is an empty zip archive.", "Download or copy it again."),
    "picture": (
        "{path} is a {name} picture, not a model.",
        "`kanna infotext show FILE` reads how it was made.",
    ),
    "document": ("{path} is a {name} document, not a model.", _NAME),
    "program": ("{path} is a {name} program, not a model.", "Do not run it; delete it."),
    "other_model": ("{path} is a {name} file, which kanna does not read.", _NAME),
    "json": (
        "{path} is a JSON text, not a model: {text}",
        "If it is an error of the site, log in there and download the model again.",
    ),
    "text": ("{path} is a text, not a model: {text}", _NAME),
    "unknown": ("{path} is not a model file that kanna knows.", _NAME),
}
