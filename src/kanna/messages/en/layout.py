"""About what a container can hold."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "pickle_too_large": (
        "A ckpt of {tensors:,} tensors and this much metadata would be too large to be read again.",
        "Write safetensors instead.",
    ),
    "twice": (
        "Two tensors of the output would be called {name}.",
        "Rename or drop one of them.",
    ),
    "not_utf8": (
        "The text {name} is no valid Unicode and cannot be written.",
        "Rename or drop the tensor or metadata field.",
    ),
    "reserved_name": (
        "A safetensors file cannot hold a tensor called {name}.",
        "Rename or drop it, or write a ckpt.",
    ),
    "dtype": (
        "A {container} file cannot hold {name}: it has no {dtype} of that size.",
        "Choose another dtype for it, or the other container.",
    ),
    "header_too_large": (
        "The header would take {size:,} bytes; readers of safetensors accept {limit:,}.",
        "Drop some metadata.",
    ),
    "not_plain": (
        "A ckpt can carry plain data only, not a {kind} and nothing nested very deeply.",
        "Leave out what the checkpoint holds beside its tensors.",
    ),
    "gguf_name": (
        "The name {name} is too long for GGUF: readers take {limit:,} bytes.",
        "Rename the tensor, or write safetensors.",
    ),
    "gguf_blocks": (
        "A GGUF file cannot hold {name} of shape {shape} as {type}: it is no whole number of blocks.",
        "Leave it in fp16 or bf16.",
    ),
    "gguf_size": (
        "A GGUF file cannot keep the shape {shape} of {name}, which has to be folded: sizes go up to {limit:,}.",
        "Write safetensors, or drop the tensor.",
    ),
    "gguf_header_too_large": (
        "The header would take {size:,} bytes; kanna reads at most {limit:,} of a GGUF.",
        "Drop some metadata.",
    ),
}
