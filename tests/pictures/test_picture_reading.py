"""What pictures say is read, whoever wrote it and however."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from kanna.errors import FormatError
from kanna.identity import said
from kanna.pictures import Picture, is_picture, open_picture, xmp_value
from kanna.pictures.held_bytes import HeldBytes
from kanna.pictures.opening import picture_in
from picture_files import (
    EXIF_INTO,
    FORMS,
    IMAGE,
    PARAMETERS,
    SUFFIXES,
    chunk,
    comment,
    itxt,
    jpeg,
    png,
    riff,
    saved,
    segment,
    text,
    tiff,
    webp,
    webp_chunk,
    written,
)


def read(data: bytes) -> Picture:
    return picture_in(HeldBytes(data, Path("picture")))


def says(data: bytes) -> list[tuple[str, str, str]]:
    return [(one.place, one.keyword, one.text) for one in read(data).texts]


def problems(picture: Picture) -> list[str]:
    assert all(said(note) for note in picture.notes)
    return [note.key.partition(".")[2] for note in picture.notes]


@pytest.mark.parametrize("form", FORMS)
def test_what_pillow_writes_is_read(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"絵{SUFFIXES[form]}"
    path.write_bytes(written(form))
    found = open_picture(path)
    assert (found.container, found.width, found.height) == (form.lower(), 16, 8)
    keyword = {"PNG": "parameters", "GIF": ""}.get(form, "UserComment")
    chosen = found.text(keyword)
    assert chosen is not None
    assert chosen.text == PARAMETERS
    assert not found.notes
    assert is_picture(path.read_bytes()[:32])


def test_every_kind_of_text_in_a_png_is_read_in_order() -> None:
    packed = text("zTXt", "c", b"\0" + zlib.compress(b"caf\xe9"))
    more = itxt("d", "日本", packed=True, language="ja", name="キー")
    data = png(
        text("tEXt", "a", b"caf\xe9"), itxt("b", "日本"), packed, more, text("tEXt", "a", b"2")
    )
    assert says(data) == [
        ("tEXt", "a", "café"), ("iTXt", "b", "日本"), ("zTXt", "c", "café"), ("iTXt", "d", "日本"),
        ("tEXt", "a", "2"),
    ]  # fmt: skip
    assert [one.encoding for one in read(data).texts] == ["latin-1", "utf-8"] * 2 + ["latin-1"]


def test_utf_8_where_latin_1_should_be_is_read_as_it_was_meant() -> None:
    (one,) = read(png(text("tEXt", "parameters", PARAMETERS.encode()))).texts
    assert (one.text, one.encoding) == (PARAMETERS, "utf-8")


def test_texts_behind_the_image_are_read() -> None:
    (one,) = read(png(after=[itxt("parameters", PARAMETERS)])).texts
    assert (one.text, one.after_data) == (PARAMETERS, True)


def test_the_image_of_a_large_png_is_not_read() -> None:
    class Counting(HeldBytes):
        __slots__ = ("total",)

        def read_into(self, offset: int, out: memoryview) -> None:
            self.total = getattr(self, "total", 0) + len(out)
            super().read_into(offset, out)

    image = b"".join(chunk("IDAT", bytes(1 << 16)) for _ in range(40))
    file = Counting(png(text("tEXt", "a", b"x"), image=image, after=[itxt("b", "y")]), Path("x"))
    assert [one.keyword for one in picture_in(file).texts] == ["a", "b"]
    assert file.total < 40_000


def test_a_wrong_checksum_is_told_and_the_text_is_read() -> None:
    found = read(png(text("tEXt", "a", b"hello")[:-4] + b"\1\2\3\4"))
    assert found.texts[0].text == "hello"
    assert problems(found) == ["wrong_checksum"]


@pytest.mark.parametrize(
    "broken",
    [
        text("zTXt", "a", b"\0 no zlib"),
        text("zTXt", "a", b"\0" + zlib.compress(b"x" * 99)[:-7]),
        text("zTXt", "a", b"\7" + zlib.compress(b"x")),
        text("zTXt", "a", b""),
        text("iTXt", "a", b"\0\0\0"),
        text("iTXt", "a", b"\2\0\0\0x"),
        text("iTXt", "a", b"\0\0\0\0\xff\xfe"),
        chunk("tEXt", b"no end of the keyword"),
    ],
)
def test_a_text_that_cannot_be_read_is_told_and_the_others_are_read(broken: bytes) -> None:
    found = read(png(broken, text("tEXt", "b", b"fine")))
    assert [one.text for one in found.texts] == ["fine"]
    assert problems(found) == ["broken_text"]


@pytest.mark.parametrize("kind", EXIF_INTO)
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (b"UNICODE\0" + PARAMETERS.encode("utf-16-be"), "utf-16-be"),
        (b"UNICODE\0" + PARAMETERS.encode("utf-16-le"), "utf-16-le"),
        (b"UNICODE\0" + "日本語の文".encode("utf-16-be"), "utf-16-be"),
        (b"UNICODE\0" + "桜と梅と桃の木がある絵".encode("utf-16-le"), "utf-16-le"),
        (b"UNICODE\0\xff\xfe" + PARAMETERS.encode("utf-16-le"), "utf-16-le"),
        (b"UNICODE\0" + PARAMETERS.encode(), "utf-8"),
        (b"ASCII\0\0\0" + PARAMETERS.encode(), "utf-8"),
        (b"ASCII\0\0\0caf\xe9\0\0", "latin-1"),
        (b"JIS\0\0\0\0\0" + PARAMETERS.encode("iso2022_jp"), "iso2022_jp"),
        (b"JIS\0\0\0\0\0" + PARAMETERS.encode("cp932"), "cp932"),
        (bytes(8) + PARAMETERS.encode(), "utf-8"),
        (bytes(8) + PARAMETERS.encode("utf-16-le"), "utf-16-le"),
        (PARAMETERS.encode() + b"\0", "utf-8"),
    ],
)
def test_a_user_comment_is_read_in_its_wild_encodings(
    kind: str, order: str, raw: bytes, encoding: str
) -> None:
    (one,) = read(EXIF_INTO[kind](comment(raw, order))).texts
    assert (one.place, one.keyword, one.encoding) == ("exif", "UserComment", encoding)
    assert one.text in {PARAMETERS, "日本語の文", "桜と梅と桃の木がある絵", "café"}


def test_texts_of_comfyui_windows_and_others_are_read_from_exif() -> None:
    block = tiff({
        0x010F: (2, b"workflow:{}\0"), 0x0110: (2, b"prompt:{}\0"), 0x010C: (2, b"extra:1\0"),
        0x0131: (2, "鉋\0".encode()), 0x9C9C: (1, "説明\0".encode("utf-16-le")),
        0x0132: (2, b"2024:01:01 00:00:00\0"), 0x0112: (3, b"\0\1"),
    }, {0x9003: (2, b"2024:01:01 00:00:00\0"), 0x9286: (7, b"ASCII\0\0\0" + b" " * 20)})  # fmt: skip
    assert says(EXIF_INTO["webp"](block)) == [
        ("exif", "0x010c", "extra:1"), ("exif", "Make", "workflow:{}"),
        ("exif", "Model", "prompt:{}"), ("exif", "Software", "鉋"), ("exif", "XPComment", "説明"),
    ]  # fmt: skip


def test_comments_and_xmp_of_a_jpeg_are_read_also_where_xmp_has_several_parts() -> None:
    whole = "<x>" + "あ" * 30_000 + "</x>"
    raw, guid = whole.encode(), b"0123456789ABCDEF" * 2
    head = b"http://ns.adobe.com/xmp/extension/\0" + guid + struct.pack(">I", len(raw))
    parts = [
        segment(0xE1, head + struct.pack(">I", at) + raw[at : at + 60_000])
        for at in range(0, len(raw), 60_000)
    ]
    xmp = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>some</x>")
    data = jpeg(
        segment(0xFE, "コメント\0".encode()), xmp, *reversed(parts), segment(0xFE, b"caf\xe9")
    )
    assert says(data) == [
        ("comment", "", "コメント"), ("xmp", "", "<x>some</x>"), ("comment", "", "café"),
        ("xmp", "extended", whole),
    ]  # fmt: skip
    assert problems(read(jpeg(parts[0]))) == ["broken_text"]


@pytest.mark.parametrize("lossless", [True, False])
def test_the_size_of_a_simple_webp_is_read_off_its_image(lossless: bool) -> None:  # noqa: FBT001
    found = read(saved("WEBP", lossless=lossless))
    assert (found.width, found.height) == (16, 8)


def test_xmp_is_found_in_every_container_that_can_have_it() -> None:
    packet = "<x:xmpmeta>日本</x:xmpmeta>"
    gif = saved("GIF")
    block = b"!\xff\x0bXMP DataXMP" + packet.encode() + b"\1" + bytes(range(255, -1, -1)) + b"\0"
    for data in (
        png(itxt("XML:com.adobe.xmp", packet)),
        webp(webp_chunk("XMP ", packet.encode())),
        gif[:-1] + block + gif[-1:],
    ):
        assert ("xmp", "", packet) in says(data)


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (png(text("tEXt", "a", b"1"), end=b"")[:-6], ["a"]),
        (png(text("tEXt", "a", b"1"), after=[text("tEXt", "b", b"2")], end=b""), ["a", "b"]),
        (png(text("tEXt", "a", b"1"), after=[text("tEXt", "b", b"2")[:-5]], end=b""), ["a"]),
        (png(text("tEXt", "a", b"1"), after=[b"rubbish that is no chunk"]), ["a"]),
        (png(text("tEXt", "a", b"1"), image=IMAGE[:-9], end=b""), ["a"]),
        (webp(webp_chunk("EXIF", tiff({0x10F: (2, b"a\0")})), b"XMP \xff\0\0\0x"), ["Make"]),
        (written("GIF")[:-1], [""]),
    ],
)
def test_what_is_damaged_behind_the_image_is_told_and_the_texts_before_are_read(
    data: bytes, kept: list[str]
) -> None:
    found = read(data)
    assert [one.keyword for one in found.texts] == kept
    assert problems(found) == ["tail_damaged"]


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_that_ends_before_its_image_is_refused(form: str) -> None:
    for end in (3, 12, 20, 31):
        with pytest.raises(FormatError):
            read(written(form)[:end])


def test_other_files_are_no_pictures(tmp_path: Path) -> None:
    for data in (b"", b"PK\3\4", b"RIFF\0\0\0\0WAVE", b"\0\0\0\x18ftypisom\0\0\0\0mp42"):
        path = tmp_path / "a.png"
        path.write_bytes(data)
        assert not is_picture(data)
        with pytest.raises(FormatError) as caught:
            open_picture(path)
        assert caught.value.key == "pictures.no_picture"


def test_trailing_bytes_behind_a_webp_are_none_of_its_chunks() -> None:
    plain = riff(*[saved("WEBP")[12:]]) + b"EXIF\0\0\0\0"
    assert not read(plain).texts


@pytest.mark.parametrize(
    ("packet", "value"),
    [
        ('<d exif:UserComment="a &lt;b&gt; &#x65E5;&#26412; &amp;amp;"/>', "a <b> 日本 &amp;"),
        ("<d\n exif:UserComment='{\"c\":1}'/>", '{"c":1}'),
        ("<exif:UserComment>plain</exif:UserComment>", "plain"),
        (
            "<exif:UserComment><rdf:Alt><rdf:li xml:lang='x-default'>{&quot;c&quot;}</rdf:li>"
            "</rdf:Alt></exif:UserComment>",
            '{"c"}',
        ),
        ("<exif:UserComment><![CDATA[<a&b>]]></exif:UserComment>", "<a&b>"),
        ("<exif:UserCommentary>x</exif:UserCommentary>", None),
        ("<exif:UserComment/>", None),
        ("<exif:UserComment>never ends", None),
        ('<!DOCTYPE x [<!ENTITY a "b">]><d exif:UserComment="&a;&#55296;"/>', "&a;&#55296;"),
    ],
)
def test_a_property_is_found_in_xmp_without_expanding_anything(
    packet: str, value: str | None
) -> None:
    assert xmp_value(packet, "exif:UserComment") == value
