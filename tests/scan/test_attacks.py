"""Every attack of `tests/attacks`, and what honest programs write, judged."""

from __future__ import annotations

import io
import json
import struct
import textwrap
import zipfile
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from attacks import cases
from attacks.alone import run_alone
from attacks.containers import legacy_file, legacy_tensor, zip_file
from attacks.pickles import call, name, stream, text, value
from containers import safetensors_bytes
from kanna.disk import InputFile
from kanna.formats.checkpoint.zip_survey import local_files
from kanna.identity import said
from kanna.messages import LANGUAGES, set_language
from kanna.scan import Scan, scan

_SYSTEM = call("os", "system", f"touch {cases.MARKER}")
# It only makes a memo table of Python's own reader grow.
_HARMLESS = {"a memo index of 2^32 - 1"}


def scanned(folder: Path, data: bytes, suffix: str = ".ckpt") -> Scan:
    path = folder / f"model{suffix}"
    path.write_bytes(data)
    return scan(path)


def codes(found: Scan) -> set[str]:
    return {threat.code for threat in found.threats}


def beside(code: bytes) -> bytes:
    return zip_file(cases.checkpoint(code), {"0": cases.DATA})


@pytest.mark.parametrize("what", sorted(cases.READABLE.keys() - _HARMLESS))
def test_code_beside_tensors_is_dangerous_and_named(what: str, tmp_path: Path) -> None:
    found = scanned(tmp_path, cases.READABLE[what])
    assert found.verdict == "dangerous"
    assert any(threat.name for threat in found.threats)
    for language in LANGUAGES:
        set_language(language)
        assert all(said(threat.note).isprintable() for threat in found.threats)


@pytest.mark.parametrize("what", cases.REFUSED)
def test_what_cannot_be_read_is_never_clean(what: str, tmp_path: Path) -> None:
    found = scanned(tmp_path, cases.REFUSED[what][1])
    assert found.verdict != "clean"
    assert found.threats


@pytest.mark.parametrize("what", cases.ENDLESS)
def test_what_has_no_end_is_judged_in_time(what: str, tmp_path: Path) -> None:
    assert scanned(tmp_path, cases.ENDLESS[what]).verdict in {"clean", "suspicious"}


