"""`kanna library`: the catalog of a collection."""

from __future__ import annotations

from kanna.cli.groups import verb_group

library = verb_group(
    "library",
    {
        "move": "kanna.cli.library_move:move",
        "copy": "kanna.cli.library_copy:copy",
        "rename": "kanna.cli.library_rename:rename",
        "trash": "kanna.cli.library_trash:trash",
        "delete": "kanna.cli.library_delete:delete",
        "undo": "kanna.cli.library_undo:undo",
    },
)
