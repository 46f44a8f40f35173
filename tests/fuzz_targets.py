"""What is fuzzed: every parser of foreign bytes, as a function of bytes.

A target may raise a `KannaError` and nothing else. `make fuzz` runs them under a fuzzer that follows
the code's branches; the tests run them over its corpus and over pieces of it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from fuzz_infotext import picture_texts
from fuzz_tensors import gguf_file, relaid, views
from kanna.disk import InputFile
from kanna.disk.reading import Fingerprint
from kanna.dtypes import FP16, SAFETENSORS
from kanna.errors import FormatError, KannaError
from kanna.families.schema import check_fields
from kanna.formats import FORMATS, recognise, strict_json
from kanna.formats.checkpoint.pickle_vm import read_pickle_at
from kanna.formats.strict_yaml import parse_yaml
from kanna.formats.wrong_content import explain
from kanna.hashing.cache import HashCache
from kanna.hashing.resolving import resolve
from kanna.hashing.sidecars import read_sidecar, sidecar_path
from kanna.hashing.webui import read_entries
from kanna.identify import identify
from kanna.identity import said
from kanna.merging import foreign, recipe_toml
from kanna.merging.axes import points
from kanna.merging.recipe_check import check
from kanna.model import ModelFile, TensorInfo
from kanna.ops.lora_convert import respell
from kanna.ops.naming import suggested_name
from kanna.ops.part_record import RECORD, read_record, restored
from kanna.ops.quantized_layers import moved, together
from kanna.pictures import PictureText, image_data_digest
from kanna.pictures.changes import same_texts
from kanna.pictures.opening import picture_in
from kanna.pictures.replacing import replaced
from kanna.quantizing.comfy import QUANTIZATION_METADATA
from kanna.quantizing.stored import dequantised
from kanna.scan import scan
from model_headers import Bytes

PATH: Final = Path("/nowhere/model.bin")
_MOST_READ: Final = 1 << 16
_WIDEST: Final = 65  # numbers along a dimension of a made-up LoRA, about


class Memory(InputFile):
    """A file that is only bytes."""

    __slots__ = ("data",)

    def __init__(self, data: bytes, path: Path = PATH) -> None:
        self.path, self.data, self.size, self.fd = path, data, len(data), -1
        self.fingerprint = Fingerprint(0, 0, len(data), 0)

    def read_into(self, offset: int, out: memoryview) -> None:
        piece = self.data[offset : offset + len(out)] if offset >= 0 else b""
        if len(piece) != len(out):
            raise FormatError("disk.ends_early", path=self.path, offset=offset)
        out[:] = piece

    def unchanged(self) -> bool:
        return True

    def will_stream(self) -> None:
        pass


def reads(*names: str) -> Callable[[bytes], None]:
    """A target that opens bytes with these readers and reads every small tensor."""

    def run(data: bytes) -> None:
        for name in names:
            with suppress(KannaError):
                _walk(FORMATS[name].load()(Memory(data)))

    return run


def _walk(model: ModelFile) -> None:
    for tensor in model.values():
        if tensor.nbytes <= _MOST_READ:
            with suppress(KannaError):
                tensor.read()
    identify(model)
    with suppress(KannaError):
        for tensor in dequantised(model).values():
            end = min(tensor.nbytes, _MOST_READ) // 2
            if not tensor.data.whole:
                tensor.data.read_into(end // 2, memoryview(bytearray(end)))


def whole(data: bytes) -> None:
    """Open a file as a user does: by its first bytes; what is none is explained."""
    found = recognise(data[:4096])
    if found is None:
        assert explain(Memory(data)).message
    else:
        reads(found)(data)


def gguf_written(data: bytes) -> None:
    """Read what was laid out as GGUF: whatever could be is there as it was."""
    made = gguf_file(data)
    if made is not None:
        tensors, file = made
        found = FORMATS["gguf"].load()(Memory(file))
        described = [(one.name, one.dtype, one.shape, one.read()) for one in found.values()]
        assert described == [(one.name, one.dtype, one.shape, one.read()) for one in tensors]


def pickle(data: bytes) -> None:
    with suppress(KannaError):
        read_pickle_at(Memory(data), 0)


def on_disk(function: Callable[[Path], object], name: str) -> Callable[[bytes], None]:
    """A target for what only takes paths: the bytes as a file called `name`."""

    def run(data: bytes) -> None:
        path = _folder() / name
        path.write_bytes(data)
        with suppress(KannaError):
            function(path)

    return run


@cache
def _folder() -> Path:
    memory = Path("/dev/shm")
    return Path(mkdtemp(prefix="kanna-fuzz-", dir=memory if memory.is_dir() else None))


def safety(path: Path) -> None:
    """Scan a file; whatever it holds, there is a verdict and it can be said."""
    found = scan(path)
    assert found.verdict in {"clean", "suspicious", "dangerous"}
    assert all(said(threat.note) for threat in found.threats)


def text_yaml(data: bytes) -> None:
    with suppress(KannaError):
        parse_yaml(data.decode("utf-8", "replace"), PATH)


def digest(data: bytes) -> None:
    with suppress(KannaError), HashCache(None) as nothing:
        assert all(said(note) for note in resolve(data.decode("utf-8", "replace"), nothing).notes)


def sidecar(path: Path) -> None:
    """Read a digest beside a file."""
    sidecar_path(path).write_bytes(path.read_bytes())
    read_sidecar(path)


def text_json(data: bytes) -> None:
    with suppress(KannaError):
        strict_json.parse(data, PATH)


def names(data: bytes) -> None:
    """Identify a model whose names, shapes and dtypes are the fuzzer's."""
    tensors = {}
    words = list(SAFETENSORS.values())
    for line in data.decode("utf-8", "replace").split("\n"):
        name, _, rest = line.partition(" ")
        shape = tuple(ord(letter) % 5000 for letter in rest[1:6])
        tensors[name] = TensorInfo(name, words[len(rest) % len(words)], shape, Bytes())
    with suppress(KannaError):
        identify(ModelFile(path=PATH, container="safetensors", size=0, tensors=tensors, files=()))


