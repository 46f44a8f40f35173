"""Pictures found by the words of their prompts, their models, seeds and samplers; newest first.

A library has a million pictures, and ``masterpiece`` is in most of them, so no search may look at
everything that it finds. Words that few prompts have lead to their pictures; for words of many,
pictures are walked through from the newest on and their prompts looked up in the index, until
enough are found. The same goes for models that few pictures name.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Final

from kanna.catalog.store import Library, path_of, told
from kanna.catalog.wording import asked

_FEW: Final = 10_000  # prompts or pictures that are looked at one and all
_STEPS: Final = (100, 400, 3_000, 30_000)  # pictures that are looked at together, on the walk
_ONE_BY_ONE: Final = 400  # prompts for each of which the index is asked
_MOST_SEGMENTS: Final = 4
_ORDER: Final = "ORDER BY i.modified DESC, i.prompt DESC, i.id DESC"
_MODELS: Final = ("checkpoint", "diffusion_model", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageQuestion:
    """Which pictures are wanted; everything that is given must hold.

    `words` must be in the prompt and `negative` in the negative prompt, as whole words
    (`wording.asked`). `model` and `lora` are names, parts of names, or beginnings of digests, as
    pictures give them. `seed` is whole; `sampler` the beginning of a name. `since` is seconds
    since 1970.
    """

    words: str = ""
    negative: str = ""
    model: str = ""
    lora: str = ""
    seed: str = ""
    sampler: str = ""
    since: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageModel:
    """A model that a picture names."""

    role: str
    name: str
    digest: str
    weight: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundImage:
    """A picture of the library. `modified` is seconds since 1970; what is not said is None."""

    id: int
    path: Path
    modified: float
    size: int
    container: str | None
    width: int | None
    height: int | None
    dialect: str | None
    prompt: str | None
    negative: str | None
    seed: str | None
    steps: int | None
    sampler: str | None
    cfg_scale: float | None
    models: tuple[ImageModel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """An expression of FTS5; with `absent`, prompts that it does not fit are wanted."""

    match: str
    absent: bool = False

    @property
    def begins(self) -> bool:
        """Whether beginnings of words are among them, which the index gathers anew each time."""
        return '"*' in self.match


@dataclass(slots=True)
class _Query:
    """Conditions on a picture ``i`` and the values bound to them."""

    sql: str
    values: list[object]


def search_images(
    library: Library, question: ImageQuestion, *, limit: int = 50
) -> tuple[FoundImage, ...]:
    """Return the newest pictures that fit, at most `limit`.

    Raises:
        KannaError: the library cannot be read.
    """
    with told(library.path):
        ids = _newest(library.connection, question, limit)
        return tuple(_image(library.connection, number) for number in ids)


def tidy_prompts(connection: sqlite3.Connection) -> None:
    """Bring the index of prompts into one piece if it lies in many: the walk looks into each."""
    count = "SELECT count(DISTINCT segid) FROM prompt_words_idx"
    if connection.execute(count).fetchone()[0] > _MOST_SEGMENTS:
        connection.execute("INSERT INTO prompt_words (prompt_words) VALUES ('optimize')")


def _newest(connection: sqlite3.Connection, question: ImageQuestion, limit: int) -> list[int]:
    words, query = _words(question), _conditions(question)
    if words is not None and not words.absent and _is_few(connection, *_prompts(words)):
        return _by_prompts(connection, words, query, limit)
    walk = _walk(connection, question, query)
    if words is None:
        return [row[0] for row in islice(walk, limit)]
    found: list[int] = []
    steps = _STEPS[2:] if words.begins else _STEPS
    for number, rows in enumerate(_stretches(walk, steps)):
        fitting = _fitting(connection, words, {row[1] for row in rows})
        found += [row[0] for row in rows if (row[1] in fitting) != words.absent]
        if len(found) >= limit:
            break
        if number == len(steps) and not words.absent:
            return _by_prompts(connection, words, query, limit)  # newer pictures hardly have them
    return found[:limit]


def _words(question: ImageQuestion) -> _Words | None:
    """Return what the index of prompts is asked for, or None where any prompt will do."""
    wanted, unwanted = [], []
    for column in ("prompt", "negative"):
        text = question.words if column == "prompt" else question.negative
        one = asked(text, whole=True)
        wanted += [f"{column} : ({one.wanted})"] * bool(one.wanted)
        unwanted += [f"{column} : ({one.unwanted})"] * bool(one.unwanted)
    must, must_not = " AND ".join(wanted), " OR ".join(unwanted)
    if must and must_not:
        return _Words(match=f"({must}) NOT ({must_not})")
    if must or must_not:
        return _Words(match=must or must_not, absent=not must)
    return None


def _conditions(question: ImageQuestion) -> _Query:
    query = _Query("i.present = 1", [])
    for text, roles in ((question.model, _MODELS), (question.lora, ("lora",))):
        if text:
            named, values = _named(text, roles)
            # the plus has the few models of the picture looked at, and not all that are named so
            query.sql += (
                " AND EXISTS (SELECT 1 FROM image_model AS m WHERE m.image = i.id"
                f" AND +m.model IN ({named}))"
            )
            query.values += values
    for sql, value in (
        ("i.seed = ?", question.seed or None),
        ("i.sampler LIKE ? ESCAPE '!'", _begins(question.sampler) if question.sampler else None),
        ("i.modified >= ?", question.since),
    ):
        if value is not None:
            query.sql += f" AND {sql}"
            query.values.append(value)
    return query


def _prompts(words: _Words) -> tuple[str, list[object]]:
    return "SELECT rowid FROM prompt_words WHERE prompt_words MATCH ?", [words.match]


def _named(text: str, roles: tuple[str, ...]) -> tuple[str, list[object]]:
    """Return the query for the models that pictures name so."""
    marks = ", ".join("?" * len(roles))
    sql = (
        f"SELECT id FROM named_model WHERE role IN ({marks})"
        " AND (name LIKE ? ESCAPE '!' OR digest LIKE ? ESCAPE '!')"
    )
    begins = _begins(text)
    return sql, [*roles, f"%{begins}", begins]


def _begins(text: str) -> str:
    """Return the pattern of LIKE for what begins with `text`."""
    plain = text.encode("utf-8", "replace").decode()
    return "".join(f"!{c}" if c in "!%_" else c for c in plain) + "%"


def _is_few(connection: sqlite3.Connection, query: str, values: list[object]) -> bool:
    counted = f"SELECT count(*) FROM ({query} LIMIT {_FEW})"
    return bool(connection.execute(counted, values).fetchone()[0] < _FEW)


def _by_prompts(
    connection: sqlite3.Connection, words: _Words, query: _Query, limit: int
) -> list[int]:
    """Return the newest pictures of all prompts that fit."""
    prompts, values = _prompts(words)
    sql = (
        f"SELECT i.id FROM ({prompts}) AS p CROSS JOIN image AS i INDEXED BY image_prompt"
        f" ON i.prompt = p.rowid WHERE {query.sql} {_ORDER} LIMIT ?"
    )
    return [row[0] for row in connection.execute(sql, [*values, *query.values, limit])]


def _walk(
    connection: sqlite3.Connection, question: ImageQuestion, query: _Query
) -> Iterator[tuple[int, int | None]]:
    """Yield the pictures that fit but for their words, newest first, with their prompts."""
    source, values = "image AS i INDEXED BY image_modified", []
    if question.seed:
        source = "image AS i INDEXED BY image_seed"
    else:
        for text, roles in ((question.model, _MODELS), (question.lora, ("lora",))):
            named, names = _named(text, roles)
            models = f"SELECT image FROM image_model WHERE model IN ({named})"
            if text and _is_few(connection, models, names):
                some = f"SELECT DISTINCT image FROM ({models})"
                source = f"({some}) AS f CROSS JOIN image AS i ON i.id = f.image"
                values = names
    sql = f"SELECT i.id, i.prompt FROM {source} WHERE {query.sql} {_ORDER}"
    yield from connection.execute(sql, [*values, *query.values])


def _stretches(
    walk: Iterator[tuple[int, int | None]], steps: Sequence[int]
) -> Iterator[list[tuple[int, int | None]]]:
    """Yield the pictures of a walk together, first a few, then more and more."""
    for size in chain(steps, repeat(steps[-1])):
        rows = [*islice(walk, size)]
        if not rows:
            return
        yield rows


def _fitting(
    connection: sqlite3.Connection, words: _Words, prompts: Iterable[int | None]
) -> set[int | None]:
    """Return those of the prompts that the words fit."""
    numbers = sorted(number for number in prompts if number is not None)
    some, index = json.dumps(numbers), "FROM prompt_words WHERE prompt_words MATCH ?"
    if len(numbers) <= _ONE_BY_ONE and not words.begins:
        sql = f"SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 {index} AND rowid = value)"
        return {row[0] for row in connection.execute(sql, (some, words.match))}
    # the plus keeps SQLite from asking the index for each prompt
    sql = f"SELECT rowid {index} AND +rowid IN (SELECT value FROM json_each(?))"
    return {row[0] for row in connection.execute(sql, (words.match, some))}


def _image(connection: sqlite3.Connection, number: int) -> FoundImage:
    (row,) = connection.execute(
        "SELECT i.*, p.prompt AS text, p.negative FROM image AS i"
        " LEFT JOIN prompt AS p ON p.id = i.prompt WHERE i.id = ?",
        (number,),
    )
    models = connection.execute(
        "SELECT n.role, n.name, n.digest, m.weight FROM image_model AS m"
        " JOIN named_model AS n ON n.id = m.model WHERE m.image = ? ORDER BY n.role, n.name",
        (number,),
    )
    same = (
        "id", "modified", "size", "container", "width", "height", "dialect", "negative", "seed",
        "steps", "sampler", "cfg_scale",
    )  # fmt: skip
    return FoundImage(
        path=path_of(row["path"]), prompt=row["text"],
        models=tuple(ImageModel(**dict(model)) for model in models),
        **{name: row[name] for name in same},
    )  # fmt: skip
