"""What a file is when it is no model file: web pages, pointers, archives, pictures, programs.

The everyday accidents of downloading are told in words, in one place for all readers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kanna.errors import FormatError

if TYPE_CHECKING:
    from kanna.disk import InputFile

_HEAD: Final = 512

# First bytes, the message, and the name of the thing in it. Source: the formats' specifications.
_SIGNATURES: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"7z\xbc\xaf\x27\x1c", "wrong_content.archive", "7-Zip"),
    (b"\x1f\x8b", "wrong_content.archive", "gzip"),
    (b"Rar!\x1a\x07", "wrong_content.archive", "RAR"),
    (b"\xfd7zXZ\x00", "wrong_content.archive", "xz"),
    (b"BZh", "wrong_content.archive", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "wrong_content.archive", "Zstandard"),
    (b"PK\x05\x06", "wrong_content.empty_zip", "zip"),
    (b"\x89PNG\r\n\x1a\n", "wrong_content.picture", "PNG"),
    (b"\xff\xd8\xff", "wrong_content.picture", "JPEG"),
    (b"GIF8", "wrong_content.picture", "GIF"),
    (b"RIFF", "wrong_content.picture", "WebP"),
    (b"\x04\x22\x4d\x18", "wrong_content.archive", "LZ4"),
    (b"BM6", "wrong_content.picture", "BMP"),
    (b"%PDF-", "wrong_content.document", "PDF"),
    (b"\xd0\xcf\x11\xe0", "wrong_content.document", "Microsoft Office"),
    (b"SQLite format 3\0", "wrong_content.document", "SQLite"),
    (b"d8:announce", "wrong_content.document", "BitTorrent"),
    (b"\x7fELF", "wrong_content.program", "ELF"),
    (b"MZ", "wrong_content.program", "Windows"),
    (b"\xcf\xfa\xed\xfe", "wrong_content.program", "macOS"),
    (b"\xca\xfe\xba\xbe", "wrong_content.program", "macOS/Java"),
    (b"#!", "wrong_content.program", "script"),
    (b"\x93NUMPY", "wrong_content.other_model", "NumPy"),
    (b"\x89HDF\r\n\x1a\n", "wrong_content.other_model", "HDF5 (Keras)"),
)
_WEB_PAGE: Final = (b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<error", b"<!--")
_LFS_POINTER: Final = b"version https://git-lfs.github.com/"


def explain(file: InputFile) -> FormatError:
    """Return the error that says what `file` is instead of a model file."""
    head = file.read(0, min(file.size, _HEAD))
    key, values = _describe(head)
    return FormatError(key, path=file.path, size=file.size, **values)


def _describe(head: bytes) -> tuple[str, dict[str, object]]:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head:
        return "wrong_content.empty", {}
    if not head.strip(b"\0"):
        return "wrong_content.zeros", {}
    if text.lower().startswith(_WEB_PAGE):
        return "wrong_content.web_page", {}
    if head.startswith(_LFS_POINTER):
        return "wrong_content.lfs_pointer", {"missing": _lfs_size(head)}
    for signature, key, name in _SIGNATURES:
        if head.startswith(signature):
            return key, {"name": name}
    if head[4:12] in (b"ftypavif", b"ftypheic", b"ftypmif1"):
        return "wrong_content.picture", {"name": "AVIF/HEIF"}
    return _describe_text(text)


def is_pointer_or_page(file: InputFile) -> bool:
    """Whether `file` is a web page or a git-lfs pointer, whatever its name promises."""
    head = file.read(0, min(file.size, _HEAD))
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith(_LFS_POINTER) or text.startswith(_WEB_PAGE)


def _lfs_size(head: bytes) -> int:
    """Return the size of the file that a git-lfs pointer stands for; 0 if it does not say."""
    for line in head.splitlines():
        word, _, value = line.partition(b" ")
        if word == b"size" and value.isdigit() and len(value) < 20:
            return int(value)
    return 0


def _describe_text(text: bytes) -> tuple[str, dict[str, object]]:
    try:
        shown = text.decode("utf-8")
    except UnicodeDecodeError:
        return "wrong_content.unknown", {}
    if not shown.isprintable() and not all(c.isprintable() or c.isspace() for c in shown):
        return "wrong_content.unknown", {}
    key = "wrong_content.json" if shown.startswith(("{", "[")) else "wrong_content.text"
    return key, {"text": " ".join(shown.split())[:120]}
