"""`kanna library`: the catalog of a collection."""

from __future__ import annotations

from kanna.cli.groups import verb_group

library = verb_group(
    "library",
    {
        "add": "kanna.cli.library_add:add",
        "scan": "kanna.cli.library_scan:scan",
        "list": "kanna.cli.library_list:list_",
        "find": "kanna.cli.library_find:find",
        "show": "kanna.cli.library_show:show",
        "tag": "kanna.cli.library_tag:tag",
        "note": "kanna.cli.library_tag:note",
        "dupes": "kanna.cli.library_dupes:dupes",
        "missing": "kanna.cli.library_missing:missing",
        "lineage": "kanna.cli.library_lineage:lineage",
        "export": "kanna.cli.library_export:export",
        "roots": "kanna.cli.library_add:roots",
        "forget": "kanna.cli.library_add:forget",
        "move": "kanna.cli.library_move:move",
        "copy": "kanna.cli.library_copy:copy",
        "rename": "kanna.cli.library_rename:rename",
        "trash": "kanna.cli.library_trash:trash",
        "delete": "kanna.cli.library_delete:delete",
        "undo": "kanna.cli.library_undo:undo",
    },
)
