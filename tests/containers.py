"""Small writers of model files, independent of kanna: what the readers are tested with."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from kanna.formats import open_model
from kanna.model import ModelFile

Tensor = tuple[str, Sequence[int], bytes]  # dtype as safetensors calls it, shape, bytes


def with_length(header: bytes, data: bytes = b"") -> bytes:
    """A safetensors file with this header, right or wrong."""
    return struct.pack("<Q", len(header)) + header + data


def safetensors_bytes(
    tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> bytes:
    header: dict[str, object] = {} if metadata is None else {"__metadata__": dict(metadata)}
    data = b""
    for name, (dtype, shape, raw) in tensors.items():
        offsets = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": offsets}
        data += raw
    return with_length(json.dumps(header).encode(), data)


def small(*names: str) -> bytes:
    """A safetensors file of fp32 tensors of four ones, one for each name."""
    return safetensors_bytes(dict.fromkeys(names, ("F32", (2, 2), b"\x00\x00\x80?" * 4)))


def gguf_string(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def gguf_value(key: str, kind: int, raw: bytes) -> bytes:
    return gguf_string(key) + struct.pack("<I", kind) + raw


def gguf_entry(name: str, dims: Sequence[int], kind: int, offset: int) -> bytes:
    sizes = struct.pack(f"<I{len(dims)}Q", len(dims), *dims)
    return gguf_string(name) + sizes + struct.pack("<IQ", kind, offset)


def gguf_bytes(
    values: Sequence[bytes] = (),
    entries: Sequence[bytes] = (),
    data: bytes = b"",
    *,
    version: int = 3,
    alignment: int = 32,
) -> bytes:
    counts = struct.pack("<IQQ", version, len(entries), len(values))
    head = b"GGUF" + counts + b"".join(values) + b"".join(entries)
    return head + bytes(-len(head) % alignment) + data


@contextmanager
def opened(content: bytes, name: str = "model.safetensors") -> Iterator[ModelFile]:
    """`content` as a file called `name`, opened; for property tests, which share no tmp_path."""
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        with open_model(path) as model:
            yield model


def write_tree(folder: Path, files: Mapping[str, bytes | object]) -> Path:
    """Write `files` below `folder`, by their paths; what is not bytes is written as JSON."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return folder
