"""`kanna library forget`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "フォルダーをライブラリから外します。",
    "help": "フォルダーと、その中のファイルについてライブラリが持つ情報をすべて外します。ファイルそのものは変わりません。プログラムのフォルダーを指定すると、それに属するフォルダーがすべて外れます。その一部だけを外した場合は、もう一度追加するまで対象になりません。タグとメモはほかのどこにもないため、ある場合は --force が必要です。",
    "examples": "例:\n\n  kanna library forget /mnt/old --dry-run\n\n  kanna library forget ~/ComfyUI --force",
    "option_force": "タグとメモも一緒に外します。",
    "option_dry_run": "外される内容を表示するだけで、変更しません。",
    "would": "外れるもの: モデル {models}、画像 {images}（タグ付き {tagged}、メモ付き {noted}）。変更はしていません。",
    "done": "外しました: モデル {models}、画像 {images}（タグ付き {tagged}、メモ付き {noted}）。ファイルそのものはそのままです。",
}
