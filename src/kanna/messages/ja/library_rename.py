"""`kanna library rename`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "モデルと付属ファイルの名前を変えます。",
    "help": "FILE とすべての付属ファイルの名前を NAME に変えます。NAME には FILE の拡張子を付けても付けなくてもかまいません。拡張子はそのままです。.sha256 と分割モデルのインデックスに書かれたファイル名も書き換え、ほかの内容は変えません。",
    "examples": "例:\n\n  kanna library rename 某モデル.safetensors some_model\n\n  kanna library rename model.safetensors model-fp16 --dry-run",
}
