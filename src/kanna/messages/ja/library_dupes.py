"""`kanna library dupes`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "重複しているモデルと、無駄になっている容量を調べます。",
    "help": "同じモデルを探します。ファイルがまったく同じもの、ヘッダーだけが違いデータは同じもの、精度や形式が違うだけで数値が同じものを見つけます。コピーについては、どれを残すかを提案し、残りが占める容量を表示します（何も削除しません）。リンクは容量を取らないので 1 つのファイルとして数えます。ハッシュ計算後に変更されたファイルは候補にしません。単語とオプションでの絞り込みは kanna library find と同じです。\n\n--parts を付けると、20 個のチェックポイントに入っている同じ VAE のように、中の部品が共通のモデルも表示します。\n\n比較できるのはハッシュ計算済みのファイルだけです（kanna library scan で計算します）。大きさとヘッダーが同じだけの場合は「同じ可能性がある」と表示します。コピーがあれば終了コードは 1 です。",
    "examples": "例:\n\n  kanna library dupes\n\n  kanna library dupes --kind lora\n\n  kanna library dupes --parts --json",
    "option_parts": "複数のモデルに共通する部品も表示します。",
    "same_file": "まったく同じファイルが {count} 個あります",
    "same_data": "ヘッダーだけが違い、データは同じファイルが {count} 個あります",
    "same_header": "データは同じでも、ヘッダーの内容が異なるファイルが {count} 個あります（削除は提案しません）",
    "same_twin": "精度や形式が違うだけの同じモデルが {count} 個あります",
    "same_possible": "同じ可能性のあるファイルが {count} 個あります（ハッシュ未計算、大きさとヘッダーが一致）",
    "wins": "{size} 減らせます",
    "keep": "残す（{reason}）",
    "reason_tagged": "タグかメモがあるため",
    "reason_active": "使用中のフォルダーにあるため",
    "reason_header": "ヘッダーが最も大きく、情報が多いため",
    "reason_named": "コピーらしい名前ではないため",
    "reason_first": "先に登録されたため",
    "reason_path": "パスが短いため",
    "link": "同じファイルへのリンク（容量は取りません）: {path}",
    "changed": "ハッシュ計算後に変更されたか、今は読めません（kanna library scan で調べ直せます）: {path}",
    "part": "{part}（{count} 個のファイルに共通）",
    "split_wins": "共有すれば {size} 減らせます",
    "more": "ほか {count} 個（-v ですべて表示）",
    "none": "重複は見つかりませんでした。",
    "total": "コピーをすべて取り除くと {size} 減らせます。kanna library trash なら、あとで元に戻せます。",
    "unhashed": "{count} 個のファイルはハッシュが未計算のため比較できませんでした。kanna library scan で計算できます。",
    "unparted": "{count} 個のモデルは部品ごとのハッシュが未計算です。kanna library scan --parts で計算できます。",
}
