"""What a model was made of, and what was made of it, as far as files say so.

Files name their origins by digests of any meaning, or by names alone; `kanna.catalog.matching`
finds those among the library's files. What the library does not have may be a published model, or
nothing but a name.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from kanna.catalog.asking import FoundFile, file_of
from kanna.catalog.matching import Match, Matcher
from kanna.catalog.matching_names import SPELLING, Name, spelling, split
from kanna.catalog.store import Library, told
from kanna.hashing.known import Known
from kanna.infotext.info import ModelReference, Role

NodeKind: TypeAlias = Literal["file", "published", "name"]
DEPTH: Final = 8
_MOST: Final = 500  # nodes: a base model may have thousands of children
# What an origin is, where its relation says so.
_ROLES: Final[dict[str, Role]] = {"vae_of": "vae", "lora_of": "lora"}
_DIGITS: Final = {
    "sha256": (64, 10, 12, 16), "data_sha256": (64, 10, 12), "autov1": (8,), "blake3": (64,),
    "crc32": (8,), "sshs_model_hash": (64,),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageNode:
    """A model in the graph; `key` tells it from the others.

    `file` is the library's, `known` a published one, both None where there is a name or a digest
    only.
    """

    key: str
    name: str
    file: FoundFile | None = None
    known: Known | None = None
    digest: str | None = None

    @property
    def kind(self) -> NodeKind:
        """How it is known."""
        if self.file is not None:
            return "file"
        return "published" if self.known is not None else "name"

    def to_json(self) -> dict[str, object]:
        """Return it for a JSON document."""
        file = self.file
        return {
            "key": self.key, "kind": self.kind, "name": self.name, "digest": self.digest,
            "path": None if file is None else str(file.path),
            "present": None if file is None else file.present,
            "architecture": file.architecture if file else self.known and self.known.architecture,
            "sha256": file.sha256 if file else self.known and self.known.sha256,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageEdge:
    """That `child` was made of `parent`; `certainty` is that of what the file says of it."""

    parent: str
    child: str
    relation: str
    certainty: str

    def to_json(self) -> dict[str, object]:
        """Return it for a JSON document."""
        return {
            "parent": self.parent, "child": self.child, "relation": self.relation,
            "certainty": self.certainty,
        }  # fmt: skip


@dataclass(slots=True)
class Lineage:
    """The graph around the model `root`. `cut` says that it goes on beyond what is shown."""

    root: str
    nodes: dict[str, LineageNode] = field(default_factory=dict)
    edges: dict[tuple[str, str, str], LineageEdge] = field(default_factory=dict)
    cut: bool = False

    def parents(self, key: str) -> list[LineageEdge]:
        """Return the edges to what the model `key` was made of."""
        return [edge for edge in self.edges.values() if edge.child == key]

    def children(self, key: str) -> list[LineageEdge]:
        """Return the edges to what was made of the model `key`."""
        return [edge for edge in self.edges.values() if edge.parent == key]

    def to_json(self) -> dict[str, object]:
        """Return it for a JSON document."""
        return {
            "root": self.root, "cut": self.cut,
            "nodes": [node.to_json() for node in self.nodes.values()],
            "edges": [edge.to_json() for edge in self.edges.values()],
        }  # fmt: skip


def lineage(library: Library, row: sqlite3.Row, *, depth: int = DEPTH) -> Lineage:
    """Return the graph around the model of a row of ``file``, `depth` steps either way.

    Raises:
        KannaError: the library cannot be read.
    """
    with told(library.path):
        return _Walk(library, depth).around(row)


class _Walk:
    """Puts the graph together; every model is looked at once in either direction."""

    def __init__(self, library: Library, depth: int) -> None:
        self._library, self._depth = library, depth
        self._matcher = Matcher(library, None)
        self._done: set[tuple[str, bool]] = set()

    def around(self, row: sqlite3.Row) -> Lineage:
        root = _of_row(row)
        graph = Lineage(root=root.key, nodes={root.key: root})
        for upwards in (True, False):
            layer = [root]
            for _ in range(self._depth):
                layer = [other for node in layer for other in self._step(graph, node, up=upwards)]
            graph.cut = graph.cut or any(self._goes_on(graph, node, up=upwards) for node in layer)
        return graph

    def _step(self, graph: Lineage, node: LineageNode, *, up: bool) -> list[LineageNode]:
        """Add the neighbours of a model; return those that were not looked at yet."""
        if (node.key, up) in self._done:
            return []
        self._done.add((node.key, up))
        found = []
        for near, relation, certainty in self._around(node, up=up):
            if near.key not in graph.nodes and len(graph.nodes) >= _MOST:
                graph.cut = True
                break
            other = graph.nodes.setdefault(near.key, near)
            parent, child = (other, node) if up else (node, other)
            edge = LineageEdge(
                parent=parent.key, child=child.key, relation=relation, certainty=certainty
            )
            graph.edges.setdefault((edge.parent, edge.child, relation), edge)
            found.append(other)
        return found

    def _goes_on(self, graph: Lineage, node: LineageNode, *, up: bool) -> bool:
        if (node.key, up) in self._done:
            return False
        return any(other.key not in graph.nodes for other, *_ in self._around(node, up=up))

    def _around(self, node: LineageNode, *, up: bool) -> Iterator[tuple[LineageNode, str, str]]:
        if node.file is None:
            return
        yield from self._origins(node.file) if up else self._offspring(node.file)

    def _origins(self, file: FoundFile) -> Iterator[tuple[LineageNode, str, str]]:
        rows = self._library.rows(
            "SELECT relation, name, digest FROM origin WHERE file = ? ORDER BY number", (file.id,)
        )
        for row in rows:
            node, certainty = self._resolved(row)
            if node.key != f"file:{file.id}":
                yield node, row["relation"], certainty

    def _resolved(self, row: sqlite3.Row) -> tuple[LineageNode, str]:
        """Return the model that an origin means, and how sure that is."""
        role = _ROLES.get(row["relation"], "unknown")
        asked = ModelReference(role=role, name=row["name"], digest=row["digest"])
        for match in _meant(self._matcher.match(asked)):
            (found,) = self._library.rows("SELECT * FROM file WHERE id = ?", (match.file_id,))
            return _of_row(found), match.certainty
        for hit in self._matcher.published(asked):
            if hit.known is not None and row["digest"] and hit.exact:
                key = f"published:{hit.content}"
                return LineageNode(key=key, name=hit.known.name, known=hit.known,
                            digest=row["digest"]), "certain"  # fmt: skip
        name = row["name"] or row["digest"] or ""
        key = f"name:{row['digest'] or spelling(split(name)[0])}"
        return LineageNode(key=key, name=name, digest=row["digest"]), "unknown"

    def _offspring(self, file: FoundFile) -> Iterator[tuple[LineageNode, str, str]]:
        """Yield the models that name this one, by a digest or by its name, and mean no other."""
        digests = list(dict.fromkeys(_beginnings(file)))
        marks = ", ".join("?" * len(digests))
        names = Name(folders=(), stem=split(file.name)[0], suffix=split(file.name)[1]).spellings
        sql = (
            f"SELECT file.*, origin.relation AS how FROM origin JOIN file ON file.id = origin.file"
            f" WHERE origin.digest IN ({marks})"
            f" OR {SPELLING.format('origin.name')} IN ({', '.join('?' * len(names))})"
            " ORDER BY file.name COLLATE NOCASE, file.id"
        )
        for row in self._library.rows(sql, (*digests, *names)):
            if row["id"] != file.id:
                origin = self._said_of(row["id"], row["how"], file)
                if origin is not None:
                    yield _of_row(row), row["how"], origin

    def _said_of(self, child: int, relation: str, parent: FoundFile) -> str | None:
        """Return how sure it is that a model means this one, or None if it means another."""
        rows = self._library.rows(
            "SELECT relation, name, digest FROM origin WHERE file = ? AND relation = ?",
            (child, relation),
        )
        for row in rows:
            role = _ROLES.get(relation, "unknown")
            asked = ModelReference(role=role, name=row["name"], digest=row["digest"])
            for match in _meant(self._matcher.match(asked)):
                if match.file_id == parent.id:
                    return match.certainty
        return None


def _of_row(row: sqlite3.Row) -> LineageNode:
    file = file_of(row)
    return LineageNode(key=f"file:{file.id}", name=file.name, file=file, digest=file.sha256)


def _meant(matches: Iterable[Match]) -> list[Match]:
    """Return the files of the library that are meant: the sure ones, else the only possible one."""
    fitting = [one for one in matches if one.file_id is not None and not one.contradicts]
    sure = [one for one in fitting if one.certainty != "possible"]
    return sure or (fitting if len(fitting) == 1 else [])


def _beginnings(file: FoundFile) -> Iterator[str]:
    for name, lengths in _DIGITS.items():
        digest = getattr(file, name, None)
        if digest:
            yield from (digest[:length] for length in lengths if length <= len(digest))
