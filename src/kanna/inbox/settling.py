"""When something that landed may be touched: once it has been at rest for a while."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kanna.inbox.landing import Item, State


class Settling:
    """Remembers since when each item has not changed. Times are seconds of any one clock."""

    def __init__(self, rest: float) -> None:
        """Let an item be ready after `rest` seconds without a change."""
        self._rest = rest
        self._since: dict[Path, tuple[State, float]] = {}

    def ready(self, items: Sequence[Item], now: float) -> list[Item]:
        """Return the items that are at rest, of all that are there `now`."""
        self._since = {item.path: (item.state, self._began(item, now)) for item in items}
        return [
            item for item in items
            if not item.coming and now - self._since[item.path][1] >= self._rest
        ]  # fmt: skip

    def resting(self, item: Item, now: float) -> float:
        """Return for how many seconds `item`, which was there at the last look, has not changed."""
        return now - self._began(item, now)

    def _began(self, item: Item, now: float) -> float:
        state, since = self._since.get(item.path, (None, now))
        return since if state == item.state else now
