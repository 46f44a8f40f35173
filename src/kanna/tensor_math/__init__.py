"""Arithmetic of whole tensors, in torch: the merge methods that are no weighted sums, and LoRAs.

Beside `kanna._kernel_torch` the only room that imports torch; it is imported where a step needs it.
Functions get and return tensors in fp32 and know nothing of files.

::

    buffers     calls a function with what kanna has read, and puts what it returns into a buffer
    runs        fp64 where it is needed, a run of numbers at a time
    elementwise, features, cosine, smoothing, crossover: methods of ``merging/methods``, by what
                they look at: one place, rows, columns of a model, neighbours, order and frequencies
"""
