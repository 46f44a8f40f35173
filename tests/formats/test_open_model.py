"""Which reader opens a path: content decides, and a name that promises safety must keep it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from containers import gguf_bytes, opened, small, with_length
from kanna.errors import FormatError, Incomplete, KannaError, UnsafeFile
from kanna.formats import FORMATS, open_model
from kanna.messages import LANGUAGES, set_language

CONTENTS = {"safetensors": small("w"), "gguf": gguf_bytes()}


@pytest.mark.parametrize("container", CONTENTS)
@pytest.mark.parametrize(
    "name", ["m", "m.safetensors", "m.SFT", "m.gguf", "m.ckpt", "m.json", "m.x"]
)
def test_the_content_chooses_the_reader_and_a_false_name_is_told(container: str, name: str) -> None:
    promised = None if name in ("m", "m.x") else Path(name).suffix[1:].lower()
    true_names = {"safetensors": {"safetensors", "sft"}, "gguf": {"gguf"}}[container]
    with opened(CONTENTS[container], name) as model:
        assert model.container == container
        told = [note.key for note in model.notes] == ["formats.other_name"]
        assert told == (promised is not None and promised not in true_names)


@pytest.mark.parametrize("name", ["m.safetensors", "m.sft", "m.gguf", "M.SafeTensors"])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_under_a_safe_name_is_refused(tmp_path: Path, name: str, *, zipped: bool) -> None:
    torch.save({"w": torch.ones(2)}, tmp_path / name, _use_new_zipfile_serialization=zipped)
    with pytest.raises(UnsafeFile) as caught:
        open_model(tmp_path / name)
    assert caught.value.key == "formats.pickle_in_disguise"
    assert ".ckpt" in caught.value.hint


def test_a_checkpoint_opens_under_its_own_name(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(2)}, tmp_path / "m.ckpt")
    with open_model(tmp_path / "m.ckpt") as model:
        assert model.container == "ckpt-zip"
        assert not model.notes


@pytest.mark.parametrize("content", [b"", b"{}", b'{"error":"Not found"}', b"<html>", bytes(99)])
def test_what_is_no_model_is_a_format_error(content: bytes) -> None:
    with pytest.raises(FormatError) as caught, opened(content):
        pass
    assert caught.value.message


@pytest.mark.parametrize("name", ["missing.safetensors", "a\0b", "x" * 5000])
def test_what_is_not_there_is_incomplete(tmp_path: Path, name: str) -> None:
    with pytest.raises(Incomplete):
        open_model(tmp_path / name)


def test_a_device_is_no_model() -> None:
    with pytest.raises(FormatError):
        open_model("/dev/null")


@given(
    st.sampled_from(
        [b"", b"GGUF", b"PK\x03\x04", b"\x80\x02", b"\x80\x04", b"{", *CONTENTS.values()]
    ),
    st.binary(max_size=64),
    st.sampled_from(["m", "m.safetensors", "m.ckpt", "m.gguf"]),
)
@settings(deadline=None, max_examples=200)
def test_no_content_raises_anything_but_our_errors(head: bytes, rest: bytes, name: str) -> None:
    sentences = []
    try:
        with opened(head + rest, name):
            pass
    except KannaError as error:
        for language in LANGUAGES:
            set_language(language)
            sentences.append(str(error))
    assert all(sentence and sentence.isprintable() for sentence in sentences)


def test_the_registry_names_readers_that_exist() -> None:
    for row in FORMATS.values():
        assert callable(row.load())


@pytest.mark.parametrize("length", [*range(0x200, 0x300, 8), 0x4B50, 0x4747])
def test_a_header_of_any_length_is_one_of_safetensors(length: int) -> None:
    """The first bytes are those of the length, and may be those of a pickle or a zip."""
    header = b'{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
    with opened(with_length(header.ljust(length), b"x")) as model:
        assert model.container == "safetensors"
