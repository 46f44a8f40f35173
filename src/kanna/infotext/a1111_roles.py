"""What the keys of A1111 texts name: tables of keys, of kinds of models, of no files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from kanna.infotext.info import Role


class Named(NamedTuple):
    """Keys that together name one model: `name` and the key of its digest, which may be missing."""

    name: str
    digest: str
    role: Role
    stage: str = ""


# Keys with numbers in them are patterns; what is in brackets of the first stands in the others.
# Sources: AUTOMATIC1111 modules/processing.py; aka7774/sd_infotext_ex; SD.Next
# modules/processing_info.py; Bing-su/adetailer adetailer/args.py; kohya-ss/sd-webui-additional-
# networks scripts/additional_networks.py; savers of ComfyUI that write Lora_0 and Embedding_0.
NAMED: Final = (
    Named("Model", "Model hash", "checkpoint"),
    Named("Model", "Model sha256", "checkpoint"),
    Named("VAE", "VAE sha256", "vae"),
    Named("VAE", "VAE hash", "vae"),
    Named("UNet", "UNet hash", "diffusion_model"),
    Named("TE", "", "text_encoder"),
    Named("Refiner", "", "checkpoint", "refiner"),
    Named("Hires checkpoint", "", "checkpoint", "hires"),
    Named("Hires upscaler", "", "upscaler", "hires"),
    Named("Hypernet", "Hypernet hash", "hypernetwork"),
    Named("Hypernet", "Hypernet sha256", "hypernetwork"),
    Named(r"ADetailer model(| \d\w\w)", "", "unknown", "adetailer"),
    Named(r"ADetailer ControlNet model(| \d\w\w)", "", "controlnet", "adetailer"),
    Named(r"ADetailer checkpoint(| \d\w\w)", "", "checkpoint", "adetailer"),
    Named(r"ADetailer VAE(| \d\w\w)", "", "vae", "adetailer"),
    Named(r"AddNet Model (\d+)", "", "lora"),
    Named(r"Lora_(\d+) Model name", r"Lora_{} Model hash", "lora"),
    Named(r"Embedding_(\d+) name", r"Embedding_{} hash", "embedding"),
    Named(r"ControlNet Model()", "", "controlnet"),
    Named(r"ControlNet[ -](\d+) Model", "", "controlnet"),
    Named(r"Module (\d+)", "", "unknown"),
    Named(r"Hires Module (\d+)", "", "unknown", "hires"),
    Named(r"(?!Hires ).*[Uu]pscaler( \d|)", "", "upscaler"),
)
# The key of a model's strength, by the key of its name.
STRENGTHS: Final = {
    "Hypernet": "Hypernet strength",
    r"AddNet Model (\d+)": "AddNet Weight A {}",
    r"Lora_(\d+) Model name": "Lora_{} Strength model",
    r"ControlNet[ -](\d+) Model": "ControlNet-{} Weight",
    "ControlNet Model()": "ControlNet Weight",
}
# Lists of names with digests; kanna itself adds that of LoRAs' whole files.
HASH_LISTS: Final[Mapping[str, Role]] = {
    "Lora hashes": "lora",
    "LoRA hashes": "lora",
    "Lyco hashes": "lora",
    "TI hashes": "embedding",
    "Lora sha256": "lora",
}
# Lists of names, some with a strength.
NAME_LISTS: Final[Mapping[str, Role]] = {
    "LoRA networks": "lora",
    "Embeddings": "embedding",
    "TI": "embedding",
}
# What stands before the name in the keys of Hashes; types of Civitai's resources.
# Sources: civitai/sd_civitai_extension; civitai.com's generator and its resource names (AIR).
TYPES: Final[Mapping[str, Role]] = {
    "model": "checkpoint", "checkpoint": "checkpoint", "vae": "vae", "lora": "lora",
    "lyco": "lora", "lycoris": "lora", "locon": "lora", "dora": "lora", "embed": "embedding",
    "embedding": "embedding", "ti": "embedding", "textualinversion": "embedding",
    "hypernet": "hypernetwork", "hypernetwork": "hypernetwork", "controlnet": "controlnet",
    "upscaler": "upscaler", "unet": "diffusion_model", "clip": "text_encoder",
}  # fmt: skip
# Values that name no file: choices, and what programs compute or have inside.
_NO_FILES: Final = re.compile(
    r"(?i)none|automatic|auto|default|built-?in|taesd|remote|use same .*|latent( \(.*\))?"
    r"|lanczos|nearest|bicubic|bilinear|mediapipe_.*|unknown|undefined|"
)
# What a module of Forge is, by the words in its name: the first that fits. The names are those of
# published files: hashing/known_models.tsv.
_WORDS: Final[tuple[tuple[re.Pattern[str], Role], ...]] = (
    (re.compile(r"(?i)clip[-_ ]?vision"), "clip_vision"),
    (re.compile(r"(?i)ip[-_ ]?adapter"), "ip_adapter"),
    (
        re.compile(r"(?i)clip|t5|qwen|gemma|llama|mistral|bert|text[-_ ]?encoder|^te[-_ ]"),
        "text_encoder",
    ),
    (re.compile(r"(?i)vae|(^|[^a-z])ae([^a-z]|$)|kl-f8|autoencoder"), "vae"),
)


def is_file(value: str) -> bool:
    """Whether a value can be the name of a file: not a choice such as ``Automatic``."""
    return not _NO_FILES.fullmatch(value.strip())


def role_by_name(name: str, role: Role) -> Role:
    """Return what a module is by its name, where its key does not say it."""
    if role == "unknown":
        return next((found for words, found in _WORDS if words.search(name)), role)
    is_adapter = role == "controlnet" and _WORDS[1][0].search(name)
    return "ip_adapter" if is_adapter else role


# What a digest of so many digits can mean, most likely first, and for some kinds in other order.
# Sources: AUTOMATIC1111 modules/sd_models.py, extensions-builtin/Lora/network.py,
# modules/textual_inversion; sd-webui-controlnet's model names.
_MEANINGS: Final[Mapping[int, tuple[str, ...]]] = {
    4: ("embedding_checksum",),
    8: ("autov1", "crc32"),
    10: ("autov2",),
    12: ("sha256_12", "autov3"),
    16: ("sha256_16",),
    64: ("sha256", "data_sha256", "blake3"),
}
_OF_LORAS: Final[Mapping[int, tuple[str, ...]]] = {
    12: ("autov3", "sha256_12"),
    64: ("data_sha256", "sha256", "blake3"),
}


def meanings_of(digest: str, role: Role) -> tuple[str, ...]:
    """Return what a digest of a model of this kind can be, most likely first."""
    special = _OF_LORAS.get(len(digest)) if role == "lora" else None
    return special or _MEANINGS.get(len(digest), ())
