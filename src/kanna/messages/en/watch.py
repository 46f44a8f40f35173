"""`kanna watch`: an inbox of models."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Look at, convert and put away models as they land in a folder.",
    "help": "Take in the models that land in INBOX: each is scanned, identified, converted by a preset if you choose one, and put into the folder for its kind, together with the files beside it. What is dangerous, broken or unknown is set aside in INBOX/failed with a report. Downloads are waited for. Stop it with Ctrl-C; after a restart, or a power cut, it goes on where it was.\n\nWithout --to, models go to the folders of the library that are for their kind. Originals that were converted are kept in INBOX/originals or put into the trash.",
    "examples": "Examples:\n\n  kanna watch ~/inbox --to ~/ComfyUI --for generation\n\n  kanna watch ~/inbox --rules rules.toml --originals trash\n\n  kanna watch ~/inbox --to ~/models --once --dry-run",
    "option_to": "Put models below FOLDER: a program’s, or any other.",
    "option_layout": "Whose folders for the kinds FOLDER has; by default those that are there.",
    "option_for": "Take checkpoints and diffusion models through this preset of kanna convert.",
    "option_rules": "Take what to do with each kind from a TOML file instead of --for.",
    "option_originals": "What becomes of a file that was converted: kept in INBOX/originals, or put into the trash.",
    "option_allow_suspicious": "Take in suspicious files as well; dangerous ones never are.",
    "option_rest": "Seconds without a change before a file is touched.",
    "option_patience": "Seconds that a file which breaks off is waited for before it is set aside.",
    "option_once": "Take in what is there, and end.",
    "waiting": "Watching {path}; Ctrl-C ends it.",
    "state_converted": "converted to {path}",
    "state_put_away": "put into {path}",
    "state_planned": "would become {path}",
    "state_aside": "set aside in {path}",
    "state_left": "cannot be set aside; left in {path}",
    "state_refused": "would be set aside in {path}",
    "state_arriving": "has not arrived completely; left alone",
    "original": "original: {path}",
    "report_head": "{name} was not taken in ({when}):",
    "suspicious": (
        "{path} is suspicious: {reason}",
        "Look at it with kanna scan; --allow-suspicious takes it in all the same.",
    ),
    "dangerous": (
        "{path} is dangerous: {reason}",
        "Delete it, or look at it with kanna scan; it is never loaded by kanna.",
    ),
    "unknown": (
        "kanna cannot tell what {path} is.",
        "Move it by hand to where it belongs, or give a rule with a folder for unknown in --rules.",
    ),
    "no_folder": (
        "{program} has no folder for models of the kind {kind}, so {path} takes none.",
        "Give a rule with a folder for this kind in --rules.",
    ),
    "no_root": (
        "No folder of the library is for models of the kind {kind}.",
        "Name one with --to FOLDER, or give a rule with a folder in --rules.",
    ),
    "no_inbox": (
        "{path} is no folder that can be watched ({reason}).",
        "Make the folder first, or name another one.",
    ),
    "no_target": (
        "Nothing says where the models that land in {path} are to go.",
        "Name a folder with --to, give rules with folders in --rules, or make a library with kanna library add FOLDER.",
    ),
    "held": (
        "Another kanna watches {path} already.",
        "End that one first, or watch another folder.",
    ),
    "inside": (
        "{folder} lies inside the inbox {path}, so that what is put there would land again.",
        "Choose a folder outside of the inbox.",
    ),
    "for_and_rules": (
        "--for and --rules were both given.",
        'Write the preset into the rules (for = "generation").',
    ),
    "rules_no_toml": (
        "The rules in {path} are no TOML: {reason}.",
        'Correct the file: sections such as [lora] or [any], with lines such as folder = "loras".',
    ),
    "rules_kind": (
        "{path} has rules for “{kind}”, which is no kind of model.",
        "Use a section for one of these, or [any]: {kinds}.",
    ),
    "rules_key": (
        "The rules for {kind} in {path} have the key {name}, which means nothing.",
        "Use {keys}.",
    ),
    "rules_value": (
        "The rules for {kind} in {path} say {name} = {value}.",
        "Write it as one of: {wanted}.",
    ),
}
