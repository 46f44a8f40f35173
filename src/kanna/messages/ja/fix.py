"""`kanna fix`: what was mended and what was left."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "check で見つかった問題を直します。",
    "help": "`kanna check` で見つかった問題のうち、人が判断しなくても直せるものをすべて一度に直した複製を、各 FILE "
    "から作ります。入力ファイルは変更しません。直さなかったものは、対処方法とともに示します。",
    "examples": "例:\n\n  kanna fix model.ckpt --for generation -o model.safetensors\n\n"
    "  kanna fix model.safetensors --select KN203 --dry-run\n\n"
    "  kanna fix *.safetensors --ignore KN8 -o fixed/",
    "nothing": "直すところはありません。",
    "nothing_mechanical": "自動で直せるものはありません。",
    "mended": "{count} 件を直しました",
    "would_mend": "{count} 件を直せます",
    "pickle": (
        "{name} では、問題の 1 つである pickle 形式のままになります。",
        "出力の拡張子を .safetensors にするか、kanna convert を使ってください。",
    ),
    "config": "設定ファイル {path} も書き出しました。",
    "left": "ご自身での対処が必要なもの:",
    "remaining": "出力にまだ残っているもの:",
}
