"""Writing GGUF: what the plan does, and why one is refused."""

from __future__ import annotations

from typing import Final

_ELSEWHERE: Final = (
    "Make it elsewhere: sd-cli -M convert --type {name} of stable-diffusion.cpp, or write fp16 GGUF "
    "with kanna convert --to gguf --dtype fp16 and give that to llama-quantize with the patch of "
    "ComfyUI-GGUF (its folder tools). Or choose one of {words}."
)

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "only_read": ("kanna reads the GGUF type {type} and does not write it.", _ELSEWHERE),
    "no_type": ("There is no GGUF type {type}.", "Choose one of {words}."),
    "no_model": (
        "{path} holds no diffusion model to write as GGUF: {part}.",
        "Keep it as safetensors, which the same programs read beside a GGUF. llama.cpp's "
        "convert_hf_to_gguf.py makes a GGUF of T5 and of other language models.",
    ),
    "no_reader": (
        "{path}: no known program reads {model} as GGUF.",
        "Write safetensors instead: kanna quantize --to fp8_scaled makes it smaller.",
    ),
    "diffusers": (
        "{path}: programs read {model} as GGUF under its original tensor names only, and this file has those of diffusers.",
        "Bring it into the original layout first: kanna split FILE -o DIR/.",
    ),
    "quantised": (
        "{path}: the {part} is quantised as {scheme}, which GGUF cannot hold.",
        "Decode it first: kanna quantize FILE --to bf16 -o OUT.safetensors.",
    ),
    "needs_dtype": (
        "{path} is quantised as {type}, which only a GGUF can hold.",
        "Say what the numbers should become: --dtype fp16, bf16 or fp32. Or write a GGUF again: --to gguf.",
    ),
    "part_needs_dtype": (
        "{path} is quantised as {type}, which only a GGUF can hold.",
        "Say what the numbers should become: --dtype fp16, bf16 or fp32; or --unet-dtype, --te-dtype or "
        "--vae-dtype for this part alone.",
    ),
    "cut": "Tensors written as {type}: {count:,}; in fp16, bf16 or fp32: {rest:,}.",
    "for_comfyui": "Laid out for ComfyUI-GGUF (architecture {word}); it goes into models/unet.",
    "for_checkpoints": "All parts are in one file, as stable-diffusion.cpp reads it; ComfyUI-GGUF takes the diffusion model out of it (architecture {word}).",
    "split_first": "Convolutions stay as they are in a checkpoint; kanna split gives the diffusion model alone, whose GGUF is smaller.",
    "folded": "Tensors folded into rows of 256, their shapes kept in the metadata: {count:,}. stable-diffusion.cpp may not read them so.",
}
