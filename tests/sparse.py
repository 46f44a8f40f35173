"""Real layouts as files whose numbers are holes: full size to every reader, nothing on the disk."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

from model_headers import headers


def write_sparse(path: Path, header: str) -> Path:
    """Write the safetensors file of the header called `header`; all its numbers are zero."""
    entries: dict[str, object] = {"__metadata__": dict(headers()[header].metadata)}
    end = 0
    for name, tensor in headers()[header].tensors.items():
        spans = [end, end + tensor.nbytes]
        entries[name] = {
            "dtype": tensor.dtype.safetensors, "shape": list(tensor.shape), "data_offsets": spans,
        }  # fmt: skip
        end += tensor.nbytes
    raw = json.dumps(entries).encode()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw)
    os.truncate(path, 8 + len(raw) + end)
    return path
