"""`kanna hash`, sidecars and imported caches."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Compute every hash of a file, in one read.",
    "help": "Compute every hash that people use for each FILE, in one read: SHA-256, AutoV1 (8 "
    "digits), AutoV2 (10), AutoV3 (12, of a safetensors file's data), the 16 digits of "
    "sd_infotext_ex, CRC32 and BLAKE3. Published models are named.\n\nResults are kept in a cache, "
    "so that a second time takes no time; KANNA_CACHE is its folder. A .sha256 file beside FILE is "
    "compared; a difference ends with exit code 1. Of a folder, every model file in it is hashed.",
    "examples": "Examples:\n\n  kanna hash model.safetensors\n\n  kanna hash --write-sidecar "
    "*.safetensors\n\n  kanna hash -r models\n\n  kanna hash --check *.ckpt\n\n  kanna hash --import stable-diffusion-webui "
    "--models stable-diffusion-webui/models",
    "option_recursive": "Of a folder, hash the models in its folders, too.",
    "no_models": "The folder {path} holds no file of weights; -r looks into its folders, too.",
    "option_parts": "Also hash each part by its numbers, and say which files hold the same part.",
    "option_check": "Compare with the .sha256 files; every byte is read again.",
    "option_write_sidecar": "Write a .sha256 file beside each FILE, as sha256sum -c reads it.",
    "option_full": "Of a URL, read the whole file; otherwise kanna tells what its hub and its header say.",
    "option_force": "Replace .sha256 files that say something else.",
    "option_dry_run": "Write nothing: no .sha256 file, and nothing that is imported.",
    "option_no_cache": "Neither read nor write the cache.",
    "option_threads": "How many threads compute; by default one per core, at most four.",
    "option_import": "Take over the hashes that A1111 or Forge computed: cache.json, a cache folder, "
    "or the folder of the UI.",
    "option_models": "The models folder that the imported names are about; by default “models” "
    "beside the cache.",
    "bar": "{count} files",
    "row_cached": "from the cache",
    "row_told": "as its hub and its header say; only AutoV1 was computed (--full reads it all)",
    "autov1_empty": "means nothing: the file is not longer than 1 MiB",
    "row_known": "published as",
    "row_weights": "weights of",
    "row_sidecar": "sidecar",
    "row_part": "part",
    "sidecar_agrees": "agrees",
    "sidecar_differs": "differs: it says {sha256}",
    "sidecar_silent_row": "says nothing about this file",
    "sidecar_written": "written: {name}",
    "sidecar_planned": "would be written: {name}",
    "check_ok": "{path}: the sidecar agrees",
    "check_differs": "{path}: DIFFERS from its sidecar",
    "same_as": "the same as in {names}",
    "same_as_none": "in no other file that was hashed",
    "no_parts": "no part that can be compared",
    "import_taken": "{count} hashes taken over.",
    "import_planned": "{count} hashes would be taken over.",
    "import_line": "{count} left out: {reason}",
    "fate_no_hash": "no hash was stored",
    "fate_shared_vae": "all VAEs share this one entry, so it is anybody's",
    "fate_name_hash": "hashes of a name, not of a file (an old build of Forge)",
    "fate_no_file": "there is no such file (or it was a merge that was never saved)",
    "fate_several_files": "several files have this name",
    "fate_stale": "the file was changed since",
    "fate_contradicts": "one hash was stored for files of different sizes",
    "nothing_to_do": ("There is nothing to hash.", "Name files, or --import a cache."),
    "threads": ("--threads takes a number of at least 1.", "Leave it out for one per core."),
    "changed": (
        "{path} was changed while it was read.",
        "Wait until the program that writes it is done, then try again.",
    ),
    "bad_sidecar": (
        "{path} holds no SHA-256.",
        "Look at it; --write-sidecar --force replaces it.",
    ),
    "remote_needs_full": (
        "{path} is not on this machine, and its weights are not read.",
        "Add --full to read all of it; .sha256 files are only written beside files on this machine.",
    ),
    "no_sidecar": (
        "There is no .sha256 file beside {path}.",
        "--write-sidecar makes one of the file as it is now.",
    ),
    "sidecar_silent": (
        "{path} says nothing about {name}.",
        "--write-sidecar --force replaces it.",
    ),
    "sidecar_exists": (
        "{path} is there already and says something else.",
        "If the model was changed on purpose, add --force.",
    ),
    "no_webui_cache": (
        "There is no cache of A1111 in {path}.",
        "Give a cache.json, a cache folder, or the folder of the UI.",
    ),
    "bad_webui_cache": (
        "{path} cannot be read as a cache: {reason}.",
        "Close the UI and try again.",
    ),
}
