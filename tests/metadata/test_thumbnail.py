"""Thumbnails: small, upright, nothing but pixels; whatever a stranger put in is no danger."""

from __future__ import annotations

import base64
import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from kanna.errors import FormatError, Incomplete, UsageError
from kanna.metadata.modelspec import written
from kanna.metadata.thumbnail import check_data_url, extract_thumbnail, make_thumbnail


def opened(url: str) -> Image.Image:
    return Image.open(BytesIO(check_data_url(url)))


@pytest.mark.parametrize("size", [(1024, 512), (300, 900), (64, 64), (1, 1), (5000, 10)])
def test_a_picture_fits_into_256_and_keeps_its_shape(size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    Image.new("RGB", size, (200, 30, 30)).save(path)
    url = make_thumbnail(path)
    made = opened(url)
    assert made.format == "JPEG"
    assert max(made.size) <= 256
    scale = min(256 / max(size), 1)
    assert made.size == tuple(max(round(side * scale), 1) for side in size)
    assert written("modelspec.thumbnail", url) == url


def test_nothing_but_pixels_goes_in(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET in exif"
    Image.new("RGB", (64, 32), "blue").save(
        tmp_path / "a.jpg", exif=exif, comment=b"SECRET comment", icc_profile=b"SECRET icc"
    )
    text = PngInfo()
    text.add_text("parameters", "SECRET prompt")
    Image.new("RGB", (64, 32), "blue").save(tmp_path / "a.png", pnginfo=text)
    for name in ("a.jpg", "a.png"):
        assert b"SECRET" in (tmp_path / name).read_bytes()
        assert b"SECRET" not in check_data_url(make_thumbnail(tmp_path / name))


def test_a_picture_that_lies_on_its_side_is_set_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (64, 32)).save(tmp_path / "a.jpg", exif=exif)
    assert opened(make_thumbnail(tmp_path / "a.jpg")).size == (32, 64)


def test_a_picture_of_nothing_but_blanks_is_looked_at_once() -> None:
    assert check_data_url("data:image/png;base64,QUJ\n D\n") == b"ABC"
    with pytest.raises(ValueError, match="no data URL"):
        check_data_url("data:image/png;base64,A" + " " * 1_000_000 + "!")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "CMYK", "1", "I;16"])
def test_pictures_of_every_mode_will_do(mode: str, tmp_path: Path) -> None:
    suffix = "jpg" if mode == "CMYK" else "png"
    Image.new(mode, (40, 40)).save(tmp_path / f"a.{suffix}")
    made = opened(make_thumbnail(tmp_path / f"a.{suffix}"))
    assert made.format == ("WEBP" if mode in {"RGBA", "LA"} else "JPEG")


def test_a_picture_comes_out_as_it_went_in(tmp_path: Path) -> None:
    Image.new("RGB", (64, 32), (10, 200, 30)).save(tmp_path / "a.png")
    url = make_thumbnail(tmp_path / "a.png")
    for suffix, kind in ((".png", "PNG"), (".JPG", "JPEG"), (".webp", "WEBP")):
        made = Image.open(BytesIO(extract_thumbnail(url, suffix, Path("m"))))
        assert (made.format, made.size) == (kind, (64, 32))
    with pytest.raises(UsageError):
        extract_thumbnail(url, ".svg", Path("m"))


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its data does not have."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"x"))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "data",
    [
        b"", b"no picture", b"<svg onload=alert(1)>", b"\x89PNG\r\n\x1a\n", png_of(4, 4)[:40],
        png_of(60_000, 60_000), png_of(12_000, 12_000), b"GIF89a" + b"\0" * 20, b"%PDF-1.4", b"\xff\xd8\xff\xe0",
    ],
)  # fmt: skip
def test_what_is_no_picture_or_a_bomb_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(FormatError):
        make_thumbnail(tmp_path / "a.png")
    url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    with pytest.raises(FormatError):
        extract_thumbnail(url, ".png", Path("m"))


def test_a_picture_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Incomplete):
        make_thumbnail(tmp_path / "none.png")
