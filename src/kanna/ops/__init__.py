"""Verbs as plans: each module turns a file and options into outputs; none of them reads weights
beyond a few named small tensors, and none of them writes.
"""
