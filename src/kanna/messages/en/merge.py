"""`kanna merge`: help, what a plan does, and why one is refused."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Make one model of several.",
    "help": "Make one model of several: A leads, and METHOD says what becomes of its weights "
    "(kanna methods lists all, kanna explain METHOD tells what one does).\n\nNothing but "
    "weights is merged: position ids, markers, buffers, the EMA and, unless asked for, "
    "the VAE are those of A or left out. Models that do not fit together are refused "
    "before anything is read. Where a method needs a base, it is the last model, or "
    "--base. The output carries its recipe, and can be made again from it.",
    "examples": "Examples:\n\n  kanna merge weighted-sum A.safetensors B.safetensors -a 0.3 -o "
    "out.safetensors\n\n  kanna merge add-difference A.safetensors B.safetensors "
    "base.safetensors -o out.safetensors\n\n  kanna merge weighted-sum A.safetensors "
    "B.ckpt -a 0.5 --blocks 'IN00-05=0.2, OUT*=0.7' --vae b -o out.safetensors\n\n  kanna "
    "merge ties A.safetensors B.safetensors --base base.safetensors --weights 0.6,0.4 "
    "-o out.safetensors --dry-run",
    "option_output": "Output file, or a folder for a suggested name.",
    "option_base": "The model that differences are taken from.",
    "option_alpha": "How strong the method is: its alpha, or its scale.",
    "option_weights": "A number for each model, as many as there are.",
    "option_set": "Another parameter of the method (may be repeated).",
    "option_blocks": "Numbers by block for --alpha: a list, rules such as IN00-05=0.3, or a preset.",
    "option_elements": "A number for some tensors by name, such as 'attn2.*to_k=0.2' (may be repeated; the "
    "last that fits counts).",
    "option_block_method": "Another method for some blocks, with the same models (may be repeated).",
    "option_seed": "Seed of methods that draw at random.",
    "option_vae": "Whose VAE: that of a model (a, b …), of a file, or all merged (merge).",
    "option_ema": "Drop the EMA, or copy that of A.",
    "option_missing": "Tensors that not all models have: keep those of A, or refuse.",
    "option_compat": "Compute as A1111 does, rounding after every operation, and merge the VAE.",
    "option_device": "Compute on another device, such as cuda (needs torch).",
    "option_position_ids": "Damaged position ids of A: repair (0…76), truncate, keep, or drop.",
    "step": "{title} of {models}",
    "not_hashed": "not hashed",
    "merged": "merged",
    "copied": "copied",
    "dropped": "left out",
    "kept_marker": "markers",
    "kept_position_ids": "position ids",
    "kept_buffer": "buffers",
    "kept_integer": "integers",
    "kept_vae": "VAE",
    "kept_baked": "VAE put inside",
    "kept_ema": "EMA",
    "kept_unknown": "of unknown use",
    "kept_alone": "unchanged by the merge",
    "dry_run": "Nothing was written (--dry-run): {tensors} tensors would be; {size} would be read, "
    "with {memory} of buffers.",
    "needs_base": (
        "{method} needs a base: the model that the others were trained from.",
        "Name it with --base.",
    ),
    "takes_no_base": (
        "{method} takes no base.",
        "Leave --base out, or take a method that adds differences: kanna methods base.",
    ),
    "model_count": (
        "{method} merges {wanted} models, not {count}.",
        "kanna explain {method} says what it takes.",
    ),
    "not_for_method": (
        "{method} has no number for {option}.",
        "Its parameters are: {known}. --set sets them.",
    ),
    "bad_numbers": (
        "{option} takes numbers with commas between them, not {given}.",
        "Write them as {option} 0.5,0.3,0.2.",
    ),
    "bad_block_method": (
        "{given} names no blocks and a method for them.",
        "Write it as IN*=ties.",
    ),
    "needs_torch": (
        "The merge method {method} needs torch, which is not installed.",
        'Install it with: pip install "kanna[torch]"',
    ),
    "no_device": (
        "torch has no device {device} here.",
        "Leave --device away, or install a torch that knows the device.",
    ),
    "no_such_method": (
        "There is no merge method {method}.",
        "Did you mean {near}? kanna methods lists them all.",
    ),
    "no_method_like": (
        "There is no merge method {method}.",
        "kanna methods lists them all. On the command line the method comes first: kanna merge weighted-sum A B -o OUT.",
    ),
    "one_model": (
        "{method} merges two models or more, and here is only one.",
        "kanna explain {method} says what it takes.",
    ),
    "bad_setting": (
        "{given} sets nothing.",
        "Write --set NAME=VALUE, such as --set {example}=0.3.",
    ),
    "shapes_differ": (
        "{name} is {first} in the first model and {second} in another.",
        "Merge models of one architecture; where one has more input channels, put it first.",
    ),
    "not_in_a1111": (
        "A1111 has no merge method {method} for so many models.",
        "Leave --compat away, or take one of: {known}.",
    ),
    "alpha_for_two": (
        "alpha says how much of B goes into a mix of two models, but here are {count} models, or weights too.",
        "Leave alpha away and give weights, one number for each model.",
    ),
    "weights_cancel": (
        "The weights sum to 0: they cannot be made to sum to 1.",
        "Give other weights, or set normalize to false.",
    ),
    "nothing_left": (
        "alpha times beta is 1: nothing is left once B is taken out.",
        "Give a smaller alpha or beta.",
    ),
    "no_such_parameter": (
        "The merge method {method} has no parameter {parameter}.",
        "It has: {known}.",
    ),
    "wrong_count": (
        "{parameter} of {method} has {count} numbers for {models} models.",
        "Give one number for each model.",
    ),
    "parameter_missing": (
        "The merge method {method} needs a value for {parameter}.",
        "See kanna explain {method}.",
    ),
    "parameter_kind": (
        "{parameter} of {method} cannot be {value}.",
        "It is a {kind} ({words}); see kanna explain {method}.",
    ),
    "parameter_range": (
        "{parameter} of {method} cannot be {value}: it lies between {least} and {most}.",
        "Give a number in this range.",
    ),
    "lora_as_model": (
        "{path} is a LoRA, which is a change of a model and no model.",
        "Put it into a checkpoint with kanna lora bake, or add LoRAs to each other with kanna lora merge.",
    ),
    "no_model": (
        "{path} is no model that can be merged, but: {kind}.",
        "kanna inspect says what the file is; leave it out.",
    ),
    "incomplete": (
        "{path} is not whole: {count} tensors of its diffusion model are missing or have the wrong shape ({names} …).",
        "Download it again, or take another file; of a model in shards name its .index.json.",
    ),
    "nothing_in_common": (
        "{path} ({theirs}) and {lead} ({ours}) have no part in common.",
        "Merge files of one kind; a part of a checkpoint is put into another one with kanna join.",
    ),
    "only_vae": (
        "{path} has only a VAE in common with {lead}, and VAEs stay as they are in a merge.",
        "To put another VAE in: --vae FILE, or kanna convert --vae without a merge. To mix both: --vae merge.",
    ),
    "architectures": (
        "{path} is {theirs}, and {lead} is {ours}: their weights do not correspond.",
        "Merge models of one architecture.",
    ),
    "predictions": (
        "{path} predicts {theirs}, and {lead} predicts {ours}: a mix of both predicts neither.",
        "Merge models with the same prediction. If a file says it wrongly, kanna convert --marker corrects it.",
    ),
    "encoders": (
        "{path} has another text encoder ({theirs}) than {lead} ({ours}).",
        "Merge models with the same text encoders, or only their diffusion models: kanna split takes them out.",
    ),
    "vaes": (
        "The VAE of {path} ({theirs}) has other latents than that of {lead} ({ours}).",
        "Leave --vae merge out; the VAE of one model stays.",
    ),
    "no_numbers": (
        "{name} of {path} is {dtype}, and cannot be merged into {lead}.",
        "Take a version of the model in fp16, bf16 or fp32.",
    ),
    "shapes": (
        "{path} does not fit {lead}: {name} is {theirs} there and {ours} here ({count} tensors differ).",
        "Merge models of one architecture and size; kanna inspect tells both.",
    ),
    "narrow_leads": (
        "{path} reads {theirs} input channels, and {lead}, which leads, only {ours}.",
        "Put {path} first: its other channels stay, and the first {ours} are merged.",
    ),
    "built_differently": (
        "{path} is built differently from {lead}: {count} tensors are in only one of them ({name} …).",
        "Merge models of one build; a distilled model is no match for the full one.",
    ),
    "layouts": (
        "kanna cannot turn the {part} of {path} from the names of {theirs} into those of {ours}.",
        "Take a version of the model in {ours}.",
    ),
    "lacking": (
        "{path} lacks {count} tensors of {lead} ({name} …).",
        "Leave --missing refuse out: those tensors stay as they are in {lead}.",
    ),
    "strange": (
        "{path} has {count} tensors that {lead} has no place for ({name} …).",
        "Leave --missing refuse out: those tensors are left behind.",
    ),
    "ema_word": (
        "The EMA of a merge cannot be treated as {word}.",
        "Use --ema drop or --ema keep; to merge EMA weights, make them the model first: kanna convert --ema use.",
    ),
    "not_found": (
        "{path}, which the recipe calls {name}, is not to be found.",
        "Name the folder where it is, or give its path.",
    ),
    "other_file": (
        "{path} is not the file that the recipe calls {name}: its SHA-256 is {found}, not {wanted}.",
        "Find the right file, or take the hash out of the recipe.",
    ),
    "unknown": "Nothing is known of what {lead} is. Tensors of the same name and shape are merged, whatever they are.",
    "halved": "{count} tensors of it were quantised and become {dtype} (--dtype says otherwise).",
    "decoded": "{part} of {name} is quantised ({scheme}) and decoded for the merge.",
    "wide": "{tensor}: the first {merged} of {count} input channels are merged; the others stay those of {lead}.",
    "prediction_unknown": "Headers do not tell whether {names} predict epsilon or v. Mixed with a model that "
    "predicts the other, they make no images.",
    "part_of_lead": "{name} has none of this, and {lead} keeps its own: {parts}.",
    "part_left_out": "{name} has parts that {lead} has not, and they are left out: {parts}.",
    "lacks": "{name} lacks {count} tensors of {lead}, which stay as they are there ({example} …).",
    "strangers": "{name} has {count} tensors that {lead} has no place for; they are left out ({example} …).",
    "ema_kept": "The EMA of {lead} is copied. It no longer averages this model: training on should begin without it.",
    "vae_of_lead": "The VAE is that of {lead}, unchanged (--vae says otherwise).",
    "no_vae": "{lead} has no VAE, and the output has none either. --vae takes one, such as that of {name}.",
    "same_file": "{first} and {second} are the same file: {path}.",
    "compat_ema": "A1111 would mix the EMA, too; kanna never does.",
    "not_so_many": (
        "{name} has {count} numbers, not {numbers}: these are no latents that can be adjusted.",
        "Adjust models of Stable Diffusion 1, 2 or XL, whose latents have four channels.",
    ),
}
