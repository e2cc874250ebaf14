"""Defaults as drizzle-kit 1.0 prints them: each type of column has its own way."""

import re
from collections.abc import Callable

from checks.schema.columns import Config
from checks.schema.sqltext import Lost, Sql, Text, literal
from checks.typescript.globals_ import stringify
from checks.typescript.values import BigInt, Date, Record, Site, Unknown, Value, known, listed, text_of, unknowns

_Print = Callable[[Value, Site], str]

_SUFFIX = re.compile(
    r'(::["\w.\s-]+(?:\([^)]*\))?(?:\swith(?:out)?\stime\szone)?(?:\[\])?)+\Z', re.IGNORECASE | re.ASCII
)
_ZONE = re.compile(r"([+-]\d{2}(:\d{2})?|Z)\Z", re.IGNORECASE)
_ESCAPED = re.compile(  # letters that drizzle-kit's JSON writer escapes and JSON.stringify does not
    "[\x7f-\x9f\xad\u0600-\u0604\u070f\u17b4\u17b5\u200c-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff0-\uffff]"
)
_UNIT = "(?:month|day|hour|minute|second)"
_INTERVAL = rf"interval(?:\s+(?:year|{_UNIT})(?:\s+to\s+{_UNIT})?)?"
_ARRAY = r"(?:\s*\[\s*\])*\s*"


def trimmed(sql: str) -> str:
    """An SQL default without the casts at its end, which PostgreSQL adds anyway."""
    return _SUFFIX.sub("", sql.removesuffix("[]"))


def of(config: Config, dimensions: int, site: Site) -> str | None:
    """The SQL of a default (None: there is none after all).

    Raises:
        Lost: it is not known, or drizzle-kit cannot print it.
    """
    value = config.default
    if isinstance(value, Sql):
        printer = Text(site)
        text = printer.of(value)
        if printer.params:
            raise Lost(site.unknown("has a parameter in an `sql` default, which drizzle-kit prints as `$1`"))
        return trimmed(text)
    unknown = next(unknowns(value), None)
    if unknown is not None:
        raise Lost(unknown)
    many = dimensions > 0 and isinstance(value, list)
    if config.kind in {"PgPoint", "PgLine", "PgGeometry"}:
        return _shape(config, value, site, many=many)
    if many and not _leaves(value):
        return "'{}'"
    if config.enum is not None:
        return _enum(value, site, many=many) or None
    one, element = _printers(str(config.sql_type))
    if many:
        return element(value, dimensions, site)
    return one(value, site) or None


def _leaves(value: Value) -> int:
    items = listed(value)
    return 1 if items is None else sum(_leaves(item) for item in items)


def _text(value: Value, site: Site) -> str:
    text = text_of(value)
    if text is None:
        raise Lost(site.unknown("is a default that drizzle-kit cannot print"))
    return text


def _string(value: Value, site: Site) -> str:
    if not isinstance(value, str):
        raise Lost(site.unknown("is a default that is not a text"))
    return value


def _quoted(value: Value, site: Site) -> str:
    return f"'{_text(value, site)}'"


def _wrapped(text: str, mark: str) -> str:
    return text if text.startswith(mark) and text.endswith(mark) else f"{mark}{text}{mark}"


def _char(value: Value, site: Site) -> str:
    return literal(_string(value, site).replace("\\", "\\\\"))


def _char_element(value: Value, site: Site) -> str:
    text = _string(value, site)
    escaped = text.replace("'", "''").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if "\\" in text or '"' in text or "," in text or not text else escaped


def _enum(value: Value, site: Site, *, many: bool) -> str:
    def element(item: Value, at: Site) -> str:
        text = _string(item, at)
        escaped = text.replace("\\", "\\\\").replace("'", "''").replace('"', '\\"')
        return f'"{escaped}"' if "\\" in text or '"' in text or "," in text else escaped

    if many:
        return f"'{_nested(value, element, site)}'"
    return literal(_string(value, site)) if value != "" else ""


def _nested(value: Value, element: _Print, site: Site) -> str:
    items = listed(value)
    if items is None:
        return element(value, site)
    return "{" + ",".join(_nested(item, element, site) for item in items) + "}"


