"""One tensor of an open file: its bytes in pieces, its elements as numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine_plans import Whole, raw, store, with_data
from kanna.dtypes import WORDS, DType
from kanna.errors import FormatError
from kanna.model import TensorInfo

FLOATS = [d for d in WORDS.values() if d.is_float]
INTEGERS = [d for d in WORDS.values() if d.kind in {"int", "bool"}]


def opened(folder: Path, tensor: torch.Tensor) -> TensorInfo:
    return store(folder / "in", {"w": tensor}, lead=3)["w"]


def torch_dtype(dtype: DType) -> torch.dtype:
    found = getattr(torch, str(dtype.torch))
    assert isinstance(found, torch.dtype)
    return found


@given(length=st.integers(0, 300), size=st.integers(1, 400), whole=st.booleans())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pieces_are_the_tensor_in_order_and_none_is_too_large(
    tmp_path: Path, length: int, size: int, *, whole: bool
) -> None:
    values = torch.arange(length, dtype=torch.int16)
    tensor = opened(tmp_path, values)
    pieces = [bytes(p) for p in (with_data(tensor, Whole) if whole else tensor).pieces(size)]
    assert b"".join(pieces) == raw(values)
    assert all(pieces)
    if whole:
        assert len(pieces) == min(length, 1)
    else:
        assert all(len(piece) == size for piece in pieces[:-1])
        assert all(len(piece) <= size for piece in pieces)


def test_pieces_share_one_buffer(tmp_path: Path) -> None:
    tensor = opened(tmp_path, torch.arange(10))
    assert len({id(piece.obj) for piece in tensor.pieces(16)}) == 1


@pytest.mark.parametrize("dtype", FLOATS, ids=repr)
def test_floats_become_the_numbers_that_torch_makes_of_them(tmp_path: Path, dtype: DType) -> None:
    values = torch.tensor([0.0, -0.0, 1.5, -75.99, 448.0, torch.inf, 0.001]).to(torch_dtype(dtype))
    numbers = opened(tmp_path, values).numbers()
    assert numbers is not None
    assert list(map(repr, numbers)) == list(map(repr, values.double().tolist()))


@pytest.mark.parametrize("dtype", INTEGERS, ids=repr)
def test_integers_are_exact(tmp_path: Path, dtype: DType) -> None:
    kind = torch_dtype(dtype)
    limits = [0, 1] if dtype.word == "bool" else [torch.iinfo(kind).min, torch.iinfo(kind).max]
    assert opened(tmp_path, torch.tensor(limits, dtype=kind)).numbers() == tuple(limits)


def test_a_scalar_has_one_number_and_an_empty_tensor_has_none_to_show(tmp_path: Path) -> None:
    assert opened(tmp_path, torch.tensor(2.5).bfloat16()).numbers() == (2.5,)
    assert opened(tmp_path, torch.zeros(0, 4).bfloat16()).numbers() == ()
    assert opened(tmp_path, torch.zeros(0, 4)).numbers() == ()


@pytest.mark.parametrize("dtype", [torch.complex64, torch.float8_e8m0fnu])
def test_a_dtype_without_plain_numbers_gives_none(tmp_path: Path, dtype: torch.dtype) -> None:
    assert opened(tmp_path, torch.ones(2).to(dtype)).numbers() is None


def test_a_file_cut_short_is_told_by_both(tmp_path: Path) -> None:
    tensor = opened(tmp_path, torch.arange(10))
    (tmp_path / "in").write_bytes(b"short")
    with pytest.raises(FormatError, match="ends at byte"):
        list(tensor.pieces(16))
    with pytest.raises(FormatError, match="ends at byte"):
        tensor.numbers()
