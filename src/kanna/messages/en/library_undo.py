"""`kanna library undo`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Take back a move, a renaming or the trash.",
    "help": "Bring the files of filing N, or of the last one that can be taken back, to where they were. It is refused if a file was changed since, or if something else is at its old place. What a killed command left is brought to an end first, as by every verb that moves files; if that took something back, nothing else is.",
    "option_list": "List what was done, the last first.",
    "option_resume": "Only bring to an end what a killed command left.",
    "bad_number": (
        "“{text}” is no number of a filing.",
        "Give a number of kanna library undo --list, or last.",
    ),
    "none": "Nothing was moved, copied or removed yet.",
    "nothing_left": "No command was broken off.",
    "state_done": "done",
    "state_undone": "taken back",
    "state_failed": "not done",
    "state_open": "running or broken off",
    "row_more": "{path} and {count} more",
    "examples": "Examples:\n\n  kanna library undo --list\n\n  kanna library undo\n\n  kanna library undo 12 --dry-run",
}