_USES = {
    "another codec": (call("_codecs", "encode", "x", "evil"), "KS106"),
    "a foreign factory": (call("collections", "defaultdict", name("builtins", "bytearray")), "KS106"),
    "a terabyte of zeros": (call("builtins", "bytearray", 1 << 40), "KS106"),
    "a storage that is called": (call("torch", "FloatStorage", 5), "KS106"),
    "an array of objects": (call("numpy", "dtype", "O8", 0, 1), "KS106"),
    "a known class that is changed": (name("torch", "FloatStorage") + value({"x": 1}) + b"b", "KS105"),
    "a callback of Lightning": (
        value({name("pytorch_lightning.callbacks.early_stopping", "EarlyStopping"): 1}),
        "KS103",
    ),
    "a module made empty": (name("torch.nn.modules.linear", "Linear") + b")\x81}b", "KS103"),
    "a callback with arguments": (
        call("pytorch_lightning.callbacks.early_stopping", "EarlyStopping", "x"),
        "KS101",
    ),
    "a function of Lightning": (name("pytorch_lightning.callbacks", "load"), "KS102"),
    "a walk from a known name": (name("collections", "OrderedDict.copy"), "KS102"),
    "a module that is only named": (name("this", "s"), "KS102"),
    "a computed name": (call("os", "getcwd") + text("system") + b"\x93", "KS104"),
    "an extension code": (b"\x82\x01", "KS107"),
    "a text reference": (b"P0\n", "KS107"),
    "a foreign reference": (value(("module", 1)) + b"Q", "KS112"),
    "a pickle in bytes": (
        call("_codecs", "encode", stream(_SYSTEM).decode("latin-1"), "latin1"),
        "KS111",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", _USES)
def test_each_use_has_its_rule(what: str, tmp_path: Path) -> None:
    code, rule = _USES[what]
    assert rule in codes(scanned(tmp_path, beside(code)))


@pytest.mark.parametrize("broken", [b"\xff", b"0" * 9, b"h\x63t", b"\x95" + bytes(8) + b"\xfe"])
def test_code_behind_a_break_is_found(broken: bytes, tmp_path: Path) -> None:
    hidden = b"\x80\x02" + broken + _SYSTEM + b"."
    for data in (hidden, zip_file(hidden, {})):
        found = scanned(tmp_path, data, ".pt")
        assert found.verdict == "dangerous"
        assert "os.system" in {threat.name for threat in found.threats}


def test_code_on_the_stack_behind_a_break_is_found(tmp_path: Path) -> None:
    for memo in (b"", b"\x94", b"q\x01", b"r\x01\0\0\0"):
        stacked = b"\x8c\x02os" + memo + b"\x8c\x06system" + memo + b"\x93"
        found = scanned(tmp_path, zip_file(b"\x80\x04\xff" + stacked + b"N.", {}))
        assert "KS109" in codes(found)


def _zip(members: dict[str, bytes], comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
        archive.comment = comment
    return out.getvalue()


_GOOD = {
    "archive/data.pkl": cases.checkpoint(value(1)),
    "archive/data/0": cases.DATA,
    "archive/version": b"3\n",
}


def test_every_byte_of_a_zip_is_accounted_for(tmp_path: Path) -> None:
    good = _zip(_GOOD)
    found = scanned(tmp_path, good)
    assert (found.verdict, found.accounted) == ("clean", len(good))
    assert "KS203" in codes(scanned(tmp_path, good + b"junk"))
    assert "KS203" in codes(scanned(tmp_path, _zip(_GOOD, b"a comment")))
    assert "KS204" in codes(scanned(tmp_path, _zip({**_GOOD, "archive/x.txt": b"hello"})))
    assert "KS206" in codes(scanned(tmp_path, _zip({**_GOOD, "archive/../x": b"hello"})))


def test_checksums_of_storages_are_looked_at_on_request(tmp_path: Path) -> None:
    data = _zip(_GOOD).replace(cases.DATA, bytes(len(cases.DATA)))
    assert scanned(tmp_path, data).verdict == "clean"
    assert "KS202" in codes(scan(tmp_path / "model.ckpt", deep=True))


@pytest.mark.parametrize("changed", ["central flag", "local flag", "local name", "checksum"])
def test_where_loaders_disagree_the_pickle_is_judged_all_the_same(
    changed: str, tmp_path: Path
) -> None:
    data = bytearray(beside(_SYSTEM))
    central = bytes(data).index(b"PK\x01\x02")
    place = {
        "central flag": central + 8,
        "local flag": 6,
        "local name": 32,
        "checksum": central + 16,
    }
    data[place[changed]] ^= 1
    assert scanned(tmp_path, bytes(data)).verdict == "dangerous"


def test_a_checkpoint_cut_short_says_how_much_is_there(tmp_path: Path) -> None:
    big = cases.checkpoint(value(1))
    whole = _zip({**_GOOD, "archive/data.pkl": big})
    assert "KS302" in codes(scanned(tmp_path, whole[:-40]))
    torch.save({"a": torch.zeros(1000)}, tmp_path / "new.pt")
    half = (tmp_path / "new.pt").read_bytes()[:2000]
    assert any("%" in said(t.note) for t in scanned(tmp_path, half).threats)


def test_legacy_files_are_judged_stream_by_stream(tmp_path: Path) -> None:
    pickle = stream({cases.NAME: legacy_tensor("7", (2, 3), 6)})
    good = legacy_file(pickle, {"7": (6, cases.DATA)})
    found = scanned(tmp_path, good)
    assert (found.verdict, found.container, found.accounted) == ("clean", "ckpt-legacy", len(good))
    behind = scanned(tmp_path, good + stream(_SYSTEM))
    assert (behind.verdict, "KS203" in codes(behind)) == ("dangerous", True)
    assert scanned(tmp_path, legacy_file(pickle, {"7": (-6, cases.DATA)})).verdict == "suspicious"


_TENSOR = torch.arange(12.0).reshape(3, 4)


def _trained() -> dict[str, Any]:
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(model.parameters())  # which takes seconds to import
    return {"state_dict": model.state_dict(), "opt": optimizer.state_dict()}


_HONEST: dict[str, Callable[[], Any]] = {
    "a tensor": lambda: _TENSOR,
    "a view": lambda: {"x": _TENSOR.t(), "y": _TENSOR[1:]},
    "a state dict": lambda: torch.nn.Linear(2, 2).state_dict(),
    "a trainer's state": _trained,
    "small floats": lambda: {"x": _TENSOR.to(torch.float8_e4m3fn), "y": _TENSOR.bfloat16()},
    "numbers of numpy": lambda: {"x": np.float64(3.5), "y": np.arange(4)},
    "types of Python": lambda: {
        "i": int, "s": str, "r": range(3), "n": defaultdict(int, a=1), "e": ...,
    },
    "a version": lambda: {"torch": torch.__version__, "quantised": torch.qint8},
    "plain things": lambda: {
        "b": b"abc", "s": {1, 2}, "c": 1j, "z": bytearray(b"x"), "e": slice(1, 2),
    },
    "a sparse tensor": _TENSOR.to_sparse,
}  # fmt: skip


@pytest.mark.parametrize("what", _HONEST)
@pytest.mark.parametrize(
    "settings", [{}, {"pickle_protocol": 5}, {"_use_new_zipfile_serialization": False}]
)
def test_what_torch_writes_is_clean_to_the_last_byte(
    what: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "model.pt"
    torch.save(_HONEST[what](), path, **settings)
    found = scan(path)
    assert [said(threat.note) for threat in found.threats] == []
    assert (found.verdict, found.accounted) == ("clean", path.stat().st_size)


def test_a_whole_module_and_a_program_are_suspicious_not_dangerous(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "module.pt")
    assert codes(scan(tmp_path / "module.pt")) == {"KS103"}
    torch.save({"layer": torch.nn.TransformerEncoderLayer(4, 2)}, tmp_path / "activation.pt")
    assert codes(scan(tmp_path / "activation.pt")) == {"KS103"}
    state = {"r": np.random.RandomState(1), "g": np.random.default_rng(1), "d": Decimal("1.5")}
    torch.save(state, tmp_path / "random.pt")
    assert codes(scan(tmp_path / "random.pt")) == {"KS103"}
    program = tmp_path / "program.pt"
    with zipfile.ZipFile(program, "w") as archive:
        for member in ("data.pkl", "constants.pkl"):
            archive.writestr(f"p/{member}", stream({}))
        archive.writestr("p/code/a.py", "def f(): ...")
    found = scan(program)
    assert (found.verdict, "KS208" in codes(found)) == ("suspicious", True)


def test_data_under_any_key_of_safetensors_is_data(tmp_path: Path) -> None:
    metadata = {"x": "import os; os.system('x')", "y": "<script>", "chat_template": "{{ x }}"}
    data = safetensors_bytes({"a": ("F32", (1,), bytes(4))}, metadata)
    found = scanned(tmp_path, data, ".safetensors")
    assert (found.verdict, found.container) == ("clean", "safetensors")


def test_a_zip_inside_a_tensor_is_a_second_file(tmp_path: Path) -> None:
    inner = beside(_SYSTEM)
    data = safetensors_bytes({"a": ("U8", (len(inner),), inner)})
    found = scanned(tmp_path, data, ".safetensors")
    assert found.verdict == "dangerous"
    assert {"KS209", "KS101"} <= codes(found)


@pytest.mark.parametrize("suffix", [".safetensors", ".gguf"])
def test_a_pickle_under_a_safe_name_is_never_clean(suffix: str, tmp_path: Path) -> None:
    assert codes(scanned(tmp_path, _zip(_GOOD), suffix)) == {"KS207"}
    assert scanned(tmp_path, beside(_SYSTEM), suffix).verdict == "dangerous"


@pytest.mark.parametrize("suffix", ["", ".txt", ".jpg", ".pt", ".safetensors"])
def test_a_pickle_of_text_is_found_under_any_name(suffix: str, tmp_path: Path) -> None:
    assert scanned(tmp_path, b"cos\nsystem\n(S'x'\ntR.", suffix).verdict == "dangerous"
    assert scanned(tmp_path, b"care\nfor this text\nplease", suffix).verdict == "suspicious"


def test_an_array_of_objects_is_looked_into(tmp_path: Path) -> None:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + stream(_SYSTEM)
    assert scanned(tmp_path, array, ".npy").verdict == "dangerous"
    assert scanned(tmp_path, _zip({"a.npy": array}), ".npz").verdict == "dangerous"


def test_the_global_and_its_opcode_are_told(tmp_path: Path) -> None:
    data = zip_file(b"\x80\x02" + _SYSTEM + b".", {})
    threat = next(t for t in scanned(tmp_path, data).threats if t.code == "KS101")
    assert (threat.name, threat.position) == ("os.system", 2)
    assert threat.place.member == "archive/data.pkl"
    assert threat.place.offset is not None
    assert data[threat.place.offset + 2 :].startswith(b"cos\nsystem\n")


_WATCHED_RUN = textwrap.dedent("""
    import json, os
    from pathlib import Path

    from attacks import cases
    from kanna.scan import scan
    from watching import Watch

    files = [*cases.READABLE.values(), *(data for _, data in cases.REFUSED.values())]
    files = [data for data in files if len(data) < 500_000]
    for data in files[:3]:
        Path("model.ckpt").write_bytes(data)
        scan("model.ckpt")
    import kanna.formats.checkpoint.torch_tar, kanna.formats.checkpoint.torch_legacy
    import kanna.formats.checkpoint.inflated_data, kanna.formats.checkpoint.strided_data
    watch = Watch("os.listdir", "os.scandir")
    for data in files:
        Path("model.ckpt").write_bytes(data)
        with watch:
            scan("model.ckpt")
    print(json.dumps([watch.seen, os.listdir()]))
""")


def test_no_file_makes_a_scan_import_run_write_or_connect(tmp_path: Path) -> None:
    assert json.loads(run_alone(_WATCHED_RUN, tmp_path)) == [[], ["model.ckpt"]]


def test_nothing_hides_behind_a_harmless_pickle(tmp_path: Path) -> None:
    streams = stream(1) + stream(2) + stream(_SYSTEM)
    for data in (zip_file(streams, {}), _zip({**_GOOD, "archive/x": streams})):
        found = scanned(tmp_path, data)
        assert "os.system" in {threat.name for threat in found.threats}


def test_a_folder_of_a_zip_that_holds_bytes_is_looked_into(tmp_path: Path) -> None:
    data = bytearray(_zip({**_GOOD, "archive/data.pkl_": stream(_SYSTEM)}))
    data[:] = data.replace(b"archive/data.pkl_", b"archive/data.pkl/")
    assert scanned(tmp_path, bytes(data)).verdict == "dangerous"
    assert scanned(tmp_path, _zip({**_GOOD, "archive/data/": b""})).verdict == "clean"


def test_an_end_record_with_room_for_more_is_not_clean(tmp_path: Path) -> None:
    good = _zip(_GOOD)
    end = good.rindex(b"PK\x05\x06")
    count, size, start = struct.unpack_from("<HII", good, end + 10)
    for more in (b"", b"x" * 9):
        numbers = (44 + len(more), 45, 45, 0, 0, count, count, size, start)
        wide = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", *numbers) + more
        locator = b"PK\x06\x07" + struct.pack("<IQI", 0, end, 1)
        found = scanned(tmp_path, good[:end] + wide + locator + good[end:])
        assert found.verdict == ("suspicious" if more else "clean")


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
def test_a_line_through_a_header_leads_to_code_far_behind_it(suffix: str, tmp_path: Path) -> None:
    behind = bytes(3 << 20) + b"\n0" + _SYSTEM + b"."
    tensors = {"a": ("U8", (len(behind),), behind)}
    files = (safetensors_bytes(tensors, {"x": "y" * padding}) for padding in range(256))
    data = next(data for data in files if data[:1] == b"V")  # a line of text, to the line break
    assert scanned(tmp_path, data, suffix).verdict == "dangerous"


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".py"])
def test_a_pickle_under_a_name_of_text_is_found(suffix: str, tmp_path: Path) -> None:
    assert scanned(tmp_path, b"cos\nsystem\n(S'x'\ntR.", suffix).verdict == "dangerous"


def test_a_flood_of_signatures_is_gone_through_once(tmp_path: Path) -> None:
    flood = b"PK\x03\x04" * 100_000
    found = scanned(tmp_path, flood + zip_file(stream(_SYSTEM), {}))
    assert "os.system" in {threat.name for threat in found.threats}
    seen = sum(1 for _ in local_files(InputFile(tmp_path / "model.ckpt")))
    assert seen <= 3  # data.pkl, version, and the last of the flood with what follows it
