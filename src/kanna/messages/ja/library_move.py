"""`kanna library move`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "モデルを付属ファイルごと移動します。",
    "help": "FILE を付属ファイルごと移動します。設定（.yaml）、VAE（.vae.pt）、.sha256、プレビュー画像、A1111 や Civitai などのメモが一緒に動きます。FILE にはパスのほか、ライブラリの番号（#12）、ハッシュ、ファイル名も使えます。\n\n別のディスクへ移すときは、すべてコピーして書き込みを確定し、読み直して照合してから元のファイルを消します。上書きはしません。いつ強制終了しても、古いファイルか新しいファイルのどちらかが必ずそろっていて、次に同種のコマンドを実行すると続きが処理されます。`kanna library undo` で元に戻せます。ライブラリのタグとメモも引き継がれます。",
    "examples": "例:\n\n  kanna library move old.safetensors --to /mnt/backup\n\n  kanna library move models/Lora/*.safetensors --to backup --dry-run\n\n  kanna library move anime_v2 --to active",
}
