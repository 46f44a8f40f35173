"""`kanna which`: from a digest or a picture to models."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Say which model a hash belongs to, and which models made a picture.",
    "help": "Say which model each DIGEST belongs to: one of the published models that kanna knows, "
    "a file of your library, or one that kanna hash has seen. DIGEST is any hash of 4, 8, 10, 12, 16 "
    "or 64 hex digits, also as 0x…, blake3:… or “name [hash]”. Every meaning is tried, and the one "
    "that hit is named.\n\nOf a PICTURE, or a TEXT such as programs write beside one, every model "
    "that it names is looked up: checkpoint, VAE, LoRAs, embeddings and the rest, by hash and by "
    "name, also under the names that a file had before or was published with; what is missing is "
    "named. - is a text from stdin.\n\nA model FILE is hashed and looked up, by its bytes, its "
    "weights and its parts. The exit code is 1 if something was not found. Nothing is asked over the "
    "network.",
    "examples": "Examples:\n\n  kanna which 7460a6fa\n\n  kanna which 6ce0161689\n\n  kanna which "
    '"model [ffa7b160]"\n\n  kanna which picture.png\n\n  kanna which downloaded.safetensors',
    "option_library": "Look into this library, not into your own.",
    "option_no_library": "Look into no library.",
    "option_no_cache": "Leave out what kanna hash has seen before.",
    "not_found": "not known",
    "meaning_embedding_checksum": "checksum of an embedding (A1111 before 2023)",
    "meaning_autov1": "AutoV1, the old model hash",
    "meaning_crc32": "CRC32",
    "meaning_autov2": "AutoV2, the first 10 digits of SHA-256 (also VAEs and hypernetworks)",
    "meaning_data_sha256_10": "the first 10 digits of the data's SHA-256 (LoRAs, by Civitai's extension)",
    "meaning_sshs_model_hash": "the hash that a LoRA's metadata gives (A1111 shows it)",
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
    "names_nothing": "It names no model.",
    "no_library": "There is no library: only files that kanna hash has seen were looked through. kanna library add FOLDER makes one.",
    "state_found": "found",
    "state_likely": "likely",
    "state_possible": "possible",
    "state_missing": "not here",
    "state_unknown": "not known",
    "by_sha256": "by SHA-256",
    "by_sha256_16": "by the first 16 digits of SHA-256",
    "by_sha256_12": "by the first 12 digits of SHA-256",
    "by_autov2": "by the first 10 digits of SHA-256",
    "by_blake3": "by BLAKE3",
    "by_data_sha256": "by the data's SHA-256",
    "by_autov3": "by AutoV3",
    "by_data_sha256_10": "by the first 10 digits of the data's SHA-256",
    "by_sshs_model_hash": "by the hash in its metadata",
    "by_autov1": "by AutoV1, the old hash",
    "by_crc32": "by CRC32",
    "by_vae_hash": "by the VAE hash, which is not always the VAE's own",
    "by_embedding_checksum": "by the 4-digit checksum",
    "by_name": "by its name",
    "by_former": "it had that name before",
    "by_companion": "a file beside it says that it was published under that name",
    "by_published_name": "published under that name",
    "by_metadata": "its metadata call it so",
    "by_prompt_word": "its name is a word of the prompt",
    "by_name_hash": "the hash is that of its name",
    "by_other_suffix": "the same name with another ending",
    "by_other_spelling": "a name spelled much the same",
    "by_other_folder": "the same name in another folder",
    "by_name_end": "the end of that name",
    "by_published_title": "published under that title",
    "by_made_from": "kanna made it of that file",
    "by_common_word": "its name is a word of the prompt, which may mean nothing",
    "published": "published: {name}, {meaning}",
    "not_there": "no longer there",
    "other_kind": "but it is of another kind: {kind}",
    "other_digest": "but with another hash",
    "other_name": "but the name is that of another file",
    "more_files": "and {count} more; -v shows them",
    "more_published": "and {count} more published files; -v shows them",
    "vae_hash_lies": "The picture has the hash {digits} for the VAE {name}, and they are not of one file. A1111 and Forge write another VAE's hash at times: the name counts.",
    "no_infotext": (
        "{path} does not say how it was made.",
        "Many sites take the text out of pictures; look for the original file.",
    ),
    "few_digits": "Of some of these only the first digits are known: the rest was not compared.",
    "no_digest": (
        "“{text}” is neither a file nor a hash.",
        "A hash has 4, 8, 10, 12, 16 or 64 digits, 0 to 9 and a to f.",
    ),
}
