"""Verbs as plans: each module turns a file and options into outputs, and none of them writes."""
