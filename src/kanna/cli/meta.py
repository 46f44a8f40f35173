"""`kanna meta`: what files say about themselves."""

from __future__ import annotations

from kanna.cli.groups import verb_group

meta = verb_group(
    "meta",
    {
        "show": "kanna.cli.meta_show:show",
        "set": "kanna.cli.meta_edit:set_",
        "strip": "kanna.cli.meta_edit:strip",
    },
)
