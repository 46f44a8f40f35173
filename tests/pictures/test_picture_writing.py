"""Texts are put into pictures, Pillow reads them there, and the image stays byte for byte."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kanna.errors import Incompatible
from kanna.pictures import (
    Picture,
    PictureText,
    image_data_digest,
    new_png,
    open_picture,
    with_texts,
)
from kanna.pictures.held_bytes import HeldBytes
from kanna.pictures.opening import picture_in
from kanna.pictures.picture import Place
from kanna.pictures.replacing import replaced
from picture_files import (
    COMMENT,
    EXIF_INTO,
    EXIF_POINTER,
    FORMS,
    MAKER_NOTE,
    ORIENTATION,
    PARAMETERS,
    chunk,
    comment,
    exif_of,
    itxt,
    jpeg,
    pixels,
    png,
    saved,
    segment,
    text,
    tiff,
    webp,
    webp_chunk,
    written,
)

OTHER = "別の絵, best quality\nSteps: 30, Sampler: DPM++ 2M, Model: 鉋" * 9
PLACES: dict[str, Place] = {"GIF": "comment", "PNG": "tEXt"}
KEYWORDS = {"GIF": "", "PNG": "parameters"}


def infotext(form: str, said: str = OTHER) -> PictureText:
    return PictureText(
        place=PLACES.get(form, "exif"), keyword=KEYWORDS.get(form, "UserComment"), text=said
    )


def read(data: bytes) -> Picture:
    return picture_in(HeldBytes(data, Path("picture")))


def put(data: bytes, *texts: PictureText) -> bytes:
    """Write texts, and hold the image against what it was."""
    made = replaced(HeldBytes(data, Path("picture")), texts)
    assert image_data_digest(made) == image_data_digest(data)
    return made


def as_read_by_pillow(form: str, data: bytes) -> str:
    info = Image.open(io.BytesIO(data)).info
    if form == "PNG":
        return str(info["parameters"])
    if form == "GIF":
        return bytes(info["comment"]).decode()
    raw = exif_of(data)[COMMENT]
    assert isinstance(raw, bytes)
    assert raw[:8] == b"UNICODE\0"
    return raw[8:].decode("utf-16-be")


@pytest.mark.parametrize("form", FORMS)
def test_the_same_texts_give_the_same_file(form: str, tmp_path: Path) -> None:
    path = tmp_path / "絵"
    path.write_bytes(written(form))
    assert with_texts(path, open_picture(path).texts) == written(form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("said", ["x", PARAMETERS, OTHER, "plain " * 99])
def test_a_new_text_is_read_by_pillow_and_the_pixels_are_the_same(form: str, said: str) -> None:
    made = put(saved(form), infotext(form, said))
    assert as_read_by_pillow(form, made) == said
    assert pixels(made) == pixels(saved(form))
    assert not read(put(made)).texts
    assert form not in {"PNG", "JPEG"} or put(made) == saved(form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("said", ["x", OTHER])
def test_a_changed_text_is_read_by_pillow_and_all_others_stay(form: str, said: str) -> None:
    before = read(written(form)).texts
    wanted = [
        replace(one, text=said) if one.keyword == KEYWORDS.get(form, "UserComment") else one
        for one in before
    ]
    made = put(written(form), *wanted)
    assert as_read_by_pillow(form, made) == said
    assert [one.text for one in read(made).texts] == [one.text for one in wanted]
    assert pixels(made) == pixels(written(form))
    assert form in {"GIF", "AVIF"} or exif_of(made)[ORIENTATION] == 1


@pytest.mark.parametrize("form", FORMS)
def test_nothing_of_a_removed_text_is_left(form: str) -> None:
    made = put(written(form))
    assert not read(made).texts
    for encoding in ("utf-8", "utf-16-be"):
        assert "Steps: 20".encode(encoding) not in made
    assert b"workflow" not in made
    assert pixels(made) == pixels(written(form))


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "AVIF"])
def test_what_was_longer_leaves_no_room_behind(form: str) -> None:
    once = put(saved(form), infotext(form, "x"))
    assert put(put(saved(form), infotext(form)), infotext(form, "x")) == once
    assert len(once) < len(saved(form)) + 300


def test_texts_that_are_the_same_keep_their_chunks_in_place() -> None:
    packed = itxt("workflow", "日本", packed=True, language="ja", name="キー")
    first, last = text("tEXt", "a", "日本".encode()), text("tEXt", "a", b"2")[:-1] + b"?"
    data = png(first, packed, after=[last])
    texts = list(read(data).texts)
    assert [one.keyword for one in texts] == ["a", "workflow", "a"]
    made = put(data, *texts, PictureText(place="tEXt", keyword="new", text="caf\xe9"))
    added = text("tEXt", "new", b"caf\xe9")
    assert made == png(first, packed, added, after=[last])
    assert put(data, *texts[1:]) == png(first[:0], packed, after=[last])
    assert put(data, *reversed(texts)) != data


def test_a_changed_text_keeps_its_kind_of_chunk_its_language_and_its_place() -> None:
    data = png(
        itxt("a", "1", packed=True, language="ja", name="キー"), text("tEXt", "b", b"2"),
        after=[text("tEXt", "c", b"3")],
    )  # fmt: skip
    changed = [replace(one, text="日本" if one.keyword != "c" else "é") for one in read(data).texts]
    assert put(data, *changed) == png(
        itxt("a", "日本", packed=True, language="ja", name="キー"), itxt("b", "日本"),
        after=[text("tEXt", "c", b"\xe9")],
    )  # fmt: skip


def test_latin_text_that_would_be_taken_for_another_encoding_is_written_as_unicode() -> None:
    made = put(png(), PictureText(place="tEXt", keyword="a", text="Ã©"))
    assert read(made).texts[0].text == "Ã©"
    assert Image.open(io.BytesIO(made)).info["a"] == "Ã©"


@pytest.mark.parametrize("kind", EXIF_INTO)
@pytest.mark.parametrize(
    ("before", "encoding"),
    [(b"UNICODE\0", "utf-16-le"), (b"UNICODE\0", "utf-8"), (b"ASCII\0\0\0", "utf-8"), (b"", "utf-8"),
     (b"JIS\0\0\0\0\0", "iso2022_jp")],
)  # fmt: skip
def test_a_changed_comment_keeps_its_encoding(kind: str, before: bytes, encoding: str) -> None:
    data = EXIF_INTO[kind](comment(before + PARAMETERS.encode(encoding)))
    made = put(data, PictureText(place="exif", keyword="UserComment", text=f"桜, {PARAMETERS}"))
    assert before + f"桜, {PARAMETERS}".encode(encoding) in made
    over = put(data, PictureText(place="exif", keyword="UserComment", text="한국어 emoji 🎨"))
    assert read(over).texts[0].text == "한국어 emoji 🎨"


def test_a_comment_that_says_ascii_and_is_does_not_become_something_else() -> None:
    data = EXIF_INTO["jpeg"](comment(b"ASCII\0\0\0old"))
    made = put(data, PictureText(place="exif", keyword="UserComment", text="a 猫"))
    assert b"UNICODE\0" + "a 猫".encode("utf-16-be") in made
    assert b"ASCII\0\0\0" not in made


def maker_note(at: int) -> tuple[bytes, bytes]:
    """A note of a maker that counts from the start of the EXIF: a pointer to itself."""
    return struct.pack("<I", at) + b"MakerNote", struct.pack("<I", at)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("said", ["x", PARAMETERS, OTHER])
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "webp with a prefix"])
def test_everything_else_in_exif_survives(order: str, said: str, kind: str) -> None:
    note, gps = b"note that nobody may move", 0x8825
    block = tiff(
        {0x010F: (2, b"Camera\0\0"), ORIENTATION: (3, struct.pack(f"{order}H", 6)),
         0x011A: (5, struct.pack(f"{order}II", 72, 1)), 0x0132: (2, b"2024:01:02 03:04:05\0")},
        {COMMENT: (7, b"UNICODE\0" + PARAMETERS.encode("utf-16-be")), MAKER_NOTE: (7, note),
         0xA434: (2, b"lens of some length\0")}, order,
    )  # fmt: skip
    data = EXIF_INTO[kind](block)
    camera = next(one for one in read(data).texts if one.keyword == "Make")
    new = PictureText(place="exif", keyword="UserComment", text=said)
    wide = PictureText(place="exif", keyword="ImageDescription", text="説明" * 40)
    for made in (put(data, camera, new, wide), put(data, camera, wide), put(data, new), put(data)):
        found = exif_of(made)
        assert (found[ORIENTATION], found[0x0132]) == (6, "2024:01:02 03:04:05")
        assert (found[MAKER_NOTE], found[0xA434]) == (note, "lens of some length")
        assert gps not in found
        assert place_of(made, note) == place_of(data, note)  # counted from the block's start


def place_of(data: bytes, note: bytes) -> int:
    start = max(data.rfind(head, 0, data.index(note)) for head in (b"II*\0", b"MM\0*"))
    return data.index(note) - start


def test_a_block_that_holds_nothing_any_more_goes() -> None:
    block = comment(b"ASCII\0\0\0some words")
    assert put(jpeg(segment(0xE1, b"Exif\0\0" + block))) == jpeg()
    assert put(png(chunk("eXIf", block))) == png()
    assert b"EXIF" not in put(webp(webp_chunk("EXIF", block)))


def test_a_second_text_goes_into_the_exif_that_is_there() -> None:
    data = jpeg(segment(0xE1, b"Exif\0\0" + tiff({ORIENTATION: (3, b"\0\x03")})))
    made = put(data, infotext("JPEG"))
    assert made.count(b"Exif\0\0") == 1
    assert exif_of(made)[ORIENTATION] == 3


def test_values_that_entries_share_are_left_alone() -> None:
    shared = struct.pack(">HHII", 0x010E, 2, 12, 50) + struct.pack(">HHII", 0x0132, 2, 12, 50)
    pointer = struct.pack(">HHII", 0x0131, 2, 4, 0x61626300)
    block = (
        b"MM\0*\0\0\0\x08\0\3" + shared[:12] + pointer + shared[12:] + bytes(4) + b"hello world\0"
    )
    made = put(png(chunk("eXIf", block)), PictureText(place="exif", keyword="Software", text="abc"))
    assert exif_of(made)[0x0132] == "hello world"
    assert 0x010E not in exif_of(made)


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_simple_webp_becomes_an_extended_one(mode: str, lossless: bool) -> None:  # noqa: FBT001
    plain = saved("WEBP", mode=mode, lossless=lossless)
    made = put(plain, infotext("WEBP"))
    assert made[12:16] == b"VP8X"
    assert bool(made[20] & 0x10) == (Image.open(io.BytesIO(plain)).mode == "RGBA")
    assert made[20] & 0x08
    assert int.from_bytes(made[4:8], "little") == len(made) - 8
    assert pixels(made) == pixels(plain)
    assert not put(made)[20] & 0x0C


def test_a_webp_that_says_to_be_shorter_than_its_last_chunk_is_made_whole() -> None:
    whole = webp(webp_chunk("XMP ", b"x" * 300))
    short = whole[:4] + struct.pack("<I", len(whole) - 8 - 290) + whole[8:]
    made = put(short)
    assert int.from_bytes(made[4:8], "little") == len(made) - 8
    assert pixels(made) == pixels(whole)


def test_frames_of_moving_pictures_stay_where_they_are() -> None:
    frames = [Image.new("RGB", (16, 8), (n * 40, 9, 99)) for n in range(4)]
    for form in ("WEBP", "GIF", "PNG"):
        out = io.BytesIO()
        frames[0].save(out, form, save_all=True, append_images=frames[1:], duration=100)
        made = put(out.getvalue(), infotext(form))
        assert as_read_by_pillow(form, made) == OTHER
        old, new = Image.open(out), Image.open(io.BytesIO(made))
        for number in range(4):
            old.seek(number)
            new.seek(number)
            assert new.convert("RGB").tobytes() == old.convert("RGB").tobytes()


def test_texts_of_a_moving_avif_are_read_and_not_changed() -> None:
    out, frames = io.BytesIO(), [Image.new("RGB", (16, 8), (n * 40, 9, 99)) for n in range(3)]
    exif = b"Exif\0\0" + comment(b"ASCII\0\0\0" + PARAMETERS.encode())
    frames[0].save(out, "AVIF", save_all=True, append_images=frames[1:], exif=exif)
    data = out.getvalue()
    assert read(data).texts[0].text == PARAMETERS
    assert put(data, *read(data).texts) == data
    with pytest.raises(Incompatible) as caught:
        put(data)
    assert caught.value.key == "pictures.moving_avif"


def test_an_item_inside_of_the_table_is_wiped_and_written_behind() -> None:
    data = inside_of_the_table(put(saved("AVIF"), infotext("AVIF", PARAMETERS)))
    assert read(data).texts[0].text == PARAMETERS
    made = put(data, infotext("AVIF"))
    assert as_read_by_pillow("AVIF", made) == OTHER
    assert PARAMETERS.encode("utf-16-be") not in made
    assert pixels(made) == pixels(data)
    assert PARAMETERS.encode("utf-16-be") not in put(data)


def inside_of_the_table(data: bytes) -> bytes:
    """Put the Exif item of an AVIF into the idat box of its table, as cameras do."""
    from kanna.pictures.avif_meta import Extent, Location, Locations, read_meta
    from kanna.pictures.avif_tables import _locations
    from kanna.pictures.boxes import box_at, boxes

    top = list(boxes(data, 0, len(data)))
    box = next(one for one in top if one.kind == "meta")
    meta = read_meta(data[box.start : box.end])
    number = next(one.number for one in meta.items if one.type == "Exif")
    (extent,) = next(row.extents for row in meta.locations.rows if row.item == number)
    body = data[extent.offset : extent.offset + extent.length]
    data = data.replace(body, bytes(len(body)))
    idat = struct.pack(">I4s", 8 + len(body), b"idat") + body
    grown = len(idat) + 2 * len(meta.locations.rows)  # what a row of version 1 says beside that
    rows = [
        Location(number, 1, 0, 0, (Extent(0, 0, len(body)),))
        if row.item == number
        else row._replace(extents=tuple(e._replace(offset=e.offset + grown) for e in row.extents))
        for row in meta.locations.rows
    ]
    table = _locations(Locations(1, (4, 4, 0, 0), tuple(rows)))
    inner = data[box.start + 12 : meta.boxes["iloc"].start + box.start] + table
    inner += data[meta.boxes["iloc"].end + box.start : box.end] + idat
    assert box_at(data[box.start : box.start + 16], box.start, box.end).body == box.start + 8
    whole = struct.pack(">I", 12 + len(inner)) + data[box.start + 4 : box.start + 12] + inner
    assert len(whole) == box.end - box.start + grown
    return data[: box.start] + whole + data[box.end :]


def test_texts_go_from_txt_to_png_and_back() -> None:
    made = new_png([infotext("PNG", PARAMETERS)])
    assert read(made).text("parameters") == read(made).texts[0]
    assert as_read_by_pillow("PNG", made) == PARAMETERS
    assert Image.open(io.BytesIO(new_png([], (300, 200)))).convert("RGB").size == (300, 200)
    assert not any(pixels(new_png([], (30, 20)))[0::4])


@pytest.mark.parametrize(
    ("form", "wanted", "key"),
    [
        ("PNG", PictureText(place="tEXt", keyword="", text="x"), "bad_keyword"),
        ("PNG", PictureText(place="tEXt", keyword="k" * 80, text="x"), "bad_keyword"),
        ("PNG", PictureText(place="tEXt", keyword="キー", text="x"), "bad_keyword"),
        ("PNG", PictureText(place="tEXt", keyword="a", text="\ud800"), "cannot_hold"),
        ("PNG", PictureText(place="comment", keyword="", text="x"), "no_such_place"),
        ("JPEG", PictureText(place="tEXt", keyword="a", text="x"), "no_such_place"),
        ("JPEG", PictureText(place="exif", keyword="Nothing", text="x"), "bad_keyword"),
        ("JPEG", PictureText(place="exif", keyword="Make", text="x\0"), "cannot_hold"),
        ("JPEG", PictureText(place="exif", keyword="UserComment", text="x" * 33_000), "too_long_for_jpeg"),
        ("WEBP", PictureText(place="exif", keyword="UserComment", text=" "), "cannot_hold"),
        ("GIF", PictureText(place="exif", keyword="Make", text="x"), "no_such_place"),
    ],
)  # fmt: skip
def test_what_a_container_cannot_hold_is_refused(form: str, wanted: PictureText, key: str) -> None:
    with pytest.raises(Incompatible) as caught:
        put(saved(form), wanted)
    assert caught.value.key == f"pictures.{key}"
    assert caught.value.message


LETTERS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
SOME = st.lists(LETTERS.filter(lambda one: bool(one.strip())), min_size=1, max_size=3)


@given(st.sampled_from(FORMS), SOME)
def test_any_text_is_read_as_it_was_written(form: str, several: Sequence[str]) -> None:
    data = saved(form)
    for said in several:
        data = put(data, infotext(form, said))
        assert [one.text for one in read(data).texts] == [said]
    assert put(data, *read(data).texts) == data


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("123"), st.booleans()), max_size=6),
       st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("123")), max_size=6))  # fmt: skip
def test_a_png_has_exactly_the_texts_that_are_wanted_in_their_order(
    held: list[tuple[str, str, bool]], wanted: list[tuple[str, str]]
) -> None:
    some = [text("tEXt", name, said.encode()) for name, said, behind in held if not behind]
    more = [text("tEXt", name, said.encode()) for name, said, behind in held if behind]
    made = put(
        png(*some, after=more),
        *(PictureText(place="tEXt", keyword=name, text=said) for name, said in wanted),
    )
    found = read(made).texts
    for name in "ab":
        now = sorted(one.text for one in found if one.keyword == name)
        assert now == sorted(said for keyword, said in wanted if keyword == name)


def test_pointers_of_an_odd_order_do_not_matter() -> None:
    table = struct.pack(">HHHII", 2, EXIF_POINTER, 4, 1, 38) + struct.pack(
        ">HHI4s", 0x0131, 2, 2, b"k"
    )
    inner = struct.pack(">HHHI4s", 1, COMMENT, 7, 4, b"abcd") + bytes(4)
    block = b"MM\0*\0\0\0\x08" + table + bytes(4) + inner
    made = put(png(chunk("eXIf", block)), infotext("JPEG"))
    assert exif_of(made)[COMMENT] == OTHER.encode()
    assert EXIF_POINTER in exif_of(made)
