"""Zip, legacy and tar files around assembled pickles."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping

from attacks.pickles import name, stream, text, value

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4}}


def zip_file(
    pickle: bytes,
    records: Mapping[str, bytes],
    *,
    deflated: bool = False,
    root: str = "archive/",
    extra: Mapping[str, bytes] | None = None,
) -> bytes:
    out = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    members = {"data.pkl": pickle, **{f"data/{k}": v for k, v in records.items()}}
    with zipfile.ZipFile(out, "w", method) as archive:
        for member, data in {**members, "version": b"3\n", **(extra or {})}.items():
            archive.writestr(root + member, data)
    return out.getvalue()


def legacy_file(
    pickle: bytes,
    records: Mapping[str, tuple[int, bytes]],
    *,
    magic: bytes | None = None,
    protocol: int = 1001,
    system: object = None,
) -> bytes:
    """`records` are element count and bytes by key."""
    head = [magic or stream(LEGACY_MAGIC), stream(protocol), stream(system or SYSTEM), pickle]
    body = [struct.pack("<q", count) + data for count, data in records.values()]
    return b"".join([*head, stream(list(records)), *body])


def legacy_tensor(key: str, shape: tuple[int, ...], numel: int, view: object = None) -> bytes:
    pid = value(("storage", name("torch", "FloatStorage"), key, "cpu", numel, view)) + b"Q"
    from attacks.pickles import tensor

    return tensor(key, shape, storage_code=pid)


def tar_member(member: str, data: bytes, kind: bytes = b"0") -> bytes:
    header = bytearray(512)
    header[: len(member)] = member.encode()
    header[100:108] = b"0000644\0"
    header[124:136] = b"%011o\0" % len(data)
    header[148:156] = b" " * 8
    header[156:157] = kind
    header[257:265] = b"ustar\x0000"
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + data + bytes(-len(data) % 512)


def tar_file(numbers: list[float]) -> bytes:
    """One float tensor ``w`` of shape (2, n/2), and a view ``v`` of its second half."""
    half = len(numbers) // 2
    float_storage = name("torch", "FloatStorage")
    storages = (
        stream(1)
        + stream((11, "cpu", float_storage))
        + struct.pack("<q", len(numbers))
        + struct.pack(f"<{len(numbers)}f", *numbers)
        + stream([(12, 11, half, half)])
    )
    tensors = (
        stream(2)
        + stream((21, 11, name("torch", "FloatTensor")))
        + struct.pack("<ii5q", 2, 0, 2, half, half, 1, 0)
        + stream((22, 12, name("torch", "FloatTensor")))
        + struct.pack("<ii3q", 1, 0, half, 1, 0)
    )
    pickle = stream({"w": text("21") + b"Q", "v": text("22") + b"Q"})
    members = {"storages": storages, "tensors": tensors, "pickle": pickle}
    return b"".join(tar_member(*pair) for pair in members.items()) + bytes(1024)
