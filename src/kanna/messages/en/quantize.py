"""`kanna quantize`: help, what a plan does, and why one is refused."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Make a model smaller: fp8, NF4, GGUF, and the way back.",
    "help": "Quantise the diffusion model of each FILE, or make fp16, bf16 or fp32 of a quantised one.\n\n"
    "Who reads what: fp8_scaled ComfyUI; fp8_e4m3 and fp8_e5m2 ComfyUI, Forge and others; nf4 and fp4 "
    "Forge and diffusers; q8_0 to q4_0 ComfyUI with ComfyUI-GGUF, Forge and stable-diffusion.cpp. 8 bits "
    "halve a model of 16 bits, nf4 and q4_0 leave about 30 %.\n\n"
    "Norms, embedders, output layers and the VAE stay as they are. Every run ends with a report of how far the numbers moved, block by block.",
    "examples": "Examples:\n\n"
    "  kanna quantize flux1-dev.safetensors --to fp8_scaled -o small/\n\n"
    "  kanna quantize sdxl.safetensors --to nf4 --svg errors.svg\n\n"
    "  kanna quantize t5xxl_fp16.safetensors --to fp8_e4m3 -o t5xxl_fp8.safetensors\n\n"
    "  kanna quantize flux1-dev-nf4.safetensors --to bf16 --dry-run",
    "option_output": "Output file, or a folder for suggested names (the default is the input's folder).",
    "option_to": "What to make of the weights; fp16, bf16 and fp32 make plain numbers of a quantised file again.",
    "option_form": "Scaled fp8 as ComfyUI reads it now (current), or with the marker of its older versions (old).",
    "option_nested": "NF4 and FP4: store the blocks' statistics in 8 bits too (smaller, a little less exact).",
    "option_te": "Quantise large text encoders such as T5 as well.",
    "option_keep": "Leave these weights as they are: the beginning of a name up to a dot, * for any letters (may be repeated).",
    "option_keep_dtype": "Precision of what stays in a quantised part (otherwise as it is).",
    "option_svg": "Write the error report as a picture to this file.",
    "taken": "{part}: {count:,} weights become {to}; {kept:,} tensors stay as they are.",
    "stays": "Not quantised: {parts}.",
    "ema_stays": "The EMA weights stay as they are and take most of the space. kanna convert --ema drop leaves them out.",
    "policy_unknown": "kanna does not know which layers of {architecture} are sensitive; embedders and output layers are told by their names and stay. --keep adds more.",
    "keep_unused": "--keep {pattern} fits no name, so nothing stays because of it.",
    "again": "The model was quantised before: what was lost then stays lost.",
    "decoded": "{count} tensors of quantised parts ({scheme}) become {to}. What quantising took from them does not come back.",
    "now_plain": "The {part} was quantised ({scheme}) and is decoded; what that took from it does not come back.",
    "halved": "{count} of the tensors that stay were quantised in the input, and are written in {dtype}.",
    "encoder_stays": "Large text encoders such as T5 ({size}) stay as they are. --te quantises them as well.",
    "for_forge": "Forge reads this file as it is; ComfyUI takes a custom node for NF4.",
    "for_diffusers": "diffusers and transformers read it with a quantization_config in the config.json beside it: quant_method bitsandbytes, load_in_4bit true, bnb_4bit_quant_type {kind}, llm_int8_skip_modules {modules}.",
    "few_readers": "Hardly any program reads 4 bits of bitsandbytes of this model under its original names. For ComfyUI use --to fp8_scaled.",
    "not_finite": "{name}: values that are NaN or Inf: {count}.",
    "clipped": "Values that did not fit became the largest that fp8 holds.",
    "picture": "Picture of the errors: {path}",
    "no_such_target": ("kanna cannot quantise to {word}.", "It is one of {words}."),
    "suffix_differs": (
        "--to {to} makes a {suffix} file, which {name} is not.",
        "End the name with {suffix}, or give a folder.",
    ),
    "keep_dtype_of_gguf": (
        "--keep-dtype is not for GGUF, whose readers expect certain types.",
        "Leave it out; weights can be kept with --keep.",
    ),
    "form_of_scaled": (
        "--form is a matter of scaled fp8, not of {to}.",
        "Leave it out, or use --to fp8_scaled.",
    ),
    "old_e5m2": (
        "In the old form, ComfyUI reads every scaled fp8 file as e4m3.",
        "Use --form current for e5m2.",
    ),
    "nested_of_four_bit": (
        "--nested is a matter of NF4 and FP4, not of {to}.",
        "Leave it out, or use --to nf4.",
    ),
    "nothing": (
        "{path} holds nothing that kanna quantises.",
        "It takes diffusion models and large text encoders; a VAE or a LoRA stays as it is.",
    ),
    "small_encoder": (
        "The text encoders in {path} are too small to be worth quantising.",
        "Use kanna convert --dtype fp16; large ones such as T5 can be quantised.",
    ),
    "no_weights": (
        "No weight of the {part} in {path} can be quantised so.",
        "It may be quantised already, or all of it is to stay.",
    ),
    "not_quantised": (
        "{path} is not quantised.",
        "Use kanna convert --dtype to change its precision.",
    ),
    "cannot_decode": (
        "{name} in {path} is quantised in a way that kanna cannot decode ({scheme}).",
        "Take the model in fp16 or bf16 from where it was published; kanna quantises that.",
    ),
    "bad_state": (
        "{name} in {path} does not fit the quantised weight that it belongs to.",
        "The file is damaged or was written by a faulty tool; download it again.",
    ),
    "bad_scale": (
        "{name} in {path} has the shape {shape}: neither one scale nor one for each row.",
        "Take the model in fp16 or bf16; kanna quantises that.",
    ),
}
