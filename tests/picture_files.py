"""Small picture files, made by hand where Pillow does not write what is found in the wild."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from PIL import Image, PngImagePlugin

PARAMETERS = (
    "1girl, 桜の木\nNegative prompt: 低品質\nSteps: 20, Sampler: Euler a, Seed: 1, Model: x"
)
COMMENT, EXIF_POINTER, MAKER_NOTE, ORIENTATION = 0x9286, 0x8769, 0x927C, 0x0112


def chunk(kind: str, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind.encode()) + body + struct.pack(
        ">I", zlib.crc32(kind.encode() + body)
    )  # fmt: skip


HEADER = chunk("IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 2, 0, 0, 0))
IMAGE = chunk("IDAT", zlib.compress(b"\0" + b"abcdef"))
END = chunk("IEND", b"")


def png(*before: bytes, after: Sequence[bytes] = (), image: bytes = IMAGE, end: bytes = END) -> bytes:  # fmt: skip
    """A picture of 2 × 1 pixels with chunks before and behind its image."""
    return b"".join([b"\x89PNG\r\n\x1a\n", HEADER, *before, image, *after, end])


def text(kind: str, keyword: str, body: bytes) -> bytes:
    return chunk(kind, keyword.encode("latin-1") + b"\0" + body)


def itxt(keyword: str, said: str, *, packed: bool = False, language: str = "", name: str = "") -> bytes:  # fmt: skip
    raw = zlib.compress(said.encode()) if packed else said.encode()
    head = bytes([packed, 0]) + language.encode() + b"\0" + name.encode() + b"\0"
    return text("iTXt", keyword, head + raw)


Values = Mapping[int, tuple[int, bytes]]  # tag → type and value, of one byte for each


def tiff(main: Values, exif: Values | None = None, order: str = ">") -> bytes:
    """An EXIF block: every value of more than four bytes stands behind its directory."""
    made = (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(f"{order}I", 8)
    if exif is not None:
        main = {**main, EXIF_POINTER: (4, bytes(4))}
    made += _directory(main, 8, order)
    if exif is not None:
        numbers = sorted(main)
        place = 10 + 12 * numbers.index(EXIF_POINTER) + 8
        made = made[:place] + struct.pack(f"{order}I", len(made)) + made[place + 4 :]
        made += _directory(exif, len(made), order)
    return made


def _directory(values: Values, at: int, order: str) -> bytes:
    table, behind = struct.pack(f"{order}H", len(values)), b""
    start = at + 2 + 12 * len(values) + 4
    for tag, (kind, value) in sorted(values.items()):
        count = {4: len(value) // 4, 3: len(value) // 2, 5: len(value) // 8}.get(kind, len(value))
        table += struct.pack(f"{order}HHI", tag, kind, count)
        if len(value) <= 4:
            table += value.ljust(4, b"\0")
        else:
            table += struct.pack(f"{order}I", start + len(behind))
            behind += value + b"\0" * (len(value) & 1)
    return table + bytes(4) + behind


def comment(raw: bytes, order: str = ">") -> bytes:
    """An EXIF block whose UserComment is these bytes."""
    return tiff({}, {COMMENT: (7, raw)}, order)


def segment(code: int, body: bytes) -> bytes:
    return bytes([0xFF, code]) + struct.pack(">H", len(body) + 2) + body


def jpeg(*segments: bytes) -> bytes:
    """A JPEG of 16 × 8 pixels with segments before its image."""
    plain = saved("JPEG")
    return plain[:2] + b"".join(segments) + plain[2:]


def webp_chunk(kind: str, body: bytes) -> bytes:
    return kind.encode() + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp(*behind: bytes, lossless: bool = True) -> bytes:
    """A WebP of 16 × 8 pixels with chunks behind its image; all flags are set."""
    image = saved("WEBP", lossless=lossless)[12:]
    head = webp_chunk("VP8X", struct.pack("<I", 0x0C) + b"\x0f\0\0" + b"\x07\0\0")
    return riff(head, image, *behind)


def drawing(mode: str = "RGB", size: tuple[int, int] = (16, 8)) -> Image.Image:
    """A picture in which hardly two pixels are alike."""
    bands = len(Image.new(mode, (1, 1)).getbands())
    count = size[0] * size[1] * bands
    return Image.frombytes(mode, size, bytes((i * 37 + i // 7) % 256 for i in range(count)))


@cache
def saved(form: str, *, mode: str = "RGB", lossless: bool = True, **options: object) -> bytes:
    out = io.BytesIO()
    more = {"lossless": lossless, "exact": True} if form == "WEBP" else {}
    drawing(mode).save(out, form, **more, **options)
    return out.getvalue()


def written(form: str, said: str = PARAMETERS, *, size: tuple[int, int] = (16, 8)) -> bytes:
    """A picture as Pillow writes it, with a text in every place that the container has."""
    out, exif, options = io.BytesIO(), Image.Exif(), dict[str, object]()
    exif[0x010F], exif[0x0110], exif[ORIENTATION] = "prompt: {}", 'workflow: {"1": 2}', 1
    exif.get_ifd(EXIF_POINTER)[COMMENT] = b"UNICODE\0" + said.encode("utf-16-be")
    if form == "GIF":
        options = {"comment": said.encode()}
    else:
        options = {"exif": exif, "xmp": b"<x:xmpmeta>some</x:xmpmeta>"}
    if form == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("parameters", said)
        info.add_text("Software", "kanna é")
        info.add_text("packed", "packed " * 9, zip=True)
        info.add_itxt("both", said, "ja", "両方", zip=True)
        options = {"exif": exif, "pnginfo": info}
    if form == "JPEG":
        options["comment"] = "コメント"
    drawing(size=size).save(out, form, **options)
    return out.getvalue()


FORMS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF")
SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "AVIF": ".avif", "GIF": ".gif"}


def pixels(data: bytes) -> bytes:
    return Image.open(io.BytesIO(data)).convert("RGBA").tobytes()


def exif_of(data: bytes) -> dict[int, object]:
    """All EXIF entries of a picture, as Pillow reads them."""
    found = Image.open(io.BytesIO(data)).getexif()
    return {**dict(found), **found.get_ifd(EXIF_POINTER)}


def hide(image: Image.Image, signature: str, packed: bytes, length: int | None = None) -> None:
    """Hide bytes in the pixels as the extension does: column by column, in place."""
    head = signature.encode() + (len(packed) * 8 if length is None else length).to_bytes(4, "big")
    bits = [byte >> shift & 1 for byte in head + packed for shift in range(7, -1, -1)]
    places = [3] if "png" in signature else [0, 1, 2]
    if len(bits) > image.width * image.height * len(places):
        raise ValueError(image.size)
    at, dots = 0, image.load()
    assert dots is not None
    while at < len(bits):
        x, y = divmod(at // len(places), image.height)
        dot = list(dots[x, y])  # type: ignore[arg-type]
        for place in places:
            if at < len(bits):
                dot[place] = dot[place] & ~1 | bits[at]
                at += 1
        dots[x, y] = tuple(dot)


def as_file(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


Maker = Callable[[bytes], bytes]
# How an EXIF block is put into each container.
EXIF_INTO: Mapping[str, Maker] = {
    "png": lambda block: png(chunk("eXIf", block)),
    "jpeg": lambda block: jpeg(segment(0xE1, b"Exif\0\0" + block)),
    "webp": lambda block: webp(webp_chunk("EXIF", block)),
    "webp with a prefix": lambda block: webp(webp_chunk("EXIF", b"Exif\0\0" + block)),
    "avif": lambda block: as_file(drawing(), "AVIF", exif=b"Exif\0\0" + block),
}
