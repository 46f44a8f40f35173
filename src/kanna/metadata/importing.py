"""What files beside a model say, as fields that can stand in the model itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from kanna.metadata.companions import Companion
from kanna.metadata.forms import Malformed
from kanna.metadata.modelspec import PREFIX, written

# Words of a companion that have a field of ModelSpec; notes and weights are their owner's.
_FIELDS: Final = {
    "author": "author",
    "description": "description",
    "tags": "tags",
    "trigger": "trigger_phrase",
    "date": "date",
}


def imported(companions: Iterable[Companion]) -> dict[str, str]:
    """Return the fields of ModelSpec that `companions` can fill; the first that says one has it.

    What does not have the form of its field is left out.
    """
    fields: dict[str, str] = {}
    for companion in companions:
        for key, value in _said(companion.says).items():
            if key not in fields:
                try:
                    fields[key] = written(key, value)
                except Malformed:
                    continue
    return fields


def _said(says: Mapping[str, str]) -> dict[str, str]:
    fields = {PREFIX + name: says[word] for word, name in _FIELDS.items() if says.get(word)}
    if title := says.get("title"):
        version = says.get("version", "")
        joined = f"{title} - {version}" if version and version not in title else title
        fields[f"{PREFIX}title"] = joined
    return fields
