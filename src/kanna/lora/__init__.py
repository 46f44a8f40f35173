"""LoRA and its kin: what their files hold, what that adds to a weight, and new ones made.

::

    reading      the modules of a file, in any dialect; settings: what PEFT keeps beside it
      │            sizes: the layer that each is for
      ├ targets     which weights of a model they change; places: in the names of any layout
      │   └ baking     what a LoRA adds to each weight of a model, as the graph of a merge wants it
      │       ├ placing   to which rows of a tensor
      │       └ deltas    and what: views that `kanna.tensor_math.lora_products` fills; pieces
      ├ writing     modules as the tensors and the metadata of a dialect (`dialects.toml`)
      │   └ respelling   layers joined and cut apart where layouts differ; references, factors
      └ products    modules as products of narrow matrices, for those that are made anew
          ├ extracting   out of the difference of two models
          ├ joining_loras   of LoRAs: several as one, or one at another rank; agreeing: one spelling
          └ made, storing, remade, retained   factors, as what, for whom, and what they keep; ranks
"""
