"""`kanna which picture.png`: real texts of A1111, Forge and ComfyUI, models under other names.

The models have real layouts and no content; what they would hash to is put into the cache of
hashes, so that published files can be played by holes.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from containers import safetensors_bytes
from kanna.api.library_adding import library_add
from kanna.api.library_scanning import library_scan
from kanna.cli import run
from kanna.disk import Fingerprint
from kanna.hashing.cache import HashCache
from kanna.hashing.digests import Digests
from kanna.hashing.known import known_models
from kanna.hashing.place import cache_path
from sparse import write_sparse

SD15 = "v1-5-pruned-emaonly.safetensors"
MSE = "vae-ft-mse-840000-ema-pruned.safetensors"
CIVITAI = {
    "id": 20, "modelId": 10, "name": "v1.0", "model": {"name": "Ink"},
    "files": [{"name": "ink_v10.safetensors", "type": "Model"}],
}  # fmt: skip


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def published(filename: str) -> str:
    return next(row.sha256 for row in known_models() if row.filename == filename)


def hashed(path: Path, sha256: str, data: str | None = None) -> Path:
    """Let the cache say what a file hashes to."""
    os.utime(path, (1_600_000_000, 1_600_000_000))
    digests = Digests(
        size=path.stat().st_size, sha256=sha256, data_sha256=data or sha(sha256),
        autov1=sha("autov1" + sha256)[:8], blake3=sha("blake3" + sha256), crc32=sha("crc" + sha256)[:8],
    )  # fmt: skip
    with HashCache(cache_path()) as cache:
        cache.keep(path, Fingerprint.of(path.stat()), digests)
    return path


pytestmark = pytest.mark.usefixtures("models")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A catalogued folder whose files have other names than pictures give them."""
    base = tmp_path_factory.mktemp("which")
    folder = base / "models"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KANNA_CACHE", str(base / "cache"))
        patch.setenv("KANNA_LIBRARY", str(base / "library.sqlite3"))
        make(folder)
        library_add([folder])
        library_scan()
        rename(folder / "old-lora.safetensors", folder / "renamed-lora.safetensors")
        library_scan()
        yield folder


def make(folder: Path) -> None:
    folder.mkdir()
    hashed(write_sparse(folder / "base15.safetensors", "sd15-fp16-pruned"), published(SD15))
    hashed(write_sparse(folder / "my mix.safetensors", "sd15-fp16-novae"), sha("mix"))
    hashed(write_sparse(folder / "mse.safetensors", "vae-sd1-ft-mse"), published(MSE))
    hashed(write_sparse(folder / "anime.safetensors", "vae-sd-prefixed-f32"), sha("anime"))
    hashed(
        write_sparse(folder / "flux vae.safetensors", "vae-flux-ae"), published("ae.safetensors")
    )
    clip = write_sparse(folder / "clip small.safetensors", "te-clip-l-fp16")
    hashed(clip, published("clip_l.safetensors"))
    lora = "lora-kohya-sd1-r4-noalpha"
    hashed(write_sparse(folder / "a.safetensors", lora), sha("a"), sha("data of a"))
    hashed(write_sparse(folder / "b.safetensors", lora), sha("b"))
    (folder / "b.civitai.info").write_text(json.dumps(CIVITAI))
    hashed(write_sparse(folder / "old-lora.safetensors", lora), sha("c"))
    embedding = {"emb_params": ("F32", [2, 768], b"\0" * 6144)}
    for name in ("EasyNeg", "girl"):
        (folder / f"{name}.safetensors").write_bytes(safetensors_bytes(embedding))
        hashed(folder / f"{name}.safetensors", sha(name))


def rename(old: Path, new: Path) -> None:
    old.rename(new)


def picture(path: Path, **texts: str) -> Path:
    info = PngImagePlugin.PngInfo()
    for keyword, text in texts.items():
        info.add_text(keyword, text)
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)
    return path


def document(capsys: pytest.CaptureFixture[str], *argv: str | Path) -> Any:
    run(["which", "--json", *map(str, argv)])
    return json.loads(capsys.readouterr().out)


def states(found: Any) -> dict[str, tuple[str, str | None]]:
    """What became of each model: its state and the file that it is, by its name."""
    return {
        model["name"] or model["digest"]: (
            model["state"],
            Path(model["matches"][0]["path"]).name if model["matches"] else None,
        )
        for model in found["models"]
    }