def lora(data: bytes) -> None:
    """Read and spell anew a LoRA whose names and shapes are the fuzzer's, none of them large."""
    tensors = {}
    for line in data.decode("utf-8", "replace").split("\n"):
        name, _, shape = line.partition(" ")
        sizes = tuple(ord(letter) % _WIDEST for letter in shape[:5])
        tensors[name] = TensorInfo(name, FP16, sizes, Bytes())
    model = ModelFile(path=PATH, container="safetensors", size=0, tensors=tensors, files=())
    identity = replace(identify(model), kind="lora")
    for dialect, architecture in (("diffusers", "sd1"), ("kohya", "flux"), ("comfy", "sdxl")):
        with suppress(KannaError):
            made = respell(model, identity, dialect, architecture=architecture, skip_unknown=True)
            for output in made.plan.outputs:
                assert len(output.inputs[0].read()) == output.nbytes


def table(data: bytes) -> None:
    """A user's own table: told what is wrong with it, and never more."""
    try:
        document = tomllib.loads(data.decode("utf-8", "replace"))
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        check_fields(document)


def record(data: bytes) -> None:
    """What a part says of the file that it was cut out of: each tensor once and in one place."""
    text = data.decode("utf-8", "replace")
    layers = moved({QUANTIZATION_METADATA: text}, "a.", "b.")
    assert together([layers, layers]) == layers
    if (found := read_record({RECORD: text})) is None:
        return
    tensors = {name: TensorInfo(name, FP16, (1,), Bytes()) for name in ("a", "b.weight", "c")}
    back = restored(tensors, None, found)
    assert back is None or len(back) == len(set(found.numbers())) == len(tensors)
    assert read_record({RECORD: found.to_text()}) == found


def file_name(data: bytes) -> None:
    name = data.decode("utf-8", "surrogateescape").replace("/", "_").replace("\0", "_")
    made = suggested_name(Path("/nowhere") / (name or "x"), ("fp16",), ".safetensors")
    assert made.isascii()
    assert "/" not in made
    assert json.dumps(made)


def recipe(data: bytes) -> None:
    """A recipe in any language: what can be read can be written, and then read as the same one."""
    text = data.decode("utf-8", "replace")
    with suppress(KannaError):
        found = foreign.in_text(text).recipe
        assert recipe_toml.read(recipe_toml.write(found)) == found
        check(found)
        assert points(found)


def recipe_inside(data: bytes) -> None:
    """What a stranger's metadata says of a merge: nothing of it leads to another folder."""
    text = data.decode("utf-8", "replace")
    for field in ("kanna.recipe", "sd_merge_recipe", "mecha_recipe"):
        with suppress(KannaError):
            found = foreign.in_metadata({field: text, "sd_merge_models": text})
            assert found is not None
            paths = [one.path for one in found.recipe.sources.values() if one.path is not None]
            assert not [path for path in paths if "/" in path or "\\" in path or path == ".."]
            assert found.recipe.output.path is None


def picture(data: bytes) -> None:
    """A picture: the texts that are read are written the same; without them its image is the same."""
    with suppress(KannaError):
        found = picture_in(Memory(data))
        assert all(said(note) for note in found.notes)
        assert not found.texts or replaced(Memory(data), found.texts) == data
        new = PictureText(place="xmp", keyword="", text="新")
        for texts in ([], found.texts[1:], [*found.texts, new]):
            with suppress(KannaError):
                made = replaced(Memory(data), texts)
                assert same_texts(picture_in(Memory(made)).texts, texts)
                assert image_data_digest(made) == image_data_digest(data)


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    "whole": whole,
    "safetensors": reads("safetensors"),
    "checkpoint": reads("checkpoint"),
    "pickle": pickle,
    "gguf": reads("gguf"),
    "index": reads("index"),
    "scan": on_disk(safety, "model.ckpt"),
    "json": text_json,
    "yaml": text_yaml,
    "sidecar": on_disk(sidecar, "model.ckpt"),
    "webui-cache": on_disk(read_entries, "cache.json"),
    "digest": digest,
    "picture": picture,
    "names": names,
    "lora": lora,
    "table": table,
    "record": record,
    "file-name": file_name,
    "recipe": recipe,
    "recipe-inside": recipe_inside,
    "picture-texts": picture_texts,
    "views": views,
    "relayout": relaid,
    "gguf-written": gguf_written,
}
