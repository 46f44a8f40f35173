"""About files on disk."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "missing": ("There is no file {path}.", "Check the path."),
    "unreadable": ("{path} cannot be opened: {reason}.", "Check the path and its permissions."),
    "not_a_file": (
        "{path} is not a regular file.",
        "Give a model file, a diffusers folder or a *.index.json.",
    ),
    "no_folder": ("The folder {path} cannot be made: {reason}.", "Give another folder."),
    "unwritable": (
        "{path} cannot be written: {reason}.",
        "Free some space, or give another folder.",
    ),
    "ends_early": (
        "{path} ends at byte {offset}, before its header says it does.",
        "The file is cut short or changed while it was read; download or copy it again.",
    ),
}
