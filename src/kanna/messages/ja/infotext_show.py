"""`kanna infotext show`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "画像の生成情報を表示します。テキストをそのまま出力することもできます。",
    "help": "画像（または .txt、.json）に記録された生成情報を表示します。プログラム、プロンプト、ネガティブプロンプト、元の順番のままのパラメーター、モデルとハッシュ、ファイル内の記録場所です。ほかに何も見つからなければ、ピクセルに隠されたテキストも探します。\n\n終了コード 3: 生成情報のないファイルがありました。",
    "examples": "例:\n\n  kanna infotext show picture.png\n\n  kanna infotext show --json outputs/ -r\n\n  kanna infotext show --raw picture.png > prompt.txt\n\n  kanna infotext show --keyword workflow picture.png > workflow.json",
    "option_raw": "テキストだけを、1 バイトも変えずに出力します。",
    "option_keyword": "このキーワードのテキストを、1 バイトも変えずに出力します。",
    "several": (
        "{path} には複数のテキストがあります: {names}。",
        "--keyword でどれか 1 つを指定してください。",
    ),
    "no_such_keyword": (
        "{path} に {keyword} というテキストはありません。",
        "あるのは次のとおりです: {names}。",
    ),
    "no_texts": (
        "{path} にテキストは入っていません。",
        "画像を圧縮・変換するプログラムはテキストを消します。元の画像を探してください。",
    ),
}
