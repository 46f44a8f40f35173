"""`kanna library`: the catalog of a collection."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Catalog models and pictures; find, tag and move them.",
    "help": "Keep a library of the models and pictures in your folders: one SQLite file that anybody may read. Nothing is asked over the network, and nothing in the folders is changed but by move, copy, rename, delete and trash.",
    "examples": "Examples:\n\n  kanna library add ~/stable-diffusion-webui\n\n  kanna library scan\n\n  kanna library find sdxl anime\n\n  kanna library dupes",
    "option_library": "Use this library instead of your own (KANNA_LIBRARY names another one, too).",
    "no_such_file": (
        "The library {library} knows no file “{text}”.",
        "Name it by its path, its number (#12), 8 or more digits of a hash, or its name; kanna library list shows all.",
    ),
    "several_files": (
        "{text} can mean {count} files: {files}.",
        "Name one of them by its number (#12) or its path.",
    ),
    "no_folder": (
        "There is no folder {path}.",
        "Check the path; the disk that it is on may be missing.",
    ),
    "not_a_folder": (
        "{path} is a file.",
        "Name the folder that it is in. Of files only extra_model_paths.yaml of ComfyUI can be named: the folders in it are added.",
    ),
    "no_folders_named": (
        "{path} names no folder that is there.",
        "Check the paths in it, or name the folders themselves.",
    ),
    "no_roots": (
        "The library {path} has no folders yet.",
        "Add some with kanna library add FOLDER.",
    ),
    "no_such_root": (
        "The library does not look through {path}.",
        "kanna library roots shows its folders; kanna library add takes up another one.",
    ),
    "tags_lost": (
        "The library has tags on {tagged} and notes on {noted} of the files in {path}, which would be lost.",
        "Add --force to forget the folder all the same; the files themselves stay as they are.",
    ),
    "note_too_long": (
        "The note is too long.",
        "It may have {most} letters.",
    ),
    "bad_tag": (
        "“{tag}” cannot be a tag.",
        "A tag has 1 to {most} letters.",
    ),
    "no_memory": (
        "There is not enough memory to read {path}.",
        "Close other programs and scan again with --full.",
    ),
    "reader_died": (
        "Reading {path} ended the process that did it, twice.",
        "The file may be damaged, or made to do that. Look at it with kanna scan, and report it, please.",
    ),
    "settings_unreadable": "{path} cannot be read, so folders that it names are not added. {reason}",
    "folder_unread": "{path} cannot be read ({reason}); what the library knows of it stays as it is.",
    "more_unread": "{count} more places cannot be read.",
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
