"""One file as the library keeps it: a model by `inspect`, a picture by its texts.

This runs in worker processes. Whatever is wrong with a file becomes an error in its row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kanna.catalog.rows import ImageRow, ModelRow, NamedModel, PartRow
from kanna.errors import FormatError, Incomplete, KannaError

if TYPE_CHECKING:
    from kanna.identify.layouts import Layouts
    from kanna.identity import Identity
    from kanna.infotext.info import GenerationInfo
    from kanna.metadata.companions import Companion
    from kanna.pictures.picture import Picture

_LONGEST_SAID: Final = 4000
_LONGEST_NAME: Final = 512
_MOST_TAGS: Final = 100
_MOST_STEPS: Final = 1 << 31
_MOST_MODELS: Final = 64
# What companions and metadata say that people look for.
_WORDS: Final = ("author", "trigger", "tags", "base", "version")
_FIELDS: Final = (
    "modelspec.author", "modelspec.trigger_phrase", "modelspec.tags", "ss_output_name",
    "ss_sd_model_name", "ss_base_model_version", "general.tags",
)  # fmt: skip
_TITLES: Final = ("modelspec.title", "general.name", "ss_output_name")


def read_model(path: Path, layouts: Layouts | None = None) -> ModelRow:
    """Return what the library keeps of a model."""
    from kanna.api.reading import inspect

    try:
        inspection = inspect(path, layouts=layouts)
        return _model_row(path, inspection.identity, inspection.model.extras)
    except (KannaError, MemoryError) as error:
        told = _told(error, path)
        passing = isinstance(told, Incomplete)
        return ModelRow(error=told.key, error_text=told.message, passing=passing)


def read_image(path: Path) -> ImageRow:
    """Return what the library keeps of a picture."""
    from kanna.infotext import open_texts
    from kanna.pictures import open_picture

    try:
        picture = open_picture(path)
        opened = open_texts(picture.texts)
        return _image_row(picture, opened.info if opened is not None else None)
    except (KannaError, MemoryError) as error:
        told = _told(error, path)
        passing = isinstance(told, Incomplete)
        return ImageRow(error=told.key, error_text=told.message, passing=passing)


def _told(error: KannaError | MemoryError, path: Path) -> KannaError:
    return error if isinstance(error, KannaError) else FormatError("library.no_memory", path=path)


def _image_row(picture: Picture, info: GenerationInfo | None) -> ImageRow:
    row = ImageRow(container=picture.container, width=picture.width, height=picture.height)
    if info is None:
        return row
    steps = info.steps if info.steps is None or abs(info.steps) < _MOST_STEPS else None
    return replace(
        row, dialect=info.dialect, seed=None if info.seed is None else str(info.seed),
        steps=steps, sampler=info.sampler, cfg_scale=info.cfg_scale, prompt=_prompt(info),
        negative=info.negative, models=tuple(_models(info)),
    )  # fmt: skip


def _prompt(info: GenerationInfo) -> str | None:
    """Return the prompt, and those of parts of the picture, by which it is found as well."""
    texts = [info.prompt, *info.prompts.values()]
    return "\n".join(text for text in texts if text) or None


def _models(info: GenerationInfo) -> Iterator[NamedModel]:
    found: dict[tuple[str, str, str], NamedModel] = {}
    for one in info.models[:_MOST_MODELS]:
        name, digest = (one.name or "")[:_LONGEST_NAME], (one.digest or "")[:_LONGEST_NAME]
        model = NamedModel(role=one.role, name=name, digest=digest, weight=one.weight)
        found.setdefault((model.role, model.name, model.digest), model)
    yield from found.values()


def _model_row(path: Path, identity: Identity, extras: Mapping[str, object]) -> ModelRow:
    from kanna.catalog.matching_aliases import aliases_of
    from kanna.catalog.origins import origins_of
    from kanna.metadata.companions import find_companions

    document = identity.to_json()
    metadata = identity.metadata
    del document["metadata"], document["path"]
    companions = find_companions(path)
    prediction = identity.prediction
    return ModelRow(
        container=identity.container, kind=identity.kind, architecture=identity.architecture,
        variant=identity.variant, certainty=identity.certainty, layout=identity.layout,
        dtype=identity.dtype, quantization=identity.quantization,
        prediction=prediction.type if prediction else None,
        title=_title(metadata, companions), said=_said(metadata, companions),
        tensors=sum(part.tensors for part in identity.parts) + len(identity.unrecognised),
        parameters=sum(part.parameters for part in identity.parts),
        sshs_model_hash=metadata.get("sshs_model_hash"),
        identity=json.dumps(document, separators=(",", ":")), parts=_parts(identity),
        findings=identity.findings or (), origins=origins_of(metadata, extras),
        aliases=tuple((one.name, one.source) for one in aliases_of(path, metadata, companions)),
    )  # fmt: skip


def _parts(identity: Identity) -> tuple[PartRow, ...]:
    return tuple(
        PartRow(
            role=part.role, architecture=part.architecture, prefix=part.prefix,
            tensors=part.tensors, parameters=part.parameters, bytes=part.bytes, dtype=part.dtype,
        )
        for part in identity.parts
    )  # fmt: skip


def _title(metadata: Mapping[str, str], companions: tuple[Companion, ...]) -> str | None:
    """Return what a model is called where it was published, else by its own metadata."""
    said = (one.says.get("title") for one in companions)
    own = (metadata.get(field, "").strip() for field in _TITLES)
    return next((text[:_LONGEST_NAME] for text in (*said, *own) if text), None)


def _said(metadata: Mapping[str, str], companions: tuple[Companion, ...]) -> str | None:
    """Return words of a model that people look for, a line for each source."""
    from kanna.metadata.training import read_training

    lines = [text for one in companions for word in _WORDS if (text := one.says.get(word))]
    lines += [text for field in _FIELDS if (text := metadata.get(field, "").strip())]
    if "ss_tag_frequency" in metadata:
        training = read_training(metadata)
        tags = training.tags[:_MOST_TAGS] if training else ()
        lines.append(", ".join(tag for tag, _ in tags))
    return "\n".join(dict.fromkeys(filter(None, lines)))[:_LONGEST_SAID] or None
