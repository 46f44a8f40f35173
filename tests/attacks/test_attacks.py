from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from attacks import cases
from attacks.alone import run_alone
from kanna.disk import InputFile
from kanna.errors import KannaError, UnsafeFile
from kanna.formats.checkpoint import open_checkpoint
from kanna.messages import set_language
from kanna.model import ModelFile


def opened(folder: Path, data: bytes) -> ModelFile:
    path = folder / "model.ckpt"
    path.write_bytes(data)
    return open_checkpoint(InputFile(path))


@pytest.mark.parametrize("what", cases.READABLE)
def test_tensors_beside_code_are_read_and_the_code_is_named(what: str, tmp_path: Path) -> None:
    with opened(tmp_path, cases.READABLE[what]) as model:
        assert model[cases.NAME].read() == cases.DATA
        assert model[cases.NAME].shape == (2, 3)
        assert list(model) == [cases.NAME]
        assert model.extras["epoch"] == 3


@pytest.mark.parametrize("what", cases.REFUSED)
def test_what_does_not_add_up_is_refused_with_a_sentence(what: str, tmp_path: Path) -> None:
    key, data = cases.REFUSED[what]
    with pytest.raises(KannaError) as caught:
        opened(tmp_path, data)
    assert caught.value.key == key
    for language in ("en", "ja"):
        set_language(language)
        assert "model.ckpt" in caught.value.message
        assert caught.value.hint


@pytest.mark.parametrize("what", cases.ENDLESS)
def test_endless_things_beside_tensors_are_cut_off(what: str, tmp_path: Path) -> None:
    with opened(tmp_path, cases.ENDLESS[what]) as model:
        assert model[cases.NAME].read() == cases.DATA
        assert "checkpoint.extras_cut" in [note.key for note in model.notes]
        assert len(repr(model.extras)) < 20_000_000


@pytest.mark.parametrize("what", cases.ENDLESS_NAMES)
def test_endless_nesting_among_tensors_is_refused(what: str, tmp_path: Path) -> None:
    with pytest.raises(KannaError, match="nested without end"):
        opened(tmp_path, cases.ENDLESS_NAMES[what])


def test_unknown_globals_are_named_in_a_note(tmp_path: Path) -> None:
    with opened(tmp_path, cases.READABLE["os.system"]) as model:
        note = next(note for note in model.notes if note.key == "checkpoint.unknown_globals")
        assert note.values["names"] == "os.system"


def test_a_file_of_nothing_but_code_is_called_unsafe(tmp_path: Path) -> None:
    with pytest.raises(UnsafeFile, match=r"os\.system"):
        opened(tmp_path, cases.REFUSED["nothing but code"][1])


_WATCHED_RUN = textwrap.dedent("""
    import os
    from pathlib import Path

    from attacks import cases
    from kanna.disk import InputFile
    from kanna.errors import KannaError
    from kanna.formats.checkpoint import open_checkpoint
    import kanna.formats.checkpoint.torch_zip, kanna.formats.checkpoint.torch_legacy, kanna.formats.checkpoint.torch_tar
    import kanna.formats.checkpoint.inflated_data, kanna.formats.checkpoint.strided_data, kanna.formats.checkpoint.pickle_vm
    import kanna.messages.en.checkpoint, kanna.messages.en.wrong_content, zlib
    from watching import Watch

    Path("model.ckpt").write_bytes(b"")
    watch = Watch()
    refused = [data for _, data in cases.REFUSED.values()]
    for data in (*cases.READABLE.values(), *refused, *cases.ENDLESS.values()):
        Path("model.ckpt").write_bytes(data)
        file = InputFile("model.ckpt")
        with watch:
            try:
                for tensor in open_checkpoint(file).values():
                    tensor.read()
            except KannaError as error:
                str(error)
        file.close()
    print(watch.seen)
    print(os.listdir())
""")


def test_no_file_makes_kanna_import_run_write_or_connect(tmp_path: Path) -> None:
    assert run_alone(_WATCHED_RUN, tmp_path).splitlines() == ["[]", "['model.ckpt']"]
