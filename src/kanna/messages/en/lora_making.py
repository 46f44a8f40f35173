"""LoRAs that are made: what can be wrong with the request, and what a person should know."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "most_without_dynamic": (
        "--max-rank goes with --dynamic.",
        "Give a fixed rank with --rank, or add --dynamic.",
    ),
    "rank_and_dynamic": (
        "--rank and --dynamic do not go together.",
        "Give a fixed rank with --rank, or --dynamic with --max-rank.",
    ),
    "conv_and_none": (
        "--conv-rank and --no-conv do not go together.",
        "Leave one of them out.",
    ),
    "dynamic_unclear": (
        "{given} is no way to choose ranks.",
        "Give ratio:10 (a number above 1), cumulative:0.95 or frobenius:0.95 (a share up to 1).",
    ),
    "rank_unclear": ("{rank} is no rank.", "Give a whole number above 0."),
    "quantile_unclear": (
        "{quantile} is no share to clip at.",
        "Give a number from 0.5 to 1; kohya's script has 0.99.",
    ),
    "no_such_dtype": ("A LoRA is not written in {dtype}.", "Give one of: {known}."),
    "needs_torch": (
        "Making LoRAs needs torch, which is not installed.",
        "Install it with: pip install 'kanna[torch]'",
    ),
    "no_full": (
        "{dialect} has no names for whole differences.",
        "Leave out --full-rest, or write for kohya with --to kohya.",
    ),
    "no_memory": (
        "There is not enough memory: about {size:,} bytes are needed.",
        "Close other programs, or take a lower rank; --device cpu uses the main memory.",
    ),
    "failed": ("torch could not compute it: {reason}.", "Try --device cpu."),
    "overflow": (
        "The factors of {name} do not fit in {dtype}.",
        "Write the LoRA in fp32 or bf16 with --dtype.",
    ),
    "not_finite": (
        "{count:,} numbers of {name} are NaN or Inf.",
        "kanna check --deep names the tensors that are broken.",
    ),
    "no_model": (
        "{path} holds no diffusion model and no text encoder: it is a {kind}.",
        "Give two checkpoints, or two diffusion models.",
    ),
    "architectures": (
        "{path} is {first}, and {other} is {second}.",
        "A LoRA can be extracted only from two models of one architecture.",
    ),
    "no_common_part": (
        "{path} and {other} have no part in common.",
        "Both need a diffusion model, or text encoders of one kind; kanna inspect shows the parts.",
    ),
    "shapes": (
        "{name} of {path} is {first}, and {second} in the other model.",
        "The models are built differently, so that no LoRA leads from one to the other.",
    ),
    "no_names": (
        "{dialect} has no names for the parts of {path}.",
        "Write it for another program with --to.",
    ),
    "no_difference": (
        "No layer of {path} differs from that of {other} by as much as was asked for.",
        "kanna diff shows what differs.",
    ),
    "too_large": (
        "{name} is for a layer of {rows:,} x {columns:,} numbers, which no model has.",
        "The file is broken; get it anew.",
    ),
    "sizes": (
        "{name} is {first} in one LoRA and {second} in another.",
        "LoRAs can be merged only if they were made for one architecture.",
    ),
    "rank_missing": (
        "No rank was given.",
        "Give one with --rank, or let the singular values choose with --dynamic.",
    ),
    "rank_of_concat": (
        "With --method concat the ranks add up, and nothing is cut down.",
        "Take --method svd for a lower rank.",
    ),
    "nothing_to_resize": (
        "{path} has nothing of which a rank can be changed.",
        "Only LoRA, DoRA, LoHa and LoKr have a rank to cut down.",
    ),
    "bases": (
        "{path} is for {first}, and {other} is for {second}.",
        "LoRAs can be merged only if they were made for one architecture.",
    ),
    "no_sum": (
        "{name} of {path} ({kind}) depends on the model's weights, or is no matrix, so that it "
        "cannot be added to other LoRAs.",
        "Bake the LoRAs into the model with kanna lora bake, and extract the sum.",
    ),
    "no_concat": (
        "{name} of {path} ({kind}) is no product of two matrices, which concat needs.",
        "Take --method svd, which makes one of it.",
    ),
    "spelled_differently": (
        "The LoRAs name their layers differently, and it is not known which model they are for.",
        "Bring them to one dialect with kanna lora convert first.",
    ),
    "turned": "{count:,} modules ({kinds}) become plain LoRA.",
    "decomposed": "{count:,} modules are DoRA: their magnitudes stay, the error is that of the "
    "product.",
    "kept": "{count:,} modules ({kinds}) have no rank and stay as they are.",
    "not_raised": "No module has more than rank {rank} already: nothing is gained by a higher one.",
    "nothing_shared": "No layer is changed by more than one of these LoRAs.",
    "weights_unclear": (
        "{given} is not one weight for each of the {count} LoRAs.",
        "Give numbers with commas between them: 0.8,0.5",
    ),
    "only_safetensors": (
        "{name}: LoRAs are written as safetensors only.",
        "Give a name that ends in .safetensors.",
    ),
    "part_without_names": "Left out, since {dialect} has no names for it: {parts}.",
    "uneven": "{count:,} layers read other channels than those of the other model and are left out "
    "({name} …).",
    "strangers": "{count:,} tensors are in one of the models only and are left out ({name} …).",
}
