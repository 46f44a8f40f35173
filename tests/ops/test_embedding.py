"""Embeddings between their two forms, read as A1111 reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from kanna import api
from kanna.api import ConvertOptions
from kanna.errors import Incompatible


def pickled(path: Path, words: list[str]) -> dict[str, torch.Tensor]:
    """What A1111 writes for an embedding; of older programs it may hold several words."""
    vectors = {word: torch.randn(4, 768) for word in words}
    torch.save(
        {
            "string_to_token": dict.fromkeys(words, 265),
            "string_to_param": vectors,
            "name": "my word",
            "step": 3000,
            "sd_checkpoint": "7460a6fa",
            "sd_checkpoint_name": "model",
        },
        path,
    )
    return vectors


def test_the_vectors_become_the_one_tensor_that_loaders_take(tmp_path: Path) -> None:
    vectors = pickled(tmp_path / "word.pt", ["*"])
    api.convert(tmp_path / "word.pt", tmp_path / "word.safetensors", ConvertOptions())
    made = load_file(tmp_path / "word.safetensors")
    assert list(made) == ["emb_params"]
    assert torch.equal(made["emb_params"], vectors["*"])
    found = api.inspect(tmp_path / "word.safetensors").identity
    assert (found.kind, found.architecture) == ("embedding", "sd1")


def test_a_check_offers_it_and_fix_does_it(tmp_path: Path) -> None:
    pickled(tmp_path / "word.pt", ["*"])
    assert {f.rule.code for f in api.check(tmp_path / "word.pt").findings} == {"KN101"}
    done = api.fix(tmp_path / "word.pt", tmp_path / "word.safetensors")
    assert not done.left
    assert not done.remaining
    assert list(load_file(tmp_path / "word.safetensors")) == ["emb_params"]


def test_in_a_pickle_it_stays_what_it_is(tmp_path: Path) -> None:
    pickled(tmp_path / "word.pt", ["*"])
    api.convert(tmp_path / "word.pt", tmp_path / "copy.ckpt", ConvertOptions(container="ckpt"))
    names = set(api.inspect(tmp_path / "copy.ckpt").model)
    assert "string_to_param.*" in names


def test_several_words_do_not_fit_into_one_tensor(tmp_path: Path) -> None:
    pickled(tmp_path / "words.pt", ["*", "<cat>"])
    with pytest.raises(Incompatible, match="2 words"):
        api.convert(tmp_path / "words.pt", tmp_path / "words.safetensors", ConvertOptions())
