"""What every test starts from: sentences in English, whatever the machine speaks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kanna.messages import set_language


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    set_language("en")
    yield
    set_language(None)
