"""Hundreds of pairs of small schemas, one object written in many ways: PostgreSQL says whether the difference arrives."""

from collections.abc import Iterator
from itertools import permutations
from random import Random

import psycopg
import pytest
from hypothesis import settings

from bot.branches.embedded import Embedded
from checks.catalog import difference
from tests.checks.catalog_states import arrive, known_here, state
from tests.checks.difference_variants import SLOTS, Variant


@pytest.fixture
def one(branches: Embedded) -> Iterator[psycopg.Connection]:
    """A branch whose tests undo what they do."""
    with branches.branch(seconds=280) as branch, branch.connect() as session:
        session.execute("SET client_min_messages = error")
        yield session


def spelled(variant: Variant) -> str:
    """Its first spelling."""
    return variant if isinstance(variant, str) else variant[0]


def judge(session: psycopg.Connection, slot: str, pairs: list[tuple[Variant, Variant]]) -> list[str]:
    """What is wrong with pairs of a slot."""
    setup, wrong = SLOTS[slot][0], list[str]()
    for a, b in pairs:
        one, two = f"{setup}{spelled(a)}", f"{setup}{spelled(b)}"
        try:
            if not known_here(session, one, two):
                continue
            if difference.equal(state(session, one), state(session, two)):
                wrong.append(f"called equal: {one} | {two}")
            arrive(session, one, two)
        except (AssertionError, psycopg.Error) as error:
            wrong.append(f"{error}\nfrom {one}\nto {two}")
    return wrong


def test_some_pairs_of_variants_arrive(one: psycopg.Connection) -> None:
    """Two of each kind, the same ones every time."""
    random = Random(6)
    for slot, (_, variants) in SLOTS.items():
        assert judge(one, slot, random.sample(list(permutations(variants, 2)), 2)) == []


def test_another_spelling_is_no_difference(one: psycopg.Connection) -> None:
    """What PostgreSQL stores alike is equal, however it was written."""
    for slot, (setup, variants) in SLOTS.items():
        for variant in variants:
            if isinstance(variant, tuple):
                first, *others = [state(one, setup + each) for each in variant]
                assert all(difference.equal(first, other) for other in others), (slot, variant)


@pytest.mark.long
@pytest.mark.parametrize("slot", SLOTS)
def test_all_pairs_of_variants_arrive(one: psycopg.Connection, slot: str) -> None:
    """A twentieth of them and six, and others with `--hypothesis-profile=fresh`, as for the properties."""
    pairs = list(permutations(SLOTS[slot][1], 2))
    dice = Random(None if settings.get_current_profile_name() == "fresh" else slot)
    assert judge(one, slot, dice.sample(pairs, min(len(pairs), 6 + len(pairs) // 20))) == []
