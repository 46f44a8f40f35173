"""Checkpoints that torch writes, read by us to the byte."""

from __future__ import annotations

import argparse
import io
import struct
import warnings
import zipfile
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from attacks import pickles
from attacks.containers import legacy_file, legacy_tensor, tar_file, zip_file
from attacks.pickles import stream
from kanna.disk import InputFile
from kanna.errors import FormatError
from kanna.formats.checkpoint import open_checkpoint
from kanna.model import ModelFile

Save = Callable[[object], bytes]


def _save(*, zipped: bool, protocol: int) -> Save:
    def save(content: object) -> bytes:
        out = io.BytesIO()
        torch.save(content, out, _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
        return out.getvalue()

    return save


def _rezipped(
    data: bytes, *, method: int = zipfile.ZIP_STORED, change: dict[str, Any] | None = None
) -> bytes:
    """Zip `data` again; `change` maps the end of a member's name to new bytes, or None to drop."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", method) as new:
        for name in old.namelist():
            found = old.read(name)
            for end, wanted in (change or {}).items():
                if name.endswith(end):
                    found = wanted
            if found is not None:
                new.writestr(name, found)
    return out.getvalue()


SAVES: dict[str, Save] = {
    **{f"zip {p}": _save(zipped=True, protocol=p) for p in (2, 3, 4, 5)},
    **{f"legacy {p}": _save(zipped=False, protocol=p) for p in (2, 3, 4, 5)},
    "zip without markers": lambda content: _rezipped(
        _save(zipped=True, protocol=2)(content),
        change={"byteorder": None, ".format_version": None, "alignment": None, "_id": None},
    ),
    "deflated zip": lambda content: _rezipped(
        _save(zipped=True, protocol=2)(content), method=zipfile.ZIP_DEFLATED
    ),
}


@pytest.fixture(params=SAVES)
def save(request: pytest.FixtureRequest) -> Save:
    return SAVES[request.param]


def opened(folder: Path, data: bytes) -> ModelFile:
    path = folder / "model.ckpt"
    path.write_bytes(data)
    return open_checkpoint(InputFile(path))


def raw(tensor: torch.Tensor) -> bytes:
    """The bytes of a tensor as torch would lay them out anew."""
    flat = tensor.detach().contiguous().reshape(-1)
    return bytes(flat.view(torch.uint8).numpy().tobytes()) if flat.numel() else b""


def assert_equal(model: ModelFile, expected: dict[str, torch.Tensor]) -> None:
    assert list(model) == list(expected)
    for name, tensor in expected.items():
        info = model[name]
        assert info.shape == tuple(tensor.shape), name
        assert f"torch.{info.dtype.torch}" == str(tensor.dtype), name
        assert info.read() == raw(tensor), name


DTYPES = [
    "float64",
    "float32",
    "float16",
    "bfloat16",
    "float8_e4m3fn",
    "float8_e5m2",
    "float8_e8m0fnu",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "bool",
    "complex64",
    "complex128",
    "complex32",
]


def test_every_dtype_is_read(save: Save, tmp_path: Path) -> None:
    patterns = torch.arange(96, dtype=torch.uint8)
    content = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls complex32 experimental
        for name in DTYPES:
            bits = patterns % 2 if name == "bool" else patterns
            content[name] = bits.view(getattr(torch, name)).reshape(2, -1).clone()
    assert_equal(opened(tmp_path, save(content)), content)


def test_every_layout_is_read(save: Save, tmp_path: Path) -> None:
    base = torch.arange(1000, dtype=torch.float32)
    cube = torch.arange(2 * 3 * 4 * 5, dtype=torch.int16).reshape(2, 3, 4, 5)
    wide = torch.arange(24, dtype=torch.float64).view(torch.complex128).reshape(3, 4)
    content = {
        "scalar": torch.tensor(7.5),
        "empty": torch.empty(0),
        "empty of rank three": torch.empty(2, 0, 3),
        "a slice": base[100:200],
        "every third": base[::3],
        "transposed": base[:60].reshape(6, 10).t(),
        "permuted": cube.permute(3, 1, 0, 2),
        "channels last": cube.to(memory_format=torch.channels_last),
        "a corner": cube[1:, :2, 1:3, ::2],
        "expanded": torch.arange(77).expand(3, 77),
        "expanded within": torch.arange(3.0).reshape(3, 1).expand(3, 4),
        "wide and transposed": wide.t(),
        "bytes apart": cube.clone().view(torch.uint8)[..., 1::2],
        "all of it": base,
    }
    assert_equal(opened(tmp_path, save(content)), content)


def test_shared_storages_and_tied_weights_are_read(save: Save, tmp_path: Path) -> None:
    base = torch.randn(8, 4)
    content = {"a": base, "b": base, "c": base[2:6], "d": base.t()}
    assert_equal(opened(tmp_path, save(content)), content)


def test_parameters_and_buffers_are_read(save: Save, tmp_path: Path) -> None:
    content = {
        "p": torch.nn.Parameter(torch.randn(3, 4)),
        "frozen": torch.nn.Parameter(torch.arange(5), requires_grad=False),
        "b": torch.nn.Buffer(torch.randn(2)),
    }
    assert_equal(opened(tmp_path, save(content)), dict(content))


def test_a_module_s_state_dict_is_read(save: Save, tmp_path: Path) -> None:
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    state = module.state_dict()
    assert_equal(opened(tmp_path, save(state)), dict(state))


def test_a_whole_pickled_module_is_read(save: Save, tmp_path: Path) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 4, bias=False), torch.nn.BatchNorm1d(4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch cannot find the source of some modules
        data = save(module)
    assert_equal(opened(tmp_path, data), dict(module.state_dict()))


def test_a_training_checkpoint_is_unwrapped_and_the_rest_kept(save: Save, tmp_path: Path) -> None:
    module = torch.nn.Linear(4, 2)
    optimizer = torch.optim.Adam(module.parameters())
    module(torch.ones(4)).sum().backward()
    optimizer.step()
    content = {
        "epoch": 3,
        "global_step": 470_000,
        "pytorch-lightning_version": "1.4.2",
        "state_dict": module.state_dict(),
        "callbacks": {torch.nn.Linear: {"best": np.float32(0.5), "path": Path("a/b")}},
        "optimizer_states": [optimizer.state_dict()],
        "hyper_parameters": argparse.Namespace(rate=1e-4, sizes=(1, 2), names={"x"}),
        "counts": defaultdict(int, a=1),
    }
    with opened(tmp_path, save(content)) as model:
        assert_equal(model, dict(module.state_dict()))
        extras = dict(model.extras)
        notes = {note.values.get("key"): note.values for note in model.notes}
    assert extras["epoch"] == 3
    assert extras["global_step"] == 470_000
    assert extras["pytorch-lightning_version"] == "1.4.2"
    assert extras["callbacks"] == {"torch.nn.modules.linear.Linear": {"best": 0.5, "path": "a/b"}}
    assert extras["hyper_parameters"] == {
        "class": "argparse.Namespace", "rate": 1e-4, "sizes": [1, 2], "names": ["x"],
    }  # fmt: skip
    assert extras["counts"] == {"a": 1}
    states: Any = extras["optimizer_states"]
    assert states[0]["state"][0]["exp_avg"] == {"tensor": "fp32", "shape": [2, 4]}
    # two parameters: 8 and 2 numbers, each with two averages and a step
    assert notes["optimizer_states"]["nbytes"] == 4 * (2 * 8 + 2 * 2 + 2)
    assert notes["optimizer_states"]["count"] == 6


def test_configuration_objects_show_their_content(tmp_path: Path) -> None:
    rate = (
        pickles.name("omegaconf.nodes", "FloatNode")
        + b")\x81"
        + pickles.value({"_val": 0.1})
        + b"b"
    )
    state = pickles.value({"_parent": None, "_content": {"rate": rate}})
    config = pickles.name("omegaconf.dictconfig", "DictConfig") + b")\x81" + state + b"b"
    attributes = pickles.name("pytorch_lightning.utilities.parsing", "AttributeDict") + b")\x81"
    content = {
        "state_dict": {"w": pickles.tensor("0", (1,))},
        "config": config,
        "hyper_parameters": attributes + b"(" + pickles.value("seed") + pickles.value(7) + b"u",
        "unknown": pickles.name("some.trainer", "State")
        + b")\x81"
        + pickles.value({"step": 4})
        + b"b",
    }
    model = opened(tmp_path, zip_file(stream(content), {"0": bytes(4)}))
    assert list(model) == ["w"]
    assert model.extras == {
        "config": {"rate": 0.1},
        "hyper_parameters": {"seed": 7},
        "unknown": {"class": "some.trainer.State", "step": 4},
    }
    (note,) = model.notes
    assert (note.key, note.values["names"]) == ("checkpoint.unknown_globals", "some.trainer.State")


@pytest.mark.parametrize("wrapper", ["state_dict", "model", "module", "params_ema", "params"])
def test_wrappers_are_unwrapped(wrapper: str, tmp_path: Path) -> None:
    weight = torch.ones(2)
    chained = {"model": {wrapper: {"w": weight}, "step": 5}, "epoch": 1}
    assert_equal(opened(tmp_path, SAVES["zip 2"]({wrapper: {"w": weight}})), {"w": weight})
    model = opened(tmp_path, SAVES["zip 2"](chained))
    assert_equal(model, {"w": weight})
    assert model.extras == {"epoch": 1, "model": {"step": 5}}


def test_ema_parameters_come_before_the_others(tmp_path: Path) -> None:
    content = {"params": {"w": torch.zeros(2)}, "params_ema": {"w": torch.ones(2)}}
    model = opened(tmp_path, SAVES["zip 2"](content))
    assert_equal(model, {"w": torch.ones(2)})
    assert model.extras == {"params": {"w": {"tensor": "fp32", "shape": [2]}}}


def test_text_metadata_beside_the_state_dict_is_the_file_s(tmp_path: Path) -> None:
    content = {"state_dict": {"w": torch.ones(1)}, "metadata": {"a": "b"}}
    model = opened(tmp_path, SAVES["zip 2"](content))
    assert model.metadata == {"a": "b"}
    assert model.extras == {}


@pytest.mark.parametrize("tensors", [{}, {"w": torch.ones(1)}])
def test_text_metadata_among_the_tensors_is_the_file_s_too(
    tmp_path: Path, tensors: dict[str, torch.Tensor]
) -> None:
    model = opened(tmp_path, SAVES["zip 2"](tensors | {"metadata": {"a": "b"}}))
    assert (list(model), model.metadata, model.extras) == (list(tensors), {"a": "b"}, {})


def test_embeddings_and_hypernetworks_are_flattened(tmp_path: Path) -> None:
    vector = torch.nn.Parameter(torch.randn(2, 768))
    embedding = {"string_to_token": {"*": 265}, "string_to_param": {"*": vector}, "name": "x"}
    model = opened(tmp_path, SAVES["zip 2"](embedding))
    assert_equal(model, {"string_to_param.*": vector})
    assert model.extras == {"string_to_token": {"*": 265}, "name": "x"}

    layer = OrderedDict([("linear.0.weight", torch.ones(2, 2))])
    model = opened(tmp_path, SAVES["zip 2"]({768: [layer, layer], "step": 9}))
    assert list(model) == ["768.0.linear.0.weight", "768.1.linear.0.weight"]
    assert model.extras == {"step": 9}


def test_big_endian_storages_are_swapped(tmp_path: Path) -> None:
    content = {
        "f": torch.randn(3, 4),
        "h": torch.randn(5).half().expand(2, 5).t(),
        "c": torch.arange(8.0).view(torch.complex64),
        "b": torch.arange(5, dtype=torch.uint8),
    }
    data = SAVES["zip 2"](content)
    swapped: dict[str, Any] = {"byteorder": b"big"}
    for key, width in enumerate((4, 2, 4, 1)):
        stored = zipfile.ZipFile(io.BytesIO(data)).read(f"archive/data/{key}")
        swapped[f"/data/{key}"] = np.frombuffer(stored, f"u{width}").byteswap().tobytes()
    assert_equal(opened(tmp_path, _rezipped(data, change=swapped)), content)


def test_tensors_without_a_plain_form_are_refused_by_name(tmp_path: Path) -> None:
    class Odd(torch.Tensor):
        pass

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of these are announced to go away
        content = {
            "plain": torch.ones(2),
            "refused_sparse": torch.eye(2).to_sparse(),
            "refused_quantized": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
            "refused_meta": torch.ones(2, device="meta"),
            "refused_flags": torch.ones(2, dtype=torch.complex64).conj(),
            "refused_nested": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
            "__metadata__": torch.ones(1),
            "lone \ud800 surrogate": torch.ones(1),
        }
        data = SAVES["zip 2"](content)
    model = opened(tmp_path, data)
    assert_equal(model, {"plain": torch.ones(2)})
    found = {name: note.key.removeprefix("checkpoint.") for name, note in model.refused.items()}
    assert found.pop("__metadata__") == "refused_reserved"
    assert found.pop("lone \ud800 surrogate") == "refused_surrogate"
    assert found == {name: name for name in content if name.startswith("refused")}


def test_a_bare_tensor_and_a_list_are_read(save: Save, tmp_path: Path) -> None:
    tensor = torch.randn(3)
    assert_equal(opened(tmp_path, save(tensor)), {"tensor": tensor})
    assert_equal(opened(tmp_path, save([tensor, 1, tensor])), {"0": tensor, "2": tensor})


def test_parts_of_a_tensor_are_read_alone(save: Save, tmp_path: Path) -> None:
    content = {"plain": torch.randn(64), "strided": torch.randn(8, 8).t()}
    model = opened(tmp_path, save(content))
    for name, tensor in content.items():
        part = bytearray(100)
        model[name].data.read_into(13, memoryview(part))
        assert bytes(part) == raw(tensor)[13:113]


def test_stored_tensors_lie_in_the_file_as_they_are(tmp_path: Path) -> None:
    content = {"w": torch.randn(64)}
    for flavour in ("zip 2", "legacy 2"):
        data = SAVES[flavour](content)
        extent = opened(tmp_path, data)["w"].data.extent()
        assert extent is not None
        assert data[extent.offset : extent.offset + extent.nbytes] == raw(content["w"])
    assert opened(tmp_path, SAVES["deflated zip"](content))["w"].data.extent() is None


def test_opening_reads_no_tensor_and_no_header_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.ckpt"
    path.write_bytes(SAVES["zip 2"]({f"w{i}": torch.ones(100_000) for i in range(5)}))
    reads: list[int] = []
    read_into = InputFile.read_into

    def counted(file: InputFile, offset: int, out: memoryview) -> None:
        reads.append(len(out))
        read_into(file, offset, out)

    monkeypatch.setattr(InputFile, "read_into", counted)
    model = open_checkpoint(InputFile(path))
    assert len(reads) < 12
    assert sum(reads) < 8000
    model["w3"].read()
    assert sum(reads) > 400_000


def test_views_of_the_oldest_legacy_files_are_read(tmp_path: Path) -> None:
    numbers = struct.pack("<6f", *range(6))
    content = {
        "root": legacy_tensor("7", (6,), 6),
        "view": legacy_tensor("7", (2,), 6, view=("8", 3, 2)),
    }
    data = legacy_file(stream(content), {"7": (6, numbers)})
    oracle = torch.load(io.BytesIO(data), weights_only=True)
    assert oracle["view"].tolist() == [3, 4]
    assert_equal(opened(tmp_path, data), oracle)


def test_the_tar_files_of_the_first_torch_are_read(tmp_path: Path) -> None:
    model = opened(tmp_path, tar_file([1.5, 2, 3, 4, 5, 6.5]))
    assert model.container == "ckpt-tar"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of its own old format
        oracle = torch.load(model.path, weights_only=False)
    assert_equal(model, {"w": oracle["w"], "v": oracle["v"]})


def test_a_count_in_front_of_a_legacy_storage_is_checked_when_read(tmp_path: Path) -> None:
    data = SAVES["legacy 2"]({"w": torch.ones(4)})
    at = data.rindex(struct.pack("<q", 4))
    model = opened(tmp_path, data[:at] + struct.pack("<q", 3) + data[at + 8 :])
    with pytest.raises(FormatError, match="another length"):
        model["w"].read()


def test_a_zip_header_that_disagrees_is_found_when_read(tmp_path: Path) -> None:
    data = bytearray(SAVES["zip 2"]({"w": torch.ones(4)}))
    data[data.index(b"archive/data/0")] = ord("x")
    model = opened(tmp_path, bytes(data))
    with pytest.raises(FormatError, match="zip directory"):
        model["w"].read()


def test_remarks_on_the_container_are_notes(tmp_path: Path) -> None:
    data = SAVES["zip 2"]({"w": torch.ones(4)})
    assert opened(tmp_path, data).notes == ()
    keys = [note.key for note in opened(tmp_path, data + b"more").notes]
    assert keys == ["checkpoint.trailing_bytes"]
    system = {"protocol_version": 1001, "little_endian": False}
    legacy = legacy_file(stream({}), {}, system=system)
    assert [note.key for note in opened(tmp_path, legacy).notes] == ["checkpoint.legacy_big_endian"]


@pytest.mark.parametrize("flavour", ["zip 2", "legacy 2"])
def test_containers_are_named(flavour: str, tmp_path: Path) -> None:
    model = opened(tmp_path, SAVES[flavour]({"w": torch.ones(1)}))
    assert model.container == f"ckpt-{flavour.removesuffix(' 2')}"
    assert model.size == model.path.stat().st_size
