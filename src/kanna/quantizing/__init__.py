"""Quantised weights: what files store in the place of one, and which pieces take its place.

::

    stored      the quantised weights of a file as plain fp32 tensors, without what stands beside
    schemes     what can be quantised to: the words, and the pieces that each makes of a weight
"""
