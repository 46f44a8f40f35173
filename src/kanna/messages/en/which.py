"""`kanna which`: from a digest to a model."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Say which model a hash belongs to.",
    "help": "Say which model each DIGEST belongs to: one of the published models that kanna knows, "
    "or a file on this machine that kanna hash has seen. DIGEST is any hash of 4, 8, 10, 12, 16 or "
    "64 hex digits, also as 0x…, blake3:… or “name [hash]”. Every meaning is tried, and the one that "
    "hit is named.\n\nA FILE is hashed and looked up, by its bytes, its weights and its parts. The "
    "exit code is 1 if something was not found. Nothing is asked over the network.",
    "examples": "Examples:\n\n  kanna which 7460a6fa\n\n  kanna which 6ce0161689\n\n  kanna which "
    '"model [ffa7b160]"\n\n  kanna which downloaded.safetensors',
    "option_no_cache": "Look at the published models only.",
    "not_found": "not known",
    "meaning_embedding_checksum": "checksum of an embedding (A1111 before 2023)",
    "meaning_autov1": "AutoV1, the old model hash",
    "meaning_crc32": "CRC32",
    "meaning_autov2": "AutoV2, the first 10 digits of SHA-256 (also VAEs and hypernetworks)",
    "meaning_autov3": "AutoV3, the first 12 digits of the data's SHA-256 (also LoRAs)",
    "meaning_sha256_12": "the first 12 digits of SHA-256 (embeddings, LoRAs as .pt)",
    "meaning_sha256_16": "the first 16 digits of SHA-256",
    "meaning_sha256": "SHA-256",
    "meaning_data_sha256": "SHA-256 of the data: the same weights, whatever the header",
    "meaning_blake3": "BLAKE3",
    "meaning_component": "the same numbers in one of its parts",
    "meaning_part": "the same {role} inside",
    "meaning_name_hash": "the hash of its name, not of the file",
    "here": "on this machine: {path}",
    "gone": "was on this machine: {path}",
    "lists": "in {count} of the known lists",
    "source": "according to {name}",
    "nothing": "{digits} is the hash of nothing: A1111 gave it to every file that is not longer than 1 MiB.",
    "several": "{count} different files fit: the digits do not tell which.",
    "several_autov1": "{count} different files fit. The old hash reads only 64 KiB, which models of "
    "one kin have in common; and 8 digits may be a CRC32, too.",
    "name_hash": "Early builds of Forge wrote hashes of the file's name into images: this may be any "
    "file with that name.",
    "vae_hash": "A1111 and Forge write a wrong VAE hash where the VAE is older than the last one "
    "hashed: compare with the VAE's name in the image.",
    "civitai": "Some entries come from a list of Civitai: it gives model and version, not the file's "
    "name, and a few are VAEs or LoRAs.",
    "few_digits": "Of some of these only the first digits are known: the rest was not compared.",
    "no_digest": (
        "“{text}” is neither a file nor a hash.",
        "A hash has 4, 8, 10, 12, 16 or 64 digits, 0 to 9 and a to f.",
    ),
}
