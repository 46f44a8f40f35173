"""Types that only the gguf package decodes: the same numbers, from any place on, in any pieces."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kanna.dtypes import FP32
from kanna.errors import MissingExtra
from kanna.formats import gguf_foreign, open_model
from kanna.formats.ggml_types import GGML_TYPES, BlockType
from kanna.formats.gguf_foreign import decoded, view

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import gguf

KINDS = {
    kind: GGML_TYPES[kind]
    for kind in gguf.GGMLQuantizationType
    if kind in gguf.quants._type_traits and isinstance(GGML_TYPES[kind], BlockType)
}


@pytest.fixture(scope="module")
def of_every_type(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "m.gguf"
    writer = gguf.GGUFWriter(path, "flux")
    random = np.random.default_rng(5)
    for kind, dtype in KINDS.items():
        raw = random.integers(0, 256, (3, dtype.nbytes(512)), dtype=np.uint8)
        writer.add_tensor(kind.name, raw, raw_shape=raw.shape, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.name))
def test_the_numbers_are_those_of_gguf(of_every_type: Path, kind: Any) -> None:
    with open_model(of_every_type) as model:
        tensor = model[kind.name]
        raw = np.frombuffer(tensor.read(), np.uint8).reshape(3, -1)
        with np.errstate(all="ignore"):
            wanted = gguf.quants.dequantize(raw, kind).astype("<f4").tobytes()
        dtype = tensor.dtype
        assert isinstance(dtype, BlockType)
        data = view(tensor, dtype).data
        assert len(wanted) == 4 * tensor.numel
        for start, size in ((0, len(wanted)), (0, 4), (4092, 2000), (1026, 1), (6140, 4)):
            out = bytearray(size)
            data.read_into(start, memoryview(out))
            assert out == wanted[start : start + size]


def test_only_what_the_kernel_does_not_know_is_decoded(of_every_type: Path) -> None:
    with open_model(of_every_type) as model:
        for tensor in model.values():
            found = decoded(tensor)
            if tensor.dtype.code is None:
                assert (found.name, found.dtype, found.shape) == (tensor.name, FP32, tensor.shape)
            else:
                assert found is tensor
        assert decoded(model["IQ2_XXS"]).dtype is FP32


def test_without_the_package_the_extra_is_named(
    of_every_type: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        if name == "gguf":
            raise ImportError(name)
        return importlib.import_module(name)

    monkeypatch.setattr(gguf_foreign, "import_module", missing)
    with open_model(of_every_type) as model, pytest.raises(MissingExtra) as caught:
        decoded(model["IQ2_XXS"])
    assert "kanna[gguf]" in caught.value.hint
