"""`kanna library undo`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "移動、名前の変更、ごみ箱を元に戻します。",
    "help": "N 番の操作、または元に戻せる最後の操作のファイルを元の場所に戻します。その後ファイルが変更されている場合や、元の場所に別のものがある場合は戻しません。強制終了で中断された操作があれば、ファイルを動かすほかのコマンドと同じく、先に処理します。それで元に戻したものがあれば、ほかの操作は戻しません。",
    "option_list": "実行した操作を新しい順に表示します。",
    "option_resume": "中断された操作の処理だけを行います。",
    "bad_number": (
        "「{text}」は操作の番号ではありません。",
        "kanna library undo --list の番号か last を指定してください。",
    ),
    "none": "まだ何も移動、コピー、削除していません。",
    "nothing_left": "中断された操作はありません。",
    "state_done": "完了",
    "state_undone": "元に戻した",
    "state_failed": "実行せず",
    "state_open": "実行中または中断",
    "row_more": "{path} ほか {count} 個",
    "examples": "例:\n\n  kanna library undo --list\n\n  kanna library undo\n\n  kanna library undo 12 --dry-run",
}
