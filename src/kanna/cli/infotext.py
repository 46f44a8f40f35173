"""`kanna infotext`: how pictures were made."""

from __future__ import annotations

from kanna.cli.groups import verb_group

infotext = verb_group("infotext", {})
