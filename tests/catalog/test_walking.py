"""Folders are gone through once each, in the order of paths, and nothing unreachable counts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanna.catalog.programs import Content
from kanna.catalog.roots import Root
from kanna.catalog.walking import Seen, Walk

links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")


def root(number: int, path: Path, content: Content = "both") -> Root:
    return Root(id=number, path=path, source=path, program=None, role="active", content=content,
                kind=None)  # fmt: skip


def files(base: Path, *names: str) -> None:
    for name in names:
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def walked(*roots: Root) -> list[Seen]:
    walk = Walk(roots)
    return [seen for start in walk.starts() for seen in walk.through(start)]


def names(base: Path, *roots: Root) -> list[str]:
    return [os.path.relpath(seen.path, base) for seen in walked(*roots)]


def test_models_and_pictures_are_seen_and_previews_are_none(tmp_path: Path) -> None:
    files(tmp_path, "a.safetensors", "a.png", "a.preview.png", "b.png", "notes.txt", "c.ckpt",
          "config.json", ".hidden.safetensors", ".cache/d.pt", "venv/e.pt")  # fmt: skip
    assert names(tmp_path, root(1, tmp_path)) == ["a.safetensors", "b.png", "c.ckpt"]
    assert names(tmp_path, root(1, tmp_path, "images")) == ["b.png"]
    assert names(tmp_path, root(1, tmp_path, "models")) == ["a.safetensors", "c.ckpt"]


def test_a_model_in_a_folder_and_one_in_shards_are_one_each(tmp_path: Path) -> None:
    files(tmp_path, "sd/model_index.json", "sd/unet/diffusion_pytorch_model.safetensors",
          "sd/vae/diffusion_pytorch_model.bin", "sd/whole.safetensors",
          "t5/model.safetensors.index.json", "t5/model-00001-of-00002.safetensors",
          "t5/model-00002-of-00002.safetensors", "lone-00001-of-00002.safetensors")  # fmt: skip
    assert names(tmp_path, root(1, tmp_path)) == [
        "lone-00001-of-00002.safetensors", "sd", "sd/whole.safetensors",
        "t5/model.safetensors.index.json",
    ]  # fmt: skip


def test_the_state_of_a_folder_is_that_of_its_files(tmp_path: Path) -> None:
    files(tmp_path, "sd/model_index.json", "sd/unet/m.safetensors")
    before = walked(root(1, tmp_path))[0]
    files(tmp_path, "sd/unet/more.safetensors")
    after = walked(root(1, tmp_path))[0]
    assert before.path == after.path
    assert before.fingerprint != after.fingerprint


def test_files_belong_to_the_innermost_root(tmp_path: Path) -> None:
    files(tmp_path, "a/x.pt", "a/b/y.pt", "a/.c/z.pt")
    inner, hidden = root(2, tmp_path / "a/b"), root(3, tmp_path / "a/.c")
    found = walked(inner, root(1, tmp_path / "a"), hidden)
    assert {Path(seen.path).name: seen.root for seen in found} == {
        "x.pt": 1, "y.pt": 2, "z.pt": 3,
    }  # fmt: skip


@links
def test_links_and_loops_are_gone_through_once(tmp_path: Path) -> None:
    files(tmp_path, "in/x.pt", "elsewhere/y.pt", "other/z.pt")
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    (tmp_path / "in/up").symlink_to(tmp_path)
    (tmp_path / "in/far").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/again").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/root").symlink_to(tmp_path / "other")
    found = names(tmp_path, root(1, tmp_path / "in"), root(2, tmp_path / "other"))
    assert sorted(found) == ["in/again/y.pt", "in/x.pt", "other/z.pt"]


@links
def test_two_names_of_one_folder_are_one_root(tmp_path: Path) -> None:
    files(tmp_path, "a/x.pt")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert len(walked(root(1, tmp_path / "a"), root(2, tmp_path / "b"))) == 1


@links
def test_what_cannot_be_reached_is_named(tmp_path: Path) -> None:
    files(tmp_path, "x.pt")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    walk = Walk([root(1, tmp_path)])
    assert [Path(seen.path).name for seen in walk.through(str(tmp_path))] == ["x.pt"]
    assert [place.path for place in walk.unreached] == [str(tmp_path / "gone")]


@given(st.lists(st.lists(st.sampled_from(["a", "a.", "a-", "b", "あ", "a b"]), max_size=4)
                .map("/".join), max_size=20))  # fmt: skip
def test_paths_come_in_their_order(
    tmp_path_factory: pytest.TempPathFactory, places: list[str]
) -> None:
    base = tmp_path_factory.mktemp("walk")
    for place in places:
        files(base, f"{place}/m.pt" if place else "m.pt")
    found = [seen.path for seen in walked(root(1, base))]
    assert found == sorted(found)
    assert sorted(found) == sorted(str(path) for path in base.rglob("*.pt"))


def test_a_deep_tree_is_no_trouble(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 400)
    deep.mkdir(parents=True)
    (deep / "m.pt").write_bytes(b"x")
    assert len(walked(root(1, tmp_path))) == 1