A1111 = f"""a girl, <lora:style:0.8>, (ink:1.2)
Negative prompt: EasyNeg, lowres
Steps: 20, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7, Seed: 1, Size: 512x512, Model hash: {{model}}, Model: someName_v51, VAE hash: {{vae}}, VAE: {{vae_name}}, Clip skip: 2, Lora hashes: "style: {sha("data of a")[:12]}", Version: v1.10.1"""


def a1111(**given: str) -> str:
    usual = {"model": sha("mix")[:10], "vae": published(MSE)[:10], "vae_name": MSE}
    return A1111.format(**usual | given)


def test_a_picture_of_a1111(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = picture(tmp_path / "p.png", parameters=a1111())
    found = document(capsys, path)
    assert states(found) == {
        "someName_v51": ("found", "my mix.safetensors"),
        MSE: ("found", "mse.safetensors"),
        "style": ("found", "a.safetensors"),
    }
    assert found["dialect"] == "a1111"
    assert run(["which", str(path)]) == 0
    text = capsys.readouterr().out
    for word in (str(models / "my mix.safetensors"), "by the first 10 digits of SHA-256", "0.8"):
        assert word in text


def test_the_hash_of_another_vae_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = picture(tmp_path / "p.png", parameters=a1111(vae=sha("anime")[:10]))
    (vae,) = [model for model in document(capsys, path)["models"] if model["role"] == "vae"]
    assert [(one["certainty"], Path(one["path"]).name) for one in vae["matches"]] == [
        ("likely", "mse.safetensors"), ("possible", "anime.safetensors"),
    ]  # fmt: skip
    assert [note["key"] for note in vae["notes"]] == ["which.vae_hash_lies"]


def test_what_is_missing_is_named_by_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pony = next(row for row in known_models() if row.filename.startswith("ponyDiffusionV6XL"))
    path = picture(tmp_path / "p.png", parameters=a1111(model=pony.sha256[:10]))
    model = document(capsys, path)["models"][0]
    assert model["state"] == "missing"
    assert model["known"][0]["filename"] == pony.filename
    assert run(["which", str(path)]) == 1
    text = capsys.readouterr().out
    assert pony.filename in text
    assert pony.sha256 in text
    unknown = picture(tmp_path / "u.png", parameters=a1111(model="0123456789"))
    assert document(capsys, unknown)["models"][0]["state"] == "missing"


def test_a_picture_of_forge_names_modules_without_hashes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        "a cat\nSteps: 20, Sampler: Euler, Schedule type: Simple, CFG scale: 1, Distilled CFG Scale: 3.5,"
        f" Seed: 1, Size: 64x64, Model hash: {sha('mix')[:10]}, Model: flux1-dev-bnb-nf4,"
        f' Lora hashes: "x: {sha("data of a")[:12]}", Version: f2.0.1v1.10.1-previous-669-gdfdcbab6,'
        " Diffusion in Low Bits: Automatic, Module 1: ae, Module 2: clip_l"
    )
    found = document(capsys, picture(tmp_path / "f.png", parameters=text))
    assert found["dialect"] == "forge"
    assert states(found) == {
        "flux1-dev-bnb-nf4": ("found", "my mix.safetensors"),
        "x": ("found", "a.safetensors"),
        "ae": ("likely", "flux vae.safetensors"),
        "clip_l": ("likely", "clip small.safetensors"),
    }


def comfyui(**names: str) -> str:
    def node(kind: str, **inputs: object) -> dict[str, object]:
        return {"class_type": kind, "inputs": inputs}

    return json.dumps({
        "1": node("CheckpointLoaderSimple", ckpt_name=names["model"]),
        "2": node("LoraLoader", lora_name=names["lora"], strength_model=0.8, strength_clip=1.0,
                  model=["1", 0], clip=["1", 1]),
        "3": node("CLIPTextEncode", text="a cat, embedding:EasyNeg", clip=["2", 1]),
        "4": node("CLIPTextEncode", text="", clip=["2", 1]),
        "5": node("EmptyLatentImage", width=512, height=512, batch_size=1),
        "6": node("KSampler", seed=1, steps=20, cfg=7.0, sampler_name="euler", scheduler="normal",
                  denoise=1.0, model=["2", 0], positive=["3", 0], negative=["4", 0],
                  latent_image=["5", 0]),
        "7": node("VAELoader", vae_name=names["vae"]),
        "8": node("VAEDecode", samples=["6", 0], vae=["7", 0]),
        "9": node("SaveImage", filename_prefix="c", images=["8", 0]),
    })  # fmt: skip


