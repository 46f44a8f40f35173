"""What a file's metadata says about itself: heard after the tensors, never instead of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kanna.families import tables

if TYPE_CHECKING:
    from collections.abc import Mapping


class Claim(NamedTuple):
    """What one metadata field says: an architecture, variants of it, what it predicts."""

    key: str
    value: str
    architecture: str | None = None
    variants: tuple[str, ...] = ()
    prediction: str | None = None


def claims(metadata: Mapping[str, str]) -> tuple[Claim, ...]:
    """Return what the fields that the tables know say, one claim for each field."""
    if not metadata:
        return ()
    said: dict[str, tuple[int, Claim]] = {}
    for name, raw in tables()["families"].items():
        for row in raw.get("metadata", ()):
            value = metadata.get(row["key"], "")
            length = len(row["contains"])
            if row["contains"] in value.lower() and length > said.get(row["key"], (0,))[0]:
                claim = Claim(
                    key=row["key"],
                    value=value,
                    architecture=name,
                    variants=tuple(row.get("variants", ())),
                    prediction=row.get("prediction"),
                )
                said[row["key"]] = (length, claim)
    return (*(claim for _, claim in said.values()), *_predictions(metadata))


def _predictions(metadata: Mapping[str, str]) -> list[Claim]:
    return [
        Claim(key=row["key"], value=metadata[row["key"]], prediction=word)
        for row in tables()["everywhere"]["prediction"]
        if (word := row["words"].get(metadata.get(row["key"], "").lower()))
    ]
