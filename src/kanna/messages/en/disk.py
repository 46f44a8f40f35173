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
    "half_written": (
        "An edit of {path} was broken off in the middle, and it cannot be undone now: {reason}.",
        "Let kanna write to the file and its folder, and run any command on it again: that puts the old header back.",
    ),
    "foreign_undo": (
        "{undo} would undo an edit of {path} that was broken off, but it was made for another file.",
        "If {path} is a copy, copy it again; if it is sound, delete {undo}.",
    ),
    "being_edited": (
        "Another kanna is editing {path}.",
        "Wait until it is done, and run the command again.",
    ),
}
