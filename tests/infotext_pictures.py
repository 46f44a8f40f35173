"""Small pictures that say how they were made, by Pillow, and broken ones made by hand."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from PIL import Image, PngImagePlugin

JAPANESE: Final = "傑作, 1girl, 桜の木の下"
A1111: Final = (
    f"{JAPANESE}, <lora:foo:0.8>\nsecond line\nNegative prompt: lowres, bad hands\n"
    "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 1234567890, "
    "Size: 512x768, Model hash: 6ce0161689, Model: v1-5-pruned-emaonly, VAE hash: 735e4c3a44, "
    "VAE: vae-ft-mse.safetensors, Clip skip: 2, "
    'Lora hashes: "foo: 0123456789ab", Version: v1.10.1'
)
NOVELAI: Final = {
    "Title": "AI generated image", "Description": "1girl", "Software": "NovelAI",
    "Source": "Stable Diffusion F1022D28",
    "Comment": '{"prompt": "1girl", "steps": 28, "seed": 77, "sampler": "k_euler", "uc": "low"}',
}  # fmt: skip
_EXIF, _USER_COMMENT, _GPS = 0x8769, 0x9286, 0x8825


def noise(size: tuple[int, int] = (32, 24)) -> Image.Image:
    """Make a picture whose pixels differ, and are the same every time."""
    width, height = size
    data = bytes(
        (7 * x * x + 13 * y + 31 * c) % 256
        for y in range(height) for x in range(width) for c in range(3)
    )  # fmt: skip
    return Image.frombytes("RGB", size, data)


def png_with(path: Path, texts: Mapping[str, str]) -> Path:
    """Write a PNG with these texts, as A1111 does."""
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    noise().save(path, pnginfo=info)
    return path


def pictures_of(folder: Path, text: str, *, camera: bool = False) -> dict[str, Path]:
    """Write ``picture`` in every container, with `text` where A1111 has it; and return them."""
    paths = {suffix: folder / f"picture.{suffix}" for suffix in ("jpg", "webp", "avif", "gif")}
    exif = Image.Exif()
    exif.get_ifd(_EXIF)[_USER_COMMENT] = b"UNICODE\0" + text.encode("utf-16-be")
    exif[0x0112] = 6
    if camera:
        exif[0x010F], exif[0x8298] = "Canon", "somebody"
        exif.get_ifd(_GPS)[1] = "N"
    noise().save(paths["jpg"], exif=exif)
    noise().save(paths["webp"], exif=exif, lossless=True)
    exif[0x0131] = "webui"  # Pillow leaves out EXIF whose main directory is empty without the turn
    noise().save(paths["avif"], exif=exif)
    noise().save(paths["gif"], comment=text.encode())
    return {**paths, "png": png_with(folder / "picture.png", {"parameters": text})}


def stealth_png(path: Path, text: str) -> Path:
    """Write a PNG with `text` in the lowest bits of alpha, as the extension for A1111 does."""
    data = text.encode()
    raw = b"stealth_pnginfo" + struct.pack(">I", 8 * len(data)) + data
    picture = noise((80, 80)).convert("RGBA")
    for place, bit in enumerate("".join(f"{byte:08b}" for byte in raw)):
        x, y = divmod(place, picture.height)
        pixel = picture.getpixel((x, y))
        assert isinstance(pixel, tuple)
        picture.putpixel((x, y), (*pixel[:3], 254 | int(bit)))
    picture.save(path)
    return path


def bad_pictures() -> dict[str, bytes]:
    """Make pictures that no reader should take: a bomb, lies about lengths, what breaks off."""
    head = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    bomb = zlib.compress(bytes(64 << 20), 9)
    # the directory of EXIF is empty, and followed by itself
    exif = b"Exif\0\0" + b"II*\0\x08\0\0\0" + b"\0\0" + b"\x08\0\0\0"
    return {
        "bomb.png": head + _chunk(b"zTXt", b"parameters\0\0" + bomb) + _chunk(b"IDAT", b""),
        "cut.png": head[:20],
        "lie.png": head + struct.pack(">I4s", 0x7FFFFFFF, b"tEXt") + b"parameters\0x",
        "loop.jpg": b"\xff\xd8\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + b"\xff\xd9",
        "empty.webp": b"",
        "page.gif": b"<html>not a picture</html>",
    }


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
