"""A catalog that was kept is the catalog that was read."""

import dataclasses

from bot.branches.embedded import EmbeddedBranch
from checks.catalog import difference, kept, part, read, statements
from tests.checks.test_catalog_read import one_of_each


def test_what_was_kept_is_what_was_read(branch: EmbeddedBranch) -> None:
    """Objects of every kind, in their order, with what they need; a table that changes then is told in the same words."""
    with branch.connect() as session:
        session.execute(one_of_each(branch.version).encode())
        before = read.read(session)
        session.execute(
            "ALTER TABLE t ADD COLUMN more int DEFAULT 3; DROP VIEW v CASCADE; COMMENT ON TABLE p IS 'parts'"
        )
        after = read.read(session)
    again = kept.of_bytes(kept.to_bytes(before))
    assert again is not None
    assert difference.equal(again, before)
    assert (again.needs, again.roles, again.version, again.unread) == (
        before.needs,
        before.roles,
        before.version,
        before.unread,
    )
    assert list(map(repr, again)) == list(map(repr, before))
    assert {type(each) for each in again} == {type(each) for each in before}
    assert list(again.objects) == list(before.objects)
    for each in again:
        assert dataclasses.is_dataclass(each)
        assert hash(each) == hash(before.objects[each.key])
    assert [s.sql for s in statements.sql(again, after)] == [s.sql for s in statements.sql(before, after)]
    assert set(part.of(again, after)[0].objects) == set(part.of(before, after)[0].objects)


def test_what_others_wrote_is_not_read(branch: EmbeddedBranch) -> None:
    """Another program's bytes, and our own where a part is missing."""
    with branch.connect() as session:
        whole = kept.to_bytes(read.read(session))
    assert kept.of_bytes(b"") is None
    assert kept.of_bytes(b"\0" * 32 + whole[32:]) is None
    assert kept.of_bytes(whole[:-1]) is None
    assert kept.of_bytes(whole[:32]) is None
