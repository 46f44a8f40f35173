"""Parts of checkpoints, and the way back: the same tensors, names and order."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

import pytest

from kanna.dtypes import FP16, FP32, INT64
from kanna.errors import Incompatible, Incomplete, KannaError, UsageError
from kanna.identify import identify
from kanna.identity import Part
from kanna.model import ModelFile, TensorInfo
from kanna.ops.part_files import Packing
from kanna.ops.part_record import RECORD, read_record, restored
from kanna.ops.parts import Piece, Pieces
from kanna.ops.split import SplitOptions, SplitPlan, split
from model_headers import Bytes, headers, in_blocks, known, model_of
from part_plans import apart, together

WHOLE = [name for name in headers() if known(name).kind == "checkpoint"]


def listed(tensors: Iterable[object]) -> list[tuple[object, ...]]:
    return [(t.name, t.dtype, t.shape) for t in tensors]  # type: ignore[attr-defined]


def planned(name: str, **options: object) -> SplitPlan:
    return split(headers()[name].model(), known(name), SplitOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "program"),
    [
        *((name, "comfyui") for name in WHOLE),
        *((name, "a1111") for name in ("sd15-full-ema-fp32", "sd21-unclip-h-fp32")),
        *((name, "bare") for name in ("sdxl-vpred-ztsnr-fp16", "flux1-dev-bnb-nf4")),
    ],
)
def test_what_was_taken_apart_goes_back_as_it_was(name: str, program: str) -> None:
    model = headers()[name].model()
    parts = list(apart(model, program=program).values())
    joined = together(reversed(parts)).plan
    assert listed(joined.outputs) == listed(model.values())
    said = {key: text for key, text in model.metadata.items() if "hash" not in key}
    assert said.items() <= joined.metadata.items()
    assert RECORD not in joined.metadata


def test_every_part_gets_its_usual_name() -> None:
    assert [part.name for part in planned("sd15-full-ema-fp32").parts] == [
        "unet", "vae", "clip_l", "ema", "leftovers",
    ]  # fmt: skip
    assert [part.name for part in planned("sd3-medium-incl-clips-t5xxlfp16").parts] == [
        "diffusion_model", "vae", "clip_g", "t5xxl", "clip_l",
    ]  # fmt: skip


def test_parts_have_the_names_that_programs_read() -> None:
    parts = apart(headers()["sdxl-vpred-ztsnr-fp16"].model())
    assert {"input_blocks.0.0.weight", "v_pred", "ztsnr"} <= parts["unet"][0].keys()
    assert "decoder.conv_in.weight" in parts["vae"][0]
    clip_g = parts["clip_g"][0]
    assert "text_model.encoder.layers.31.self_attn.q_proj.weight" in clip_g
    assert clip_g["text_projection.weight"].shape == (1280, 1280)
    assert all(identity.parts[0].complete for _, identity in parts.values())


def test_bare_leaves_the_names_as_they_are() -> None:
    clip_g = apart(headers()["sdxl-base-fp16"].model(), program="bare")["clip_g"][0]
    assert "transformer.resblocks.0.attn.in_proj_weight" in clip_g


def test_a1111_loads_no_part_but_the_vae_by_itself() -> None:
    parts = apart(headers()["sdxl-base-fp16"].model(), program="a1111")
    assert all(name.startswith("model.diffusion_model.") for name in parts["unet"][0])
    assert "encoder.conv_in.weight" in parts["vae"][0]


def test_the_model_keeps_the_metadata_and_all_parts_tell_where_they_come_from() -> None:
    model = replace(headers()["sdxl-base-fp16"].model(), metadata={"modelspec.title": "Mine"})
    parts = apart(model)
    assert parts["unet"][0].metadata["modelspec.title"] == "Mine"
    assert "modelspec.title" not in parts["vae"][0].metadata
    for word, (part, _) in parts.items():
        (step,) = json.loads(part.metadata["kanna.history"])
        assert (step["verb"], step["part"]) == ("split", word)


def test_only_what_is_asked_for_is_written() -> None:
    for asked in (["vae", "clip_l"], ["vae", "clip-l"], ["vae", "text_encoder"]):
        names = [part.name for part in planned("sd15-full-ema-fp32", only=asked).parts]
        assert names == ["vae", "clip_l"]
    assert not planned("sd15-full-ema-fp32", only=("vae",)).notes
    model = model_of({**headers()["sd15-full-ema-fp32"].tensors, "mine.extra": (4,)})
    told = split(model, identify(model), SplitOptions(only=("vae",))).notes
    assert [(note.key, note.values["name"]) for note in told] == [
        ("split.left_behind", "mine.extra")
    ]
    with pytest.raises(UsageError) as caught:
        planned("sd15-full-ema-fp32", only=("vae", "t5xxl"))
    assert caught.value.key == "split.no_such_part"


def test_pruning_leaves_known_junk_out() -> None:
    full, pruned = (planned("sd15-full-ema-fp32", prune=prune).parts for prune in (False, True))
    left, still = ({o.name for o in parts[-1].plan.outputs} for parts in (full, pruned))
    assert still < left
    assert "betas" in left - still


def test_casts_spare_ids_and_markers() -> None:
    plan = planned("sd15-fp16-posids-f32", dtypes={"text_encoder": "fp32"})
    parts = {part.name: part.plan.outputs for part in plan.parts}
    assert {output.dtype for output in parts["clip_l"]} == {FP32}
    assert {output.dtype for output in parts["unet"]} == {FP16}
    half = {o.name: o for o in planned("sd15-fp16-posids-f32", dtype="fp16").parts[2].plan.outputs}
    assert half["text_model.embeddings.position_ids"].dtype is FP32


def test_a_quantised_part_is_carried_as_it_is_if_no_dtype_is_asked_for() -> None:
    for options in ({}, {"dtypes": {"vae": "bf16"}}):
        parts = apart(headers()["flux1-dev-bnb-nf4"].model(), **options)
        assert parts["diffusion_model"][1].quantization == "bnb-nf4"


def scaled_encoder() -> ModelFile:
    """Wan with a text encoder in scaled fp8."""
    unet, encoder = headers()["wan21-t2v-1.3b-fp16"], headers()["te-umt5-xxl-fp8-scaled"]
    prefix = "text_encoders.umt5xxl.transformer."
    inside = {prefix + n: t for n, t in encoder.tensors.items() if n != "spiece_model"}
    tensors = {f"model.diffusion_model.{n}": t for n, t in unet.tensors.items()}
    return model_of({**tensors, **inside})


def test_a_quantised_part_is_decoded_if_a_dtype_is_asked_for() -> None:
    model = scaled_encoder()
    parts = apart(model, dtypes={"text_encoder": "fp16"})
    encoder, identity = parts["umt5xxl"]
    assert identity.quantization is None
    assert {tensor.dtype for tensor in encoder.values()} == {FP16}
    assert not [name for name in encoder if "scale" in name]
    options = SplitOptions(dtypes={"text_encoder": "fp16"})
    notes = split(model, identify(model), options).notes
    assert [n.values["scheme"] for n in notes if n.key == "quantize.now_plain"] == ["fp8-scaled"]
    assert not split(model, identify(model), SplitOptions(dtypes={"vae": "fp16"})).notes


def test_blocks_of_a_gguf_are_decoded_and_never_written_as_they_are() -> None:
    whole = headers()["flux1-dev-bf16-aio"].tensors
    model = model_of({n: in_blocks(t) for n, t in whole.items()})
    with pytest.raises(Incompatible) as caught:
        split(model, identify(model), SplitOptions(dtypes={"vae": "fp16"}))
    assert caught.value.key == "gguf.part_needs_dtype"
    made = split(model, identify(model), SplitOptions(dtype="fp16"))
    assert {output.dtype for part in made.parts for output in part.plan.outputs} == {FP16}
    assert made.notes[0].values["scheme"] == "q8_0"


def test_what_is_not_wanted_of_a_quantised_file_needs_no_dtype() -> None:
    whole = headers()["flux1-dev-bf16-aio"].tensors
    model = model_of({n: t if n.startswith("vae.") else in_blocks(t) for n, t in whole.items()})
    assert list(apart(model, only=("vae",))) == ["vae"]
    made = split(model, identify(model), SplitOptions(only=("vae",), dtype="fp16"))
    assert "quantize.now_plain" not in [note.key for note in made.notes]


@pytest.mark.parametrize(
    ("name", "error", "key"),
    [
        ("te-clip-l-fp16", Incompatible, "split.single"),
        ("lora-kohya-sd1-r128", Incompatible, "split.single"),
    ],
)
def test_what_is_one_part_is_left_alone(name: str, error: type[KannaError], key: str) -> None:
    with pytest.raises(error) as caught:
        planned(name)
    assert caught.value.key == key


def test_what_is_no_model_is_not_taken_apart() -> None:
    model = model_of({"some.weight": (4, 4), "other.weight": (3,)})
    with pytest.raises(Incomplete) as caught:
        split(model, identify(model), SplitOptions())
    assert caught.value.key == "split.no_parts"


def test_the_program_has_to_be_known() -> None:
    with pytest.raises(UsageError) as caught:
        planned("sdxl-base-fp16", program="paint")
    assert caught.value.key == "split.no_such_program"


def numbered(name: str, shape: tuple[int, ...], start: int) -> TensorInfo:
    count = FP16.nbytes(1)
    for size in shape:
        count *= size
    return TensorInfo(name, FP16, shape, Bytes(bytes((start + at) % 251 for at in range(count))))


def test_turned_parts_go_back_byte_by_byte() -> None:
    block = "transformer.resblocks.0."
    shapes = {
        "positional_embedding": (5, 4), "token_embedding.weight": (7, 4),
        f"{block}ln_1.weight": (4,), f"{block}attn.in_proj_weight": (12, 4),
        f"{block}attn.in_proj_bias": (12,), f"{block}attn.out_proj.weight": (4, 4),
        "ln_final.weight": (4,), "text_projection": (4, 4), "logit_scale": (),
    }  # fmt: skip
    tensors = {n: numbered(n, s, at) for at, (n, s) in enumerate(shapes.items())}
    model = model_of({f"te.{name}": one for name, one in tensors.items()})
    part = Part(
        role="text_encoder", architecture="clip", prefix="te.", names=tuple(model), parameters=0,
        bytes=0, dtypes={}, complete=True, variant="clip-g", layout="openclip",
        component="clip-g-openclip",
    )  # fmt: skip
    piece = Piece(role="text_encoder", word="clip-g", part=part, prefix="te.", tensors=tensors,
                  names={name: f"te.{name}" for name in tensors})  # fmt: skip
    whole = Pieces(model=model, identity=identify(model), pieces=(piece,), leftovers={})
    file = Packing(whole, "comfyui").pack(piece, model)
    assert file.layout == "hf"
    turned = file.tensors["text_projection.weight"].read()
    rows = [turned[at : at + 2] for at in range(0, 32, 2)]
    plain = tensors["text_projection"].read()
    assert rows[1] == plain[8:10]
    back = restored(file.tensors, replace(part, layout="hf", prefix=""), file.record)
    assert back is not None
    assert {name: one.read() for name, one in back.items()} == {
        f"te.{name}": one.read() for name, one in tensors.items()
    }
    order = dict(zip(back, file.record.numbers(), strict=True))
    assert sorted(order, key=order.__getitem__) == list(model)


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "{}", "[" * 5000, '{"role": 1}',
        '{"role":"vae","word":"vae","source":"x","prefix":"","model":"","layout":null,"names":{},"places":[[0,-1]]}',
        '{"role":"vae","word":"vae","source":"x","prefix":"","model":"","layout":null,"names":{},"places":[[0,99999999999]]}',
        '{"role":"vae","word":"vae","source":"x","prefix":"","model":"","layout":null,"names":{},"places":[[0,2],[1,1]]}',
        '{"role":"vae","word":"vae","source":"x","prefix":"","model":"","layout":null,"names":[],"places":[]}',
        '{"role":"vae","word":"vae","source":"x","prefix":"","model":"","layout":null,"names":{"a":1},"places":[[true,1]]}',
    ],
)  # fmt: skip
def test_a_record_that_makes_no_sense_counts_as_none(text: str) -> None:
    assert read_record({RECORD: text}) is None


def test_a_record_of_another_part_counts_as_none() -> None:
    parts = apart(headers()["sd15-fp16-no-posids"].model())
    vae, clip = parts["vae"][0], parts["clip_l"][0]
    lying = replace(vae, metadata=clip.metadata)
    joined = together([parts["unet"], (lying, identify(lying)), parts["clip_l"]])
    names = {output.name for output in joined.plan.outputs}
    assert names == set(headers()["sd15-fp16-no-posids"].tensors)


def test_lists_of_quantised_layers_go_with_their_parts() -> None:
    layers = {"model.diffusion_model.img_in": {"format": "float8_e4m3fn"},
              "text_encoders.t5xxl.transformer.encoder.x": {"format": "nvfp4"}}  # fmt: skip
    told = {"_quantization_metadata": json.dumps({"format_version": "1.0", "layers": layers})}
    model = replace(headers()["flux1-dev-bf16-aio"].model(), metadata=told)
    parts = apart(model)
    field = parts["diffusion_model"][0].metadata["_quantization_metadata"]
    assert json.loads(field)["layers"] == {"img_in": {"format": "float8_e4m3fn"}}
    assert "_quantization_metadata" not in parts["vae"][0].metadata
    joined = together(parts.values()).plan.metadata["_quantization_metadata"]
    assert json.loads(joined) == {"format_version": "1.0", "layers": layers}


def test_ids_stay_integers() -> None:
    clip = apart(headers()["sd15-fp16-pruned"].model())["clip_l"][0]
    assert clip["text_model.embeddings.position_ids"].dtype is INT64
