"""What a part remembers of the file that it was cut out of, so that it can go back there exactly.

The record is text in the part's metadata. It says under which prefix and in which layout the part
stood, and where each of its tensors came in the order of the file. Strangers write metadata, too: a
record that does not fit the tensors beside it counts as none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kanna.errors import Incompatible
from kanna.families import tables
from kanna.families.key_maps import layouts_of, table_of
from kanna.identify.ema import copy_name
from kanna.identity import Part
from kanna.model import TensorInfo
from kanna.ops.parts import EMA
from kanna.ops.relayout import relayout

RECORD: Final = "kanna.part"
_ID_DIGITS: Final = 16
_MOST_TENSORS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Where a part stood in the file that it was cut out of.

    `source` stands for the names of that file, in order: parts with the same one fit together, and
    go back into the order that they had. `prefix` and `layout` are those of the part there; `model`
    is the prefix of the model that an averaged copy is one of. `names` are tensors that stood
    elsewhere, each with its full name. `places` are runs of places in the order of the file, for
    the tensors as `restored` returns them: first place, count. `parts` are the words of all parts
    of that file, `needs` those of the parts that it needed.
    """

    role: str
    word: str
    source: str
    prefix: str
    layout: str | None
    places: tuple[tuple[int, int], ...]
    model: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Return the record as metadata holds it."""
        document = {
            "role": self.role, "word": self.word, "source": self.source, "prefix": self.prefix,
            "layout": self.layout, "model": self.model, "names": dict(self.names),
            "places": [list(run) for run in self.places], "parts": self.parts, "needs": self.needs,
        }  # fmt: skip
        return json.dumps(document, ensure_ascii=True, separators=(",", ":"))

    @property
    def count(self) -> int:
        """The number of its tensors in that file."""
        return sum(count for _, count in self.places)

    def numbers(self) -> list[int]:
        """Return the place of every tensor."""
        return [first + at for first, count in self.places for at in range(count)]


def source_id(names: Iterable[str]) -> str:
    """Return what stands for a file whose tensors are called `names`, in this order."""
    return hashlib.sha256("\n".join(names).encode("utf-8", "surrogatepass")).hexdigest()[
        :_ID_DIGITS
    ]


def runs(places: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Return places as runs: first place, count."""
    found: list[tuple[int, int]] = []
    for place in places:
        if found and place == sum(found[-1]):
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((place, 1))
    return tuple(found)


def read_record(metadata: Mapping[str, str]) -> Record | None:
    """Return the record in the metadata of a part, or None where there is none that makes sense."""
    try:
        raw = json.loads(metadata.get(RECORD, "null"))
    except (ValueError, RecursionError):
        return None
    record = _record(raw) if isinstance(raw, dict) else None
    if record is None or record.count > _MOST_TENSORS:
        return None
    numbers = record.numbers()
    return record if len(set(numbers)) == len(numbers) else None


def _record(raw: Mapping[str, Any]) -> Record | None:
    words = [raw.get(key) for key in ("role", "word", "source", "prefix", "model")]
    layout, names, places = raw.get("layout"), raw.get("names"), raw.get("places")
    if not all(isinstance(word, str) for word in words) or not isinstance(layout, str | None):
        return None
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        return None
    if not isinstance(places, list) or not all(map(_is_run, places)):
        return None
    parts, needs = _words(raw.get("parts")), _words(raw.get("needs"))
    role, word, source, prefix, model = map(str, words)
    return Record(role=role, word=word, source=source, prefix=prefix, layout=layout, model=model,
                  names=names, places=tuple((run[0], run[1]) for run in places), parts=parts,
                  needs=needs)  # fmt: skip


def _words(raw: object) -> tuple[str, ...]:
    return tuple(word for word in raw if isinstance(word, str)) if isinstance(raw, list) else ()


def _is_run(raw: object) -> bool:
    return isinstance(raw, list) and len(raw) == 2 and all(type(n) is int and n >= 0 for n in raw)


def restored(
    tensors: Mapping[str, TensorInfo], part: Part | None, record: Record
) -> dict[str, TensorInfo] | None:
    """Return the tensors of a part's file as they stood in the whole file, by their full names.

    `part` is what the file is now. Returns None where they cannot be brought back.
    """
    prefix = "" if part is None else part.prefix
    own = {n.removeprefix(prefix): t for n, t in tensors.items() if n not in record.names}
    now = None if part is None else part.layout
    if part is not None and record.layout is not None and now != record.layout:
        turned = in_layout(own, part, record.layout)
        if turned is None:
            return None
        own = turned
    found = {_full_name(name, record): tensor for name, tensor in own.items()}
    for name, full in record.names.items():
        if name not in tensors:
            return None
        found[full] = tensors[name]
    return found if len(found) == record.count else None


def alike(one: Mapping[str, TensorInfo], other: Mapping[str, TensorInfo]) -> bool:
    """Whether two sets of tensors have the same names, dtypes and shapes."""
    return one.keys() == other.keys() and all(
        (one[name].dtype, one[name].shape) == (other[name].dtype, other[name].shape) for name in one
    )


def in_layout(
    tensors: Mapping[str, TensorInfo], part: Part, target: str
) -> dict[str, TensorInfo] | None:
    """Return the tensors of `part` in the layout `target`; None where no table leads there.

    What the table has no place for keeps its name and comes last.
    """
    table = table_of(part)
    if table is None or part.layout is None or part.scaled or target not in layouts_of(table):
        return None
    try:
        relaid = relayout(tensors, table, source=part.layout, target=target)
    except Incompatible:
        return None
    found = relaid.tensors
    if any(name in found for name in relaid.unmapped):
        return None
    return found | {name: tensors[name] for name in relaid.unmapped}


def _full_name(name: str, record: Record) -> str:
    if record.role != EMA:
        return record.prefix + name
    rules = tables()["everywhere"]["ema"]
    rule = next((rule for rule in rules if rule["prefix"] == record.prefix), None)
    return copy_name(record.model + name, rule)
