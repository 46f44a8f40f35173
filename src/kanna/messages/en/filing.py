"""About moving, copying, renaming and removing models with their companions."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "option_dry_run": "Say what would be done, and do nothing.",
    "option_to": "A folder; or active or backup: the same place below the folders of that role in the library.",
    "option_on_conflict": "If something else is at the new place: refuse everything (default), skip that model, or take a new name (NAME-2).",
    "why_shared": "copied, for another model of this name stays",
    "why_shared_left": "stays, for another model of this name stays",
    "why_there": "the same is there already",
    "why_replaced": "names inside follow",
    "why_changed": "stays, for it was changed",
    "plan_files": "Files: {count}, {size}",
    "plan_copied": "{size} of them are written anew, and verified before anything goes",
    "skipped": "skipped: {reason}",
    "done_move": "moved (no. {number})",
    "done_copy": "copied and verified (no. {number})",
    "done_rename": "renamed (no. {number})",
    "done_delete": "deleted (no. {number})",
    "done_trash": "in the trash (no. {number})",
    "done_undo": "back where they were (no. {number})",
    "nothing_done": "Nothing was done.",
    "refused_all": "Nothing was done, because some of it cannot be done.",
    "can_undo": "`kanna library undo {number}` takes it back.",
    "not_followed": "The library could not be told; the next filing or kanna library scan does that.",
    "settled_finished": "No. {number} ({verb}) was broken off; it is finished now: {path}",
    "settled_taken_back": "No. {number} ({verb}) was broken off; all is where it was: {path}",
    "shard_missing": "{name} is a shard that is missing; the others go.",
    "vae_of": "{name} is the VAE of {owner}, which stays.",
    "not_there": "{path} is not what was put there; so the files at the old place stay.",
    "left_behind": "{path} could not be removed ({reason}); it is at its new place, too.",
    "left_changed": "{path} was changed meanwhile and stays; what it was before is at the new place.",
    "interrupted_after": (
        "Stopped after {path} and its companions, which are done.",
        "kanna library undo --list shows what was done; the other models are where they were.",
    ),
    "remote": ("{path} is not on this machine.", "Name files and folders on its disks."),
    "rename_one": ("Only one model at a time gets a new name.", "Name one FILE."),
    "bad_stem": (
        "“{stem}” cannot be the name of a file on every system.",
        'Give a name without folder and suffix, without < > : " / \\ | ? *, dots or blanks at its end, and no device of Windows such as con.',
    ),
    "same_name": ("{path} is called {stem} already.", "Give another name."),
    "same_place": ("{path} is in {folder} already.", "Give another folder."),
    "into_itself": ("{path} cannot go into itself: {folder}.", "Give another folder."),
    "long_name": ("The name of {path} is too long for its disk.", "Give a shorter one."),
    "protected": (
        "{path} is write-protected, so it is not deleted.",
        "Take the protection off, or put it in the trash.",
    ),
    "leads_out": (
        "{path} holds links that lead out of it ({name}); moved, they would lead nowhere.",
        "Copy it with kanna library copy: the copy holds the files themselves.",
    ),
    "link_to_folder": (
        "{path} is a link to the folder {target}.",
        "Name that folder itself; a link can be moved, not copied.",
    ),
    "no_model_folder": (
        "{path} is a folder, and no diffusers model.",
        "Name the files in it: {path}/*",
    ),
    "twice": (
        "{path} would be made twice, also of {source}.",
        "Move them one by one, or take new names with --on-conflict rename.",
    ),
    "exists": (
        "{path} exists and is something else than {source}.",
        "Look at both; --on-conflict skip leaves such models where they are, --on-conflict rename gives them a new name.",
    ),
    "changed": (
        "{path} changed after this was planned; nothing was done to it.",
        "Wait until nothing writes to it, and run the command again.",
    ),
    "changed_since": (
        "{path} was changed since it was put there.",
        "Move it back by hand, or with kanna library move.",
    ),
    "in_trash": ("{path} is in the trash already.", "kanna library delete removes it for good."),
    "trash_full": ("There is no free name in the trash {path}.", "Empty the trash."),
    "nothing_to_undo": (
        "There is nothing that can be taken back.",
        "kanna library undo --list shows what was done.",
    ),
    "cannot_undo": (
        "No. {number} ({verb}) cannot be taken back.",
        "Moves, renamings and the trash can; remove copies with kanna library delete.",
    ),
    "undone": ("No. {number} was taken back already.", "kanna library undo --list shows the rest."),
    "no_such_filing": (
        "There is no number {number}.",
        "kanna library undo --list shows all.",
    ),
    "no_roles": (
        "The library has no folder of the role {role}.",
        "Add one with kanna library add FOLDER --role {role}, or name a folder: ./{role}",
    ),
    "no_root": (
        "{path} is in no folder of the library from which it could go to {role}.",
        "Add its folder to the library, or name a folder with --to.",
    ),
    "no_place": (
        "No folder of the role {role} has a place for {path}.",
        "Name a folder with --to.",
    ),
    "several_places": (
        "{path} could go to several folders of the role {role}: {places}.",
        "Name one of them with --to.",
    ),
}
