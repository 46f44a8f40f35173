"""Texts that are hidden in pixels are read, and taken out."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from PIL import Image

from kanna.errors import FormatError
from kanna.pictures import image_data_digest, open_picture, with_texts, without_stealth
from kanna.pictures import stealth as stealth_module
from picture_files import PARAMETERS, as_file, drawing, hide, itxt, png, saved, text

LONG = PARAMETERS * 9
FORMS = ("stealth_pnginfo", "stealth_pngcomp", "stealth_rgbinfo", "stealth_rgbcomp")


def hidden(signature: str, mode: str, said: bytes, length: int | None = None) -> Image.Image:
    image = drawing(mode, (120, 90))
    packed = gzip.compress(said) if signature.endswith("comp") else said
    hide(image, signature, packed, length)
    return image


def modes(signature: str) -> tuple[str, ...]:
    return ("RGBA",) if "png" in signature else ("RGB", "RGBA")


CASES = [(one, mode, form) for one in FORMS for mode in modes(one) for form in ("PNG", "WEBP")]


def at(folder: Path, image: Image.Image, form: str = "PNG") -> Path:
    path = folder / f"絵.{form.lower()}"
    options = {"lossless": True, "exact": True} if form == "WEBP" else {}
    path.write_bytes(as_file(image, form, **options))
    return path


@pytest.mark.parametrize(("signature", "mode", "form"), CASES)
def test_hidden_text_is_read_when_it_is_asked_for(
    signature: str, mode: str, form: str, tmp_path: Path
) -> None:
    path = at(tmp_path, hidden(signature, mode, LONG.encode()), form)
    assert not open_picture(path).texts
    (one,) = open_picture(path, stealth=True).texts
    assert (one.place, one.text) == ("stealth_alpha" if "png" in signature else "stealth_rgb", LONG)


@pytest.mark.parametrize(("signature", "mode", "form"), CASES)
def test_pixels_without_hidden_text_differ_in_lowest_bits_only(
    signature: str, mode: str, form: str, tmp_path: Path
) -> None:
    image = hidden(signature, mode, LONG.encode())
    path = at(tmp_path, image, form)
    path.write_bytes(without_stealth(path))
    found = open_picture(path, stealth=True)
    assert (found.texts, found.notes) == ((), ())
    now, before = Image.open(path).convert("RGBA").tobytes(), image.convert("RGBA").tobytes()
    assert max(abs(a - b) for a, b in zip(now, before, strict=True)) == 1
    assert without_stealth(path) == path.read_bytes()


def test_all_other_chunks_stay_where_they_are(tmp_path: Path) -> None:
    path = at(tmp_path, hidden("stealth_pngcomp", "RGBA", LONG.encode()))
    plain = path.read_bytes()
    extra = text("tEXt", "a", b"1")
    cut = plain.index(b"IDAT") - 4
    path.write_bytes(plain[:cut] + extra + plain[cut:-12] + itxt("b", "日本") + plain[-12:])
    made = without_stealth(path)
    assert made[:cut] + extra == path.read_bytes()[: cut + len(extra)]
    assert made.endswith(itxt("b", "日本") + plain[-12:])
    assert all(alpha & 1 for alpha in Image.open(io.BytesIO(made)).getchannel("A").tobytes())


def test_other_texts_are_written_without_touching_hidden_ones(tmp_path: Path) -> None:
    path = at(tmp_path, hidden("stealth_pnginfo", "RGBA", LONG.encode()))
    digest, texts = image_data_digest(path), open_picture(path, stealth=True).texts
    assert with_texts(path, texts) == path.read_bytes()
    assert digest == image_data_digest(with_texts(path, []))


@pytest.mark.parametrize(
    "data",
    [
        png(text("tEXt", "a", b"x")),
        saved("JPEG"),
        saved("WEBP", lossless=False),
        saved("WEBP"),
        saved("PNG", mode="L"),
        saved("GIF"),
    ],
)
def test_pictures_that_hide_nothing_stay_as_they_are(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(data)
    found = open_picture(path, stealth=True)
    assert not found.notes
    assert found == open_picture(path)
    assert without_stealth(path) == data


@pytest.mark.parametrize(
    ("signature", "said", "length"),
    [
        ("stealth_pnginfo", b"\xff\xfe no text", None),
        ("stealth_pngcomp", gzip.compress(b"x" * 99, mtime=0)[:15], None),
        ("stealth_pnginfo", b"abc", 0xFFFFFFF8),
        ("stealth_rgbinfo", b"abc", 13),
    ],
)
def test_damaged_hidden_text_is_told(
    signature: str, said: bytes, length: int | None, tmp_path: Path
) -> None:
    image = drawing("RGBA", (120, 90))
    hide(image, signature, said, length)
    path = at(tmp_path, image)
    found = open_picture(path, stealth=True)
    assert [note.key for note in found.notes] == ["pictures.broken_stealth"]
    path.write_bytes(without_stealth(path))
    assert not open_picture(path, stealth=True).notes


def test_a_hidden_bomb_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(gzip.compress(bytes(17 << 20)), 9)
    image = drawing("RGBA", (600, 400))
    hide(image, "stealth_pngcomp", gzip.decompress(bomb))
    with pytest.raises(FormatError) as caught:
        open_picture(at(tmp_path, image), stealth=True)
    assert caught.value.key == "pictures.text_too_long"


def test_pictures_that_are_too_large_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stealth_module, "MOST_PIXELS", 120 * 90 - 1)
    path = at(tmp_path, hidden("stealth_pnginfo", "RGBA", b"abc"))
    assert [note.key for note in open_picture(path, stealth=True).notes] == ["pictures.too_large"]
    with pytest.raises(FormatError):
        without_stealth(path)


def test_an_image_that_cannot_be_decoded_is_told(tmp_path: Path) -> None:
    path = at(tmp_path, hidden("stealth_pnginfo", "RGBA", b"abc"))
    data = bytearray(path.read_bytes())
    start = data.index(b"IDAT") + 6
    data[start : start + 40] = bytes(40)
    path.write_bytes(bytes(data))
    assert [note.key for note in open_picture(path, stealth=True).notes] == [
        "pictures.broken_image"
    ]
