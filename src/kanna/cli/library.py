"""`kanna library`: the catalog of a collection."""

from __future__ import annotations

from kanna.cli.groups import verb_group

library = verb_group("library", {})
