"""`kanna join`: help, what a plan does, and why one is refused."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Put parts together to one checkpoint.",
    "help": "Put a diffusion model, a VAE and text encoders together to one file, each under the names "
    "where programs look for it.\n\nWhat each PART is, kanna sees for itself; file names do not matter. "
    "A checkpoint among the parts lends all parts that the others do not bring: so one of its parts is "
    "replaced. What does not fit together is refused before a byte is written.",
    "examples": "Examples:\n\n"
    "  kanna join unet.safetensors vae.safetensors clip_l.safetensors -o model.safetensors\n\n"
    "  kanna join parts/*.safetensors -o model.safetensors\n\n"
    "  kanna join flux1-dev.safetensors ae.safetensors clip_l.safetensors t5xxl_fp16.safetensors "
    "--te-dtype fp8_e4m3 -o flux1-dev-aio.safetensors\n\n"
    "  kanna join model.safetensors better.vae.safetensors -o model-vae.safetensors",
    "option_output": "Output file.",
    "option_for": "Program that is to read the file. Otherwise parts of one checkpoint go back to "
    "where they stood, and all others to where all programs look for them.",
    "option_architecture": "Architecture of the diffusion model, where its header leaves that open.",
    "option_allow_missing": "Write the file even if parts are missing.",
    "dry_run": "Nothing was written (--dry-run): {tensors} tensors would be, {size}, with {memory} of "
    "buffers.",
    "replaced": "{part} of {name} takes the place of the one inside.",
    "ema_left_out": "The EMA of {name} is left out: it is one of the model that was replaced.",
    "junk_left_out": "{count} tensors of {name} are of no use and left out: {names}.",
    "records_wrong": "The records of where the parts stood make no model together. They are not believed; "
    "every part goes to its usual place.",
    "back_to": "{part} goes back as it stood, under {prefix} in the names of {layout}. With --for it goes "
    "where that program looks for it.",
    "lacks": "Missing: {part}.",
    "lacks_file": "Missing: {part}, usually {file} from {where} (ComfyUI: {folder}).",
    "missing": (
        "{path} needs more parts to make images: {parts}.",
        "Name their files, too (kanna explain {architecture} says where to get them), or leave them "
        "out on purpose with --allow-missing.",
    ),
    "no_model": (
        "None of the parts is a diffusion model.",
        "Name its file, too; kanna inspect says what a file is.",
    ),
    "no_part": (
        "{path} holds no part of an image model.",
        "kanna inspect says what the file is; leave it out.",
    ),
    "part_broken": (
        "{path} is not whole: {count} tensors are missing or have the wrong shape ({names} …).",
        "Download it again, or take another file.",
    ),
    "cannot_carry": (
        "{path} cannot be joined: {name} is {dtype}, which safetensors cannot hold.",
        "Convert it to fp16, bf16 or fp8 first, or take a version of the part in one of them.",
    ),
    "two_checkpoints": (
        "{path} and {other} are both checkpoints with other parts inside.",
        "Take the wanted part out of one of them with kanna split, and join that.",
    ),
    "twice": (
        "{path} brings a second {part}, beside that of {other}.",
        "Name only one of them. An EMA is known as one only as kanna split writes it.",
    ),
    "other_architecture": (
        "{path} is no {asked} model, but {found}.",
        "Leave --architecture out, or name another diffusion model.",
    ),
    "architecture_open": (
        "The header of {path} leaves open what it is: {candidates}.",
        "Say it with --architecture.",
    ),
    "no_arrangement": (
        "kanna knows no all-in-one files of {architecture}: {path}.",
        "Use the parts as files of their own, which is how programs read this model.",
    ),
    "program_cannot": (
        "{program} cannot read {architecture} from one file: {path}.",
        "Programs that can: {programs}.",
    ),
    "not_for_it": (
        "{path} has no place in a {ours} checkpoint: {part}.",
        "It takes {needs}.",
    ),
    "other_vae": (
        "{path} is a VAE of {theirs}, and {model} takes that of {ours}: every image would be spoilt.",
        "Take the VAE of {ours}.",
    ),
    "layout": (
        "{part} of {path} is in the layout {layout}, and kanna cannot turn it into {wanted}.",
        "Take a version of the part in {wanted}; if it is quantised, say what it should become (--dtype fp16).",
    ),
    "suffix_unknown": (
        "The name {name} does not say which container to write.",
        "End it with .safetensors or .ckpt.",
    ),
    "no_gguf": (
        "kanna join writes no GGUF.",
        "Join to a safetensors file, and make a GGUF of that: kanna quantize FILE --to q8_0.",
    ),
    "output_folder": ("{path} is a folder.", "Give the output a name: a file after -o."),
}
