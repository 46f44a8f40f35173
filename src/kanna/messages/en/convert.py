"""`kanna convert`: help, what a plan does, and why one is refused."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Make the file you want.",
    "help": "Make the file you want of each FILE: container, precision, EMA, pruning, VAE, position "
    "ids.\n\nThe input is never changed. The output appears whole and verified, or not at all.",
    "examples": "Examples:\n\n"
    "  kanna convert model.ckpt --for generation --vae vae.safetensors -o model.safetensors\n\n"
    "  kanna convert model.ckpt --for training -o trained/\n\n"
    "  kanna convert *.safetensors --dtype bf16 --vae-dtype fp32 -o converted/\n\n"
    "  kanna convert model.ckpt --ema use --dry-run",
    "option_output": "Output file, or a folder for suggested names (the default is the input's "
    "folder).",
    "option_for": "generation: fp16, without EMA, pruned, position ids repaired, safetensors. "
    "training: fp32, EMA kept, only trainer state left out. Any other option overrides it.",
    "option_to": "Container (otherwise by the output's suffix, or safetensors).",
    "option_dtype": "Precision of all floating tensors.",
    "option_unet_dtype": "Precision of the diffusion model.",
    "option_te_dtype": "Precision of the text encoders.",
    "option_vae_dtype": "Precision of the VAE.",
    "option_ema_dtype": "Precision of the EMA weights.",
    "option_ema": "Keep the EMA weights, drop them, or use them in the model's place.",
    "option_prune": "Leave out known junk; what is not recognised stays.",
    "option_vae": "Put the VAE of this file inside: a VAE, a checkpoint, or a diffusers file.",
    "option_position_ids": "Damaged position ids: repair (0…76, changes images), truncate (what "
    "loaders make of them today), keep, or drop.",
    "option_rename_keys": "Give NAI-style text encoder tensors their standard names.",
    "option_marker": "Put in an empty tensor that says what the model predicts (may be repeated).",
    "option_allow_overflow": "Write the output even if values do not fit in their dtype.",
    "option_no_hash": "Do not compute the SHA-256 of the data (faster).",
    "option_verify": "Check the output's header, or in full every byte.",
    "option_dry_run": "Say what would be done, and write nothing.",
    "option_force": "Replace an existing output.",
    "option_threads": "Number of threads (otherwise one per core, at most 4).",
    "before": "before",
    "after": "after",
    "more_notes": "… and {count} more (-v shows all)",
    "dry_run": "Nothing was written (--dry-run): {tensors} tensors would be, with {memory} of buffers.",
    "done_header": "{tensors} tensors written and their header verified in {seconds} s ({speed}/s).",
    "done_full": "{tensors} tensors written and every byte verified in {seconds} s ({speed}/s).",
    "digest": "data sha256 {digest}",
    "summary": "{done} converted, {failed} failed.",
    "overflowed": "{name}: {count} values did not fit.",
    "hash_dropped": "{field} is left out: it was a hash of the old data.",
    "ema_dropped": "EMA left out: {count} tensors, {size}.",
    "ema_unmatched": "{count} EMA tensors match no tensor of the model and stay ({name} …).",
    "ema_used": "EMA weights put in the model's place: {count} tensors.",
    "junk_dropped": "Junk left out: {group}, {count} tensors, {size}.",
    "schedule_kept": "{name} differs from the standard schedule and stays.",
    "unrecognised_kept": "{count} tensors are not recognised and stay ({name} …).",
    "trainer_state_dropped": "Trainer state left out: {names}.",
    "ids_dropped": "{name} left out; programs make their own.",
    "ids_keep_damaged": "{name}: ids {wrong} are wrong and stay wrong. --position-ids repair mends "
    "them.",
    "ids_keep_float": "{name} is right but no int64, and stays so.",
    "ids_keep_unread": "{name} ({dtype}) could not be read and stays.",
    "ids_repair_unread": "{name} ({dtype}) could not be read and is written anew, 0…76.",
    "ids_repair_damaged": "{name}: ids {wrong} were wrong ({dtype}) and are repaired to 0…76. Images "
    "will differ from those of the damaged file.",
    "ids_repair_float": "{name} becomes int64 (it was {dtype}); the values stay.",
    "ids_truncate_damaged": "{name}: ids {wrong} are wrong ({dtype}) and stay as loaders read them, as "
    "int64.",
    "ids_truncate_float": "{name} becomes int64 (it was {dtype}); the values stay.",
    "cast": "{count} tensors change precision; integers, markers and ids do not.",
    "quantised_kept": "{part} is quantised ({scheme}) and stays as it is.",
    "renamed": "{count} text encoder tensors get their standard names.",
    "embedding_flattened": "The vectors are called {name}, as programs want an embedding in safetensors.",
    "several_embeddings": (
        "{path} holds the vectors of {count} words.",
        "Write it as a ckpt (--to ckpt): safetensors has room for one.",
    ),
    "marker_added": "{name} put in: an empty tensor that tells programs how to use the model.",
    "marker_there": "{name} is there already.",
    "metadata_dropped": "Metadata left out: {fields}.",
    "marker_without_model": (
        "{name} speaks of a diffusion model, and there is none in {path}.",
        "Choose a checkpoint or a diffusion model.",
    ),
    "vae_baked": "VAE of {name} put inside: {count} tensors.",
    "vae_stranger": "{name} is a VAE of {theirs}, and this is a model of {ours}: the shapes fit, the "
    "images may not.",
    "vae_of_either": "The header of {name} does not tell whether it is made for {ours}; it may be for any of {theirs}.",
    "vae_extras_left": "{count} tensors of {name} are not part of a VAE and stay behind: {names}.",
    "still_lacks": "Not inside, and needed besides: {parts}.",
    "ids_no_integers": (
        "{name} in {path} holds values that no loader makes integers of.",
        "Use --position-ids repair.",
    ),
    "refused": (
        "{name} in {path} cannot be converted ({count} such tensors): {reason}",
        "kanna inspect -v lists them; take a version of the model without them.",
    ),
    "ema_absent": ("{path} has no EMA weights.", "Leave out --ema use."),
    "ema_incomplete": (
        "The EMA of {path} is not complete: {count} tensors are missing ({names} …).",
        "Use --ema drop; half an EMA would be half another model.",
    ),
    "ema_is_the_model": (
        "In {path} only the EMA is a complete model; without it nothing useful is left.",
        "Use --ema use to make it the model.",
    ),
    "vae_absent": ("{path} holds no VAE.", "Give a VAE, or a file with a VAE inside."),
    "vae_incomplete": (
        "The VAE in {path} is not complete: {count} tensors are missing ({names} …).",
        "Download the VAE again, or take another.",
    ),
    "vae_lacks": (
        "The VAE in {path} does not fit {model}: it lacks {name}.",
        "Take a VAE of the same architecture; a small preview VAE (TAESD) will not do.",
    ),
    "vae_no_floats": (
        "The VAE in {path} is quantised: {name} is {dtype}.",
        "Take a VAE in fp32, fp16 or bf16 for {model}.",
    ),
    "vae_unfit": (
        "The VAE in {path} does not fit {model}: {name} is {found}, and {wanted} is needed.",
        "Take a VAE of the same architecture.",
    ),
    "vae_no_place": (
        "{path} is no checkpoint that kanna knows where to put a VAE in.",
        "kanna inspect says what the file is.",
    ),
    "vae_not_proved": (
        "The VAE in the finished {path} was not the one that was put in, so it was not kept.",
        "This is a bug in kanna or a broken disk; please report it.",
    ),
    "quantised": (
        "The {part} in {path} is quantised ({scheme}); its numbers mean nothing without their scales.",
        "Leave its dtype out and name those of the other parts, or decode it first: kanna quantize FILE --to bf16.",
    ),
    "folder": (
        "{path} is a diffusers folder with several models.",
        "kanna join makes one file of it; or convert one of its subfolders.",
    ),
    "no_such_word": ("{option} cannot be {word}.", "It is one of {words}."),
    "suffix_unknown": (
        "The name {name} does not say which container to write.",
        "End it with .safetensors, .ckpt or .gguf, or add --to.",
    ),
    "suffix_differs": (
        "The name {name} is not one of a {container} file.",
        "Change the name or leave --to out.",
    ),
    "would_replace": (
        "{path} is {name}, which this command reads or has made; it is not replaced.",
        "Give the outputs another folder.",
    ),
    "no_name": ("The output has no name.", "Give a file or a folder after -o."),
    "same_output": (
        "Two of the inputs are called {name} and would get the same output name.",
        "Convert them one by one, or into different folders.",
    ),
}
