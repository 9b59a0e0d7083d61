"""Users as staff look them up: newest first across regions, by how they are called."""

from dataclasses import replace

import pytest
from flask import Flask

from config import Settings
from portal.services import directory, users
from portal.services.directory import Filters, Place


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, regions=("europe", "asia"))


@pytest.fixture
def made(app: Flask) -> list[int]:
    """Users of two regions in turns, oldest first."""
    with app.app_context():
        regions = ("europe", "asia")
        return [
            users.create(f"p-{n}", f"Player {n}", region=regions[n % 2])[0].id for n in range(6)
        ]


def listed(filters: Filters, before: Place | None = None, limit: int = 10) -> list[int]:
    return [each.id for each in directory.page(filters, before, limit)]


@pytest.mark.usefixtures("context")
def test_users_of_all_regions_are_in_one_order(made: list[int]) -> None:
    newest = made[::-1]
    assert listed(Filters()) == newest
    assert listed(Filters(), limit=2) == newest[:2]
    third = directory.page(Filters(), None, 3)[-1].place
    assert listed(Filters(), third) == newest[3:]


@pytest.mark.usefixtures("context")
def test_a_region_is_told_and_filtered_by(made: list[int]) -> None:
    assert listed(Filters(region="asia")) == [made[5], made[3], made[1]]
    assert {each.region for each in directory.page(Filters(region="asia"), None, 9)} == {"asia"}
    assert listed(Filters("player 3", "asia")) == [made[3]]
    assert listed(Filters("player 3", "europe")) == []
    assert directory.person(made[3]).region == "asia"
