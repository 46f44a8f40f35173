"""`kanna library`: the catalog of a collection."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Catalog models and pictures; find, tag and move them.",
    "help": "Keep a library of the models and pictures in your folders: one SQLite file that anybody may read. Nothing is asked over the network, and nothing in the folders is changed but by move, copy, rename, delete and trash.",
    "examples": "Examples:\n\n  kanna library add ~/stable-diffusion-webui\n\n  kanna library scan\n\n  kanna library find sdxl anime\n\n  kanna library dupes",
    "option_library": "Use this library instead of your own (KANNA_LIBRARY names another one, too).",
    "no_such_file": (
        "The library {library} knows no file {text}.",
        "Name it by its path, its number (#12), 8 or more digits of a hash, or its name; kanna library list shows all.",
    ),
    "several_files": (
        "{text} can mean {count} files: {files}.",
        "Name one of them by its number (#12) or its path.",
    ),
    "none": (
        "There is no library at {path}.",
        "Make one with kanna library add FOLDER, or name another one with --library.",
    ),
    "newer": (
        "The library {path} was written by a newer kanna (schema {version}, this one knows {known}).",
        "Update kanna, or name another library with --library.",
    ),
    "other_database": (
        "{path} is a database, but not a library of kanna.",
        "Name another file with --library.",
    ),
    "damaged": (
        "The library {path} is no database, or it is damaged.",
        "Put it aside and bring back a copy, or make a new one with kanna library add FOLDER; sqlite3 FILE .recover saves its tags and notes.",
    ),
    "busy": (
        "Another process has been writing to the library {path} for long.",
        "Wait until it has finished, and try again.",
    ),
    "unusable": (
        "The library {path} cannot be used ({reason}).",
        "Check the disk and the permissions, or name another file with --library.",
    ),
}
