"""`kanna recipe`, and what is wrong with a recipe."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Read recipes of merges: check them, show them, take them out of models.",
    "help": "Read recipes of merges, from files or out of models.",
    "examples": "Examples:\n\n  kanna recipe of merged.safetensors > recipe.toml\n\n  kanna recipe show merged.safetensors --models models/\n\n  kanna recipe check recipe.toml",
    "no_toml": (
        "The recipe is no TOML: {reason}.",
        "docs/recipes.md shows what a recipe looks like.",
    ),
    "too_long": (
        "The recipe is longer than {limit} letters.",
        "No recipe needs as many; is it another file?",
    ),
    "no_version": (
        "The recipe does not begin with kanna = 1.",
        "Put that line first, if it is a recipe of kanna.",
    ),
    "other_version": (
        "The recipe is of version {version}, this kanna reads version {known}.",
        "Take a newer kanna, or write kanna = {known}.",
    ),
    "unknown_key_near": ("A recipe has no {where}.", "Did you mean {near}?"),
    "unknown_key": ("A recipe has no {where}.", "There could be: {known}."),
    "key_missing": (
        "{where} is missing in the recipe.",
        "docs/recipes.md says what belongs there.",
    ),
    "no_table": ("{where} cannot be {value} in a recipe.", "Write a table: {{ key = value }}."),
    "no_list": ("{where} cannot be {value} in a recipe.", 'Write a list: ["a", "b"].'),
    "no_text": ("{where} cannot be {value} in a recipe.", 'Write text: "a".'),
    "no_flag": ("{where} cannot be {value} in a recipe.", "Write true or false."),
    "no_count": ("{where} cannot be {value} in a recipe.", "Write a whole number."),
    "no_number": ("{where} cannot be {value} in a recipe.", "Write a number, such as 0.3."),
    "no_path": ("{where} names no file in the recipe.", "Write its path as text."),
    "no_sha256": (
        "{where} is {value}, which is no SHA-256.",
        "Write its 64 hex digits; kanna hash shows them.",
    ),
    "empty_source": (
        "{where} has neither a path nor a sha256 in the recipe.",
        "Write at least one of them.",
    ),
    "bad_name": (
        "{where}: {name} cannot be a name in a recipe.",
        "Use up to 64 letters, digits, _ and -.",
    ),
    "no_such_word": ("{where} cannot be {value}.", "Take one of: {known}."),
    "no_axis": (
        "{axis} stands for no numbers.",
        "Write a range with both ends and a step, 0.1:0.9:0.1, or a list, 0.1,0.3,0.5.",
    ),
    "axis_step": (
        "The range {axis} never comes to its end.",
        "The step, which is the third number, must lead from the first to the second.",
    ),
    "axis_long": ("The range {axis} has more than {most} numbers.", "Make the step larger."),
    "no_steps": ("The recipe has no step.", "Write at least one [[step]]."),
    "too_many": (
        "The recipe has more than {steps} steps or {models} models.",
        "Merge in several recipes.",
    ),
    "too_deep": (
        "At step {step}, too many steps stand one on another; at most {most} may.",
        "Write what the first of them make to a file and begin again from there.",
    ),
    "name_twice": (
        "The recipe has two models or steps called {name}.",
        "Give each a name of its own.",
    ),
    "later_step": (
        "Step {step} takes {name}, which comes only after it.",
        "Put {name} before it; a step cannot use what it is part of.",
    ),
    "no_such_model": (
        "Step {step} takes {name}, which the recipe does not have.",
        "It has until there: {known}.",
    ),
    "model_count": (
        "Step {step} gives {method} {count} models; it takes {wanted}.",
        "See kanna explain {method}.",
    ),
    "base_missing": (
        "Step {step} lacks a base: {method} takes differences from one.",
        'Write base = "NAME".',
    ),
    "base_unused": (
        "Step {step} has a base, for which {method} has no use.",
        "Leave it away, or take a method that has one; kanna methods lists them.",
    ),
    "lora_weights": (
        "Step {step} must have one model, then LoRAs, and a weight for each LoRA.",
        'Write models = ["a", "lora"] and weights = [0.8].',
    ),
    "lora_no_file": (
        "Step {step} takes {name} for a LoRA, which is a step.",
        "A LoRA must be a file under [models].",
    ),
    "no_such_step": ("The recipe has no step {name}.", "It has: {known}."),
    "no_such_vae": (
        "The recipe has no model {name} that the VAE could be of.",
        "Write a, merge, or one of: {known}.",
    ),
    "too_many_outputs": (
        "The axes make {count} outputs; it must be 1 to {most}.",
        "Take fewer numbers.",
    ),
    "no_such_number": ("The recipe has no number {path}.", "It has: {known}."),
    "which_step": (
        "Several steps have {path}.",
        "Write the step before it, with a dot; these have it: {known}.",
    ),
    "bad_set": ("--set {given} sets nothing.", "Write STEP.PARAMETER=VALUE: --set mix.alpha=0.3."),
    "bad_sweep": (
        "--sweep {given} is no axis.",
        "Write PARAMETER=FIRST:LAST:STEP: --sweep alpha=0.1:0.9:0.1.",
    ),
    "same_output": (
        "Two outputs would be called {path}.",
        "Put every axis into the name, such as {{mix.alpha}}.",
    ),
    "no_such_placeholder": (
        "The name of the output has {{{name}}}, which is no axis.",
        "There are: {known}.",
    ),
    "unused_model": "no step uses the model {name}",
    "unused_step": "nothing uses what step {name} makes",
    "foreign_broken": (
        "The field {program} holds no recipe that can be read.",
        "kanna meta show --raw {program} shows what it holds.",
    ),
    "foreign_type": (
        "The recipe is of a program that kanna cannot read: {type}.",
        "It reads recipes of its own and of these: {known}.",
    ),
    "foreign_version": (
        "The recipe of {program} is of another version.",
        'It reads recipes that begin with "{known}".',
    ),
    "foreign_method": (
        "The recipe of {program} uses {method} (at {where}), which kanna cannot make again.",
        "kanna methods lists what it can; write such a step by hand.",
    ),
    "foreign_rule": (
        "The recipe of {program} has {where}, which kanna cannot take over.",
        "Write the recipe by hand; docs/recipes.md says how.",
    ),
    "foreign_line": (
        "Line {line} of the recipe of {program} is broken.",
        "Write it anew with {program}.",
    ),
    "foreign_discard": "A1111 left out the tensors that fit {pattern}; the recipe does not",
    "foreign_vae": "the recipe knows the VAE {name} by its name alone",
    "none_inside": (
        "{path} carries no recipe that kanna can read.",
        "Merges of kanna, A1111, SuperMerger and sd-mecha carry one, unless it was left out.",
    ),
    "no_utf8": ("{path} is no text in UTF-8: {reason}.", "Save it as UTF-8."),
    "sources_missing": (
        "Models of the recipe were not found: {names} ({path} …).",
        "Name the folder that they are in with --models; kanna recipe show tells their hashes.",
    ),
    "converted": "{path} holds a recipe of {program}; it was converted.",
    "counted": "{models} models, {steps} steps",
    "written_by": "a recipe of {program}, converted",
    "state_found": "found:",
    "state_library": "found in the library:",
    "state_missing": "not found",
    "state_other": "another file:",
    "output": "output: {wishes}",
    "axis": "{path} takes {count} values: {numbers}",
    "ancestors": "models behind these:",
    "makes_sense": "makes sense",
}
