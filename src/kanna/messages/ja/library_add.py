"""`kanna library add`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "フォルダーをライブラリに追加します。",
    "help": "フォルダーをライブラリに追加して記憶します。中身は `kanna library scan` で読み込みます。A1111、Forge、ComfyUI、InvokeAI のフォルダーを指定すると、そのプログラムがモデルと画像を置くフォルダーと、設定（webui-user のオプション、config.json、extra_model_paths.yaml、invokeai.yaml）に書かれたフォルダーが追加されます。設定はテキストとして読むだけで、スキャンのたびに読み直します。それ以外のフォルダーは、下の階層まですべて対象になります。",
    "examples": "例:\n\n  kanna library add ~/stable-diffusion-webui ~/ComfyUI\n\n  kanna library add /mnt/backup --role backup --models\n\n  kanna library add extra_model_paths.yaml --dry-run",
    "option_role": "フォルダーの役割。active は使用中のモデル、backup は保管用のモデルです。",
    "option_images": "画像だけを対象にします。",
    "option_models": "モデルだけを対象にします。",
    "option_dry_run": "追加される内容を表示するだけで、変更しません。",
    "one_of_both": (
        "--images と --models は同時に指定できません。",
        "両方を対象にするには、どちらも付けないでください。",
    ),
    "next": "新しいフォルダー: {count} 個。kanna library scan で中身を読み込んでください。",
    "would": "追加されるフォルダー: {count} 個。変更はしていません。",
    "new": "新しいフォルダー: {count}",
    "known": "新しいフォルダーはありません",
}
