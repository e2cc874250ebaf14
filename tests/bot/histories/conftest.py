"""The real drizzle-kit, of both generations."""

from collections.abc import Iterator

import pytest

from tests.bot import sync_histories as histories
from tests.bot.sync_histories import (
    Kit,
)


@pytest.fixture(scope="module")
def v0(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """drizzle-kit 0.31."""
    with histories.kit("v0", tmp_path_factory.mktemp("v0")) as made:
        yield made


@pytest.fixture(scope="module")
def v1(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """drizzle-kit 1.0."""
    with histories.kit("v1", tmp_path_factory.mktemp("v1")) as made:
        yield made
