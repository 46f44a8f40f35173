"""What lies beside a model: notes that programs keep, what was fetched from Civitai, previews.

Files are told apart by their names and by what is in them, never by one alone. Nothing of them is
believed to be more than text.
Sources: AUTOMATIC1111 modules/ui_extra_networks_user_metadata.py and extensions-builtin/Lora
ui_edit_user_metadata.py (NAME.json); butaixianran/Stable-Diffusion-Webui-Civitai-Helper
(NAME.civitai.info: an answer of Civitai's API); LykosAI/StabilityMatrix ConnectedModelInfo
(NAME.cm-info.json); willmiao/ComfyUI-Lora-Manager py/utils/models.py (NAME.metadata.json).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kanna.disk import InputFile
from kanna.errors import KannaError
from kanna.formats import strict_json
from kanna.metadata.plain import plain
from kanna.model import Note

_LIMIT: Final = 4 << 20  # bytes; answers of Civitai have some hundred thousand
_MOST_KB: Final = 1 << 40  # more is no size of a file; NaN and Inf are not less than it, either
SOURCES: Final = {
    "a1111": ".json",
    "civitai": ".civitai.info",
    "stability-matrix": ".cm-info.json",
    "lora-manager": ".metadata.json",
}
# The name that A1111 writes comes first; then what others show in its place.
PREVIEWS: Final = tuple(
    f"{infix}{suffix}"
    for infix in (".preview", "")
    for suffix in (".png", ".jpg", ".jpeg", ".webp", ".gif", ".mp4")
)
# One of these keys makes a NAME.json the user metadata of A1111.
_A1111_KEYS: Final = frozenset({
    "description", "sd version", "activation text", "preferred weight", "negative text", "notes",
    "vae",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFile:
    """A file as its publisher names it; `bytes` is rounded to 1 KiB and None where it is not said.

    `sha256` is 64 lower-case digits, or empty.
    """

    name: str
    bytes: int | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """A file of notes beside a model: whose it is, and what it says, as text by our own words.

    The words are ``title``, ``version``, ``author``, ``description``, ``tags``, ``trigger``,
    ``negative``, ``weight``, ``base``, ``notes``, ``date``, ``url``. `files` were published
    together, of which the model is one. `version_number` is Civitai's of the version. `trouble`
    says why it could not be read.
    """

    path: Path
    source: str
    says: Mapping[str, str] = field(default_factory=dict)
    files: tuple[PublishedFile, ...] = ()
    version_number: int | None = None
    trouble: Note | None = None


def find_companions(path: Path) -> tuple[Companion, ...]:
    """Return what files beside the model at `path` say of it, in the order of `SOURCES`."""
    found = (_companion(_beside(path, suffix), source) for source, suffix in SOURCES.items())
    return tuple(one for one in found if one is not None)


def find_previews(path: Path) -> tuple[Path, ...]:
    """Return the pictures beside the model at `path` that programs show for it."""
    return tuple(p for suffix in PREVIEWS if _is_file(p := _beside(path, suffix)))


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.stem + suffix)


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises where a name is too long


def _companion(path: Path, source: str) -> Companion | None:
    if not _is_file(path):
        return None
    try:
        with closing(InputFile(path)) as file:
            document = strict_json.load(file, limit=_LIMIT)
    except KannaError as error:
        return Companion(path=path, source=source, trouble=Note(error.key, error.values))
    if source == "a1111" and not _A1111_KEYS & document.keys():
        return None  # a configuration, or whatever else has this name
    said = _READERS[source](document)
    says = {k: v for k, v in said.items() if v}
    return Companion(path=path, source=source, says=says, files=tuple(_files(source, document)),
                     version_number=_version_number(source, document))  # fmt: skip


def _version_number(source: str, document: Mapping[str, Any]) -> int | None:
    fetched = _object(document.get("civitai")) if source == "lora-manager" else document
    number = fetched.get("VersionId" if source == "stability-matrix" else "id")
    return number if type(number) is int and number > 0 and source != "a1111" else None


def _files(source: str, document: Mapping[str, Any]) -> Iterator[PublishedFile]:
    """Yield the files that an answer of Civitai lists, and the name that a manager gave."""
    fetched = _object(document.get("civitai")) if source == "lora-manager" else document
    listed = fetched.get("files")
    for one in map(_object, listed if isinstance(listed, list) else ()):
        size, digest = (
            one.get("sizeKB", -1),
            _text(_object(one.get("hashes")).get("SHA256")).lower(),
        )
        if name := _text(one.get("name")):
            sized = isinstance(size, int | float) and 0 <= size < _MOST_KB
            yield PublishedFile(
                name=name, bytes=round(size * 1024) if sized else None, sha256=digest
            )
    if source == "lora-manager" and (name := _text(document.get("file_name"))):
        yield PublishedFile(name=name, sha256=_text(document.get("sha256")).lower())


def _text(value: object) -> str:
    """Return what people would read in a value: text, a number, a list of texts."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int | float):
        return f"{value:g}"
    if isinstance(value, list):
        words = (_text(word).strip().strip(",") for word in value if isinstance(word, str))
        return ", ".join(word for word in words if word)
    return ""


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _a1111(said: Mapping[str, Any]) -> dict[str, str]:
    weight = _text(said.get("preferred weight"))
    return {
        "description": _text(said.get("description")),
        "trigger": _text(said.get("activation text")),
        "negative": _text(said.get("negative text")),
        "weight": "" if weight == "0" else weight,  # 0 stands for none there
        "base": _text(said.get("sd version")),
        "notes": _text(said.get("notes")),
    }


def _civitai(said: Mapping[str, Any]) -> dict[str, str]:
    model = _object(said.get("model"))
    creator = _object(said.get("creator")) or _object(model.get("creator"))
    number = said.get("modelId")
    return {
        "title": _text(model.get("name")),
        "version": _text(said.get("name")),
        "author": _text(creator.get("username")),
        "description": _text(model.get("description")) or _text(said.get("description")),
        "tags": _text(model.get("tags") or said.get("tags")),
        "trigger": _text(said.get("trainedWords")),
        "base": _text(said.get("baseModel")),
        "date": _text(said.get("publishedAt") or said.get("createdAt")),
        "url": f"https://civitai.com/models/{number}" if type(number) is int else "",
    }


def _stability_matrix(said: Mapping[str, Any]) -> dict[str, str]:
    number = said.get("ModelId")
    return {
        "title": _text(said.get("UserTitle")) or _text(said.get("ModelName")),
        "version": _text(said.get("VersionName")),
        "description": _text(said.get("ModelDescription")),
        "tags": _text(said.get("Tags")),
        "trigger": _text(said.get("TrainedWords")),
        "base": _text(said.get("BaseModel")),
        "url": f"https://civitai.com/models/{number}" if type(number) is int else "",
    }


def _lora_manager(said: Mapping[str, Any]) -> dict[str, str]:
    fetched = _civitai(_object(said.get("civitai")))
    own = {
        "title": _text(said.get("model_name")),
        "description": _text(said.get("modelDescription")),
        "tags": _text(said.get("tags")),
        "base": _text(said.get("base_model")),
        "notes": _text(said.get("notes")),
    }
    return fetched | {word: text for word, text in own.items() if text}


_READERS: Final = {
    "a1111": _a1111,
    "civitai": _civitai,
    "stability-matrix": _stability_matrix,
    "lora-manager": _lora_manager,
}
