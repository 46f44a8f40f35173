"""Hostile pictures are refused in words, quickly, and without filling memory."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanna.errors import FormatError, KannaError
from kanna.pictures import PictureText, gif, image_data_digest, xmp_value
from kanna.pictures.held_bytes import HeldBytes
from kanna.pictures.opening import picture_in
from kanna.pictures.replacing import replaced
from picture_files import (
    COMMENT,
    END,
    EXIF_INTO,
    EXIF_POINTER,
    FORMS,
    HEADER,
    IMAGE,
    chunk,
    jpeg,
    png,
    riff,
    saved,
    segment,
    text,
    webp,
    webp_chunk,
    written,
)

MIB = 1 << 20


def picture(data: bytes) -> HeldBytes:
    return HeldBytes(data, Path("picture"))


def packed(size: int, times: int = 1) -> bytes:
    machine = zlib.compressobj(9)
    return b"".join(machine.compress(bytes(size)) for _ in range(times)) + machine.flush()


def entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack("<HHII", tag, kind, count, value)


def block(*entries: bytes, following: int = 0) -> bytes:
    table = struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", following)
    return b"II*\0\x08\0\0\0" + table


LOOP = block(entry(EXIF_POINTER, 4, 1, 8))
BOMBS = {
    "a text of 200 MiB": (
        png(text("zTXt", "parameters", b"\0" + packed(MIB, 200))),
        "text_too_long",
    ),
    "an international text of 17 MiB": (
        png(text("iTXt", "prompt", b"\1\0\0\0" + packed(MIB, 17))),
        "text_too_long",
    ),
    "three texts of 15 MiB": (
        png(*[text("zTXt", "workflow", b"\0" + packed(MIB, 15))] * 3),
        "texts_too_long",
    ),
    "a thousand and more texts": (
        png(*[text("tEXt", "a", b"")] * 1025),
        "too_many_texts",
    ),
    "a chunk of 4 GiB": (b"\x89PNG\r\n\x1a\n\xff\xff\xff\xfftEXtparameters\0x", "piece_too_long"),
    "a text longer than the file": (
        b"\x89PNG\r\n\x1a\n" + HEADER + struct.pack(">I4s", 10**6, b"tEXt") + b"a\0b" + IMAGE,
        "piece_too_long",
    ),
    "no size": (b"\x89PNG\r\n\x1a\n" + IMAGE + END, "no_size"),
    "no image": (b"\x89PNG\r\n\x1a\n" + HEADER + text("tEXt", "a", b"x"), "ends_before_image"),
    "a segment longer than the file": (
        b"\xff\xd8\xff\xe1\xff\xffExif\0\0" + bytes(99),
        "piece_too_long",
    ),
    "a segment shorter than its head": (b"\xff\xd8\xff\xe1\0\1" + bytes(99), "piece_too_long"),
    "rubbish for a segment": (b"\xff\xd8\xff\xe0\0\2rubbish", "no_marker"),
    "thousands of segments": (jpeg(segment(0xFE, b"") * 9000), "too_many_pieces"),
    "a chunk longer than a WebP": (riff(b"EXIF\xff\xff\xff\x7f"), "piece_too_long"),
    "nothing but boxes": (b"\0\0\0\x14ftypavif\0\0\0\0avif" + b"\0\0\0\x08free" * 5000, "too_many_pieces"),
    "a box shorter than its head": (b"\0\0\0\x14ftypavif\0\0\0\0avif\0\0\0\x04meta", "ends_before_image"),
}  # fmt: skip
EXIFS = {
    "a directory inside of itself": (LOOP, "exif_loop"),
    "directories one after another in a circle": (block(following=8), "exif_loop"),
    "two billion letters": (
        block(entry(COMMENT, 7, 0x7FFFFFFF, 26)),
        "exif_outside",
    ),
    "more than four billion bytes": (block(entry(0x10E, 129, 0xFFFFFFFF, 0)), "exif_outside"),
    "a text outside": (block(entry(COMMENT, 7, 20, 0xFFFFFFF0)), "exif_outside"),
    "a directory outside": (b"II*\0\xff\xff\xff\xff", "exif_outside"),
    "a directory of 65,535 entries": (b"II*\0\x08\0\0\0\xff\xff" + bytes(99), "exif_too_many"),
    "entries that all mean the same text": (
        block(*[entry(0x10E, 2, 30_000, 8)] * 1500) + bytes(30_000),
        "text",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_words_and_in_little_memory(name: str) -> None:
    data, key = BOMBS[name]
    file = picture(data)
    tracemalloc.start()
    try:
        with pytest.raises(FormatError) as caught:
            picture_in(file)
        assert tracemalloc.get_traced_memory()[1] < (50 if "15 MiB" in name else 40) * MIB
    finally:
        tracemalloc.stop()
    assert caught.value.key == f"pictures.{key}"
    assert "picture" in caught.value.message


def test_a_bomb_is_not_kept_while_it_is_measured() -> None:
    file = picture(BOMBS["a text of 200 MiB"][0])
    tracemalloc.start()
    try:
        with pytest.raises(FormatError):
            picture_in(file)
        assert tracemalloc.get_traced_memory()[1] < 4 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("container", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("name", EXIFS)
def test_exif_that_leads_nowhere_is_refused(name: str, container: str) -> None:
    data, key = EXIFS[name]
    with pytest.raises(FormatError) as caught:
        picture_in(picture(EXIF_INTO[container](data)))
    assert key in caught.value.key


def test_a_gif_of_too_many_blocks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gif, "_BLOCKS", 100_000)
    for count, blocks in ((1, 100_001), (60_000, 2)):
        data = saved("GIF")[:-1] + (b"!\xfe" + b"\1x" * blocks + b"\0") * count + b";"
        with pytest.raises(FormatError) as caught:
            picture_in(picture(data))
        assert caught.value.key == "pictures.too_many_pieces"


def test_a_workflow_of_ten_megabytes_is_no_bomb() -> None:
    workflow = "".join(f'{{"id": {number}}},' for number in range(700_000))
    data = png(text("zTXt", "workflow", b"\0" + zlib.compress(workflow.encode())))
    assert picture_in(picture(data)).texts[0].text == workflow


def test_markup_is_text_like_any_other() -> None:
    hostile = "<img src=x onerror=alert(1)>\nSteps: 20, Model: ../../evil"
    assert picture_in(picture(png(text("tEXt", "a", hostile.encode())))).texts[0].text == hostile


@given(st.text(alphabet="<>/='\" &;exif:UserComment#l", max_size=200))
def test_any_text_may_be_asked_for_a_property(packet: str) -> None:
    assert xmp_value(packet, "exif:UserComment") is None or "UserComment" in packet


SEEDS = [*(written(form) for form in FORMS), jpeg(segment(0xE1, b"Exif\0\0" + LOOP)),
         webp(webp_chunk("XMP ", b"<x/>")), saved("WEBP"), saved("AVIF"),
         png(chunk("eXIf", block()), after=[text("tEXt", "a", b"b")])]  # fmt: skip
DAMAGE = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 5), st.binary(max_size=6)), min_size=1, max_size=4
)


@given(st.sampled_from(SEEDS), DAMAGE, st.floats(0, 1.3))
def test_damaged_pictures_are_read_or_refused_in_words(
    data: bytes, damage: list[tuple[float, int, bytes]], cut: float
) -> None:
    changed = bytearray(data)
    for place, removed, put in damage:
        at = int(place * len(changed))
        changed[at : at + removed] = put
    del changed[int(cut * len(changed)) :]
    file = picture(bytes(changed))
    try:
        found = picture_in(file)
    except KannaError:
        return
    assert not found.texts or replaced(file, found.texts) == bytes(changed)
    new = PictureText(place="xmp", keyword="", text="新")
    for texts in ([], [new], [*found.texts[1:]]):
        try:
            made = replaced(file, texts)
        except KannaError:
            continue
        assert image_data_digest(made) == image_data_digest(bytes(changed))


def box(kind: str, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind.encode()) + body


def shared_avif(count: int) -> bytes:
    """An AVIF of an Exif item and `count` images, each of which is all of the file."""
    kinds = [b"Exif", *[b"av01"] * count]
    names = [
        box("infe", struct.pack(">IHH4sx", 2 << 24, number, 0, kind))
        for number, kind in enumerate(kinds, 1)
    ]
    exif = bytes(4) + block(entry(0x010E, 2, 4, int.from_bytes(b"cat\0", "little")))
    head = box("ftyp", b"avif" + bytes(4) + b"avif")
    inner = box("iinf", struct.pack(">IH", 0, len(kinds)) + b"".join(names))
    size = len(head) + 12 + len(inner) + 16 + 14 * len(kinds)
    runs = [(size + 8, len(exif)), *[(0, 0)] * count]  # a length of 0 stands for all
    rows = (struct.pack(">HHHII", n, 0, 1, *run) for n, run in enumerate(runs, 1))
    inner += box("iloc", struct.pack(">IHH", 0, 0x4400, len(kinds)) + b"".join(rows))
    return head + box("meta", bytes(4) + inner) + box("mdat", exif)


def test_images_that_are_all_of_the_file_are_not_read_thousands_of_times() -> None:
    found = shared_avif(5_000)
    assert [one.text for one in picture_in(picture(found)).texts] == ["cat"]
    for look in (lambda: image_data_digest(found), lambda: replaced(picture(found), [])):
        with pytest.raises(FormatError) as caught:
            look()
        assert caught.value.key == "pictures.meta_broken"
    assert image_data_digest(shared_avif(3))
