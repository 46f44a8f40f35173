"""About making the output."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "threads": (
        "{threads} is no number of threads.",
        "Give a whole number from 1 up, or leave KANNA_THREADS unset.",
    ),
    "interrupted": ("Stopped.", "No half-made file was left; every input is as it was."),
    "does_not_fit": (
        "{name} cannot be made: its inputs differ from it in size, or have no arithmetic.",
        "Leave the tensor in its own dtype and shape.",
    ),
    "no_folder": (
        "{path} cannot be written: {folder} is no folder.",
        "Make the folder first, or choose another one.",
    ),
    "no_room": (
        "{path} needs {size:,} bytes, and {free:,} are free there.",
        "Free some space, or write to another disk.",
    ),
    "no_memory": (
        "Making {path} takes {size:,} bytes of memory, which are not there.",
        "Close other programs, set KANNA_THREADS=1, or use a machine with more memory.",
    ),
    "is_link": (
        "{path} is a symbolic link; kanna does not write through links.",
        "Give the path that it points to, or another name.",
    ),
    "not_a_file": ("{path} exists and is not a regular file.", "Choose another name."),
    "is_input": (
        "{path} is one of the inputs; kanna never writes over what it reads.",
        "Choose another name for the output.",
    ),
    "exists": ("{path} exists already.", "Choose another name, or replace it with --force."),
    "twice": (
        "{path} and {other} would be one file on some systems.",
        "Give the outputs names that differ in more than capitals.",
    ),
    "input_changed": (
        "{path} changed while it was read; no output was written.",
        "Wait until nothing writes to it, and run the command again.",
    ),
    "overflow": (
        "{values:,} values of {tensors:,} tensors are too large for their dtype or would become NaN: "
        "{names}. No output was written.",
        "Choose a wider dtype such as bf16 or fp32, or accept it with --allow-overflow.",
    ),
    "not_as_planned": (
        "{path} was written but reads back differently from the plan, and was removed.",
        "Check the disk and the memory; if they are sound, please report this.",
    ),
    "not_as_written": (
        "{path} does not read back the bytes that were written, and was removed.",
        "Check the disk, its cable and the memory: one of them changes data.",
    ),
    "disk_full": (
        "The disk of {path} is full; nothing was left there.",
        "Free some space, or write to another disk.",
    ),
    "quota": (
        "{path} would exceed your disk quota; nothing was left there.",
        "Free some space, or write to another disk.",
    ),
    "too_big": (
        "{path} would be larger than its disk, or a limit on your account, allows for one file.",
        "Write to another disk; FAT32 ends at 4 GiB.",
    ),
    "not_allowed": (
        "{path} cannot be written: {reason}.",
        "Check the permissions of its folder, or choose another one.",
    ),
    "write_failed": (
        "{path} could not be written: {reason}. Nothing was left there.",
        "Check the disk, or write to another one.",
    ),
    "edit_link": (
        "{path} is a symbolic link to {target}.",
        "Name that file itself; programs may know it by the hash of its content.",
    ),
    "edit_protected": (
        "{path} is write-protected.",
        "Take the protection off, or write to another file with -o.",
    ),
    "edit_names": (
        "{path} has {names} names (hard links); an edit would change the file under all of them.",
        "Write to another file with -o, or edit it under all names with --force.",
    ),
    "edit_damaged": (
        "{path} does not read back the weights that it had, although only its header was written to.",
        "Check the disk, its cable and the memory: one of them changes data.",
    ),
}
