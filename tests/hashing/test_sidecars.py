"""Sidecars: written as coreutils reads them, read as people write them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanna.errors import FormatError, KannaError, OutputExists
from kanna.hashing import sidecars
from kanna.hashing.sidecars import read_sidecar, sidecar_line, sidecar_path, write_sidecar

A, B = "a1" * 32, "b2" * 32
POSIX = os.name == "posix"


def model(folder: Path, name: str = "m.safetensors") -> Path:
    path = folder / name
    path.write_bytes(b"abc")
    return path


def said(path: Path, text: bytes) -> str | None:
    sidecar_path(path).write_bytes(text)
    found = read_sidecar(path)
    assert found is not None
    return found.sha256


@pytest.mark.parametrize(
    "text",
    [
        f"{A}  m.safetensors\n",
        f"{A} *m.safetensors\n",
        f"{A}  models/m.safetensors\r\n",
        A,
        f"{A.upper()}\n",
        f"\ufeff{A}  \n",
        f"SHA256 (m.safetensors) = {A}\n",
        f"# made by hand\n{B}  other.ckpt\n{A}  m.safetensors\n",
        f"{A}  old-name.safetensors\n",
        f"{B} other.ckpt\n{A} m.safetensors\n",
        f"{B}\tother.ckpt\n{A}\tm.safetensors\n",
    ],
)
def test_every_usual_form_is_read(tmp_path: Path, text: str) -> None:
    assert said(model(tmp_path), text.encode()) == A


def test_what_the_shell_of_windows_redirects_is_read(tmp_path: Path) -> None:
    assert said(model(tmp_path), f"\ufeff{A}  m.safetensors\r\n".encode("utf-16-le")) == A


@pytest.mark.skipif(not POSIX, reason="such names cannot be made here")
def test_a_name_too_long_for_a_sidecar_has_none(tmp_path: Path) -> None:
    path = model(tmp_path, "m" * 250)
    assert read_sidecar(path) is None
    with pytest.raises(KannaError, match="too long"):
        write_sidecar(path, A)


def test_lines_about_other_files_say_nothing(tmp_path: Path) -> None:
    assert said(model(tmp_path), f"{A}  x\n{B}  y\n".encode()) is None


@pytest.mark.parametrize("text", [b"", b"<html>", A[:-1].encode(), f"{A}0".encode(), b"\0" * 99])
def test_what_holds_no_digest_is_refused(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(FormatError, match="holds no SHA-256"):
        said(model(tmp_path), text)


def test_where_there_is_none_there_is_none(tmp_path: Path) -> None:
    assert read_sidecar(model(tmp_path)) is None


@pytest.mark.skipif(not POSIX, reason="such names cannot be made here")
@pytest.mark.parametrize("name", ["m.ckpt", "日本語 model.ckpt", "a\\b.ckpt", "a\nb.ckpt", "a\rb"])
def test_sha256sum_accepts_what_is_written(tmp_path: Path, name: str) -> None:
    path = model(tmp_path, name)
    place = write_sidecar(path, hashlib.sha256(b"abc").hexdigest())
    again = read_sidecar(path)
    assert again is not None
    assert again.sha256 == hashlib.sha256(b"abc").hexdigest()
    if shutil.which("sha256sum"):
        plain = subprocess.run(["sha256sum", name], cwd=tmp_path, capture_output=True, check=True)
        assert place.read_bytes() == plain.stdout
        subprocess.run(
            ["sha256sum", "-c", place.name], cwd=tmp_path, check=True, capture_output=True
        )


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1))
def test_any_name_comes_back_from_its_line(name: str) -> None:
    (entry,) = sidecars._entries(sidecar_line(name, A) + f"{B}  {name}x".encode()[:0])
    assert entry == (os.fsencode(name), A)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    assert all(len(digest) == 64 for _, digest in sidecars._entries(raw))


def test_another_sidecar_is_not_replaced_unless_forced(tmp_path: Path) -> None:
    path = model(tmp_path)
    place = write_sidecar(path, A)
    before = place.read_bytes()
    assert write_sidecar(path, A) == place
    with pytest.raises(OutputExists):
        write_sidecar(path, B)
    assert place.read_bytes() == before
    write_sidecar(path, B, force=True)
    assert said(path, place.read_bytes()) == B
    assert sorted(p.name for p in tmp_path.iterdir()) == [path.name, place.name]


def test_a_bare_sidecar_that_agrees_is_left_as_it_is(tmp_path: Path) -> None:
    path = model(tmp_path)
    sidecar_path(path).write_text(A)
    write_sidecar(path, A)
    assert sidecar_path(path).read_text() == A