def _list(element: _Print, *, wrap: bool = False) -> Callable[[Value, int, Site], str]:
    def build(value: Value, _dimensions: int, site: Site) -> str:
        text = _nested(value, element, site)
        return _wrapped(text, "'") if wrap else f"'{text}'"

    return build


def _doubled(text: str) -> str:
    return text.replace("'", "''")


def _json_text(value: Value, site: Site) -> str:
    made = stringify(value, site, _doubled)
    if not isinstance(made, str):
        raise Lost(made if isinstance(made, Unknown) else site.unknown("has no JSON form"))
    return _ESCAPED.sub(lambda letter: f"\\u{ord(letter[0]):04x}", made)


def _json(value: Value, site: Site) -> str:
    return f"'{_json_text(value, site)}'"


def _json_array(value: Value, dimensions: int, site: Site) -> str:
    def walk(item: Value, depth: int) -> str:
        items = listed(item)
        if depth < dimensions and items is not None:
            inner = ",".join(walk(child, depth + 1) for child in items)
            return "{" + inner + "}" if depth == 0 else inner
        if depth < dimensions:
            return _json_text(item, site)
        return '"' + _json_text(item, site).replace('"', '\\"') + '"'

    return f"'{walk(value, 0)}'"


def _iso(value: Value, site: Site) -> str:
    if not isinstance(value, Date):
        raise Lost(site.unknown("is a default that is neither a text nor a date"))
    return value.iso()


def _zoned(text: str) -> str:
    return text if _ZONE.search(text) else text + "+00"


def _date(value: Value, site: Site) -> str:
    return value if isinstance(value, str) else _iso(value, site).split("T")[0]


def _timestamp(value: Value, site: Site) -> str:
    return value if isinstance(value, str) else _iso(value, site).replace("T", " ").replace("Z", " ")[:23]


def _timestamptz(value: Value, site: Site) -> str:
    return _zoned(value) if isinstance(value, str) else _iso(value, site).replace("T", " ").replace("Z", "+00")


def _timetz(value: Value, site: Site) -> str:
    return _zoned(_text(value, site))


def _in(mark: str, make: _Print) -> _Print:
    return lambda value, site: _wrapped(make(value, site), mark)


def _always(mark: str, make: _Print) -> _Print:
    return lambda value, site: f"{mark}{make(value, site)}{mark}"


def _boolean_element(value: Value, _site: Site) -> str:
    return "t" if value is True else "f"


def _vector(value: Value, site: Site) -> str:
    return "'[" + _text(value, site).replace(" ", "") + "]'"


def _vector_array(value: Value, _dimensions: int, site: Site) -> str:
    text = _tuples(value, lambda item, at: '"[' + _text(item, at).replace(" ", "") + ']"', site)
    return _wrapped(text.replace(" ", ""), "'")


def _tuples(value: Value, element: _Print, site: Site) -> str:
    """An array whose elements are tuples: the innermost list is one element."""
    items = listed(value)
    if items is None or not any(isinstance(item, list) for item in items):
        return element(value, site)
    return "{" + ",".join(_tuples(item, element, site) for item in items) + "}"


def _sparse(value: Value, site: Site) -> str:
    return '"' + _text(value, site).replace(" ", "") + '"'


def _serial(_value: Value, site: Site) -> str:
    raise Lost(site.unknown("is a default of a serial column, which drizzle-kit refuses"))


