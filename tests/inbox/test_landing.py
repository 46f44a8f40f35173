"""What counts as one thing that landed, and when it may be touched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kanna.inbox.landing import DOWNLOADS, Item, landed
from kanna.inbox.settling import Settling


def put(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def names(folder: Path, *apart: str) -> list[str]:
    found = landed(folder, [folder / name for name in apart])
    return [str(item.path.relative_to(folder)) for item in found]


def test_a_model_lands_with_what_lies_beside_it(tmp_path: Path) -> None:
    put(tmp_path, "桜.safetensors", "桜.preview.png", "桜.civitai.info", "other.txt")
    (item,) = landed(tmp_path)
    assert item.path == tmp_path / "桜.safetensors"
    assert [Path(name).name for name, _, _ in item.state] == [
        "桜.civitai.info", "桜.preview.png", "桜.safetensors",
    ]  # fmt: skip


def test_models_are_found_below_the_inbox_but_not_where_things_are_put_apart(
    tmp_path: Path,
) -> None:
    put(tmp_path, "a.ckpt", "sub/b.gguf", "failed/c.pt", "originals/d.pt", ".hidden/e.pt", ".f.pt")
    assert names(tmp_path, "failed", "originals") == ["a.ckpt", "sub/b.gguf"]


def test_a_vae_beside_its_checkpoint_is_no_item_of_its_own(tmp_path: Path) -> None:
    put(tmp_path, "a.ckpt", "a.vae.pt", "b.vae.pt")
    assert names(tmp_path) == ["a.ckpt", "b.vae.pt"]


def test_shards_belong_to_their_index(tmp_path: Path) -> None:
    shards = [f"m-0000{number}-of-00002.safetensors" for number in (1, 2)]
    put(tmp_path, *shards)
    assert names(tmp_path) == shards  # nobody knows yet what they are shards of
    put(tmp_path, "m.safetensors.index.json")
    (item,) = landed(tmp_path)
    assert item.name == "m.safetensors.index.json"
    assert len(item.state) == 3


def test_a_diffusers_folder_is_one_item(tmp_path: Path) -> None:
    put(tmp_path, "pipe/model_index.json", "pipe/unet/diffusion_pytorch_model.safetensors")
    (item,) = landed(tmp_path)
    assert item.path == tmp_path / "pipe"
    assert len(item.state) == 2


@pytest.mark.parametrize("mark", DOWNLOADS)
def test_a_download_under_way_is_seen_beside_the_file(tmp_path: Path, mark: str) -> None:
    put(tmp_path, "a.safetensors", f"a.safetensors{mark}")
    (item,) = landed(tmp_path)
    assert item.coming


def test_a_link_to_a_folder_is_not_followed(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    put(inbox, "a.pt")
    (inbox / "loop").symlink_to(inbox, target_is_directory=True)
    assert names(inbox) == ["a.pt"]


def item(path: str, size: int, *, coming: bool = False) -> Item:
    return Item(path=Path(path), state=((path, size, 0),), coming=coming)


def test_what_changes_is_not_at_rest() -> None:
    settling = Settling(rest=5)
    assert settling.ready([item("a", 1)], now=0) == []
    assert settling.ready([item("a", 2)], now=4) == []  # it grew
    assert settling.ready([item("a", 2)], now=8) == []
    assert settling.ready([item("a", 2)], now=9) == [item("a", 2)]
    assert settling.resting(item("a", 2), now=9) == 5


def test_what_went_and_came_back_begins_anew() -> None:
    settling = Settling(rest=5)
    settling.ready([item("a", 1)], now=0)
    settling.ready([], now=3)
    assert settling.ready([item("a", 1)], now=6) == []


def test_a_download_under_way_is_never_ready() -> None:
    settling = Settling(rest=0)
    assert settling.ready([item("a", 1, coming=True)], now=0) == []
    assert settling.ready([item("a", 1)], now=0) == [item("a", 1)]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_that_is_no_text_lands_too(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.pt"))
    path.write_bytes(b"x")
    assert [one.path for one in landed(tmp_path)] == [path]
