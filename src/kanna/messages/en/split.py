"""`kanna split`: help, what a plan does, and why one is refused."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Take a checkpoint apart.",
    "help": "Write each part of FILE as a file of its own: diffusion model, VAE, text encoders, EMA, "
    "and what belongs to none of them; or all of it as a diffusers folder.\n\nThe files are called "
    "FILE.unet, FILE.vae, FILE.clip_l and so on: "
    "the parts of a fine-tuned model are not the published files of those names. kanna join puts them "
    "together again, tensor by tensor as they were. All files appear whole and verified, or none.",
    "examples": "Examples:\n\n"
    "  kanna split model.safetensors -o parts/\n\n"
    "  kanna split model.safetensors -o parts/ --only vae --only clip_l\n\n"
    "  kanna split flux1-dev-fp8.safetensors -o parts/ --for forge --dry-run\n\n"
    "  kanna split model.safetensors --to diffusers --tokenizers other-folder/ -o model-folder/",
    "option_output": "Folder for the parts (made if it is missing; the default is the input's).",
    "option_to": "parts: files for programs (the default). diffusers: a folder for from_pretrained.",
    "option_for": "Program that is to read the parts (otherwise ComfyUI). bare: names as they are, "
    "without prefix.",
    "option_only": "Write this part only, such as unet, vae, clip_l, t5xxl, ema, leftovers (may be "
    "repeated).",
    "option_prune": "Leave out known junk; what is not recognised stays.",
    "option_shard_size": "diffusers: most bytes in one file of weights, such as 5GB.",
    "option_tokenizers": "diffusers: folder with the tokenizers, which are copied.",
    "option_prediction": "diffusers: what the model predicts (epsilon, v …), where the file does not "
    "say it.",
    "option_allow_missing": "diffusers: make the folder even if components are missing.",
    "leftovers": "leftovers",
    "goes_to": "goes to {folder}",
    "layout": "names of {layout}",
    "dry_run": "Nothing was written (--dry-run). Files that would be: {files}, {size}, with {memory} of "
    "buffers.",
    "done_header": "Files written and their headers verified: {files}, in {seconds} s ({speed}/s).",
    "done_full": "Files written and every byte verified: {files}, in {seconds} s ({speed}/s).",
    "layout_kept": "{part} keeps its names ({layout}): kanna cannot turn them into those of {wanted}.",
    "left_behind": "{count} tensors belong to no part and stay behind ({name} …); without "
    "--only they are written as leftovers.",
    "no_such_program": ("Parts cannot be made for {program}.", "It is one of {programs}."),
    "no_such_part": ("{path} has no part {part}.", "It has {parts}."),
    "single": (
        "{path} is a single part already: {part}.",
        "There is nothing to take apart. kanna convert changes precision and container.",
    ),
    "no_parts": (
        "There is no model in {path} that could be taken out.",
        "kanna inspect says what the file is.",
    ),
    "not_for_that": (
        "{option} has no meaning with --to {target}.",
        "Leave it out, or choose the other kind of output.",
    ),
    "not_a_folder": (
        "{path} is no folder.",
        "Give the folder for the parts after -o.",
    ),
}
