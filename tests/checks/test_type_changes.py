"""What one column type can hold, beside another."""

import pytest

from checks.evidence import types


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("bigint", "integer", "narrower"),
        ("integer", "bigint", "other"),
        ("text", "text", "same"),
        ("text", "character varying", "same"),
        ("text", "character varying(20)", "narrower"),
        ("character varying(20)", "character varying(10)", "narrower"),
        ("character varying(10)", "character varying(20)", "same"),
        ("character varying(10)", "text", "same"),
        ("numeric(10,2)", "numeric(12,2)", "same"),
        ("numeric(10,2)", "numeric(8,2)", "narrower"),
        ("numeric(10,2)", "numeric(10,4)", "narrower"),
        ("numeric", "numeric(10,2)", "narrower"),
        ("numeric(10,2)", "numeric", "same"),
        ("numeric", "integer", "narrower"),
        ("double precision", "real", "narrower"),
        ("text", "integer", "narrower"),
        ("text", "mood", "narrower"),
        ("mood", "text", "other"),
        ("text", "jsonb", "other"),
        ("json", "jsonb", "other"),
        ("timestamp(3) with time zone", "date", "narrower"),
        ("text[]", "character varying(9)[]", "narrower"),
        ("integer", "integer[]", "other"),
        ("", "integer", "other"),
    ],
)
def test_narrower_types_are_known(old: str, new: str, expected: str) -> None:
    """By PostgreSQL's own spelling of types."""
    assert types.compare(old, new) == expected


def test_a_zone_that_comes_or_goes_is_known() -> None:
    """With and without a precision."""
    assert types.stamps("timestamp without time zone", "timestamp with time zone")
    assert types.stamps("timestamp(3) with time zone", "timestamp without time zone")
    assert not types.stamps("timestamp with time zone", "timestamp(3) with time zone")
    assert not types.stamps("", "timestamp with time zone")
