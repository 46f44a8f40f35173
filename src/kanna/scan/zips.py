"""Checkpoints in a zip: every member by its content, every byte between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

from kanna.errors import FormatError
from kanna.formats.checkpoint.pickle_machine import MAX_STREAM
from kanna.formats.checkpoint.pickle_survey import survey, survey_at
from kanna.formats.checkpoint.torch_storages import parse_storage_id
from kanna.formats.checkpoint.torch_zip import MARKERS
from kanna.formats.checkpoint.zip_archive import Archive
from kanna.formats.checkpoint.zip_survey import inflated, local_files, unaccounted
from kanna.messages import size_text
from kanna.model import Note
from kanna.scan.members import check_name, examine, examine_at, examine_loosely, judge_streams
from kanna.scan.values import Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kanna.disk import InputFile
    from kanna.formats.checkpoint.zip_archive import Member
    from kanna.scan.report import Report

_PICKLE: Final = "data.pkl"
_MAX_MARKER: Final = 256
_CHUNK: Final = 4 << 20


def scan_zip(report: Report, file: InputFile, *, deep: bool) -> None:
    """Add what is wrong with a zip to `report`.

    With `deep`, the checksums of the storages are computed, too.
    """
    try:
        archive = Archive(file)
        holes = list(unaccounted(file, archive))
    except FormatError as error:
        report.add_error(error, Place(path=file.path))
        examine_loosely(report, file)
        _say_how_much_is_there(report, file, error)
        return
    _judge_holes(report, file, archive, holes)
    try:
        _judge_members(report, file, archive, deep=deep)
    except FormatError as error:
        report.add_error(error, Place(path=file.path))
        examine_loosely(report, file)


def _judge_holes(
    report: Report, file: InputFile, archive: Archive, holes: list[tuple[int, int]]
) -> None:
    end = file.size - archive.trailing
    if archive.trailing:
        holes.append((end, archive.trailing))
    if archive.comment:
        holes.append((end - archive.comment, archive.comment))
    remarks = sum(member.remarks for member in archive.entries)
    if remarks:
        note = Note("scan.ks203_remarks", {"count": remarks})
        report.add("KS203", note, Place(path=file.path))
    for offset, count in holes:
        place = Place(path=file.path, offset=offset)
        report.add("KS203", Note("scan.ks203_is", {"count": count, "offset": offset}), place)
        examine_at(report, file, offset, 0, place)
    report.accounted -= remarks + sum(count for _, count in holes)


def _judge_members(report: Report, file: InputFile, archive: Archive, *, deep: bool) -> None:
    storages = _judge_object(report, file, archive)
    for name, member in archive.members.items():
        place = Place(path=file.path, member=_shown(member), offset=_offset(member))
        check_name(report, _shown(member), place)
        if name in storages:
            _check_sum(report, member, place, wanted=deep)
        elif name != _PICKLE:
            small = member.nbytes <= _MAX_MARKER
            _check_sum(report, member, place, wanted=member.nbytes < _CHUNK)
            _judge_other(report, file, archive, member, place, known=name in MARKERS and small)
    for member in archive.entries:
        if member.name.endswith(b"/") and member.nbytes:  # a folder that holds bytes itself
            place = Place(path=file.path, member=_shown(member), offset=_offset(member))
            _judge_other(report, file, archive, member, place, known=False)


def _judge_object(report: Report, file: InputFile, archive: Archive) -> set[str]:
    """Judge ``data.pkl`` and return the names of the members that it takes for storages."""
    member = archive.members.get(_PICKLE)
    if member is None:
        return set()
    place = Place(path=file.path, member=_shown(member), offset=_offset(member))
    if member.nbytes > MAX_STREAM:
        report.add("KS305", Note("scan.ks305_pickle", {"size": size_text(member.nbytes)}), place)
        data = inflated(file, member.start(), _CHUNK) if member.method else b""
    else:
        data = member.read()
        _check_sum(report, member, place, wanted=True)
    judge_streams(report, data, place)
    return _storages(report, survey(data, sweep=False).persistent, place)


def _storages(report: Report, persistent: Iterable[object], place: Place) -> set[str]:
    found: set[str] = set()
    for value in persistent:
        try:
            found.add(f"data/{parse_storage_id(value, 5).key}")
        except ValueError:
            report.add("KS112", Note("scan.ks112_is"), place)
    return found


def _judge_other(
    report: Report, file: InputFile, archive: Archive, member: Member, place: Place, *, known: bool
) -> None:
    if member.method:
        data = inflated(file, member.start(), _CHUNK)
        pickled = examine(report, data, place)
    else:
        pickled = bool(member.nbytes) and examine_at(report, file, member.start(), 0, place)
    if pickled:
        report.add("KS205", Note("scan.ks205_is", {"member": _shown(member)}), place)
    elif not known and not _is_program(archive):
        report.add("KS204", Note("scan.ks204_is", {"member": _shown(member)}), place)


def _is_program(archive: Archive) -> bool:
    """Whether this is TorchScript, of which the reader says so once for all of its files."""
    return "constants.pkl" in archive.members


def _check_sum(report: Report, member: Member, place: Place, *, wanted: bool) -> None:
    if not wanted:
        return
    found = 0
    step = member.nbytes if member.method else _CHUNK
    for offset in range(0, member.nbytes, step or 1):
        piece = bytearray(min(step, member.nbytes - offset))
        member.part(offset, len(piece)).read_into(0, memoryview(piece))
        found = crc32(piece, found)
    if found != member.crc:
        report.add("KS202", Note("scan.ks202_is", {"member": _shown(member)}), place)


def _say_how_much_is_there(report: Report, file: InputFile, error: FormatError) -> None:
    """Where a download stopped, the pickle at its beginning tells how large the whole is."""
    if error.key != "checkpoint.zip_truncated":
        return
    first = next(local_files(file), None)
    if first is None or first.name.casefold().rpartition("/")[2] != _PICKLE:
        return
    sizes: dict[str, int] = {}
    for value in survey_at(file, first.start, sweep=False).persistent:
        try:
            storage = parse_storage_id(value, 5)
        except ValueError:
            return
        sizes[storage.key] = storage.nbytes
    need = sum(sizes.values())
    if need > file.size:
        report.add_cut_short(file.path, have=file.size, need=need)


def _shown(member: Member) -> str:
    return member.name.decode("utf-8", "surrogateescape")


def _offset(member: Member) -> int | None:
    return None if member.method else member.start()
