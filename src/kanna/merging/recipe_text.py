"""How a recipe is written: every value in one form, what is as usual left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Final

from kanna.merging.recipe import Recipe, Source, Step, Value, Weight, Wish

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_HALF: Final = re.compile(r"[\ud800-\udfff]")  # half of a surrogate pair is no text


def written(recipe: Recipe, version: int) -> str:
    """Return `recipe` as TOML."""
    blocks = [
        _block("", {"kanna": str(version), **_given(compat=recipe.compat)}),
        _block(
            "[models]", {name: _source(recipe.sources[name]) for name in sorted(recipe.sources)}
        ),
        *(_block("[[step]]", _step(step)) for step in recipe.steps),
        _block("[output]", dict(_wish(recipe.output))),
        _block("[axes]", {path: _list(map(number, axis)) for path, axis in recipe.axes.items()}),
    ]
    return "\n".join(block for block in blocks if block)


def number(value: float) -> str:
    """Return a number as TOML and people write it, so that the same one is read back."""
    return repr(float(value))


def _block(title: str, values: Mapping[str, str]) -> str:
    lines = [title] if title else []
    lines += [f"{_key(key)} = {value}" for key, value in values.items()]
    return "\n".join(lines) + "\n" if values else ""


def _source(source: Source) -> str:
    if source.sha256 is None and source.path is not None:
        return _text(source.path)
    return _table(_given(path=source.path, sha256=source.sha256))


def _step(step: Step) -> dict[str, str]:
    found = {"name": _text(step.name), "method": _text(step.method)}
    found["models"] = _list(map(_text, step.models))
    found |= _given(base=step.base)
    if step.seed:
        found["seed"] = str(step.seed)
    found |= {name: _value(step.parameters[name]) for name in sorted(step.parameters)}
    if step.block_methods:  # their order may count
        found["block_methods"] = _words(step.block_methods)
    return found


def _value(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return _text(value)
        case tuple():
            return _list(map(_weight, value))
    return _weight(value)


def _weight(weight: Weight) -> str:
    if not weight.blocks and not weight.elements:
        return number(weight.value)
    more = _given(blocks=weight.blocks or None)
    if weight.elements:
        more["elements"] = _list(map(_text, weight.elements))
    return _table({"value": number(weight.value), **more})


def _wish(wish: Wish) -> Iterator[tuple[str, str]]:
    usual = Wish()
    for field in fields(Wish):
        value = getattr(wish, field.name)
        if value == getattr(usual, field.name):
            continue
        if isinstance(value, Mapping):
            yield field.name, _words({key: value[key] for key in sorted(value)})
        else:
            yield field.name, _value(value)


def _given(**texts: str | None) -> dict[str, str]:
    return {key: _text(text) for key, text in texts.items() if text is not None}


def _words(words: Mapping[str, str]) -> str:
    return _table({key: _text(word) for key, word in words.items()})


def _table(values: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"{_key(key)} = {value}" for key, value in values.items()) + " }"


def _list(values: Iterator[str]) -> str:
    return "[" + ", ".join(values) + "]"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    """Return a basic string: TOML's escapes are JSON's, but for one sign."""
    whole = _HALF.sub("\ufffd", text)
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")
