"""Merging: what a recipe says, as values, and what becomes of it tensor by tensor.

::

    recipe      `Recipe`: the files, the steps, the output, as plain values
    method      `Method`: what a method needs and takes; the rows are in ``methods/*.toml``
    weights     a parameter's number for each tensor: block weights, presets, elements
    graph       a recipe's steps as sums, tensor by tensor; nothing is read yet
      ├ terms       sums of tensors: linear steps fold into one, which the kernel computes
      └ computing   the other steps as views, which `kanna.tensor_math` computes when they are read
"""
