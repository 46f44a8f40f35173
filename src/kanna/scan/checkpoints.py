"""Checkpoints of torch, in a zip, a tar or back to back: every pickle in them, every byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kanna.errors import FormatError, KannaError, UnsafeFile
from kanna.formats.checkpoint import open_checkpoint, open_container
from kanna.formats.checkpoint.pickle_machine import MAX_STREAM
from kanna.formats.checkpoint.pickle_survey import survey_at
from kanna.formats.checkpoint.pickle_vm import Pickle, read_pickle_at
from kanna.formats.checkpoint.torch_tar import open_tar, tar_members
from kanna.model import Note
from kanna.scan.members import examine, examine_at, examine_loosely, has_zip_at_end
from kanna.scan.pickles import is_pickle, judge
from kanna.scan.values import Place
from kanna.scan.zips import scan_zip

if TYPE_CHECKING:
    from kanna.disk import InputFile
    from kanna.scan.report import Report

_STREAMS_OF_TORCH: Final = 5
_MAX_STREAMS: Final = 64
_TAR_MEMBERS: Final = ("storages", "tensors", "pickle")
_SYSTEM: Final = "sys_info"
_BLOCK: Final = 512
_MAX_BLOCKS: Final = 1 << 15
_PICKLE_BEGINS: Final = b"\x80(c]}"


def scan_checkpoint(report: Report, file: InputFile, *, deep: bool) -> None:
    """Add what is wrong with a checkpoint to `report`."""
    report.accounted += file.size
    head = file.read(0, min(file.size, 262))
    opened = _opens(report, file)
    if head.startswith(b"PK\x03\x04"):
        scan_zip(report, file, deep=deep)
    elif head[257:262] == b"ustar":
        _scan_tar(report, file)
    else:
        _scan_streams(report, file, opened=opened)
    if not opened:
        report.accounted -= file.size


def _opens(report: Report, file: InputFile) -> bool:
    """Whether the reader takes the file, with every number of it; if not, say why."""
    try:
        model = open_checkpoint(file)
    except UnsafeFile:
        return False  # what it asks for is told by the judges
    except KannaError as error:
        report.add_error(error, Place(path=file.path))
        if error.key.startswith("wrong_content.") or error.key == "checkpoint.not_torch":
            report.what = report.what or Note(error.key, error.values)
        _say_how_much_is_there(report, file, error)
        return False
    report.container = report.container or model.container
    return True


def _say_how_much_is_there(report: Report, file: InputFile, error: KannaError) -> None:
    missing = error.values.get("missing") if error.key == "checkpoint.legacy_size" else None
    if not isinstance(missing, int):
        return
    if missing > 0:
        report.add_cut_short(file.path, have=file.size, need=file.size + missing)
    elif file.size + missing > 0:
        start = file.size + missing
        place = Place(path=file.path, offset=start)
        report.add("KS203", Note("scan.ks203_is", {"count": -missing, "offset": start}), place)
        examine_at(report, file, start, 0, place)


def _scan_streams(report: Report, file: InputFile, *, opened: bool) -> None:
    """Judge pickles that lie back to back, as torch before 1.6 wrote them."""
    offset = 0
    for number in range(_STREAMS_OF_TORCH if opened else _MAX_STREAMS):
        found = survey_at(file, offset)
        if number and not opened and not _goes_on(file, offset) and not is_pickle(found):
            break
        judge(report, found, Place(path=file.path, offset=offset))
        if found.end is None or offset + found.end >= file.size:
            break
        offset += found.end
    if opened:
        _check_counts(report, file)
    elif has_zip_at_end(file):
        report.add("KS209", Note("scan.ks209_zip"), Place(path=file.path))
        examine_loosely(report, file)


def _goes_on(file: InputFile, offset: int) -> bool:
    return file.read(offset, 1) == b"\x80"


def _check_counts(report: Report, file: InputFile) -> None:
    """Hold the length in front of every storage against the pickle's."""
    try:
        _, (pickle, tensors, _) = open_container(file)
        for value in pickle.persistent:
            if type(value) is not tuple or value[:1] != ("module",):
                tensors.storage(value).record.start()
    except (FormatError, ValueError, LookupError) as error:
        broken = error if isinstance(error, FormatError) else None
        broken = broken or FormatError("checkpoint.legacy_storage", path=file.path)
        report.add_error(broken, Place(path=file.path))


def _scan_tar(report: Report, file: InputFile) -> None:
    ends_of_pickles: list[int] = []

    def read(source: InputFile, offset: int, window: int) -> Pickle:
        judge(report, survey_at(source, offset), Place(path=source.path, offset=offset))
        pickle = read_pickle_at(source, offset, window)
        ends_of_pickles.append(pickle.end)
        return pickle

    try:
        open_tar(file, read)
        members = tar_members(file)
    except (FormatError, ValueError) as error:
        if isinstance(error, FormatError):
            report.add_error(error, Place(path=file.path))
        _try_blocks(report, file, 0)
        return
    _judge_members(report, file, members, ends_of_pickles)
    ends = (at + -(-size // _BLOCK) * _BLOCK for at, size in members.values())
    _check_rest(report, file, max(ends))


def _judge_members(
    report: Report, file: InputFile, members: dict[str, tuple[int, int]], ends: list[int]
) -> None:
    """Judge members that torch did not write, and what follows the last pickle of its own."""
    for name, (at, size) in members.items():
        place = Place(path=file.path, member=name, offset=at)
        if name not in _TAR_MEMBERS:
            if name != _SYSTEM:
                report.add("KS204", Note("scan.ks204_is", {"member": name}), place)
            examine(report, file.read(at, min(size, MAX_STREAM)), place)
        elif name == "pickle" and at + size > ends[-1]:
            count = at + size - ends[-1]
            report.add("KS110", Note("scan.ks110_is", {"count": count}), place)
            examine(report, file.read(ends[-1], min(count, MAX_STREAM)), place)


def _check_rest(report: Report, file: InputFile, at: int) -> None:
    """Note what follows the last member of a tar, where only zeros belong."""
    rest = file.read(at, min(file.size - at, 1 << 20)) if at < file.size else b""
    if rest.strip(b"\0") or file.size - at > len(rest):
        count = file.size - at
        place = Place(path=file.path, offset=at)
        report.add("KS203", Note("scan.ks203_is", {"count": count, "offset": at}), place)
        _try_blocks(report, file, at)


def _try_blocks(report: Report, file: InputFile, start: int) -> None:
    """Judge every pickle that begins a block of a tar which cannot be read in order."""
    for number in range(_MAX_BLOCKS):
        at = start + number * _BLOCK
        if at >= file.size:
            return
        block = file.read(at, min(_BLOCK, file.size - at))
        if block[:1] in _PICKLE_BEGINS and block[:1]:
            place = Place(path=file.path, offset=at)
            found = survey_at(file, at, sweep=False)
            if is_pickle(found):
                reach = min(file.size - at, found.reached + 1)
                examine(report, file.read(at, reach), place)
