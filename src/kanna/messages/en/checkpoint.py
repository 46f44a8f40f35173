"""About checkpoints: zip, legacy and tar files of torch, and the pickles inside them."""

from __future__ import annotations

from typing import Final

_AGAIN: Final = "The file is damaged or was changed; download or copy it again."
_MADE: Final = "torch.save writes no such file; do not load it with other tools, get it elsewhere."

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    # pickles
    "pickle_truncated": ("The pickle in {path} ends too early.", _AGAIN),
    "pickle_budget": ("The pickle in {path} is larger than any model needs.", _MADE),
    "pickle_duplicate": ("A dict in {path} has the same key twice.", _MADE),
    "pickle_frame": ("The frames of the pickle in {path} do not fit its content.", _MADE),
    "pickle_opcode": ("The pickle in {path} uses an instruction that no model needs.", _MADE),
    "pickle_stack": ("The instructions of the pickle in {path} do not fit together.", _MADE),
    "pickle_target": ("The pickle in {path} changes or calls something that is no object.", _MADE),
    "pickle_value": ("The pickle in {path} holds a value that cannot be one.", _MADE),
    # zip
    "zip_truncated": (
        "{path} is a zip file without its end: the download or copy stopped at {size:,} bytes.",
        "Download or copy it again.",
    ),
    "zip_broken": ("The directory of the zip file {path} does not add up.", _AGAIN),
    "zip_disagrees": ("{member} in {path} is not what the zip directory says.", _AGAIN),
    "zip_method": (
        "{path} is an encrypted zip file, or packed by a method that torch does not use.",
        "Unpack it with the program that made it.",
    ),
    "zip_overlap": ("Files inside {path} overlap or lie outside it.", _AGAIN),
    "zip_bomb": ("{path} would unpack to more than any model would.", _MADE),
    "zip_roots": ("The files inside {path} are not in one folder.", _MADE),
    "zip_doubled": ("{path} holds two files called {member}.", _MADE),
    "zip_other": (
        "{path} is a zip file, but not a checkpoint; it holds {member}.",
        "If there is a model inside, unpack it and open that.",
    ),
    "torchscript": (
        "{path} is TorchScript: a program with weights, not a checkpoint.",
        "Get the model as a checkpoint or as safetensors.",
    ),
    "byteorder": ("{path} does not say in which order its bytes are.", _AGAIN),
    "deflate_broken": ("A compressed part of {path} is damaged.", _AGAIN),
    # legacy and tar
    "not_torch": (
        "{path} is a pickle that torch.save did not write.",
        "Only checkpoints of torch can be read; do not load it with other tools.",
    ),
    "legacy_version": ("{path} says that it is of an unknown version of torch.", _MADE),
    "legacy_storage": ("{path} names a block of data in a way that torch does not.", _MADE),
    "legacy_keys": ("The list of data blocks in {path} does not fit its content.", _MADE),
    "legacy_count": ("A data block in {path} has another length than declared.", _AGAIN),
    "legacy_size": ("{path} differs by {missing:,} bytes from the size that it declares.", _AGAIN),
    "tar_broken": ("{path} is a tar file, but not a whole checkpoint of an old torch.", _AGAIN),
    # tensors
    "tensor_lie": ("The numbers of tensor {name} in {path} do not add up.", _AGAIN),
    "expands": ("Tensor {name} in {path} is far larger than the data it shows.", _MADE),
    "endless": ("The content of {path} is nested without end.", _MADE),
    "name_type": ("A tensor in {path} has a name that is neither text nor a number.", _MADE),
    "name_doubled": ("Two tensors in {path} would be called {name}.", _MADE),
    "only_code": (
        "{path} asks for code to be run ({names}) and holds no tensor that could be read.",
        "Do not load this file with other tools.",
    ),
    # tensors that are understood and cannot be converted
    "refused_sparse": "{name} is a sparse tensor.",
    "refused_nested": "{name} is a nested tensor.",
    "refused_quantized": "{name} is a tensor quantised by torch.",
    "refused_device": "{name} was saved in the form of another device.",
    "refused_meta": "{name} has a shape but no data.",
    "refused_subclass": "{name} is of a class of its own, which may change its values.",
    "refused_dtype": "{name} is of a number type that safetensors does not know.",
    "refused_flags": "{name} is stored conjugated or negated.",
    "refused_reserved": "{name} is a name that safetensors keeps for itself.",
    "refused_surrogate": "{name} is a name that cannot be written as UTF-8.",
    # notes
    "unknown_globals": "Asks for what no model needs ({count}): {names}. Programs that unpickle the file may run it; kanna does not, and no output carries it.",
    "extra_tensors": "{key} holds {count:,} more tensors of {nbytes:,} bytes beside the model.",
    "extras_cut": "What lies beside the model is too large or too deep to be shown whole.",
    "extra_members": "Holds {count:,} files that are no part of a checkpoint, such as {member}.",
    "trailing_bytes": "{count:,} bytes follow the end of the zip file.",
    "after_stop": "{count:,} bytes follow the end of the pickle.",
    "crc_differs": "The checksum of the pickle is wrong.",
    "legacy_big_endian": "Says that it was written big-endian; torch stores little-endian anyway.",
}
