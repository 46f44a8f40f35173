"""`kanna infotext edit`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "画像やテキストのプロンプトとパラメーターをまとめて編集します。",
    "help": "画像とテキストファイルのプロンプト、ネガティブプロンプト、パラメーターを編集します。変更しない部分は画像データも含めて 1 バイトも変わりません。書き込むのは内容の変わるファイルだけです。編集は指定した順に、左から右へ行います。マクロファイルには編集を並べて書きます。\n\n--dry-run では、変わる部分を差分で表示します。",
    "examples": '例:\n\n  kanna infotext edit outputs/ -r --replace "1girl" "1boy" --dry-run\n\n  kanna infotext edit *.png --regex "<lora:old:([^>]*)>" "<lora:new:\\1>" -o edited/\n\n  kanna infotext edit picture.png --set Seed 1 --remove "Lora hashes" --in-place\n\n  kanna infotext edit texts/ --macro macro.txt -o edited/',
    "option_replace": "プロンプトの文字列を置き換えます。",
    "option_negative_replace": "ネガティブプロンプトの文字列を置き換えます。",
    "option_regex": "プロンプトを正規表現で置き換えます。\\1 は最初のグループです。",
    "option_negative_regex": "ネガティブプロンプトを正規表現で置き換えます。",
    "option_prepend": "プロンプトの先頭に文字列を付けます。",
    "option_append": "プロンプトの末尾に文字列を付けます。",
    "option_negative_prepend": "ネガティブプロンプトの先頭に文字列を付けます。",
    "option_negative_append": "ネガティブプロンプトの末尾に文字列を付けます。",
    "option_set": "パラメーターを設定します。すでにあればその場所で、なければ最後に加えます。",
    "option_remove": "パラメーターを取り除きます。",
    "option_macro": "マクロファイルに書かれた編集を行います。",
    "hidden": (
        "{path} のテキストはピクセルに隠されていて、kanna はそこへは書き込みません。",
        "書き出して編集し、kanna infotext write TEXT --to {path} で画像に書き込んでください。",
    ),
    "nothing": (
        "編集内容が指定されていません。",
        "--replace、--set、--macro などを指定してください。一覧は --help で表示します。",
    ),
}
