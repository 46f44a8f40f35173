"""`kanna lora`: LoRAs and their kin, read, baked and spelled anew."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "LoRA の焼き込み、抽出、マージ、ランクの変更、形式の変換を行います。",
    "help": "LoRA とその派生形式（LoHa、LoKr、DoRA、IA3、OFT、full diff）を扱います。",
    "examples": "例:\n\n  kanna lora bake model.safetensors style.safetensors -o baked.safetensors\n\n  kanna lora extract tuned.safetensors base.safetensors -o style.safetensors",
    "no_lora": (
        "{path} は LoRA ではありません（{kind} です）。",
        "LoRA を指定してください。ファイルの中身は kanna inspect で確かめられます。",
    ),
    "no_modules": (
        "{path} には LoRA のテンソルがありません。",
        "LoRA を指定してください。ファイルの中身は kanna inspect で確かめられます。",
    ),
    "unknown_tensors": (
        "{path} には意味のわからないテンソルが {count} 個あります（例: {name}）。",
        "--skip-unknown を付けると、それらを除いて処理します。",
    ),
    "several_adapters": (
        "{path} には複数のアダプターが入っています: {names}",
        "作成に使ったプログラムで、アダプターを1つずつ別のファイルに保存してください。",
    ),
    "pieces_unfit": (
        "{name} の行列の大きさが合いません。",
        "ファイルが壊れています。入手し直してください。",
    ),
    "empty": (
        "{name} に数値が入っていません。",
        "ファイルが壊れています。入手し直してください。",
    ),
    "no_numbers": (
        "{name} は {dtype} で、LoRA の計算に使える形式ではありません。",
        "fp16、bf16、fp32 の LoRA を入手してください。",
    ),
    "alpha_unclear": (
        "{name} は LoRA の強さとして使える数値ではありません。",
        "ファイルが壊れています。入手し直してください。",
    ),
    "pattern_unclear": (
        "この LoRA の PEFT 設定は、kanna が読まないパターンで層を指しています: {pattern}",
        "PEFT で読み込み、diffusers で保存し直してください。",
    ),
    "alpha_assumed": "{path}: {count:,} 個のモジュールの強さ (alpha) がどこにも書かれていないため、alpha はランクと同じとみなします。",
    "alpha_beside": "{path}: モジュールの強さ (alpha) は、隣の adapter_config.json から読み取りました。",
    "config_of_another": "{path}: 隣の adapter_config.json はランクが一致しないため、使いません。",
    "no_such_dialect": (
        "LoRA の形式 {name} はありません。",
        "次のいずれかを指定してください: {known}。",
    ),
    "base_unknown": (
        "どのモデル向けの LoRA かわからないため、層の名前を決められません。",
        "--architecture で指定してください。候補は kanna inspect で確かめられます。",
    ),
    "one_part": (
        "{dialect} はモデルの部品ごとに 1 ファイルですが、この LoRA は {count} 個の部品を変更します。",
        "--to diffusers など、別の形式を指定してください。",
    ),
    "twice": (
        "2 つのモジュールが同じ名前 {name} になります。",
        "ファイルに同じ層が二重に入っています。kanna lora merge にこのファイルだけを渡すと、1つのモジュールにまとめられます。",
    ),
    "no_such_layer": (
        "{name} に当たる層は、このアーキテクチャの既知のモデルのどれにもありません。",
        "どのモデル向けの LoRA かを kanna inspect で確かめてください。",
    ),
    "no_such_part": (
        "{dialect} には、部品 {part} の LoRA を表す名前がありません。",
        "--to で別の形式を指定してください。",
    ),
    "no_form": (
        "{dialect} には {name}（{kind}）を表す形式がありません。",
        "--to kohya など別の形式を指定するか、先に kanna lora resize で通常の LoRA にしてください。",
    ),
    "cannot_regroup": (
        "{name}（{kind}）は、数値を変えずにはこの形式にできません。一方では 1 つの層が、もう一方では複数の層に分かれているためです。",
        "--to で別の形式を指定するか、先に kanna lora resize で通常の LoRA にしてください。",
    ),
    "other_architecture": (
        "{path} は {made_for} 向けに作られていますが、{model} は {architecture} です。",
        "{architecture} 向けの LoRA を指定してください。",
    ),
    "some_lost": (
        "{path} が変更する {total} 層のうち {count} 層が {model} にありません（例: {name}）。",
        "--skip-unknown を付けると、それらを除いて処理します。",
    ),
    "all_lost": (
        "{path} が変更する {total} 層は、どれも {model} にありません（例: {name}）。",
        "このモデル向けの LoRA を指定してください。どのモデル向けかは kanna inspect で確かめられます。",
    ),
    "no_formula": (
        "{name} の種類（{kind}）は kanna では計算できません。",
        "作成したプログラムで焼き込むか、その種類のモジュールをファイルから除いてください。",
    ),
    "unfit": (
        "{name} は {weight}（{shape}）に合いません。",
        "このモデル向けの LoRA を指定してください。",
    ),
    "no_bias": (
        "{name} はモデルにないバイアスを変更します。",
        "このモデル向けの LoRA を指定してください。",
    ),
    "no_rows": (
        "{name} を、LoRA が対象とする行に分けられません。",
        "kanna check でモデルを確かめてください。",
    ),
    "needs_all_rows": (
        "{name}（{kind}）はこのモデルの複数のテンソルを同時に変更するもので、別々には計算できません。",
        "学習に使われたレイアウトのモデルに焼き込んでください。レイアウトは kanna split と kanna join で変えられます。",
    ),
    "part_absent": "{path}: テキストエンコーダーの {count} 層を除きました（例: {name}）。モデルにテキストエンコーダーが入っていないためです。",
    "layers_skipped": "{path}: モデルにない {count} 層を除きました（例: {name}）。",
    "tensors_skipped": "{path}: 意味のわからないテンソル {count} 個を除きました（例: {name}）。",
}
