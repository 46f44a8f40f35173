"""What every test starts from: sentences in English, whatever the machine speaks; no user's cache or library."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from kanna.messages import set_language

MEMORY = Path("/dev/shm")  # where Linux has files in memory
ROOMY = 8 << 30

# The same examples in every run, so that a commit passes or fails for what is in it;
# KANNA_EXPLORE=2000 looks for new ones, that many for each property.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile(
    "explore", max_examples=int(os.environ.get("KANNA_EXPLORE", "1")), deadline=None
)
settings.load_profile("explore" if "KANNA_EXPLORE" in os.environ else "repeatable")


@pytest.fixture(autouse=True, scope="session")
def _cache_and_library_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KANNA_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("KANNA_LIBRARY", str(tmp_path_factory.mktemp("library") / "library.sqlite3"))
        yield


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    set_language("en")
    yield
    set_language(None)


@pytest.fixture
def roomy(tmp_path: Path) -> Iterator[Path]:
    """A folder for files of gigabytes: in memory where there is plenty, for disks are slow."""
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOMY:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)
