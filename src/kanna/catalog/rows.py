"""What the library keeps of one model or picture, as plain data that travels between processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """A row of ``part``, but for its digest."""

    role: str
    architecture: str | None
    prefix: str
    tensors: int
    parameters: int
    bytes: int
    dtype: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginRow:
    """A row of ``origin``."""

    relation: str
    name: str | None
    digest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """What was read of a model; the fields before `identity` are columns of ``file``.

    `identity` is the identity document without metadata, as JSON. `aliases` are pairs of a name
    and its source. A file that could not be read has `error` and `error_text` alone; `passing`
    says that it may be read another time without having changed.
    """

    container: str | None = None
    kind: str | None = None
    architecture: str | None = None
    variant: str | None = None
    certainty: str | None = None
    layout: str | None = None
    dtype: str | None = None
    quantization: str | None = None
    prediction: str | None = None
    title: str | None = None
    said: str | None = None
    tensors: int | None = None
    parameters: int | None = None
    sshs_model_hash: str | None = None
    error: str | None = None
    error_text: str | None = None
    identity: str | None = None
    parts: tuple[PartRow, ...] = ()
    findings: tuple[str, ...] = ()
    origins: tuple[OriginRow, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    passing: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return asdict(self)

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Self:
        """Make it again of what `to_json` returned."""
        values = dict(document)
        values["parts"] = tuple(PartRow(**row) for row in values["parts"])
        values["origins"] = tuple(OriginRow(**row) for row in values["origins"])
        values["findings"] = tuple(values["findings"])
        values["aliases"] = tuple((name, source) for name, source in values["aliases"])
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedModel:
    """A model that a picture names; empty text stands for what it does not say."""

    role: str
    name: str
    digest: str
    weight: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRow:
    """What was read of a picture; `prompt` to `models` go to tables of their own."""

    container: str | None = None
    width: int | None = None
    height: int | None = None
    dialect: str | None = None
    seed: str | None = None
    steps: int | None = None
    sampler: str | None = None
    cfg_scale: float | None = None
    error: str | None = None
    error_text: str | None = None
    prompt: str | None = None
    negative: str | None = None
    models: tuple[NamedModel, ...] = ()
    passing: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return asdict(self)

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Self:
        """Make it again of what `to_json` returned."""
        values = dict(document)
        values["models"] = tuple(NamedModel(**row) for row in values["models"])
        return cls(**values)


def _columns(kind: type, last: str) -> tuple[str, ...]:
    names = [field.name for field in fields(kind)]
    return tuple(names[: names.index(last) + 1])


FILE_COLUMNS = _columns(ModelRow, "error_text")
IMAGE_COLUMNS = _columns(ImageRow, "error_text")
