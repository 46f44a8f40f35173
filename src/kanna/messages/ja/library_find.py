"""`kanna library find`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "単語や種類などの条件でモデルを検索します。",
    "help": "ライブラリのモデルを検索します。指定した単語は、ファイル名、フォルダー名、タイトル、タグ、メモ、トリガーワードなど、モデルの情報のどこかにすべて（前方一致で）含まれている必要があります。引用符で囲んだ語句はそのままの並びで探し、-単語 はその単語を含むモデルを除外します。見つからない場合は、ファイル名の途中にある文字列も探します。\n\nオプションでさらに絞り込めます。同じオプションを複数指定した場合はどれか 1 つ、--tag と --finding はすべてに当てはまるモデルが対象です。-q ではパスだけを、-v ではファイル名の代わりにパスを表示します。何も見つからなければ終了コードは 1 です。",
    "examples": "例:\n\n  kanna library find アニメ sdxl --kind lora\n\n  kanna library find orangemix -inpaint --precision fp16\n\n  kanna library find --larger 10GB --sort size --limit 20\n\n  kanna library find --base sdxl --newer 30d\n\n  kanna library find --finding KN203 --json",
    "option_kind": "この種類だけ（checkpoint、lora、vae、embedding など）。",
    "option_family": "このアーキテクチャだけ（kanna families の名前。sdxl、flux、pony など）。",
    "option_variant": "このバリアントだけ（inpaint、schnell など）。",
    "option_precision": "この精度または量子化形式だけ（fp16、bf16、fp8、gguf-q4_k など）。",
    "option_container": "このファイル形式だけ（safetensors、ckpt、gguf、diffusers など）。",
    "option_finding": "check でこのコードが見つかるモデルだけ（KN203 など）。",
    "option_tag": "このタグが付いたモデルだけ。",
    "option_base": "このモデル用の LoRA などだけ。系統の名前か、LoRA に記録されたベースモデル名の一部を指定します。",
    "option_root": "このフォルダーの中だけ。",
    "option_role": "使用中（active）または保管用（backup）のフォルダーだけ。",
    "option_larger": "この大きさ以上のファイルだけ（2GB など）。",
    "option_smaller": "この大きさ未満のファイルだけ。",
    "option_newer": "この日以降に更新されたファイルだけ。2024-05-01 のような日付か、30d、2w、6m のような期間で指定します。",
    "option_older": "この日より前に更新されたファイルだけ。",
    "option_unknown": "何のモデルかわからないファイルだけ。",
    "option_broken": "読み込めなかったファイルだけ。",
    "option_gone": "ファイルがなくなったモデル。",
    "option_note": "メモのあるモデルだけ。",
    "option_sort": "並び順。名前は A から、大きさと日付は大きい順（新しい順）、family は系統別です。",
    "option_limit": "表示する最大件数。",
    "option_count": "件数だけを表示します。",
    "found": "モデル: {count} 件",
    "broken": "読み込めません",
    "gone": "（なくなっています）",
    "no_such_word": ("{option}: 「{text}」はありません。", "次のようなものがあります: {words}"),
    "no_word_at_all": (
        "{option}: 「{text}」はありません。",
        "このライブラリには該当する値を持つモデルがありません。各モデルの情報は kanna library show で確認できます。",
    ),
    "no_date": (
        "{option}: 「{text}」は日付として読めません。",
        "2024-05-01、2024-05、2024 のような日付か、30d、2w、6m、1y のような期間で指定してください。",
    ),
    "no_size": (
        "{option}: 「{text}」は大きさとして読めません。",
        "2GB や 500MB のように、単位を付けて指定してください。",
    ),
}
