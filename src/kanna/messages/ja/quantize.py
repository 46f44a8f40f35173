"""`kanna quantize`: help, what a plan does, and why one is refused."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "モデルを量子化して小さくします（fp8、NF4、GGUF）。fp16 などに戻すこともできます。",
    "help": "FILE の拡散モデルを量子化します。量子化されたモデルを fp16、bf16、fp32 に戻すこともできます。\n\n"
    "読み込めるプログラムは、fp8_scaled が ComfyUI、fp8_e4m3 と fp8_e5m2 が ComfyUI や Forge など、nf4 と fp4 が "
    "Forge と diffusers、q8_0 〜 q4_0 が ComfyUI（ComfyUI-GGUF）、Forge、stable-diffusion.cpp です。サイズは 16 ビットの"
    "モデルと比べて、8 ビットなら約半分、nf4 と q4_0 なら約 30 % になります。\n\n"
    "正規化層、埋め込み層、出力層、VAE はそのまま残します。最後に、値がどれだけ変わったかをブロックごとに表示します。",
    "examples": "例:\n\n"
    "  kanna quantize flux1-dev.safetensors --to fp8_scaled -o small/\n\n"
    "  kanna quantize sdxl.safetensors --to nf4 --svg errors.svg\n\n"
    "  kanna quantize t5xxl_fp16.safetensors --to fp8_e4m3 -o t5xxl_fp8.safetensors\n\n"
    "  kanna quantize flux1-dev-nf4.safetensors --to bf16 --dry-run",
    "option_output": "出力ファイル。フォルダーを指定すると名前は自動で付きます（省略時は入力と同じフォルダー）。",
    "option_to": "量子化の形式。fp16、bf16、fp32 は量子化されたファイルを通常の数値に戻します。",
    "option_form": "スケール付き fp8 の書き方。現在の ComfyUI の形式（current）か、以前の版のマーカー形式（old）。",
    "option_nested": "NF4 と FP4: ブロックの統計値も 8 ビットで保存します（さらに小さくなりますが、精度は少し落ちます）。",
    "option_te": "T5 などの大きなテキストエンコーダーも量子化します。",
    "option_keep": "量子化せずに残す重み。名前を先頭からドットの区切りまで指定します。* は任意の文字列です（繰り返し指定できます）。",
    "option_keep_dtype": "量子化する部品の中で、量子化せずに残すテンソルの精度（省略時はそのまま）。",
    "option_svg": "誤差のグラフを、このファイルに書き出します。",
    "taken": "{part}: {count:,} 個の重みを {to} にします。{kept:,} 個のテンソルはそのまま残します。",
    "stays": "量子化しない部品: {parts}。",
    "ema_stays": "EMA の重みはそのまま残るため、サイズの大半を占めます。kanna convert --ema drop で除けます。",
    "policy_unknown": "{architecture} のどの層が量子化に弱いかは登録されていません。埋め込み層と出力層は名前から判断して残します。--keep で追加できます。",
    "keep_unused": "--keep {pattern} に当てはまる名前はなく、これによって残るものはありません。",
    "again": "このモデルはすでに量子化されています。そのときに失われた精度は戻りません。",
    "decoded": "量子化された部品（{scheme}）のテンソル {count} 個を {to} にします。量子化で失われた精度は戻りません。",
    "now_plain": "量子化されていた{part}（{scheme}）を復元します。量子化で失われた精度は戻りません。",
    "halved": "そのまま残すテンソルのうち {count} 個は入力で量子化されていたため、{dtype} で書き込みます。",
    "encoder_stays": "T5 などの大きなテキストエンコーダー（{size}）は量子化しません。--te を付けると量子化します。",
    "for_forge": "Forge ではこのまま読み込めます。ComfyUI では、NF4 用のカスタムノードが必要です。",
    "for_diffusers": "diffusers や transformers で使うには、同じフォルダーの config.json に quantization_config を加えます（quant_method: bitsandbytes、load_in_4bit: true、bnb_4bit_quant_type: {kind}、llm_int8_skip_modules: {modules}）。",
    "few_readers": "このモデルの NF4 / FP4 を元のテンソル名で読み込めるプログラムは、ほとんどありません。ComfyUI で使うなら --to fp8_scaled が確実です。",
    "not_finite": "{name}: NaN または Inf が {count} 個あります。",
    "clipped": "収まらなかった値は、fp8 で表せる最大の値にしました。",
    "picture": "誤差のグラフ: {path}",
    "no_such_target": (
        "{word} には量子化できません。",
        "{words} のどれかを指定してください。",
    ),
    "suffix_differs": (
        "--to {to} の出力は {suffix} ファイルです。{name} という名前は付けられません。",
        "名前の末尾を {suffix} にするか、フォルダーを指定してください。",
    ),
    "keep_dtype_of_gguf": (
        "--keep-dtype は GGUF では使えません。読み込む側が決まった型を求めるためです。",
        "--keep-dtype を外してください。残したい重みは --keep で指定できます。",
    ),
    "form_of_scaled": (
        "--form はスケール付き fp8 の指定です。{to} では使えません。",
        "--form を外すか、--to fp8_scaled にしてください。",
    ),
    "old_e5m2": (
        "以前の形式では、ComfyUI はスケール付き fp8 をすべて e4m3 として読み込みます。",
        "e5m2 には --form current を使ってください。",
    ),
    "nested_of_four_bit": (
        "--nested は NF4 と FP4 の指定です。{to} では使えません。",
        "--nested を外すか、--to nf4 にしてください。",
    ),
    "nothing": (
        "{path} には量子化できるものがありません。",
        "量子化できるのは拡散モデルと大きなテキストエンコーダーです。VAE や LoRA は量子化しません。",
    ),
    "small_encoder": (
        "{path} のテキストエンコーダーは小さく、量子化する意味がありません。",
        "kanna convert --dtype fp16 を使ってください。T5 などの大きなものは量子化できます。",
    ),
    "no_weights": (
        "{path} の{part}には、この形式で量子化できる重みがありません。",
        "すでに量子化されているか、すべて残す指定になっています。",
    ),
    "not_quantised": (
        "{path} は量子化されていません。",
        "精度を変えるには kanna convert --dtype を使ってください。",
    ),
    "cannot_decode": (
        "{path} の {name} は、kanna が復元できない方式（{scheme}）で量子化されています。",
        "配布元から fp16 か bf16 のモデルを入手してください。それなら量子化できます。",
    ),
    "bad_state": (
        "{path} の {name} は、対応する量子化された重みと合いません。",
        "ファイルが壊れているか、書き出したツールに問題があります。ダウンロードし直してください。",
    ),
    "bad_scale": (
        "{path} の {name} の形は {shape} で、スケール 1 個でも行ごとのスケールでもありません。",
        "fp16 か bf16 のモデルを使ってください。それなら量子化できます。",
    ),
}
