"""Programs' folders are known by their signs, and their settings are read as text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kanna.catalog.program_folders import layout_of
from kanna.errors import FormatError


def places(source: Path) -> dict[str, tuple[str, str | None, str | None]]:
    return {
        str(p.path.relative_to(source.parent)): (p.content, p.kind, p.role)
        for p in layout_of(source).places
    }


def folders(base: Path, *names: str) -> None:
    for name in names:
        (base / name).mkdir(parents=True, exist_ok=True)


def test_a1111_keeps_kinds_apart_and_pictures_in_outputs(tmp_path: Path) -> None:
    ui = tmp_path / "ui"
    folders(ui, "models/Stable-diffusion", "models/Lora", "models/VAE", "embeddings", "outputs")
    folders(ui, "venv/lib")
    found = places(ui)
    assert layout_of(ui).program == "a1111"
    assert found["ui/models/Stable-diffusion"] == ("models", "checkpoint", None)
    assert found["ui/models/Lora"] == ("models", "lora", None)
    assert found["ui/outputs"] == ("images", None, None)
    assert found["ui/models"] == ("models", None, None)
    assert not any("venv" in path for path in found)


def test_forge_is_a1111_with_folders_of_its_own(tmp_path: Path) -> None:
    folders(tmp_path / "f", "modules_forge", "models/Stable-diffusion", "models/text_encoder")
    assert layout_of(tmp_path / "f").program == "forge"
    assert places(tmp_path / "f")["f/models/text_encoder"][1] == "text_encoder"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("webui-user.sh", 'export COMMANDLINE_ARGS="--xformers --ckpt-dir \'{0}/my models\'"\n'),
        ("webui-user.sh", "#export COMMANDLINE_ARGS=--ckpt-dir /no\nBIG={0}\n"
         'COMMANDLINE_ARGS="--ckpt-dir \\\n \'${{BIG}}/my models\' --listen"\n'),
        ("webui-user.bat", 'set COMMANDLINE_ARGS=--medvram --ckpt-dir "{0}/my models"\r\n'),
        ("webui-user.bat", "@REM set X=1\r\nset HOME_OF={0}\r\nset COMMANDLINE_ARGS=^\r\n"
         ' --ckpt-dir="%HOME_OF%/my models"\r\n'),
    ],
)  # fmt: skip
def test_the_command_line_of_a_launcher_names_folders(tmp_path: Path, name: str, text: str) -> None:
    folders(tmp_path, "ui/models/Stable-diffusion", "my models")
    (tmp_path / "ui" / name).write_text(text.format(tmp_path), newline="")
    assert places(tmp_path / "ui")["my models"] == ("models", "checkpoint", None)


def test_a_launcher_is_never_run(tmp_path: Path) -> None:
    folders(tmp_path, "ui/models/Stable-diffusion")
    (tmp_path / "ui/webui-user.sh").write_text(
        f'COMMANDLINE_ARGS="--ckpt-dir $(touch {tmp_path}/ran)"\ntouch {tmp_path}/ran\n'
    )
    layout_of(tmp_path / "ui")
    assert not (tmp_path / "ran").exists()


def test_config_json_names_pictures_and_backups(tmp_path: Path) -> None:
    ui = tmp_path / "ui"
    folders(ui, "models/Stable-diffusion", "mine")
    folders(tmp_path, "backup")
    settings = {"outdir_txt2img_samples": "mine", "backup_dir": str(tmp_path / "backup"),
                "outdir_grids": "", "sd_model_checkpoint": "x"}  # fmt: skip
    (ui / "config.json").write_text(json.dumps(settings))
    assert places(ui)["ui/mine"] == ("images", None, None)
    assert places(ui)["backup"] == ("models", None, "backup")


def test_a_broken_config_is_told_and_stops_nothing(tmp_path: Path) -> None:
    folders(tmp_path, "ui/models/Stable-diffusion")
    (tmp_path / "ui/config.json").write_text("{")
    found = layout_of(tmp_path / "ui")
    assert [note.key for note in found.notes] == ["library.settings_unreadable"]
    assert found.places


def test_comfyui_reads_extra_model_paths(tmp_path: Path) -> None:
    ui = tmp_path / "package/ComfyUI"
    folders(ui, "models/checkpoints", "models/loras", "output", "custom_nodes")
    folders(tmp_path, "other/models/Stable-diffusion", "other/a", "other/b")
    (ui / "extra_model_paths.yaml").write_text(
        f"a111:\n  base_path: {tmp_path}/other\n  is_default: true\n"
        "  checkpoints: models/Stable-diffusion\n  loras: |\n    a\n    b\n    gone\n"
    )
    found = places(tmp_path / "package")
    assert found["package/ComfyUI/models/loras"] == ("models", "lora", None)
    assert found["package/ComfyUI/output"] == ("images", None, None)
    assert found["other/models/Stable-diffusion"] == ("models", "checkpoint", None)
    assert (found["other/a"][1], found["other/b"][1]) == ("lora", "lora")
    assert not any("gone" in path or "custom" in path for path in found)


def test_an_extra_model_paths_file_may_be_named_itself(tmp_path: Path) -> None:
    folders(tmp_path, "vaes")
    file = tmp_path / "extra_model_paths.yaml"
    file.write_text("x:\n  vae: vaes\n")
    assert [(p.path, p.kind) for p in layout_of(file).places] == [(tmp_path / "vaes", "vae")]
    file.write_text("x: !!python/object:os.system {}\n")
    with pytest.raises(FormatError):
        layout_of(file)


@pytest.mark.parametrize(
    "text", ["models_dir: big\n", "InvokeAI:\n  Paths:\n    models_dir: big\n"]
)
def test_invokeai_of_any_version_names_its_folders(tmp_path: Path, text: str) -> None:
    folders(tmp_path, "i/big", "i/outputs/images")
    (tmp_path / "i/invokeai.yaml").write_text(text)
    assert layout_of(tmp_path / "i").program == "invokeai"
    assert {"i/big", "i/outputs/images"} <= places(tmp_path / "i").keys()


def test_any_other_folder_stands_for_itself(tmp_path: Path) -> None:
    assert [(p.path, p.content) for p in layout_of(tmp_path).places] == [(tmp_path, "both")]
