"""Headers that were seen before say the same as headers that are read anew."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanna.disk import InputFile
from kanna.errors import KannaError
from kanna.formats import headers as headers_module
from kanna.formats import open_model
from kanna.formats.headers import Headers
from kanna.formats.safetensors import open_safetensors
from kanna.model import ModelFile

ONE = '"a.b":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]}'
TWO = '"c":{"dtype":"F32","shape":[],"data_offsets":[4,8]}'
SAID = '"__metadata__":{"k":"v"}'
OTHER = '"__metadata__":{"k":"w","\\u00e9":"\\ud83d\\ude00"}'


def write(path: Path, header: str, data: int = 8) -> Path:
    raw = header.encode("utf-8", "surrogatepass")
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + bytes(data))
    return path


def told(model: ModelFile) -> tuple[object, ...]:
    tensors = [(name, t.name, t.dtype, t.shape, t.nbytes, t.read())
               for name, t in model.tensors.items()]  # fmt: skip
    return model.path, model.container, model.size, dict(model.metadata), tensors


def answer(read: object, path: Path) -> object:
    file = InputFile(path)
    try:
        return told(read(file))  # type: ignore[operator]
    except KannaError as error:
        return type(error), error.key, error.message
    finally:
        file.close()


@pytest.mark.parametrize(
    "header",
    [
        f"{{{SAID},{ONE},{TWO}}}", f"{{ {SAID} , {ONE},{TWO}}}  ", f"{{{OTHER},{ONE},{TWO}}}",
        f"{{{ONE},{TWO}}}", f"{{{ONE},{SAID},{TWO}}}", f"{{{ONE},{TWO},{OTHER}}}",
        f'{{"\\u005f_metadata__":{{"k":"v"}},{ONE},{TWO}}}',
        f"{{{SAID},{ONE},{TWO},{SAID}}}", f"{{{ONE},{TWO},{ONE}}}", f"{{{SAID}{ONE},{TWO}}}",
        f'{{"__metadata__":{{"k":1}},{ONE},{TWO}}}', f'{{"__metadata__":7,{ONE},{TWO}}}',
        f'{{"__metadata__":{{"k":"v","k":"w"}},{ONE},{TWO}}}', f'{{"__metadata__":,{ONE},{TWO}}}',
        f'{{"__metadata__":{{"k":"\\ud800"}},{ONE},{TWO}}}', f"{{{SAID},{TWO},{ONE}}}",
        f'{{"__metadata__":{{"k":"\ud800"}},{ONE},{TWO}}}', f'{{"__metadata__":NaN,{ONE},{TWO}}}',
    ],
)  # fmt: skip
def test_a_known_header_says_what_the_reader_says(tmp_path: Path, header: str) -> None:
    headers = Headers()
    answer(headers.open, write(tmp_path / "first", f"{{{SAID},{ONE},{TWO}}}"))
    answer(headers.open, write(tmp_path / "second", f"{{{ONE},{TWO}}}"))
    path = write(tmp_path / "third", header)
    expected = answer(open_safetensors, path)
    assert answer(headers.open, path) == expected
    assert answer(headers.open, path) == expected


@pytest.mark.parametrize("data", [0, 7, 9, 1000])
def test_the_end_of_a_file_is_checked_every_time(tmp_path: Path, data: int) -> None:
    headers = Headers()
    answer(headers.open, write(tmp_path / "whole", f"{{{SAID},{ONE},{TWO}}}"))
    path = write(tmp_path / "other", f"{{{OTHER},{ONE},{TWO}}}", data)
    assert answer(headers.open, path) == answer(open_safetensors, path)


@given(st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3), max_size=4))
def test_metadata_are_read_every_time(
    tmp_path_factory: pytest.TempPathFactory, said: list[dict[str, str]]
) -> None:
    folder, headers = tmp_path_factory.mktemp("m"), Headers()
    for number, metadata in enumerate(said):
        header = f'{{"__metadata__":{json.dumps(metadata)},{ONE},{TWO}}}'
        path = write(folder / f"{number}", header)
        assert answer(headers.open, path) == answer(open_safetensors, path)


def test_files_of_one_listing_are_told_and_forgotten_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = Headers()
    paths = [write(tmp_path / f"{number}.safetensors", f"{{{said},{ONE},{TWO}}}")
             for number, said in enumerate((SAID, OTHER))]  # fmt: skip
    paths.append(write(tmp_path / "2.safetensors", f"{{{ONE},{TWO}}}"))
    first, second, third = (_listing(headers, path) for path in paths)
    assert first == second
    assert third not in {first, None}
    monkeypatch.setattr(headers_module, "_MOST_TENSORS", 3)
    _listing(headers, write(tmp_path / "3.safetensors", f"{{{SAID}}}", 0))
    assert headers._tensors <= 3


def _listing(headers: Headers, path: Path) -> bytes | None:
    with open_model(path, readers={"safetensors": headers.open}) as model:
        return model.listing