_number = (_text, _list(_text))
_TYPES: list[tuple[str, _Print, Callable[[Value, int, Site], str]]] = [
    (rf"\s*(?:smallint|integer|bigint){_ARRAY}", *_number),
    (r"\s*numeric", _quoted, _list(_text)),
    (rf"\s*(?:real|double|double precision){_ARRAY}", *_number),
    (rf"\s*boolean{_ARRAY}", _text, _list(_boolean_element)),
    (r"\s*char", _char, _list(_char_element)),
    (r"\s*varchar", _char, _list(_char_element)),
    (rf"\s*text{_ARRAY}", _char, _list(_char_element)),
    (rf"\s*jsonb?{_ARRAY}", _json, _json_array),
    (r"\s*time(?:\(\d+\))?(?:\[\])*\s*", _in("'", _text), _list(_text, wrap=True)),
    (r"\s*time(?:\(\d+\))?\s+with time zone(?:\[\])*\s*", _in("'", _timetz), _list(_timetz, wrap=True)),
    (r"\s*timestamp\s?(?:\(\d+\))?(?:\[\])*\s*", _in("'", _timestamp), _list(_in('"', _timestamp), wrap=True)),
    (
        r"\s*timestamp\s?(?:\(\d+\))?\s+with time zone(?:\[\])*\s*",
        _in("'", _timestamptz),
        _list(_in('"', _timestamptz), wrap=True),
    ),
    (rf"\s*uuid{_ARRAY}", _quoted, _list(_string)),
    (rf"{_INTERVAL}(?:\((\d+)\))?{_ARRAY}", _quoted, _list(_always('"', _string))),
    (r"(?:inet|cidr)(?:\(\d+\))?(?:\[\])?", _quoted, _list(_string, wrap=True)),
    (rf"\s*macaddr8?{_ARRAY}", _quoted, _list(_string, wrap=True)),
    (rf"\s*(?:vector|halfvec)(?:\(\d+(?:,\d+)?\))?{_ARRAY}", _vector, _vector_array),
    (rf"\s*sparsevec(?:\(\d+(?:,\d+)?\))?{_ARRAY}", _in("'", _text), _list(_sparse, wrap=True)),
    (rf"\s*bit(?:\(\d+(?:,\d+)?\))?{_ARRAY}", _quoted, _list(_text)),
    (rf"\s*date{_ARRAY}", _in("'", _date), _list(_date, wrap=True)),
    (r"(?:small|big)?serial(?:[\s(].*)?", _serial, lambda v, _d, s: _serial(v, s)),
]
# Without an anchor in drizzle-kit's own pattern: whatever begins so counts.
_PREFIXES = frozenset({r"\s*numeric", r"\s*char", r"\s*varchar"})
_COMPILED = [
    (re.compile(pattern if pattern in _PREFIXES else pattern + r"\Z", re.IGNORECASE), one, many)
    for pattern, one, many in _TYPES
]


def _printers(sql_type: str) -> tuple[_Print, Callable[[Value, int, Site], str]]:
    """How a value and an array of that type are printed."""
    for pattern, one, many in _COMPILED:
        if pattern.match(sql_type):
            return one, many
    return _text, lambda value, _dimensions, site: _text(value, site)


def _shape(config: Config, value: Value, site: Site, *, many: bool) -> str | None:
    """Points, lines and geometries: tuples or objects of numbers."""
    mode = config.mode or "tuple"

    def one(item: Value, at: Site) -> str:
        keys = ("a", "b", "c") if config.kind == "PgLine" else ("x", "y")
        items = listed(item)
        if isinstance(item, Record):
            numbers = [item.get(key) for key in keys]
        elif items is not None and mode == "tuple":
            numbers = items[: len(keys)]
        else:
            raise Lost(at.unknown("is a default that drizzle-kit cannot print"))
        unknown = known(*numbers)
        if unknown is not None:
            raise Lost(unknown)
        if len(numbers) < len(keys) or not all(isinstance(number, int | float) for number in numbers):
            raise Lost(at.unknown("is a point or line without all its numbers"))
        texts = [_text(number, at) for number in numbers]
        if config.kind == "PgGeometry":
            srid = f"SRID={_text(config.srid, at)};" if isinstance(config.srid, int) else ""
            return f"{srid}POINT({' '.join(texts)})"
        return "{" + ",".join(texts) + "}" if config.kind == "PgLine" else "(" + ",".join(texts) + ")"

    if many and not _leaves(value):
        return "'{}'"
    if not many:
        return f"'{one(value, site)}'" if value else None
    quote = "'" if config.kind == "PgGeometry" else '"'
    nest = _tuples if mode == "tuple" else _nested
    text = nest(value, lambda item, at: f"{quote}{one(item, at)}{quote}", site)
    return text.replace("{", "ARRAY[").replace("}", "]") if config.kind == "PgGeometry" else _wrapped(text, "'")


__all__ = ["BigInt", "of", "trimmed"]