@pytest.mark.parametrize(
    ("lora", "file", "meaning"),
    [("sub\\ink_v10.safetensors", "b.safetensors", "companion"),
     ("old-lora.safetensors", "renamed-lora.safetensors", "former"),
     ("sub/a.safetensors", "a.safetensors", "name")],
)  # fmt: skip
def test_a_picture_of_comfyui_knows_only_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
    lora: str, file: str, meaning: str,
) -> None:  # fmt: skip
    text = comfyui(model=f"SD1.5\\{SD15}", vae=MSE, lora=lora)
    found = document(capsys, picture(tmp_path / "c.png", prompt=text))
    assert found["dialect"] == "comfyui"
    named = states(found)
    assert named.pop(lora) == ("likely", file)
    assert named == {
        f"SD1.5\\{SD15}": ("likely", "base15.safetensors"),
        MSE: ("likely", "mse.safetensors"),
        "EasyNeg": ("likely", "EasyNeg.safetensors"),
    }
    (one,) = [model for model in found["models"] if model["role"] == "lora"]
    assert meaning in (one["matches"][0]["meaning"], *one["matches"][0]["also"])


def test_embeddings_of_old_pictures_are_words_of_the_prompt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = a1111().replace(", Version: v1.10.1", "")
    found = states(document(capsys, picture(tmp_path / "p.png", parameters=old)))
    assert found["EasyNeg"] == ("likely", "EasyNeg.safetensors")
    assert found["girl"] == ("possible", "girl.safetensors")
    new = states(document(capsys, picture(tmp_path / "n.png", parameters=a1111())))
    assert "girl" not in new
    told = old + f', TI hashes: "EasyNeg: {sha("EasyNeg")[:12]}"'
    named = states(document(capsys, picture(tmp_path / "t.png", parameters=told)))
    assert named["EasyNeg"] == ("found", "EasyNeg.safetensors")
    assert "girl" not in named


def test_a_file_of_the_name_with_another_hash_does_not_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = a1111(model=sha("another")[:10]).replace("someName_v51", "my mix")
    found = states(document(capsys, picture(tmp_path / "p.png", parameters=text)))
    assert found["my mix"] == ("missing", "my mix.safetensors")


def test_a_digest_alone_costs_no_more_than_it_must() -> None:
    """Neither pictures nor dialects are loaded where nothing of the kind is asked."""
    script = (
        "import sys; from kanna.cli import run; run(['which', '7460a6fa', '--no-library']);"
        "print(*(m for m in sys.modules if m.startswith(('kanna.pictures', 'kanna.infotext',"
        " 'kanna.catalog.matching', 'platformdirs'))), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "sd-v1-4.ckpt" in done.stdout
    assert done.stderr.split() == []


def test_texts_and_stdin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = tmp_path / "p.txt"
    path.write_text(a1111(), encoding="utf-8")
    expected = document(capsys, path)["models"]
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(a1111().encode())))
    assert document(capsys, "-")["models"] == expected
    assert expected[0]["state"] == "found"
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"\xff\xfe\xff")))
    assert run(["which", "-"]) == 10
    capsys.readouterr()


def test_a_digest_is_looked_up_in_the_library(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("KANNA_CACHE", str(tmp_path / "empty"))
    found = document(capsys, sha("mix")[:10])
    (hit,) = found["hits"]
    assert (hit["file"]["path"], hit["file"]["origin"]) == (
        str(models / "my mix.safetensors"), "library",
    )  # fmt: skip
    assert hit["file"]["is_there"]
    assert not document(capsys, "--no-library", sha("mix")[:10])["found"]


def test_a_library_may_be_named_and_must_be_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    library = os.environ["KANNA_LIBRARY"]
    path = picture(tmp_path / "p.png", parameters=a1111())
    monkeypatch.setenv("KANNA_LIBRARY", str(tmp_path / "none"))
    assert document(capsys, "--library", library, path)["library"] == library
    assert document(capsys, "--no-cache", path)["library"] is None
    assert run(["which", "--library", str(tmp_path / "none"), str(path)]) == 3
    assert not (tmp_path / "none").exists()
    capsys.readouterr()
    run(["which", str(path)])
    assert "There is no library" in capsys.readouterr().out
    run(["which", "--no-library", str(path)])
    assert "There is no library" not in capsys.readouterr().out


def test_pictures_that_say_nothing_and_files_that_are_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["which", str(picture(tmp_path / "bare.png"))]) == 3
    assert "does not say how it was made" in capsys.readouterr().err
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 20)
    assert run(["which", str(tmp_path / "broken.png")]) != 0
    assert run(["which", "no such thing"]) == 2
    assert run(["--lang", "ja", "which", str(picture(tmp_path / "p.png", parameters=a1111()))]) == 0
    assert "先頭 10 桁が一致" in capsys.readouterr().out
