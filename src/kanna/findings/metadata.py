"""Chapter 8, first half: metadata that lies, and metadata that a published file should have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from kanna.dtypes import WORDS, word_of
from kanna.findings.subject import Subject, found, mend
from kanna.findings.values import Finding
from kanna.model import ModelFile

# Digests of all tensor data. Sources: ModelSpec 1.0; kohya-ss sd-scripts.
_DIGESTS: Final = ("modelspec.hash_sha256", "sshs_model_hash")
# OneTrainer takes that digest over the tensors by name, so that it says nothing of the file.
_BY_NAME: Final = "ot_branch"
# What ModelSpec 1.0 and publishing sites ask for.
_WANTED: Final = ("modelspec.title", "modelspec.author", "modelspec.license")
_CHUNK: Final = 1 << 22


def digests(subject: Subject) -> Iterator[Finding]:
    """Find digests that are not those of the data: told by a cache, or read with ``--deep``."""
    metadata = subject.model.metadata
    fields = {key: metadata[key] for key in _DIGESTS if key in metadata}
    if not fields or _BY_NAME in metadata or subject.model.container != "safetensors":
        return
    digest = subject.data_sha256
    if digest is None and subject.measures is not None:
        digest = data_sha256(subject.model)
    for key, value in fields.items():
        if digest and value.lower().removeprefix("0x") != digest:
            yield found("KN801", repair=mend(digest=True), key=key, value=value[:18],
                        digest=digest[:16])  # fmt: skip


def claims(subject: Subject) -> Iterator[Finding]:
    """Find fields that name another model than the tensors show."""
    for note in subject.identity.evidence:
        key = note.values.get("key")
        if note.key == "identity.metadata_differs" and isinstance(key, str):
            yield found("KN802", repair=mend(drop_metadata=(key,)), key=key,
                        value=note.values.get("value"), what=note.values.get("what"))  # fmt: skip


def precision(subject: Subject) -> Iterator[Finding]:
    """Find fields that name a dtype in which no part of the file is."""
    there = {part.dtype for part in subject.identity.parts} - {None}
    for key, word in precision_fields(subject.model.metadata).items():
        if there and word not in there:
            yield found("KN804", repair=mend(drop_metadata=(key,)), key=key,
                        value=subject.model.metadata[key],
                        there=", ".join(sorted(map(str, there))))  # fmt: skip


def precision_fields(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the fields that state the file's dtype, with the word that each means."""
    told = {}
    for key, value in metadata.items():
        if re.search(r"(^|[._])(dtype|precision)$", key) and not key.startswith("ss_"):
            word = word_of(value.strip())
            if word in WORDS:
                told[key] = word
    return told


def resolution(subject: Subject) -> Iterator[Finding]:
    """Find a resolution that is none."""
    key = "modelspec.resolution"
    value = subject.model.metadata.get(key)
    if value is not None and not re.fullmatch(r"\s*[1-9]\d{1,4}(\s*x\s*[1-9]\d{1,4})?\s*", value):
        yield found("KN805", repair=mend(drop_metadata=(key,)), key=key, value=value)


def title(subject: Subject) -> Iterator[Finding]:
    """Find the title of a model that this one was merged from."""
    metadata = subject.model.metadata
    own = metadata.get("modelspec.title", "").strip()
    if own and own in _parents(metadata):
        key = "modelspec.title"
        yield found("KN806", repair=mend(drop_metadata=(key,)), key=key, value=own)


def publishing(subject: Subject) -> Iterator[Finding]:
    """Find what a file to be handed out does not say of itself."""
    if subject.identity.kind in {"unknown", "training_state"}:
        return
    lacking = [key for key in _WANTED if not subject.model.metadata.get(key, "").strip()]
    if lacking:
        names = [key.removeprefix("modelspec.") for key in lacking]
        words = [f"{name}={name.upper()}" for name in names]
        command = ("kanna", "meta", "set", str(subject.path), *words)
        editable = subject.model.container == "safetensors"
        yield found("KN807", keys=", ".join(lacking), command=command if editable else ())


def data_sha256(model: ModelFile) -> str:
    """Return the SHA-256 of all tensor data, in the order in which the file has it.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    from hashlib import sha256  # only where weights are read

    placed = [(e.offset, t) for t in model.values() if (e := t.data.extent()) is not None]
    digest = sha256()
    for _, tensor in sorted(placed, key=lambda pair: pair[0]):
        for piece in tensor.pieces(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _parents(metadata: Mapping[str, str]) -> set[str]:
    """Return the names of the models that went into a merge."""
    names = {name.strip() for name in metadata.get("modelspec.merged_from", "").split(",")}
    try:
        models = json.loads(metadata.get("sd_merge_models", "{}"))
    except (ValueError, RecursionError):
        models = {}
    if isinstance(models, dict):
        for model in models.values():
            name = model.get("name") if isinstance(model, dict) else None
            if isinstance(name, str):
                names |= {name, re.sub(r"\.(safetensors|ckpt|pt)$", "", name)}
    return names - {""}
