"""What the identity of a file says in ModelSpec's words: nothing is invented, and no date.

The table of ids is in `modelspec.toml`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from kanna.families import family
from kanna.identity import Identity
from kanna.metadata.modelspec import PREFIX, VERSION
from kanna.metadata.tables import table
from kanna.model import Note

_MODELS: Final = {"checkpoint", "diffusion_model"}
_PREDICTIONS: Final = {"epsilon", "v"}  # what ModelSpec says of Stable Diffusion; others have none
# Sizes of films are no squares, and nothing here knows them.
_NO_PICTURES: Final = ("-to-video", "-to-audio", "-to-3d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """Fields that follow from what a file is, and what is to be said about them."""

    fields: dict[str, str]
    notes: tuple[Note, ...]


def fill(identity: Identity, data_sha256: str | None = None) -> Filling:
    """Return the fields that `identity` and the digest of the data, where known, can fill."""
    notes: list[Note] = []
    row = _row(identity)
    said: dict[str, str | None] = {"sai_model_spec": VERSION}
    if row is None:
        notes.append(
            Note("meta.fill_no_architecture", {"architecture": identity.architecture or "-"})
        )
    else:
        said["architecture"] = _id(row, identity)
        said["implementation"] = _implementation(row, identity)
    if identity.kind in _MODELS:
        said["resolution"] = _resolution(row, identity)
        said["prediction_type"] = _prediction(identity, notes)
        said["unet_dtype"] = _dtypes(identity)
    said["hash_sha256"] = f"0x{data_sha256}" if data_sha256 else None
    fields = {PREFIX + name: value for name, value in said.items() if value}
    return Filling(fields=fields, notes=tuple(notes))


def _row(identity: Identity) -> dict[str, Any] | None:
    """Return the row of the file's architecture, where the file can be of no other."""
    return next(iter(_rows(identity)), None)


def _rows(identity: Identity) -> Iterator[dict[str, Any]]:
    prediction = identity.prediction.type if identity.prediction else None
    for row in table("modelspec")["architecture"]:
        if row["architecture"] != identity.architecture:
            continue
        if identity.kind in _MODELS:
            whole = set(identity.variant_candidates) <= set(row["variants"])
            fits = bool(identity.variant_candidates) and whole
            if fits and row.get("prediction", prediction) == prediction:
                yield row
        elif row.get("pieces") and identity.kind in table("modelspec")["suffix"]:
            yield row


def _id(row: dict[str, Any], identity: Identity) -> str:
    suffix = table("modelspec")["suffix"].get(identity.kind)
    return f"{row['id']}/{suffix}" if suffix else str(row["id"])


def _implementation(row: dict[str, Any], identity: Identity) -> str:
    return "diffusers" if identity.layout == "diffusers" else str(row["implementation"])


def _resolution(row: dict[str, Any] | None, identity: Identity) -> str | None:
    if row is not None and "resolution" in row:
        return str(row["resolution"])
    pictures = identity.tasks and not any(task.endswith(_NO_PICTURES) for task in identity.tasks)
    if identity.resolution is None or not pictures:
        return None
    return f"{identity.resolution}x{identity.resolution}"


def _prediction(identity: Identity, notes: list[Note]) -> str | None:
    found = identity.prediction
    if found is None or found.type not in _PREDICTIONS:
        return None
    if found.certainty != "certain":
        notes.append(Note("meta.fill_likely", {"field": "prediction_type", "value": found.type,
                                               "why": found.why}))  # fmt: skip
    return found.type


def _dtypes(identity: Identity) -> str | None:
    """Return the dtypes that the model works in, where it is not at ease in fp16."""
    own = family(identity.architecture) if identity.architecture else None
    return f"{own.half}, fp32" if own is not None and own.half != "fp16" else None
