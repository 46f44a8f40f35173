"""Model folders in the diffusers layout."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from containers import small, write_tree
from kanna.errors import FormatError, Incomplete, KannaError, UnsafeFile
from kanna.formats import open_model

UNET = "unet/diffusion_pytorch_model"
MODEL_INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "unet": ["diffusers", "UNet2DConditionModel"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "scheduler": ["diffusers", "PNDMScheduler"],
    "safety_checker": [None, None],
}
PIPELINE = {
    "model_index.json": MODEL_INDEX,
    "scheduler/scheduler_config.json": {"prediction_type": "v_prediction"},
    "text_encoder/config.json": {"hidden_size": 768},
    "text_encoder/model.safetensors": small("text_model.w"),
    "unet/config.json": {"in_channels": 4},
    f"{UNET}.safetensors": small("conv_in.weight", "conv_in.bias"),
}


def keys(folder: Path) -> list[str]:
    with open_model(folder) as model:
        return [note.key.removeprefix("formats.") for note in model.notes]


def refusal(folder: Path) -> KannaError:
    with pytest.raises(KannaError) as caught:
        open_model(folder)
    assert caught.value.message
    return caught.value


def test_a_pipeline_opens_as_one_model(tmp_path: Path) -> None:
    with open_model(write_tree(tmp_path, PIPELINE)) as model:
        assert model.container == "diffusers"
        assert list(model) == [
            "unet.conv_in.weight",
            "unet.conv_in.bias",
            "text_encoder.text_model.w",
        ]
        assert all(name == tensor.name for name, tensor in model.items())
        assert model["unet.conv_in.bias"].read() == b"\0\0\x80?" * 4
        assert model.extras["model_index"] == MODEL_INDEX
        assert model.extras["configs"] == {
            "unet": {"in_channels": 4},
            "text_encoder": {"hidden_size": 768},
            "scheduler": {"prediction_type": "v_prediction"},
        }
        assert not model.metadata
        assert not model.notes


def test_components_are_found_without_a_model_index(tmp_path: Path) -> None:
    files = {name: PIPELINE[name] for name in PIPELINE if name != "model_index.json"}
    with open_model(write_tree(tmp_path, files)) as model:
        assert model.container == "diffusers"
        assert next(iter(model)) == "text_encoder.text_model.w"
        assert model.extras["model_index"] == {}


def test_an_ema_beside_the_unet_is_a_component(tmp_path: Path) -> None:
    files = PIPELINE | {"unet_ema/diffusion_pytorch_model.safetensors": small("conv_in.weight")}
    with open_model(write_tree(tmp_path, files)) as model:
        assert "unet_ema.conv_in.weight" in model


CHOICES = {
    "the plain file before a variant": ([".fp16.safetensors", ".safetensors"], ".safetensors"),
    "safetensors before a pickle": ([".bin", ".fp16.safetensors"], ".fp16.safetensors"),
    "a whole file before shards": (
        [".safetensors.index.json", ".safetensors"],
        ".safetensors",
    ),
    "plain shards before a variant": (
        [".fp16.safetensors", ".safetensors.index.json"],
        ".safetensors.index.json",
    ),
    "one of several variants": (
        [".non_ema.safetensors", ".fp16.safetensors"],
        ".fp16.safetensors",
    ),
    "a variant of shards alone": (
        [".safetensors.index.fp16.json"],
        ".safetensors.index.fp16.json",
    ),
}


@pytest.mark.parametrize("case", CHOICES)
def test_of_several_files_it_takes(tmp_path: Path, case: str) -> None:
    suffixes, expected = CHOICES[case]
    shard = "diffusion_pytorch_model-00001-of-00001.safetensors"
    for suffix in suffixes:
        if suffix.endswith(".json"):
            files = {f"{UNET}{suffix}": {"weight_map": {suffix: shard}}}
            write_tree(tmp_path, files | {f"unet/{shard}": small(suffix)})
        else:
            write_tree(tmp_path, {f"{UNET}{suffix}": small(suffix)})
    with open_model(tmp_path) as model:
        assert list(model) == [f"unet.{expected}"]
        notes = {note.key: note.values for note in model.notes}
    assert ("formats.folder_choice" in notes) == (len(suffixes) > 1)
    if len(suffixes) > 1:
        others = {f"diffusion_pytorch_model{suffix}" for suffix in suffixes if suffix != expected}
        assert set(str(notes["formats.folder_choice"]["others"]).split(", ")) == others


def test_a_pickle_is_read_where_nothing_else_is_and_is_told(tmp_path: Path) -> None:
    write_tree(tmp_path, {"unet/config.json": {}})
    torch.save({"w": torch.ones(2)}, tmp_path / f"{UNET}.bin")
    with open_model(tmp_path) as model:
        assert list(model) == ["unet.w"]
    assert keys(tmp_path) == ["folder_pickle"]


def test_code_in_a_folder_is_told_and_stays_code(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    code = f"open({str(marker)!r}, 'w')".encode()
    write_tree(tmp_path, PIPELINE | {"unet/custom.py": code, "pipeline.py": code})
    with open_model(tmp_path) as model:
        assert [note.key for note in model.notes] == ["formats.folder_code"]
        assert model.notes[0].values == {"names": "pipeline.py, unet/custom.py"}
    assert not marker.exists()


def test_a_component_that_is_not_there_is_told(tmp_path: Path) -> None:
    vae = {"vae": ["diffusers", "AutoencoderKL"]}
    write_tree(tmp_path, PIPELINE | {"model_index.json": MODEL_INDEX | vae})
    assert keys(tmp_path) == ["folder_absent"]
    write_tree(tmp_path, {"vae/config.json": {}})
    assert keys(tmp_path) == ["folder_absent"]


def test_one_component_opens_under_its_own_names(tmp_path: Path) -> None:
    with open_model(write_tree(tmp_path, PIPELINE) / "unet") as model:
        assert list(model) == ["conv_in.weight", "conv_in.bias"]
        assert model.container == "safetensors"
        assert model.extras["configs"] == {"unet": {"in_channels": 4}}
        assert model.path == tmp_path / "unet"


def test_a_folder_of_shards_opens(tmp_path: Path) -> None:
    shards = {name: f"model-0000{i}-of-00002.safetensors" for i, name in enumerate("ab", 1)}
    write_tree(tmp_path, {"model.safetensors.index.json": {"weight_map": shards}})
    write_tree(tmp_path, {shard: small(name) for name, shard in shards.items()})
    with open_model(tmp_path) as model:
        assert model.container == "sharded-safetensors"
        assert list(model) == ["a", "b"]


def test_an_odd_name_is_taken_where_it_is_alone_beside_a_config(tmp_path: Path) -> None:
    write_tree(tmp_path, {"config.json": {}, "my-vae.safetensors": small("w")})
    with open_model(tmp_path) as model:
        assert list(model) == ["w"]


def test_a_shelf_of_models_is_no_model(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.safetensors": small("a"), "vae/b.safetensors": small("b")})
    error = refusal(tmp_path)
    assert isinstance(error, FormatError)
    assert error.key == "formats.folder_no_weights"


def test_a_pipeline_without_weights_is_incomplete(tmp_path: Path) -> None:
    write_tree(tmp_path, {"model_index.json": MODEL_INDEX, "unet/config.json": {}})
    assert isinstance(refusal(tmp_path), Incomplete)


def test_shards_without_an_index_are_incomplete(tmp_path: Path) -> None:
    write_tree(tmp_path, {f"{UNET}-00001-of-00002.safetensors": small("a")})
    assert refusal(tmp_path).key == "formats.index_missing"


def test_a_pickle_called_safetensors_is_refused(tmp_path: Path) -> None:
    write_tree(tmp_path, PIPELINE)
    torch.save({"w": torch.ones(2)}, tmp_path / f"{UNET}.safetensors")
    assert isinstance(refusal(tmp_path), UnsafeFile)


def test_a_component_that_is_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    write_tree(tmp_path / "elsewhere", {"model.safetensors": small("a")})
    write_tree(tmp_path / "model", PIPELINE)
    (tmp_path / "model" / "vae").symlink_to(tmp_path / "elsewhere")
    assert isinstance(refusal(tmp_path / "model"), UnsafeFile)


BROKEN_JSON = {
    "no JSON": (b"{", "json_invalid"),
    "a list": (b"[]", "json_no_object"),
    "a key twice": (b'{"a":1,"a":2}', "duplicate"),
    "deep": (b'{"a":' + b"[" * 100_000, "json_nested"),
    "endless": (b" " * 4_000_001, "json_too_long"),
}


@pytest.mark.parametrize("case", BROKEN_JSON)
@pytest.mark.parametrize("name", ["model_index.json", "unet/config.json"])
def test_a_broken_configuration_is_refused_for_what_it_is(
    tmp_path: Path, name: str, case: str
) -> None:
    content, key = BROKEN_JSON[case]
    write_tree(tmp_path, PIPELINE | {name: content})
    error = refusal(tmp_path)
    assert error.key == f"formats.{key}"
    assert error.path == str(tmp_path / name)


def test_a_failure_leaves_no_file_open(tmp_path: Path) -> None:
    write_tree(tmp_path, PIPELINE | {f"{UNET}.safetensors": b"broken"})
    before = len(list(Path("/dev/fd").iterdir()))
    refusal(tmp_path)
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_leftovers_and_a_component_of_that_name_are_two_things(tmp_path: Path) -> None:
    index = {**MODEL_INDEX, "leftovers": ["diffusers", "UNet2DConditionModel"]}
    files = {
        **PIPELINE, "model_index.json": index, "leftovers.safetensors": small("v_pred"),
        "leftovers/model.safetensors": small("conv.weight"),
    }  # fmt: skip
    with open_model(write_tree(tmp_path, files)) as model:
        assert "leftovers.conv.weight" in model
        assert list(model.beside) == ["v_pred"]
        assert len(model.files) == 4
        assert model.size == sum(file.size for file in model.files)
