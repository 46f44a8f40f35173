"""About files behind URLs."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "missing_extra": (
        "Reading files behind URLs needs the library obstore.",
        "Install it: pip install 'kanna[remote]'.",
    ),
    "no_file": (
        "{path} names no file.",
        "Give the URL of one model file, such as hf://owner/name/model.safetensors.",
    ),
    "hf_form": (
        "{url} names no file on the Hugging Face hub.",
        "Write hf://owner/name/file, or hf://owner/name@revision/file.",
    ),
    "not_found": ("There is no file at {path}.", "Check the address, its spelling and revision."),
    "denied": (
        "The server refuses {path}.",
        "The file is private, or its licence is not yet accepted: set HF_TOKEN for the Hugging "
        "Face hub, the AWS_… variables for S3, and accept the licence on the model's page.",
    ),
    "no_ranges": (
        "The server of {path} only gives whole files, not parts of them.",
        "Download the file, and give its path.",
    ),
    "short": (
        "The server sent less of {path} than was asked for.",
        "Try again; if it happens again, download the file.",
    ),
    "failed": (
        "{path} cannot be read from its server: {reason}.",
        "Check the address and the connection, and try again.",
    ),
}
