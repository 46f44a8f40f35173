"""The digests that a file can have, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

AUTOV1_START: Final = 0x100000
AUTOV1_LENGTH: Final = 0x10000


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """The digests of one file, in lower-case hex; None where there is none.

    `data_sha256` is that of the tensor data of a safetensors file: all behind its header.
    `embedding_checksum` is the 4 digits that A1111 once showed for textual inversions. What came
    from another program's cache has only a `sha256` or only a `data_sha256`.
    """

    size: int
    sha256: str | None = None
    autov1: str | None = None
    data_sha256: str | None = None
    blake3: str | None = None
    crc32: str | None = None
    embedding_checksum: str | None = None

    @property
    def autov2(self) -> str | None:
        """The first 10 digits of SHA-256."""
        return self.sha256 and self.sha256[:10]

    @property
    def sha256_16(self) -> str | None:
        """The first 16 digits of SHA-256, as sd_infotext_ex writes them."""
        return self.sha256 and self.sha256[:16]

    @property
    def autov3(self) -> str | None:
        """The first 12 digits of the data's SHA-256; only safetensors files have one."""
        return self.data_sha256 and self.data_sha256[:12]

    @property
    def autov1_means_something(self) -> bool:
        """Whether the file reaches to where AutoV1 is read; shorter ones all have the same."""
        return self.size > AUTOV1_START

    @property
    def complete(self) -> bool:
        """Whether these are all digests that a file can have."""
        return self.blake3 is not None

    def to_json(self) -> dict[str, object]:
        """Return them for a JSON document."""
        return {
            "sha256": self.sha256,
            "autov1": self.autov1,
            "autov1_means_something": self.autov1_means_something,
            "autov2": self.autov2,
            "autov3": self.autov3,
            "sha256_16": self.sha256_16,
            "data_sha256": self.data_sha256,
            "crc32": self.crc32,
            "blake3": self.blake3,
            "embedding_checksum": self.embedding_checksum,
        }
