"""Hostile, broken and odd checkpoints, built in memory by the tests that read them."""
