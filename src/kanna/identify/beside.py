"""What stands beside the models: markers, junk, scales of quantised weights, averaged copies."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kanna.families import tables
from kanna.identify.quantization import Schemes, layer_formats
from kanna.identity import JunkGroup

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from kanna.model import TensorInfo


@dataclass(slots=True, eq=False)
class Beside:
    """Names by what they are; a name may be a part's all the same, and the part comes first.

    `scales` maps a tensor to its scheme of quantisation; `formats` a layer to the scheme that
    metadata or a marker tensor names.
    """

    markers: list[str] = field(default_factory=list)
    junk: dict[str, list[str]] = field(default_factory=dict)
    scales: dict[str, str] = field(default_factory=dict)
    ema: list[str] = field(default_factory=list)
    formats: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """All of them."""
        junk = (name for names in self.junk.values() for name in names)
        return {*self.markers, *junk, *self.scales, *self.ema}


def sort_out(model: Mapping[str, TensorInfo], metadata: Mapping[str, str]) -> Beside:
    """Sort the names of a file that belong to no model by themselves, in one pass."""
    everywhere = tables()["everywhere"]
    keep = _Rows(everywhere["keep"], "why")
    junk = _Rows(everywhere["junk"], "group")
    scales = Schemes(model)
    averaged = tuple(row["prefix"] for row in everywhere["ema"] if row.get("dotless"))
    starts = (*averaged, *junk.starts)
    ends = {*keep.last_words, *junk.last_words, *scales.last_words}
    beside = Beside(formats=layer_formats(model, metadata))
    for name in model:
        # Nearly every name is a weight or a bias of some model, and done with here.
        if name[name.rfind(".") + 1 :] not in ends and not name.startswith(starts):
            continue
        if (scheme := scales.match(name)) is not None:
            beside.scales[name] = scheme
        if keep.match(name) is not None:
            beside.markers.append(name)
        elif (group := junk.match(name)) is not None:
            beside.junk.setdefault(group, []).append(name)
        elif name.startswith(averaged):
            beside.ema.append(name)
    return beside


def junk_groups(
    names: Mapping[str, list[str]], owned: Collection[str], model: Mapping[str, TensorInfo]
) -> tuple[JunkGroup, ...]:
    """Return the junk that no part owns, in the order of the table."""
    groups = []
    for row in tables()["everywhere"]["junk"]:
        free = tuple(name for name in names.get(row["group"], ()) if name not in owned)
        if free:
            groups.append(
                JunkGroup(
                    group=row["group"],
                    names=free,
                    bytes=sum(model[name].nbytes for name in free),
                    prune=row.get("prune", True),
                    safe_without=tuple(row["safe_without"]),
                    standard=row.get("standard"),
                )
            )
    return tuple(groups)


class _Rows:
    """Rows that match names exactly, by their beginning or by their end."""

    def __init__(self, rows: Iterable[Mapping[str, Any]], label: str) -> None:
        self._exact: dict[str, str] = {}
        self._prefixes: list[tuple[str, str]] = []
        self._tails: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in rows:
            word = row.get(label, "")
            self._exact.update(dict.fromkeys(row.get("names", ()), word))
            self._prefixes += [(prefix, word) for prefix in row.get("prefixes", ())]
            for tail in row.get("tails", ()):
                self._tails[tail.rpartition(".")[2]].append((tail, word))
        self.starts = tuple(prefix for prefix, _ in self._prefixes)
        self.last_words = {*self._tails, *(name.rpartition(".")[2] for name in self._exact)}

    def match(self, name: str) -> str | None:
        """Return the label of the first row that matches `name`, or None."""
        if name in self._exact:
            return self._exact[name]
        for tail, word in self._tails.get(name.rpartition(".")[2], ()):
            if name == tail or name.endswith(f".{tail}"):
                return word
        return next((word for prefix, word in self._prefixes if name.startswith(prefix)), None)
