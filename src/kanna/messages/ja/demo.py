"""`kanna demo`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "ダミーのチェックポイントで一連の作業を実演します。",
    "help": "2022 年ごろの典型的なチェックポイント（Stable Diffusion 1.5、fp32、EMA 付き、Lightning 形式、"
    "position_ids 破損。名前と形状は本物、数値はダミー）と VAE を作り、inspect → convert → inspect を一通り"
    "実行します。\n\n一時的に 2.5 GB の空き容量を使います。",
    "examples": "例:\n\n  kanna demo\n\n  kanna demo --full --folder somewhere",
    "option_full": "7.7 GB すべてに数値を書き込みます。省略すると、大きなテンソルの中身は書き込みません（スパースファイル）。",
    "option_folder": "このフォルダーで作業し、ファイルを残します。",
    "making": "壊れたチェックポイントと VAE を {folder} に作ります",
    "step": "$ {command}",
    "compare": "変換前と変換後",
    "yes": "あり",
    "no": "なし",
    "row_file": "ファイル",
    "row_size": "サイズ",
    "row_runs_code": "ほかのプログラムでコードが実行されるおそれ",
    "row_dtype": "精度",
    "row_tensors": "テンソル数",
    "row_junk": "不要なテンソル",
    "row_time": "時間",
    "row_memory": "最大メモリ",
    "ids_ok": "正常",
    "ids_damaged": "破損",
    "ids_float": "浮動小数",
    "ids_absent": "なし",
    "ids_unread": "未確認",
}
