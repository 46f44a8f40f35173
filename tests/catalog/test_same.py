"""What is the same is told as just as much as digests say, and hard links take no room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog_rows import add_file, add_root, sha256
from kanna.catalog.conditions import Filters, conditions
from kanna.catalog.same import Dupes, dupes
from kanna.catalog.store import Library
from kanna.disk import Fingerprint
from kanna.hashing.cache import key_of


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setattr("kanna.catalog.same.is_unchanged", lambda _row: True)
    with Library(tmp_path / "library.sqlite3") as opened:
        yield opened


def same(library: Library, *, parts: bool = False) -> Dupes:
    return dupes(library, conditions(Filters()), parts=parts)


def digests(file: str, data: str | None = None) -> dict[str, Any]:
    return {"sha256": sha256(file), "data_sha256": sha256(data) if data else None}


def test_copies(library: Library) -> None:
    for name in ("model (1)", "model", "model copy"):
        add_file(library, f"/m/{name}.safetensors", size=500, **digests("a", "data"))
    add_file(library, "/m/other.safetensors", size=500, **digests("b", "other"))
    found = same(library)
    (group,) = found.groups
    assert (group.sameness, group.bytes, found.bytes) == ("file", 1000, 1000)
    assert (group.files[0].path.stem, group.reason) == ("model", "named")


def test_the_same_data_under_another_header(library: Library) -> None:
    add_file(library, "/m/a.safetensors", size=500, **digests("a", "data"))
    add_file(library, "/m/b.safetensors", size=700, tags=["best"], **digests("b", "data"))
    (group,) = same(library).groups
    assert (group.sameness, group.bytes, group.reason) == ("data", 500, "tagged")
    assert group.files[0].path == Path("/m/b.safetensors")


def test_the_larger_of_two_headers_is_kept(library: Library) -> None:
    add_file(library, "/m/stripped.safetensors", size=500, **digests("a", "data"))
    add_file(library, "/m/with metadata.safetensors", size=700, **digests("b", "data"))
    (group,) = same(library).groups
    assert (group.files[0].size, group.bytes, group.reason) == (700, 500, "header")


def test_data_of_which_headers_say_other_things_are_not_removable(library: Library) -> None:
    """Such as a LoRA under the names of another program, or with a wrong dtype."""
    for name, layout in (("a", "kohya"), ("a copy", "kohya"), ("b", "peft")):
        add_file(library, f"/m/{name}.safetensors", size=500, layout=layout,
                 **digests(name[0], "data"))  # fmt: skip
    copies, other = same(library).groups
    assert (copies.sameness, len(copies.files), copies.bytes) == ("file", 2, 500)
    assert (other.sameness, len(other.files), other.bytes) == ("header", 2, 0)
    assert other.reason == ""


def test_checkpoints_without_a_digest_of_data(library: Library) -> None:
    for name in "ab":
        add_file(library, f"/m/{name}.ckpt", container="ckpt-zip", size=9, **digests("x"))
    (group,) = same(library).groups
    assert (group.sameness, group.bytes) == ("file", 9)


def test_hard_links_are_no_copies(library: Library) -> None:
    for name in "ab":
        add_file(library, f"/m/{name}.ckpt", fingerprint="1:77:9:1", **digests("x"))
    assert same(library).groups == ()
    add_file(library, "/m/copy.ckpt", size=9, **digests("x"))
    (group,) = same(library).groups
    assert len(group.files) == 2
    assert len(group.links) == 1


def test_what_is_no_longer_so_is_neither_kept_nor_removed(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    paths = [tmp_path / f"{name}.ckpt" for name in ("a", "bb", "ccc", "dddd")]
    for path in paths:
        path.write_bytes(b"model")
        add_file(library, str(path), fingerprint=key_of(Fingerprint.of(path.stat())), size=5,
                 **digests("x"))  # fmt: skip
    paths[0].unlink()
    paths[1].write_bytes(b"another")
    (group,) = same(library).groups
    assert {one.path for one in group.files} == {*paths[2:]}
    assert (group.changed, group.bytes) == ((*paths[:2],), 5)
    paths[2].unlink()
    assert same(library).groups == ()


def test_a_link_is_not_kept_in_the_place_of_its_file(library: Library, tmp_path: Path) -> None:
    file, link, copy = (tmp_path / f"{name}.ckpt" for name in ("real", "a", "other"))
    file.touch()
    link.symlink_to(file)
    for path, inode in ((link, 7), (file, 7), (copy, 8)):
        add_file(library, str(path), fingerprint=f"1:{inode}:5:1", size=5, **digests("x"))
    (group,) = same(library).groups
    assert {one.path for one in group.files} == {file, copy}
    assert group.links == (link,)


def test_folders_and_shards_wait_for_no_hash(library: Library) -> None:
    add_file(library, "/m/folder", container="diffusers")
    add_file(library, "/m/x.safetensors.index.json", container="sharded-safetensors")
    assert same(library).unhashed == 0


def test_active_roots_are_kept(library: Library) -> None:
    backup, active = add_root(library, "/b", "backup"), add_root(library, "/a")
    add_file(library, "/b/x.safetensors", root=backup, **digests("x", "x"))
    add_file(library, "/a/x.safetensors", root=active, **digests("x", "x"))
    (group,) = same(library).groups
    assert (group.files[0].path, group.reason) == (Path("/a/x.safetensors"), "active")


def test_what_is_gone_does_not_count(library: Library) -> None:
    add_file(library, "/m/a.ckpt", **digests("x"))
    add_file(library, "/m/b.ckpt", present=0, **digests("x"))
    assert same(library).groups == ()


def part(role: str, digest: str | None, size: int, **more: str) -> dict[str, object]:
    return {"role": role, "digest": digest, "bytes": size, "prefix": f"{role}.", **more}


def test_twins_in_other_precisions(library: Library) -> None:
    """A digest of a part is that of its fp16 form: see kanna.hashing.components."""
    for name, size in (("fp32", 400), ("fp16", 200)):
        parts = [part("diffusion_model", "u", size), part("vae", "v", size)]
        add_file(library, f"/m/{name}.safetensors", dtype=name, parts=parts, **digests(name, name))
    only = [part("diffusion_model", "u", 200), part("vae", None, 200)]
    add_file(library, "/m/unknown_vae.safetensors", parts=only, **digests("q", "q"))
    (group,) = same(library).groups
    assert (group.sameness, group.bytes, group.reason) == ("twin", 0, "")
    assert {one.dtype for one in group.files} == {"fp32", "fp16"}


def test_parts_in_common(library: Library) -> None:
    for name, number in (*((f"{n}", n) for n in range(4)), ("copy", 3)):
        parts = [part("diffusion_model", f"u{number}", 900), part("vae", "v", 100 + number)]
        add_file(
            library, f"/m/{name}.safetensors", parts=parts, **digests(f"{number}", f"{number}")
        )
    found = same(library, parts=True)
    (shared,) = found.parts
    assert (shared.role, shared.bytes, len(shared.holders)) == ("vae", 100 + 101 + 102, 5)
    assert found.unparted == 0
    assert same(library).parts == ()


def test_unhashed_files_are_counted_and_possible_at_most(library: Library) -> None:
    for name in "abc":
        add_file(library, f"/m/{name}.safetensors", size=5, findings=[f"KN81{ord(name) % 9}"])
    add_file(library, "/m/d.safetensors", size=5, parts=[part("vae", None, 5)])
    found = same(library)
    (group,) = found.groups
    assert found.unhashed == 4
    assert (group.sameness, len(group.files), group.bytes) == ("possible", 3, 0)


def test_what_was_hashed_and_differs_is_not_even_possible(library: Library) -> None:
    for name in "ab":
        add_file(library, f"/m/{name}.safetensors", size=5, **digests(name, name))
    assert same(library).groups == ()
