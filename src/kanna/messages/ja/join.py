"""`kanna join`: help, what a plan does, and why one is refused."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "部品を 1 つのチェックポイントにまとめます。",
    "help": "拡散モデル、VAE、テキストエンコーダーを、プログラムが読み込める名前を付けて 1 つのファイルにまとめます。\n\n各 PART が何の部品かは中身から判断します。ファイル名は関係ありません。チェックポイントも指定すると、ほかで指定しなかった部品はそこから取るので、一部の部品だけを差し替えられます。合わないものがあれば、何も書き込まずに終了します。",
    "examples": "例:\n\n"
    "  kanna join unet.safetensors vae.safetensors clip_l.safetensors -o model.safetensors\n\n"
    "  kanna join parts/*.safetensors -o model.safetensors\n\n"
    "  kanna join flux1-dev.safetensors ae.safetensors clip_l.safetensors t5xxl_fp16.safetensors "
    "--te-dtype fp8_e4m3 -o flux1-dev-aio.safetensors\n\n"
    "  kanna join model.safetensors better.vae.safetensors -o model-vae.safetensors",
    "option_output": "出力ファイル。",
    "option_for": "ファイルを読み込むプログラム。省略すると、同じチェックポイントから分けた部品は元の位置に、それ以外はどのプログラムでも読める位置に入ります。",
    "option_architecture": "拡散モデルのアーキテクチャ（ヘッダーだけでは決まらない場合）。",
    "option_allow_missing": "足りない部品があっても書き込みます。",
    "dry_run": "何も書き込んでいません（--dry-run）。実行すると {tensors} 個のテンソル（{size}）を書き込みます（作業用メモリ {memory}）。",
    "replaced": "{part} を {name} のものに差し替えます。",
    "ema_left_out": "{name} の EMA は入れません。差し替える前のモデルのものだからです。",
    "junk_left_out": "{name} の不要データ（テンソル {count} 個）は入れません: {names}。",
    "records_wrong": "部品が元のファイルのどこにあったかの記録が正しくありません。記録は使わず、どの部品も通常の位置に入れます。",
    "back_to": "{part} は元どおり {prefix} の下に {layout} 形式の名前で入れます。--for を付けると、そのプログラムが読み込む位置と名前になります。",
    "lacks": "足りない部品: {part}。",
    "lacks_file": "足りない部品: {part}（通常は {where} の {file}。ComfyUI では {folder} に置きます）。",
    "missing": (
        "{path} で画像を生成するには、次の部品も必要です: {parts}。",
        "そのファイルも指定してください（入手先は kanna explain {architecture} でわかります）。入れなくてよい場合は --allow-missing を付けてください。",
    ),
    "no_model": (
        "部品の中に拡散モデルがありません。",
        "拡散モデルのファイルも指定してください。ファイルの種類は kanna inspect でわかります。",
    ),
    "no_part": (
        "{path} には画像生成モデルの部品が入っていません。",
        "kanna inspect で何のファイルかを確認し、指定から外してください。",
    ),
    "part_broken": (
        "{path} は不完全です。{count} 個のテンソルが足りないか、形状が違います（{names} など）。",
        "ダウンロードし直すか、別のファイルを使ってください。",
    ),
    "cannot_carry": (
        "{path} はまとめられません。{name} の型 {dtype} は safetensors に入れられません。",
        "先に fp16、bf16、fp8 のどれかに変換するか、その精度で配布されているものを使ってください。",
    ),
    "two_checkpoints": (
        "{path} と {other} は、どちらもほかの部品が入ったチェックポイントです。",
        "使いたい部品を kanna split で取り出してから、まとめてください。",
    ),
    "twice": (
        "{path} の {part} は 2 つ目です。{other} にも入っています。",
        "どちらか 1 つだけを指定してください。EMA と見なすのは、kanna split で書き出したものだけです。",
    ),
    "other_architecture": (
        "{path} は {asked} ではなく {found} のモデルです。",
        "--architecture を外すか、別の拡散モデルを指定してください。",
    ),
    "architecture_open": (
        "{path} が次のどれかは、ヘッダーだけでは決まりません: {candidates}。",
        "--architecture で指定してください。",
    ),
    "no_arrangement": (
        "{architecture} をほかの部品と 1 つのファイルにまとめる形式は知られていません: {path}。",
        "このモデルは、部品ごとのファイルのまま使ってください。プログラムもその形で読み込みます。",
    ),
    "program_cannot": (
        "{program} では、1 つにまとめた {architecture} を読み込めません: {path}。",
        "読み込めるプログラム: {programs}。",
    ),
    "not_for_it": (
        "{path} の {part} は {ours} のチェックポイントには入りません。",
        "入れられるのは {needs} です。",
    ),
    "other_vae": (
        "{path} は {theirs} の VAE ですが、{model} には {ours} の VAE が必要です。このままでは画像がすべて崩れます。",
        "{ours} の VAE を使ってください。",
    ),
    "layout": (
        "{path} の {part} は {layout} 形式で、{wanted} 形式には変換できません。",
        "{wanted} 形式で配布されているものを使ってください。量子化されている場合は、--dtype fp16 のように変換後の精度を指定してください。",
    ),
    "suffix_unknown": (
        "{name} という名前では、書き込む形式がわかりません。",
        "末尾を .safetensors か .ckpt にしてください。",
    ),
    "no_gguf": (
        "kanna join は GGUF を書き出せません。",
        "いったん safetensors にまとめてから、kanna quantize FILE --to q8_0 で GGUF にしてください。",
    ),
    "output_folder": (
        "{path} はフォルダーです。",
        "-o のあとに出力ファイルの名前を指定してください。",
    ),
}
