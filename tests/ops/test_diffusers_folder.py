"""Real headers as diffusers folders, and back to the file that they were: names, order, numbers."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import pytest

from kanna.engine import run_group
from kanna.errors import (
    Incompatible,
    Incomplete,
    OutputExists,
    UnknownModel,
    UnsafeFile,
    UsageError,
)
from kanna.formats import open_model
from kanna.identify import identify
from kanna.model import Extent, ModelFile, TensorInfo
from kanna.ops.diffusers_folder import FolderOptions, PlannedFolder, check_place, to_folder
from kanna.ops.diffusers_record import returned
from kanna.ops.join import JoinOptions, join
from kanna.plan import Constant, Output, Plan
from model_headers import Bytes, headers, known
from part_plans import apart, together

ALL = FolderOptions(allow_missing=True)

# What the way back has to get right: layouts, prefixes, EMA, junk, markers, spellings of names,
# tensors that diffusers does not have, one that it has and the file does not.
ROUND_TRIPS = {
    "sd15-full-ema-fp32": 701, "sd1-nai-fp32-ckpt": 13, "sd15-fp16-pruned": 1, "sd20-depth-fp32": 396,
    "sdxl-base-fp16": 2, "sdxl-vpred-ztsnr-fp16": 4, "sdxl-refiner-fp16": 1, "ssd1b-fp16": 2,
    "koala-1b-fp16": 2, "sd3-medium-comfyui-saved": 4, "sd3-medium-incl-clips-t5xxlfp16": 1,
    "sd35-large-fp8-e4m3-incl-clips-t5": 1, "flux1-dev-bf16-aio": 0, "flux1-dev-prefixed-fp8": 0,
    "auraflow-v03-dit": 0, "sana-1600m-orig-fp32": 2, "pixart-alpha-1024-ms": 1, "chroma-bf16": 0,
    "lumina2-dit-bf16": 0, "z-image-turbo-bf16": 0, "flux2-dev-bf16": 0,
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """Numbers that tell whose they are, and where."""

    name: str

    def extent(self) -> Extent | None:
        return None

    @property
    def whole(self) -> bool:
        return False

    def read_into(self, start: int, out: memoryview) -> None:
        seed = crc32(self.name.encode())
        for at in range(len(out)):
            place = start + at
            out[at] = ((seed >> place % 3) + place * 31 + (place >> 8)) & 0xFF


def told(name: str) -> ModelFile:
    """The file of a header, filled with numbers that tell their place."""
    model = headers()[name].model()
    tensors = {n: replace(tensor, data=Told(n)) for n, tensor in model.items()}
    return replace(model, tensors=tensors)


def planned(name: str, options: FolderOptions = ALL) -> PlannedFolder:
    return to_folder(told(name), known(name), options)


def plans(folder: PlannedFolder) -> dict[str, Plan]:
    return {name: file for name, file in folder.files.items() if isinstance(file, Plan)}


def document(folder: PlannedFolder, name: str) -> dict[str, object]:
    file = folder.files[name]
    assert isinstance(file, bytes)
    found: dict[str, object] = json.loads(file)
    return found


def written(output: Output, name: str) -> TensorInfo:
    """The tensor that an output is in its file."""
    if isinstance(output.op, Constant):
        return TensorInfo(name, output.dtype, output.shape, Bytes(output.op.data))
    (source,) = output.inputs
    assert (source.dtype, source.shape) == (output.dtype, output.shape)
    return TensorInfo(name, output.dtype, output.shape, source.data)


def opened(folder: PlannedFolder) -> ModelFile:
    """The folder as it would be read."""
    tensors: dict[str, TensorInfo] = {}
    left: dict[str, TensorInfo] = {}
    metadata = {}
    for path, plan in plans(folder).items():
        component, _, _ = path.rpartition("/")
        metadata[component or "leftovers.safetensors"] = plan.metadata
        place, prefix = (tensors, f"{component}.") if component else (left, "")
        for output in plan.outputs:
            place[prefix + output.name] = written(output, prefix + output.name)
    return ModelFile(path=Path("folder"), container="diffusers", size=0, tensors=tensors, files=(),
                     extras={"component_metadata": metadata}, beside=left)  # fmt: skip


def ends(tensor: TensorInfo) -> list[bytes]:
    """The first, some middle and the last bytes of a tensor."""
    size = min(16, tensor.nbytes)
    found = []
    for start in {0, tensor.nbytes // 2 // 16 * 16, tensor.nbytes - size}:
        out = bytearray(min(size, tensor.nbytes - start))
        tensor.data.read_into(start, memoryview(out))
        found.append(bytes(out))
    return found


@pytest.mark.parametrize(("name", "left"), ROUND_TRIPS.items())
def test_a_join_of_the_folder_is_the_file_again(name: str, left: int) -> None:
    before, folder = told(name), planned(name)
    assert folder.left == left
    model = opened(folder)
    again = join([(model, identify(model))], JoinOptions(allow_missing=True)).plan
    assert [output.name for output in again.outputs] == list(before)
    for output, tensor in zip(again.outputs, before.values(), strict=True):
        back = written(output, output.name)
        assert (back.dtype, back.shape) == (tensor.dtype, tensor.shape)
        assert ends(back) == ends(tensor)


def test_files_come_in_an_order_in_which_the_index_is_last() -> None:
    folder = planned("sdxl-base-fp16")
    assert list(folder.files)[-1] == "model_index.json"
    assert folder.components == ("text_encoder", "text_encoder_2", "unet", "vae")
    assert {name.partition("/")[2] for name in plans(folder)} == {
        "", "model.safetensors", "diffusion_pytorch_model.safetensors",
    }  # fmt: skip


def test_the_configs_of_published_models_are_these() -> None:
    unet = document(planned("sdxl-base-fp16"), "unet/config.json")
    assert unet.items() >= {
        "block_out_channels": [320, 640, 1280], "attention_head_dim": [5, 10, 20],
        "transformer_layers_per_block": [1, 2, 10], "cross_attention_dim": 2048,
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        "projection_class_embeddings_input_dim": 2816, "addition_embed_type": "text_time",
        "use_linear_projection": True, "layers_per_block": 2, "in_channels": 4,
    }.items()  # fmt: skip
    assert "reverse_transformer_layers_per_block" not in unet
    unet = document(planned("ssd1b-fp16"), "unet/config.json")
    assert unet["transformer_layers_per_block"] == [1, 2, 4]
    assert unet["reverse_transformer_layers_per_block"] == [[4, 4, 10], [2, 1, 1], 1]
    assert unet["mid_block_type"] == "UNetMidBlock2D"
    transformer = document(planned("sd35-medium"), "transformer/config.json")
    assert transformer.items() >= {
        "dual_attention_layers": list(range(13)), "qk_norm": "rms_norm", "num_layers": 24,
        "pos_embed_max_size": 384, "num_attention_heads": 24, "pooled_projection_dim": 2048,
    }.items()  # fmt: skip
    assert document(planned("sana-600m-orig-fp32"), "transformer/config.json").items() >= {
        "num_attention_heads": 36, "num_cross_attention_heads": 16, "cross_attention_head_dim": 72,
        "sample_size": 32, "num_layers": 28, "cross_attention_dim": 1152,
    }.items()  # fmt: skip
    vae = document(planned("sd3-medium"), "vae/config.json")
    assert (vae["scaling_factor"], vae["shift_factor"]) == (1.5305, 0.0609)
    assert vae["use_quant_conv"] is False


def test_the_text_encoder_of_sd2_loses_the_layer_that_is_never_used() -> None:
    folder = planned("sd21-768v-fp32", replace(ALL, prediction="v"))
    assert document(folder, "text_encoder/config.json")["num_hidden_layers"] == 23
    names = {output.name for output in plans(folder)["text_encoder/model.safetensors"].outputs}
    assert not any(".layers.23." in name for name in names)
    left = {output.name for output in plans(folder)["leftovers.safetensors"].outputs}
    assert "cond_stage_model.model.transformer.resblocks.23.attn.in_proj_weight" in left


def test_what_a_model_predicts_chooses_pipeline_and_scheduler() -> None:
    with pytest.raises(Incomplete) as caught:
        planned("sd21-768v-fp32")
    assert caught.value.values["words"] == "epsilon, v"
    for word, size, kind in (("v", 96, "v_prediction"), ("epsilon", 64, "epsilon")):
        folder = planned("sd21-768v-fp32", replace(ALL, prediction=word))
        assert document(folder, "unet/config.json")["sample_size"] == size
        scheduler = document(folder, "scheduler/scheduler_config.json")
        assert scheduler["prediction_type"] == kind
    with pytest.raises(UsageError, match="flow"):
        planned("sd21-768v-fp32", replace(ALL, prediction="flow"))
    with pytest.raises(UsageError, match="edm"):
        planned("sdxl-base-fp16", replace(ALL, prediction="edm"))


def test_markers_say_that_the_schedule_ends_in_noise() -> None:
    scheduler = document(planned("sdxl-vpred-ztsnr-fp16"), "scheduler/scheduler_config.json")
    assert scheduler["rescale_betas_zero_snr"] is True
    assert scheduler["prediction_type"] == "v_prediction"
    scheduler = document(planned("sdxl-base-fp16"), "scheduler/scheduler_config.json")
    assert "rescale_betas_zero_snr" not in scheduler


def test_missing_components_are_listed_and_stop_it() -> None:
    with pytest.raises(Incomplete) as caught:
        planned("flux1-dev-bf16", FolderOptions())
    assert caught.value.values["components"] == "text_encoder, text_encoder_2, vae"
    folder = planned("flux1-dev-bf16")
    assert folder.missing == ("text_encoder", "text_encoder_2", "vae")
    assert folder.referenced == ("tokenizer", "tokenizer_2")
    index = document(folder, "model_index.json")
    assert index["vae"] == ["diffusers", "AutoencoderKL"]  # from_pretrained is to ask for it
    assert [note.key for note in folder.notes] == ["diffusers.lacks", "diffusers.referenced"]


def test_what_the_header_leaves_open_is_said() -> None:
    folder = planned("flux2-klein-4b-bf16")
    assert folder.others == ("flux2-klein-base",)
    assert folder.notes[0].key == "diffusers.others"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("flux1-dev-fp8-scaled", Incompatible),
        ("flux1-dev-bnb-nf4", Incompatible),
        ("wan21-t2v-1.3b-fp16", UnknownModel),
        ("vae-sdxl", UnknownModel),
    ],
)
def test_what_diffusers_cannot_load_is_refused(name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        planned(name)


def test_a_quantised_part_is_decoded_if_a_dtype_is_asked_for() -> None:
    folder = planned("flux1-dev-fp8-scaled", replace(ALL, dtype="bf16"))
    made = [one for name, one in plans(folder).items() if name.startswith("transformer/")]
    assert {output.dtype.word for plan in made for output in plan.outputs} == {"bf16"}
    assert folder.left == 0
    assert document(folder, "transformer/config.json")["_class_name"] == "FluxTransformer2DModel"


def test_a_folder_is_not_made_into_a_folder() -> None:
    model = opened(planned("sd15-fp16-pruned"))
    with pytest.raises(Incompatible, match="already"):
        to_folder(model, identify(model), ALL)


def test_a_config_is_not_made_up_where_a_tensor_is_missing() -> None:
    model = headers()["sd15-fp16-pruned"].model()
    kept = [name for name in model if not name.endswith("input_blocks.0.0.weight")]
    model = headers()["sd15-fp16-pruned"].model(kept)
    with pytest.raises(Incomplete, match=r"conv_in\.weight"):
        to_folder(model, identify(model), ALL)


def test_precision_and_pruning_are_those_of_a_split() -> None:
    folder = planned("sd15-full-ema-fp32", replace(ALL, dtype="fp16", prune=True))
    unet = plans(folder)["unet/diffusion_pytorch_model.safetensors"]
    assert {output.dtype.word for output in unet.outputs} == {"fp16"}
    assert document(folder, "text_encoder/config.json")["torch_dtype"] == "float16"
    assert folder.left < 701


def test_what_kanna_cannot_turn_is_left_over_and_missing() -> None:
    header = headers()["vae-taesd-decoder"]
    unet = headers()["sd15-fp16-novae"].tensors
    vae = {f"first_stage_model.{name}": tensor for name, tensor in header.tensors.items()}
    model = replace(headers()["sd15-fp16-novae"].model(), tensors={**unet, **vae})
    folder = to_folder(model, identify(model), ALL)
    assert folder.missing == ("vae",)
    assert folder.left >= len(vae)


# Tokenizers.


def tokenizer(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_only_files_of_tokenizers_are_copied(tmp_path: Path) -> None:
    tokenizer(tmp_path / "tokenizer", vocab__json="{}", evil__py="x", weights__bin="x")
    folder = planned("sd15-fp16-pruned", FolderOptions(tokenizers=tmp_path))
    assert [name for name in folder.files if name.startswith("tokenizer")] == [
        "tokenizer/vocab.json"
    ]
    assert folder.referenced == ()


def test_a_folder_of_one_tokenizer_will_do_where_one_is_wanted(tmp_path: Path) -> None:
    source = tokenizer(tmp_path / "mine", merges__txt="m", vocab__json="{}")
    folder = planned("sd15-fp16-pruned", FolderOptions(tokenizers=source))
    assert folder.files["tokenizer/merges.txt"] == b"m"
    with pytest.raises(Incomplete):
        planned("sdxl-base-fp16", FolderOptions(tokenizers=source))


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_no_link_leads_out_of_the_folder_of_tokenizers(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    tokenizer(tmp_path / "in" / "tokenizer")
    (tmp_path / "in" / "tokenizer" / "vocab.json").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(UnsafeFile):
        planned("sd15-fp16-pruned", FolderOptions(tokenizers=tmp_path / "in"))


# The folder on the disk.


def small() -> tuple[ModelFile, PlannedFolder]:
    """A folder of a real model from which all but small tensors were taken."""
    model = told("sd15-fp16-sched")
    folder = planned("sd15-fp16-sched")
    return model, folder


def write(folder: PlannedFolder, place: Path, largest: int = 4096) -> None:
    """Write a folder without its large tensors."""
    files: dict[Path, Plan | bytes] = {}
    for name, file in folder.files.items():
        made = file
        if isinstance(file, Plan):
            outputs = tuple(one for one in file.outputs if one.nbytes <= largest)
            made = replace(file, outputs=outputs, digest_fields={})
        files[place / name] = made
    run_group(files)


def test_a_folder_is_read_with_its_leftovers_and_records(tmp_path: Path) -> None:
    model, folder = small()
    write(folder, tmp_path / "out", largest=8192)
    with open_model(tmp_path / "out") as read:
        assert "betas" in read.beside
        assert read.beside["betas"].read() == model["betas"].read()
        metadata = read.extras["component_metadata"]
        assert isinstance(metadata, Mapping)
        assert set(metadata) == {"unet", "vae", "text_encoder", "leftovers.safetensors"}
        assert all(fields["format"] == "pt" for fields in metadata.values())


def test_records_that_make_no_sense_are_none() -> None:
    model = opened(planned("sd15-fp16-pruned"))
    metadata = model.extras["component_metadata"]
    assert isinstance(metadata, Mapping)
    for text in ("", "[]", '{"role": 3}', "{" * 100_000, '{"role": "vae"}'):
        wrong = {name: {"kanna.part": text, "kanna.made": text} for name in metadata}
        strange = replace(model, extras={**model.extras, "component_metadata": wrong})
        assert all(one.record is None for one in returned(strange, identify(strange)))


def test_no_record_makes_a_join_drop_numbers() -> None:
    model = opened(planned("sd15-fp16-pruned"))
    metadata = model.extras["component_metadata"]
    assert isinstance(metadata, Mapping)
    lies = {"kanna.made": json.dumps(["conv_in.weight", "conv_in.bias", "quant_conv.weight"])}
    wrong = {name: {**fields, **lies} for name, fields in metadata.items()}
    strange = replace(model, extras={"component_metadata": wrong})
    joined = join([(strange, identify(strange))], JoinOptions()).plan
    assert {o.name for o in joined.outputs} == set(headers()["sd15-fp16-pruned"].tensors)


def test_the_parts_of_a_folder_make_the_file_again() -> None:
    model = opened(planned("sdxl-vpred-ztsnr-fp16"))
    metadata = {"unet": {"modelspec.title": "Mine", "format": "pt"}, "vae": {"format": "pt"}}
    model = replace(model, extras={"component_metadata": metadata})
    parts = apart(model)
    assert {"v_pred", "ztsnr"} <= parts["unet"][0].keys()
    assert parts["unet"][0].metadata["modelspec.title"] == "Mine"
    assert "modelspec.title" not in parts["vae"][0].metadata
    assert "model.diffusion_model.out.2.bias" in apart(model, program="a1111")["unet"][0]
    joined = together(parts.values()).plan
    names = {output.name for output in joined.outputs}
    extra = "conditioner.embedders.0.transformer.text_projection.weight"
    assert names - {extra} == set(headers()["sdxl-vpred-ztsnr-fp16"].tensors)
    assert joined.metadata["modelspec.title"] == "Mine"
    assert not names & model.keys()


def test_old_weights_in_the_folder_are_not_mixed_with_new_ones(tmp_path: Path) -> None:
    _, folder = small()
    check_place(tmp_path / "new", folder.files)
    write(folder, tmp_path / "out")
    check_place(tmp_path / "out", folder.files)
    with pytest.raises(OutputExists):
        write(folder, tmp_path / "out")
    (tmp_path / "out" / "unet" / "model.fp16.safetensors").write_bytes(b"")
    with pytest.raises(UsageError, match=r"unet/model\.fp16\.safetensors"):
        check_place(tmp_path / "out", folder.files)
