"""Which container a picture has, by its first bytes."""

from __future__ import annotations

from typing import Final

from kanna.pictures.picture import Container

HEAD: Final = 32  # bytes that tell
_SIGNATURES: Final[tuple[tuple[bytes, Container], ...]] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
)
# Brands of files that AVIF's reader takes: all are tables of items.
_BRANDS: Final = frozenset({b"avif", b"avis", b"mif1", b"msf1", b"heic", b"heix", b"hevc"})
PICTURE_SUFFIXES: Final = frozenset({
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".avifs", ".heic",
    ".heif", ".gif",
})  # fmt: skip


def container_of(head: bytes) -> Container | None:
    """Return the container that a file with these first 32 bytes has, or None."""
    for signature, container in _SIGNATURES:
        if head.startswith(signature):
            return container
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        brands = (head[at : at + 4] for at in (8, *range(16, len(head) - 3, 4)))
        return "avif" if not _BRANDS.isdisjoint(brands) else None
    return None


def is_picture(head: bytes) -> bool:
    """Whether a file with these first bytes (32 are enough) is a picture whose texts are read."""
    return container_of(head) is not None
