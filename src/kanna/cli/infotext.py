"""`kanna infotext`: how pictures were made."""

from __future__ import annotations

from kanna.cli.groups import verb_group

infotext = verb_group(
    "infotext",
    {
        "show": "kanna.cli.infotext_show:show",
        "export": "kanna.cli.infotext_export:export",
        "write": "kanna.cli.infotext_write:write",
        "strip": "kanna.cli.infotext_strip:strip",
        "edit": "kanna.cli.infotext_edit:edit",
        "expand": "kanna.cli.infotext_expand:expand",
        "extend": "kanna.cli.infotext_extend:extend",
        "search": "kanna.cli.infotext_search:search",
    },
)
