"""`kanna library dupes`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Find models that are there more than once, and what that takes.",
    "help": "Find models that are the same: byte for byte, in their data under another header, or number for number in another precision or container. For copies, the one to keep is proposed and the room told that the others take; nothing is removed. Links take no room and count as one file. A file that changed since it was hashed is never proposed. WORDS and options choose models as in kanna library find.\n\n--parts also tells which models have the very same part inside, such as one VAE in twenty checkpoints.\n\nOnly hashed files can be compared (kanna library scan); of others with the same size and header it is said that they are possibly the same. The exit code is 1 if there are copies.",
    "examples": "Examples:\n\n  kanna library dupes\n\n  kanna library dupes --kind lora\n\n  kanna library dupes --parts --json",
    "option_parts": "Also tell of parts that models have in common.",
    "same_file": "{count} files are the same, byte for byte",
    "same_data": "{count} files hold the same data under other headers",
    "same_header": "{count} files hold the same data, but their headers say different things of it: none is proposed to go",
    "same_twin": "{count} files hold the same model in another precision or container",
    "same_possible": "{count} files are possibly the same: not hashed, but of one size and with equal headers",
    "wins": "{size} to win",
    "keep": "keep ({reason})",
    "reason_tagged": "it has tags or a note",
    "reason_active": "it is in an active folder",
    "reason_header": "its header is the largest, and says the most",
    "reason_named": "its name is not that of a copy",
    "reason_first": "it was here first",
    "reason_path": "its path is shorter",
    "link": "also (a link to the same file, takes no room): {path}",
    "changed": "not as it was when it was hashed, or not to be reached (kanna library scan looks again): {path}",
    "part": "{part} in {count} files",
    "split_wins": "{size} could be shared",
    "more": "and {count} more (-v lists them)",
    "none": "No copies were found.",
    "total": "Removing all copies wins {size}. kanna library trash takes files away so that they can come back.",
    "unhashed": "{count} files have no hash yet and could not be compared: kanna library scan makes them.",
    "unparted": "{count} models have no hashes of their parts yet: kanna library scan --parts makes them.",
}
