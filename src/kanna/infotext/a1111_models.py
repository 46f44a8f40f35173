"""The models that an A1111 text names, each once, with the best of its digests.

A LoRA stands in the prompt with its strength, in ``Lora hashes`` with the digest of its data, and
in ``Hashes`` with that of its file. AUTOMATIC1111 keeps one digest for all VAEs, so ``VAE hash``
may be another file's: a VAE's name says more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from kanna.infotext.a1111_lists import listed_hashes
from kanna.infotext.a1111_pairs import read_pairs
from kanna.infotext.a1111_references import References
from kanna.infotext.a1111_roles import (
    HASH_LISTS,
    NAME_LISTS,
    NAMED,
    STRENGTHS,
    TYPES,
    Named,
    is_file,
    role_by_name,
)
from kanna.infotext.info import ModelReference, Parameter, Role
from kanna.infotext.tokens import read_tokens

_CONTROLNET: Final = re.compile(r"ControlNet \d+")
_STAGES: Final = (
    (re.compile("Hires prompt"), "hires"),
    (re.compile("ADetailer prompt.*"), "adetailer"),
)
_AIR: Final = re.compile(r"urn:air:[^:]*:([a-z]+):")


def models_of(prompt: str, parameters: Sequence[Parameter]) -> tuple[ModelReference, ...]:
    """Return the models that a prompt and parameters name."""
    pairs = {one.key: one.value for one in parameters}
    found = References()
    for row in NAMED:
        _add_named(found, row, pairs)
    _add_tokens(found, prompt, "prompt")
    for pattern, stage in _STAGES:
        for key in filter(pattern.fullmatch, pairs):
            _add_tokens(found, pairs[key], key, stage)
    for key in filter(HASH_LISTS.__contains__, pairs):
        for name, digest in listed_hashes(pairs[key]).items():
            found.add(HASH_LISTS[key], name, digest, where=key)
    for key in filter(NAME_LISTS.__contains__, pairs):
        _add_names(found, key, pairs[key])
    for key in filter(_CONTROLNET.fullmatch, pairs):
        _add_controlnet(found, key, pairs[key])
    _add_hashes(found, _json(pairs.get("Hashes")))
    _add_resources(found, _json(pairs.get("Civitai resources")))
    for digest in _list(_json(pairs.get("Resources"))):
        found.add("unknown", None, str(digest), where="Resources")
    return found.models()


def _add_named(found: References, row: Named, pairs: Mapping[str, str]) -> None:
    """Add what the keys of one row name; a digest may stand alone."""
    if "(" not in row.name:
        name, digest = pairs.get(row.name) or None, pairs.get(row.digest)
        if name or digest:
            _add(found, row, row.name if name else row.digest, name, digest, pairs, "")
        return
    pattern = re.compile(row.name)
    for key, name in pairs.items():
        match = pattern.fullmatch(key)
        if match:
            _add(found, row, key, name, pairs.get(row.digest.format(match[1])), pairs, match[1])


def _add(
    found: References, row: Named, where: str, name: str | None, digest: str | None,
    pairs: Mapping[str, str], number: str,
) -> None:  # fmt: skip
    if name is not None and not is_file(name):
        return
    strength = pairs.get(STRENGTHS.get(row.name, "").format(number))
    role = role_by_name(name or "", row.role)
    found.add(role, name, digest, weight=strength, where=where, stage=row.stage)


def _add_tokens(found: References, prompt: str, where: str, stage: str = "") -> None:
    for token in read_tokens(prompt):
        found.add(token.role, token.name, None, weight=token.unet, where=where, stage=stage)


def _add_names(found: References, key: str, value: str) -> None:
    """Add ``name:strength, name``, as SD.Next lists them."""
    for item in value.split(","):
        name, colon, weight = item.strip().rpartition(":")
        name, weight = (name, weight) if colon else (weight, "")
        found.add(NAME_LISTS[key], name, None, weight=weight, where=key)


def _add_controlnet(found: References, key: str, value: str) -> None:
    inner = {pair.key.lower(): pair.value for pair in read_pairs(value, 0, len(value))}
    name = inner.get("model", "")
    if is_file(name):
        role = role_by_name(name, "controlnet")
        found.add(role, name, None, weight=inner.get("weight"), where=key)


def _add_hashes(found: References, hashes: object) -> None:
    """Add what Civitai's extension writes: ``{"model": …, "lora:name": …}``."""
    for key, digest in hashes.items() if isinstance(hashes, dict) else ():
        kind, _, name = str(key).partition(":")
        role = TYPES.get(kind.strip().lower(), "unknown")
        found.add(role, name.strip() or None, str(digest), where="Hashes")


def _add_resources(found: References, resources: object) -> None:
    """Add what Civitai lists; its one checkpoint is the one that the text names otherwise."""
    for one in _list(resources):
        if not isinstance(one, dict):
            continue
        role = _resource_role(one)
        if role != "checkpoint" or not found.has(role):
            weight, where = one.get("weight"), "Civitai resources"
            found.add(role, _resource_name(one), None, weight=weight, where=where)


def _resource_role(one: Mapping[str, Any]) -> Role:
    air = _AIR.match(str(one.get("air", "")))
    kind = str(one.get("type", "")) or (air[1] if air else "")
    return TYPES.get(kind.lower(), "unknown")


def _resource_name(one: Mapping[str, Any]) -> str | None:
    """Return what Civitai calls it: the model and its version, else the number of the version."""
    words = (one.get("modelName"), one.get("versionName", one.get("modelVersionName")))
    title = " - ".join(word for word in words if isinstance(word, str) and word)
    number = one.get("modelVersionId")
    air = one.get("air")
    if title or isinstance(air, str):
        return title or str(air)
    return f"modelVersionId {number}" if isinstance(number, int) else None


def _json(value: str | None) -> object:
    try:
        return json.loads(value or "null")
    except (ValueError, RecursionError):
        return None


def _list(value: object) -> Iterator[Any]:
    return iter(value if isinstance(value, list) else [])
