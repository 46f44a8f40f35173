"""The sentences in Japanese."""
