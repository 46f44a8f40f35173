"""Views hold the numbers that numpy's operations hold, however they are put together and read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanna.disk import InputFile
from kanna.dtypes import WORDS, DType
from kanna.formats.ggml_types import GGML_TYPES
from kanna.model import FileRun, TensorInfo
from kanna.views import joined, renamed, reshaped, rows, transposable, transposed
from kanna.views.decoded import as_fp32, scaled
from model_headers import Bytes

Array = npt.NDArray[np.generic]
Pair = tuple[TensorInfo, Array]
Base = Callable[[bytes], TensorInfo]

WIDTHS = {"uint8": "u1", "fp16": "<f2", "fp32": "<f4", "fp64": "<f8", "complex128": "<c16"}
WORDS_HERE = st.sampled_from(sorted(WIDTHS))
SIZES = st.integers(1, 6)


@dataclass(frozen=True)
class Strict(Bytes):
    """Data that comes only from first to last, and says so when it is asked otherwise."""

    whole: bool = True

    def read_into(self, start: int, out: memoryview) -> None:
        assert start == 0
        assert len(out) == len(self.data)
        super().read_into(start, out)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> InputFile:
    path: Path = tmp_path_factory.mktemp("views") / "data"
    path.write_bytes(bytes(np.random.default_rng(1).integers(0, 250, 40_000, np.uint8)))
    return InputFile(path)


def tensor_of(array: Array, word: str, kind: str, file: InputFile, offset: int) -> Pair:
    """A tensor in memory, in memory but only whole, or somewhere in the file; and its numbers."""
    dtype, stored = WORDS[word], np.dtype(WIDTHS[word])
    nbytes = dtype.nbytes(array.size)
    if kind == "file":
        raw = bytearray(nbytes)
        file.read_into(offset, memoryview(raw))
        array = np.frombuffer(bytes(raw), stored).reshape(array.shape)
        return TensorInfo("t", dtype, array.shape, FileRun(file, offset, nbytes)), array
    data = array.astype(stored).tobytes()
    array = np.frombuffer(data, stored).reshape(array.shape)
    return TensorInfo("t", dtype, array.shape, (Strict if kind == "whole" else Bytes)(data)), array


@st.composite
def bases(draw: st.DrawFn, word: str, shape: tuple[int, ...], file: InputFile) -> Pair:
    count = int(np.prod(shape))
    numbers = draw(st.integers(0, 99)) + np.arange(count).reshape(shape) % 251
    kind = draw(st.sampled_from(["memory", "whole", "file"]))
    return tensor_of(numbers, word, kind, file, draw(st.integers(0, 1000)))


@st.composite
def composed(draw: st.DrawFn, file: InputFile) -> Pair:
    """A tensor made of others by a few steps, and the same made of arrays by numpy."""
    word = draw(WORDS_HERE)
    shape = tuple(draw(st.lists(SIZES, min_size=1, max_size=3)))
    made = draw(bases(word, shape, file))
    for _ in range(draw(st.integers(1, 6))):
        tensor, array = made
        match draw(st.sampled_from(["rows", "join", "swap", "again", "turn", "flat", "unit"])):
            case "rows":
                start = draw(st.integers(0, len(array)))
                stop = draw(st.integers(start, len(array)))
                made = rows(tensor, start, stop), array[start:stop]
            case "join":
                more = (draw(SIZES), *array.shape[1:])
                others = [draw(bases(word, more, file)) for _ in range(draw(st.integers(1, 2)))]
                parts = draw(st.permutations([made, *others]))
                made = joined([t for t, _ in parts]), np.concatenate([a for _, a in parts])
            case "swap":
                at = draw(st.integers(0, len(array)))
                halves = [rows(tensor, at, len(array)), rows(tensor, 0, at)]
                made = joined(halves), np.concatenate([array[at:], array[:at]])
            case "again":
                at = draw(st.integers(0, len(array)))
                made = joined([rows(tensor, 0, at), rows(tensor, at, len(array))]), array
            case "turn" if array.ndim == 2:
                made = transposed(tensor), array.T
            case "flat":
                made = reshaped(tensor, (array.size,)), array.reshape(array.size)
            case "unit":
                made = reshaped(tensor, (*array.shape, 1)), array.reshape(*array.shape, 1)
    return made


@given(data=st.data())
def test_any_composition_holds_what_numpy_makes(data: st.DataObject, file: InputFile) -> None:
    tensor, array = data.draw(composed(file))
    raw = np.ascontiguousarray(array).tobytes()
    assert (tensor.shape, tensor.nbytes) == (array.shape, len(raw))
    assert tensor.read() == raw
    assert b"".join(map(bytes, tensor.pieces(data.draw(st.integers(1, 40))))) == raw
    if not tensor.data.whole:
        start = data.draw(st.integers(0, len(raw)))
        out = bytearray(data.draw(st.integers(0, len(raw) - start)))
        tensor.data.read_into(start, memoryview(out))
        assert bytes(out) == raw[start : start + len(out)]
    if extent := tensor.data.extent():
        out = bytearray(extent.nbytes)
        extent.file.read_into(extent.offset, memoryview(out))
        assert bytes(out) == raw


def in_file(file: InputFile, offset: int = 64, shape: tuple[int, ...] = (12, 5)) -> TensorInfo:
    dtype = WORDS["fp16"]
    return TensorInfo("t", dtype, shape, FileRun(file, offset, 2 * int(np.prod(shape))))


def test_what_lies_in_a_file_in_one_run_says_so(file: InputFile) -> None:
    tensor = in_file(file)
    part = rows(tensor, 3, 7).data.extent()
    assert part is not None
    assert (part.offset, part.nbytes) == (64 + 30, 40)
    first, second = rows(tensor, 0, 6), rows(tensor, 6, 12)
    assert joined([first, second]).data == tensor.data
    swapped = joined([second, first])
    assert swapped.data.extent() is None
    assert joined([rows(swapped, 6, 12), rows(swapped, 0, 6)]).data == tensor.data
    beside = in_file(file, 64 + 120)
    assert joined([tensor, beside]).data == FileRun(file, 64, 240)


def test_a_matrix_turned_twice_is_the_one_it_was(file: InputFile) -> None:
    tensor = in_file(file)
    assert transposed(tensor).shape == (5, 12)
    assert transposed(transposed(tensor)).data is tensor.data
    assert transposed(reshaped(tensor, (60, 1))).data is tensor.data


@pytest.mark.parametrize("shape", [(0, 1 << 48), (1 << 48, 0), (0, 0)])
def test_nothing_is_turned_at_once(shape: tuple[int, int]) -> None:
    turned = transposed(of(WORDS["fp16"], *shape))
    assert turned.shape == shape[::-1]
    assert turned.read() == b""


def test_names_change_alone(file: InputFile) -> None:
    tensor = in_file(file)
    assert renamed(tensor, "u").name == "u"
    assert renamed(tensor, "u").data is tensor.data
    assert renamed(tensor, "t") is tensor


def of(dtype: DType, *shape: int) -> TensorInfo:
    return TensorInfo("t", dtype, shape, Bytes())


def test_blocks_are_cut_between_rows_and_never_turned() -> None:
    q8 = GGML_TYPES[8]
    tensor = of(q8, 6, 64)
    assert rows(tensor, 2, 4).nbytes == 2 * 2 * 34
    assert rows(tensor, 2, 4).data.offset == 2 * 2 * 34  # type: ignore[attr-defined]
    assert not transposable(tensor)
    with pytest.raises(ValueError, match="q8_0"):
        transposed(tensor)
    with pytest.raises(ValueError, match="q8_0"):
        rows(of(q8, 8, 8), 0, 4)


def test_half_bytes_are_cut_only_where_bytes_end() -> None:
    fp4 = WORDS["fp4"]
    assert rows(of(fp4, 4, 6), 1, 3).nbytes == 6
    with pytest.raises(ValueError, match="fp4"):
        rows(of(fp4, 4, 3), 1, 3)
    with pytest.raises(ValueError, match="fp4"):
        joined([of(fp4, 1, 3), of(fp4, 1, 3)])
    with pytest.raises(ValueError, match="fp6"):
        joined([of(WORDS["fp6_e2m3"], 2), of(WORDS["fp6_e2m3"], 2)])


@pytest.mark.parametrize("word", ["q8_0", "q4_k", "fp16"])
@given(data=st.data())
def test_decoded_numbers_are_cut_anywhere_whatever_their_blocks(
    word: str, data: st.DataObject
) -> None:
    dtype = {kind.word: kind for kind in GGML_TYPES.values()}[word]
    raw = np.random.default_rng(3).integers(0, 255, dtype.nbytes(64 * 36), np.uint8)
    plain = as_fp32(TensorInfo("t", dtype, (64, 36), Bytes(raw.tobytes())))
    everything = plain.read()
    start = data.draw(st.integers(0, 63))
    stop = data.draw(st.integers(start, 64))
    assert rows(plain, start, stop).read() == everything[start * 144 : stop * 144]


@dataclass(frozen=True)
class Watched(Bytes):
    """Data that remembers how much of it was read."""

    asked: list[int] = field(default_factory=list)

    def read_into(self, start: int, out: memoryview) -> None:
        self.asked.append(len(out))
        super().read_into(start, out)


def test_a_run_of_scaled_rows_takes_only_its_own_scales() -> None:
    numbers, scales = np.arange(3000, dtype="<f2"), np.arange(1, 1001, dtype="<f4")
    watched = Watched(scales.tobytes())
    made = scaled(
        TensorInfo("w", WORDS["fp16"], (1000, 3), Bytes(numbers.tobytes())),
        TensorInfo("s", WORDS["fp32"], (1000, 1), watched),
        0.5,
    )
    wanted = (numbers.reshape(1000, 3) * scales[:, None] / 2).astype("<f4").tobytes()
    out = bytearray(40)
    made.data.read_into(4 * 1499, memoryview(out))
    assert bytes(out) == wanted[4 * 1499 : 4 * 1509]
    assert watched.asked == [4 * 4]
    assert made.read() == wanted


@pytest.mark.parametrize("shape", [(0,), (0, 4), (4, 0)])
def test_nothing_times_its_scales_is_nothing(shape: tuple[int, ...]) -> None:
    for scales in ((), (1,), shape[:1]):
        assert scaled(of(WORDS["int8"], *shape), of(WORDS["fp32"], *scales)).read() == b""


@pytest.mark.parametrize("scale", [of(WORDS["fp32"], 3), of(WORDS["int64"]), of(WORDS["fp4"], 4)])
def test_scales_that_do_not_fit_are_refused(scale: TensorInfo) -> None:
    with pytest.raises(ValueError):
        scaled(of(WORDS["int8"], 4, 8), scale)


@pytest.mark.parametrize("dtype", [GGML_TYPES[8], WORDS["complex64"], WORDS["fp4"]])
def test_only_numbers_that_stand_by_themselves_are_scaled(dtype: DType) -> None:
    with pytest.raises(ValueError):
        scaled(of(dtype, 4, 32), of(WORDS["fp32"]))


@pytest.mark.parametrize(
    "make",
    [
        lambda: rows(of(WORDS["fp16"], 4), 3, 2),
        lambda: rows(of(WORDS["fp16"], 4), 0, 5),
        lambda: rows(of(WORDS["fp16"]), 0, 0),
        lambda: joined([]),
        lambda: joined([of(WORDS["fp16"], 4), of(WORDS["fp32"], 4)]),
        lambda: joined([of(WORDS["fp16"], 4, 2), of(WORDS["fp16"], 4, 3)]),
        lambda: joined([of(WORDS["fp16"]), of(WORDS["fp16"])]),
        lambda: transposed(of(WORDS["fp16"], 4)),
        lambda: reshaped(of(WORDS["fp16"], 4), (5,)),
    ],
)
def test_what_does_not_fit_is_refused(make: Callable[[], TensorInfo]) -> None:
    with pytest.raises(ValueError):
        make()
