"""Graphs of what models were made of: by digests of every meaning, by names, in circles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog_rows import add_file, sha256
from kanna.catalog.lineage import Lineage, lineage
from kanna.catalog.lineage_drawing import dot, mermaid
from kanna.catalog.naming import find_file
from kanna.catalog.origins import origins_of
from kanna.catalog.store import Library


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "library.sqlite3") as opened:
        yield opened


def graph(library: Library, name: str, depth: int = 8) -> Lineage:
    return lineage(library, find_file(library, name), depth=depth)


def edges(found: Lineage) -> set[tuple[str, str, str]]:
    return {
        (found.nodes[e.parent].name, e.relation, found.nodes[e.child].name)
        for e in found.edges.values()
    }


@pytest.mark.parametrize("digits", [64, 16, 12, 10])
def test_parents_and_children_by_digest(library: Library, digits: int) -> None:
    add_file(library, "/m/base.safetensors", sha256=sha256("base"))
    add_file(library, "/m/merge.safetensors", sha256=sha256("merge"),
             origins=[("merged_from", "whatever", sha256("base")[:digits])])  # fmt: skip
    expected = {("base.safetensors", "merged_from", "merge.safetensors")}
    assert edges(graph(library, "merge")) == expected
    assert edges(graph(library, "base")) == expected
    assert [edge.certainty for edge in graph(library, "base").edges.values()] == ["certain"]


def test_generations_siblings_and_depth(library: Library) -> None:
    add_file(library, "/m/a.safetensors", sha256=sha256("a"))
    for child, parent in ("ba", "ca", "db", "dc", "ed"):
        number = library.rows("SELECT id FROM file WHERE name = ?", (f"{child}.safetensors",))
        if not number:
            add_file(library, f"/m/{child}.safetensors", sha256=sha256(child),
                     origins=[("merged_from", parent, sha256(parent))])  # fmt: skip
        else:
            with library.writing() as connection:
                connection.execute(
                    "INSERT INTO origin VALUES (?, 9, 'merged_from', ?, ?)",
                    (number[0][0], parent, sha256(parent)),
                )
    found = graph(library, "d")
    assert {name[0] for edge in edges(found) for name in (edge[0], edge[2])} == set("abcde")
    assert not found.cut
    shallow = graph(library, "e", depth=1)
    assert (len(shallow.edges), shallow.cut) == (1, True)


def test_a_name_alone_is_likely_and_another_digest_speaks_against_it(library: Library) -> None:
    digests: dict[str, Any] = {
        "sha256": sha256("aom"),
        "data_sha256": sha256("data"),
        "autov1": "a" * 8,
    }
    add_file(library, "/m/AOM3.safetensors", **digests)
    add_file(library, "/l/style.safetensors", kind="lora",
             origins=[("trained_on", "AOM3.safetensors", None)])  # fmt: skip
    add_file(library, "/l/other.safetensors", kind="lora",
             origins=[("trained_on", "AOM3.safetensors", sha256("another"))])  # fmt: skip
    found = graph(library, "AOM3")
    assert edges(found) == {("AOM3.safetensors", "trained_on", "style.safetensors")}
    assert [edge.certainty for edge in found.edges.values()] == ["likely"]
    other = graph(library, "other")
    (node,) = [node for node in other.nodes.values() if node.kind == "name"]
    assert node.name == "AOM3.safetensors"


def test_published_models_are_named(library: Library) -> None:
    digest = "afc8e28272cd15db3919bacdb6918ce9c1ed22e96cb12c4d5ed0fba823529e38"
    add_file(library, "/m/x.safetensors", origins=[("vae_of", "my_vae.pt", digest)])
    (node,) = [node for node in graph(library, "x").nodes.values() if node.kind == "published"]
    assert node.name == "ae.safetensors"


def test_the_vae_of_a_bake_is_an_origin() -> None:
    step = {"kanna": "1", "verb": "convert", "input": "a.safetensors",
            "vae": {"source": "mse.safetensors", "sha256_fp16": "4e" * 32}}  # fmt: skip
    found = origins_of({"kanna.history": json.dumps([step])}, {})
    assert [(one.relation, one.name) for one in found] == [
        ("made_from", "a.safetensors"),
        ("vae_of", "mse.safetensors"),
    ]


def test_circles_end(library: Library) -> None:
    for one, other in ("ab", "ba"):
        add_file(library, f"/m/{one}.safetensors", sha256=sha256(one),
                 origins=[("merged_from", other, sha256(other)), ("merged_from", one, sha256(one))])  # fmt: skip
    found = graph(library, "a")
    assert len(found.nodes) == len(found.edges) == 2


def test_drawings_hold_hostile_names(library: Library) -> None:
    name = 'x"] --> n9["\\" label=evil\n click'
    add_file(library, "/m/x.safetensors", origins=[("merged_from", name, None)])
    found = graph(library, "x")
    lines = mermaid(found).splitlines()
    assert len(lines) == 1 + 2 + 1 + 1
    assert all(line.count('"') in {0, 2} for line in lines)
    drawn = dot(found)
    assert len(drawn.splitlines()) == 2 + 2 + 1 + 1
    assert drawn.replace("\\\\", "").replace('\\"', "").count('"') == 6
