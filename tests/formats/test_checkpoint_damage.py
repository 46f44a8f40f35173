"""Benign checkpoints, damaged at random: an error in words or a readable file, nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from attacks.cases import DATA, NAME
from attacks.containers import legacy_file, legacy_tensor, tar_file, zip_file
from attacks.pickles import call, stream, tensor
from kanna.disk import InputFile
from kanna.errors import KannaError
from kanna.formats.checkpoint import open_checkpoint

_CONTENT = {"state_dict": {NAME: tensor("0"), "t": tensor("0", (3, 2), stride=(1, 3))}, "epoch": 3,
            "scalar": call("collections", "OrderedDict", [["a", 1], ["b", (2.5, None)]])}  # fmt: skip
BENIGN = {
    "zip": zip_file(stream(_CONTENT), {"0": DATA}, extra={"byteorder": b"little"}),
    "deflated": zip_file(stream(_CONTENT), {"0": DATA}, deflated=True),
    "legacy": legacy_file(stream({NAME: legacy_tensor("7", (2, 3), 6)}), {"7": (6, DATA)}),
    "tar": tar_file([1, 2, 3, 4, 5, 6]),
}
ROUNDS = 400


def _damage(data: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(damaged))
        match chance.randrange(5):
            case 0:
                damaged[at] ^= 1 << chance.randrange(8)
            case 1:
                damaged[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                del damaged[at : at + chance.randrange(1, 20)]
            case 3:
                damaged[at:at] = chance.randbytes(chance.randrange(1, 20))
            case 4:
                piece = damaged[at : at + 40]
                to = chance.randrange(len(damaged))
                damaged[to : to + len(piece)] = piece
    return bytes(damaged)


@pytest.mark.parametrize("kind", BENIGN)
def test_damage_ends_in_words(kind: str, tmp_path: Path) -> None:
    chance = random.Random(f"kanna {kind}")
    path = tmp_path / "model.ckpt"
    messages = []
    for _ in range(ROUNDS):
        path.write_bytes(_damage(BENIGN[kind], chance))
        file = InputFile(path)
        try:
            for info in open_checkpoint(file).values():
                assert len(info.read()) == info.nbytes
        except KannaError as error:
            messages.append(error.message)
        finally:
            file.close()
    assert messages
    assert all("model.ckpt" in message for message in messages)


@pytest.mark.parametrize("kind", BENIGN)
def test_a_file_cut_anywhere_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.ckpt"
    data = BENIGN[kind].rstrip(b"\0") if kind == "tar" else BENIGN[kind]
    for end in range(0, len(data), 7):
        path.write_bytes(data[:end])
        file = InputFile(path)
        with pytest.raises(KannaError):
            open_checkpoint(file)
        file.close()
