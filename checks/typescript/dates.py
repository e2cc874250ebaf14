"""Dates that the source fixes: `new Date("2024-01-01")`, and what is printed of them."""

import re
from datetime import UTC, datetime, timedelta

from checks.typescript.values import Date, Native, Site, Unknown, Value, known

_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?)?")


def make(args: list[Value], site: Site) -> Value:
    """`new Date(…)`."""
    unknown = known(*args)
    if unknown is not None:
        return unknown
    if len(args) == 1 and isinstance(args[0], int) and not isinstance(args[0], bool) and abs(args[0]) < 2e14:
        return Date(args[0])
    if len(args) == 1 and isinstance(args[0], Date):
        return args[0]
    if len(args) == 1 and isinstance(args[0], str):
        return parse(args[0], site)
    return site.unknown("is the time at which the code runs" if not args else "is a date in local time")


def utc(args: list[Value], site: Site) -> Value:
    """`Date.UTC(2024, 0, 31)`."""
    unknown = known(*args)
    if unknown is not None:
        return unknown
    numbers = [arg for arg in args if isinstance(arg, int) and not isinstance(arg, bool)]
    if not 1 <= len(args) <= 7 or len(numbers) != len(args):
        return site.unknown("is a date in a form that is not understood")
    year, month, day, hour, minute, second, ms = (*numbers, *(0, 0, 1, 0, 0, 0, 0)[len(numbers) :])
    try:
        first = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        moment = first + timedelta(days=day - 1, hours=hour, minutes=minute, seconds=second, milliseconds=ms)
    except (ValueError, OverflowError):
        return site.unknown("is not a date")
    if year < 100:
        return site.unknown("is a date in a form that is not understood")  # JavaScript takes it for 19xx
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def parse(text: str, site: Site) -> Date | Unknown:
    """The date that an ISO text means; a time without zone is local time, so not known."""
    match = _ISO.fullmatch(text)
    if match is None:
        return site.unknown("is a date in a form that is not understood")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    if hour is not None and zone is None:
        return site.unknown("is a date in local time")
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
    except ValueError:
        return site.unknown("is not a date")
    ms = round(moment.timestamp()) * 1000 + int((fraction or "0").ljust(3, "0")[:3])
    if zone and zone != "Z":
        offset = (int(zone[1:3]) * 60 + int(zone[-2:])) * 60_000
        ms += offset if zone[0] == "-" else -offset
    return Date(ms)


def member(date: Date, key: str, site: Site) -> Value:
    """A method of a date."""
    if key in {"toISOString", "toJSON"}:
        return Native(key, lambda _a, _s: date.iso())
    if key in {"getTime", "valueOf"}:
        return Native(key, lambda _a, _s: date.ms)
    return site.unknown(f"`.{key}` of a date is not understood")
