from __future__ import annotations

from pathlib import Path

import pytest

from kanna.disk import InputFile
from kanna.errors import FormatError
from kanna.formats.checkpoint import open_checkpoint
from kanna.formats.wrong_content import explain
from kanna.messages import set_language

_POINTER = (
    b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 4265146304\n"
)

CONTENT = {
    "empty": (b"", "is empty"),
    "zeros": (bytes(1000), "nothing but zeros"),
    "a web page": (b"\n<!DOCTYPE html><html><title>Log in</title></html>", "web page"),
    "a web page of another spelling": (b"\xef\xbb\xbf<HTML><body>403</body></HTML>", "web page"),
    "a git-lfs pointer": (_POINTER, r"git-lfs pointer.*4,265,146,304"),
    "an error in JSON": (b'{"error": "Unauthorized"}', r'JSON.*"error": "Unauthorized"'),
    "text": (b"Entry not found, sorry", "Entry not found"),
    "7-Zip": (b"7z\xbc\xaf\x27\x1c" + bytes(50), "7-Zip archive"),
    "gzip": (b"\x1f\x8b\x08" + bytes(50), "gzip archive"),
    "RAR": (b"Rar!\x1a\x07\x01\x00" + bytes(50), "RAR archive"),
    "an empty zip": (b"PK\x05\x06" + bytes(18), "empty zip"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG picture"),
    "a program": (b"\x7fELF\x02\x01" + bytes(50), "ELF program"),
    "a Windows program": (b"MZ\x90\x00" + bytes(50), "Windows program"),
    "an array of NumPy": (b"\x93NUMPY\x01\x00" + bytes(50), "NumPy"),
    "anything else": (b"\x01\x02\x03\xfe\xff" * 20, "not a model file that kanna knows"),
    "binary that ends inside a letter": (b"abc\xe3\x81" * 3 + b"\x00", "not a model file"),
}


@pytest.mark.parametrize("what", CONTENT)
def test_wrong_content_is_told_in_words(what: str, tmp_path: Path) -> None:
    data, words = CONTENT[what]
    path = tmp_path / "model.ckpt"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=words) as caught:
        open_checkpoint(InputFile(path))
    assert caught.value.hint
    set_language("ja")
    assert caught.value.message
    assert caught.value.hint


def test_a_long_text_is_cut_and_stays_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes("一行目\n二行目\t".encode() * 100)
    message = explain(InputFile(path)).message
    assert "\n" not in message
    assert len(message) < 400
