"""Recipes as TOML: read strictly, written in one form only.

::

    kanna = 1

    [models]
    a = "animeA.safetensors"
    b = { path = "realB.safetensors", sha256 = "64 digits" }

    [[step]]
    name = "mix"
    method = "weighted-sum"
    models = ["a", "b"]
    alpha = { value = 0.3, blocks = "IN00-05=0.1" }

    [output]
    dtype = "fp16"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from typing import Final, get_args

from kanna.errors import UsageError
from kanna.merging.axis_values import values_of
from kanna.merging.recipe import Compat, Recipe, Source, Step, Value, Weight, Wish
from kanna.merging.recipe_fields import (
    Fields,
    as_count,
    as_list,
    as_name,
    as_number,
    as_table,
    as_text,
    no_such_key,
)
from kanna.merging.recipe_text import written

VERSION: Final = 1
LONGEST: Final = 1 << 20
_KEYS: Final = ("kanna", "compat", "models", "step", "output", "axes")
STEP_KEYS: Final = ("name", "method", "models", "base", "seed", "block_methods")
_WISH_TEXTS: Final = (
    "step", "path", "container", "dtype", "vae", "ema", "position_ids", "missing",
)  # fmt: skip
# Strings and comments, also those that never end; what may be a key between them.
_QUOTED: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?(?:"""|\Z)|'
    r"'''.*?(?:'''|\Z)|"
    r'"(?:[^"\\\n]|\\.)*"?|'
    r"'[^'\n]*'?|#[^\n]*",
    re.DOTALL,
)
_RUN: Final = re.compile(r"[\w.\- \t]+")
_MOST_DOTS: Final = 8
# TOML's integers have 64 bits; tomllib's have no end, and Python cannot print them then.
_LONG_NUMBER: Final = re.compile(r"(?<!\w)(?:0[xob]\w{65}|\d[\d_]{64})")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def read(text: str) -> Recipe:
    """Return the recipe that `text` is; whether it makes sense is another question.

    Raises:
        UsageError: it is no TOML, too long, or has keys or values that a recipe does not take.
    """
    document = Fields(_parsed(text))
    if "kanna" not in document.values:
        raise UsageError("recipe.no_version")
    document.only(_KEYS)
    version = as_count(document.values["kanna"], "kanna")
    if version != VERSION:
        raise UsageError("recipe.other_version", version=version, known=VERSION)
    steps = as_list(document.values.get("step", []), "step")
    return Recipe(
        sources=_sources(document.table("models")),
        steps=tuple(_step(one, number) for number, one in enumerate(steps, 1)),
        output=_wish(document.table("output")),
        compat=_compat(document),
        axes=_axes(document.table("axes")),
    )


def write(recipe: Recipe) -> str:
    """Return `recipe` as text: the same for equal recipes, and read back as an equal one."""
    return written(recipe, VERSION)


def _parsed(text: str) -> dict[str, object]:
    if len(text) > LONGEST:
        raise UsageError("recipe.too_long", limit=LONGEST)
    bare = _QUOTED.sub("", text)
    if any(run.count(".") > _MOST_DOTS for run in _RUN.findall(bare)):  # tomllib takes for ever
        raise UsageError("recipe.no_toml", reason="a.b.c.…")
    if number := _LONG_NUMBER.search(bare):
        raise UsageError("recipe.no_toml", reason=f"{number[0]}…")
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise UsageError("recipe.no_toml", reason="too deep") from None
    except ValueError as error:
        raise UsageError("recipe.no_toml", reason=error) from None


def _sources(table: Fields) -> dict[str, Source]:
    return {
        as_name(name, table.where): _source(value, table.at(name))
        for name, value in table.values.items()
    }


def _source(value: object, where: str) -> Source:
    if isinstance(value, str):
        return Source(path=_path(value, where))
    table = Fields(as_table(value, where), where)
    table.only(("path", "sha256"))
    path, sha256 = table.text("path"), table.text("sha256")
    if sha256 is not None and not _SHA256.fullmatch(sha256 := sha256.lower()):
        raise UsageError("recipe.no_sha256", where=table.at("sha256"), value=sha256)
    if path is None and sha256 is None:
        raise UsageError("recipe.empty_source", where=where)
    return Source(path=None if path is None else _path(path, where), sha256=sha256)


def _path(text: str, where: str) -> str:
    if not text or "\0" in text:
        raise UsageError("recipe.no_path", where=where)
    return text


def _step(value: object, number: int) -> Step:
    table = Fields(as_table(value, f"step[{number}]"), f"step[{number}]")
    return Step(
        name=as_name(table.needed_text("name"), table.at("name")),
        method=table.needed_text("method"),
        models=table.texts("models"),
        base=table.text("base"),
        parameters=_parameters(table),
        block_methods=table.words("block_methods"),
        seed=table.count("seed", 0),
    )


def _parameters(table: Fields) -> dict[str, Value]:
    given = {key: value for key, value in table.values.items() if key not in STEP_KEYS}
    return {key: _value(value, table.at(key), key) for key, value in given.items()}


def _value(value: object, where: str, key: str) -> Value:
    if isinstance(value, list):
        return tuple(_weight(one, f"{where}[{n}]") for n, one in enumerate(value, 1))
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return as_count(value, where)
    if isinstance(value, float | dict):
        return _weight(value, where)
    raise no_such_key(where, key, STEP_KEYS)


def _weight(value: object, where: str) -> Weight:
    if not isinstance(value, dict):
        return Weight(value=as_number(value, where))
    table = Fields(value, where)
    table.only(("value", "blocks", "elements"))
    if "value" not in value:
        raise UsageError("recipe.key_missing", where=table.at("value"))
    return Weight(
        value=as_number(value["value"], table.at("value")),
        blocks=_blocks(value.get("blocks", ""), table.at("blocks")),
        elements=table.texts("elements"),
    )


def _blocks(value: object, where: str) -> str:
    """Return block weights as one text; a list of numbers is the way other programs write them."""
    if not isinstance(value, list):
        return as_text(value, where)
    numbers = (as_number(one, f"{where}[{n}]") for n, one in enumerate(value, 1))
    return ",".join(repr(number).removesuffix(".0") for number in numbers)


def _wish(table: Fields) -> Wish:
    table.only(field.name for field in fields(Wish))
    texts = {key: text for key in _WISH_TEXTS if (text := table.text(key)) is not None}
    prune = table.flag("prune", default=False)
    return Wish(dtypes=table.words("dtypes"), prune=prune, **texts)


def _compat(document: Fields) -> Compat | None:
    word = document.text("compat")
    if word is None:
        return None
    known: tuple[Compat, ...] = get_args(Compat)
    if word not in known:
        raise UsageError("recipe.no_such_word", where="compat", value=word,
                         known=", ".join(known))  # fmt: skip
    return word


def _axes(table: Fields) -> Mapping[str, tuple[float, ...]]:
    return {path: _axis(value, table.at(path)) for path, value in table.values.items()}


def _axis(value: object, where: str) -> tuple[float, ...]:
    if isinstance(value, str):
        return values_of(value)
    return tuple(as_number(one, f"{where}[{n}]") for n, one in enumerate(as_list(value, where), 1))
