"""The builders of columns by name, each with the SQL type that Drizzle prints for it."""

from collections.abc import Callable, Mapping

from checks.schema.columns import Builder, Config, Format
from checks.typescript.evaluate import Evaluator
from checks.typescript.values import UNDEFINED, Native, Record, Site, Undefined, Unknown, Value, known, text_of

_Type = Callable[[Record, Site], Value]

_PLAIN = {
    "smallint": ("PgSmallInt", "smallint"),
    "integer": ("PgInteger", "integer"),
    "serial": ("PgSerial", "serial"),
    "smallserial": ("PgSmallSerial", "smallserial"),
    "bigserial": ("PgBigSerial", "bigserial"),
    "bigint": ("PgBigInt", "bigint"),
    "boolean": ("PgBoolean", "boolean"),
    "text": ("PgText", "text"),
    "real": ("PgReal", "real"),
    "doublePrecision": ("PgDoublePrecision", "double precision"),
    "json": ("PgJson", "json"),
    "jsonb": ("PgJsonb", "jsonb"),
    "date": ("PgDate", "date"),
    "uuid": ("PgUUID", "uuid"),
    "inet": ("PgInet", "inet"),
    "cidr": ("PgCidr", "cidr"),
    "macaddr": ("PgMacaddr", "macaddr"),
    "macaddr8": ("PgMacaddr8", "macaddr8"),
    "point": ("PgPoint", "point"),
    "line": ("PgLine", "line"),
    "bytea": ("PgBytea", "bytea"),
}
_SERIAL = frozenset({"PgSerial", "PgSmallSerial", "PgBigSerial"})


def _option(config: Record, name: str) -> Value:
    """An option of the builder; an Unknown where the options are not all known."""
    if name in config:
        return config[name]
    return UNDEFINED if config.hole is None else config.hole


def _sized(name: str, option: str, *, needed: bool = False) -> _Type:
    def build(config: Record, site: Site) -> Value:
        size = _option(config, option)
        odd = _odd(site, size)
        if odd is not None:
            return odd
        if size is UNDEFINED and not needed:
            return name
        return f"{name}({_text(size)})"

    return build


def _text(value: Value) -> str:
    """The text of a size, as it stands in a type."""
    return text_of(value) or ""


def _odd(site: Site, *values: Value) -> Unknown | None:
    """Why one of the sizes is not known, or no size."""
    unknown = known(*values)
    odd = any(not isinstance(value, str | int | float | Undefined) or isinstance(value, bool) for value in values)
    return unknown or (site.unknown("is a type whose size is no number") if odd else None)


def _numeric(config: Record, site: Site) -> Value:
    precision, scale = _option(config, "precision"), _option(config, "scale")
    odd = _odd(site, precision, scale)
    if odd is not None:
        return odd
    if precision is UNDEFINED:
        return "numeric"
    return f"numeric({_text(precision)})" if scale is UNDEFINED else f"numeric({_text(precision)}, {_text(scale)})"


def _clock(name: str) -> _Type:
    def build(config: Record, site: Site) -> Value:
        precision, zone, mode = (_option(config, option) for option in ("precision", "withTimezone", "mode"))
        odd = known(zone) or _odd(site, precision)
        if odd is not None:
            return odd
        size = "" if precision is UNDEFINED else f"({_text(precision)})"
        space = " " if size and name == "timestamp" and mode != "string" else ""
        return f"{name}{space}{size}{' with time zone' if zone is True else ''}"

    return build


def _interval(config: Record, site: Site) -> Value:
    fields, precision = _option(config, "fields"), _option(config, "precision")
    odd = _odd(site, fields, precision)
    if odd is not None:
        return odd
    size = "" if precision is UNDEFINED or not precision else f"({_text(precision)})"
    return f"interval{' ' + fields if isinstance(fields, str) else ''}{size}"


def _geometry(format: Format) -> _Type:  # noqa: A002 - the project's word
    def build(config: Record, site: Site) -> Value:
        srid = _option(config, "srid")
        if format == "v0" or srid is UNDEFINED:
            return "geometry(point)"
        return _odd(site, srid) or f"geometry(point,{_text(srid)})"

    return build


def _types(format: Format) -> dict[str, tuple[str, _Type]]:  # noqa: A002 - the project's word
    types: dict[str, tuple[str, _Type]] = {
        name: (kind, lambda _c, _s, sql=sql: sql) for name, (kind, sql) in _PLAIN.items()
    }
    types |= {
        "char": ("PgChar", _sized("char", "length")),
        "varchar": ("PgVarchar", _sized("varchar", "length")),
        "numeric": ("PgNumeric", _numeric),
        "decimal": ("PgNumeric", _numeric),
        "time": ("PgTime", _clock("time")),
        "timestamp": ("PgTimestamp", _clock("timestamp")),
        "interval": ("PgInterval", _interval),
        "geometry": ("PgGeometry", _geometry(format)),
        "vector": ("PgVector", _sized("vector", "dimensions", needed=True)),
        "halfvec": ("PgHalfVector", _sized("halfvec", "dimensions", needed=True)),
        "sparsevec": ("PgSparseVector", _sized("sparsevec", "dimensions", needed=True)),
        "bit": ("PgBinaryVector", _sized("bit", "dimensions", needed=True)),
    }
    if format == "v0":
        del types["bytea"]
    return types


def _named(args: list[Value]) -> tuple[Value, Record]:
    """The name and the options of a call `(name?, options?)`."""
    first = args[0] if args else UNDEFINED
    second = args[1] if len(args) > 1 else UNDEFINED
    name = first if isinstance(first, str | Unknown) else ""
    options = first if isinstance(first, Record) else second
    if isinstance(options, Record):
        return name, options
    if not isinstance(options, Unknown):
        return name, _NO_OPTIONS
    record = Record()
    record.hole = options
    return name, record


_NO_OPTIONS = Record()  # never changed, and most columns have none


def table(evaluator: Evaluator, format: Format) -> Mapping[str, Native]:  # noqa: A002 - the project's word
    """All builders of columns, by the name under which `drizzle-orm/pg-core` exports them."""
    builders = {name: _builder(name, kind, sql, format) for name, (kind, sql) in _types(format).items()}
    builders["customType"] = Native("customType", lambda args, site: _custom(evaluator, format, args, site))
    return builders


def _builder(name: str, kind: str, sql: _Type, format: Format) -> Native:  # noqa: A002 - the project's word
    def build(args: list[Value], site: Site) -> Value:
        column, options = _named(args)
        mode = _option(options, "mode")
        config = Config(column, sql(options, site), kind, site, mode if isinstance(mode, str) else None)
        config.enum_values = _option(options, "enum")
        config.srid = _option(options, "srid")
        config.not_null = kind in _SERIAL and (kind != "PgBigSerial" or mode == "number" or format == "v1")
        return Builder(config, format)

    return Native(name, build)


def _custom(evaluator: Evaluator, format: Format, args: list[Value], site: Site) -> Value:  # noqa: A002 - the project's word
    params = args[0] if args else UNDEFINED
    data_type = params.get("dataType", params.hole or UNDEFINED) if isinstance(params, Record) else params
    if data_type.__class__ is Unknown:
        return data_type
    if data_type is UNDEFINED:
        return site.unknown("is a `customType` without `dataType`")

    def build(given: list[Value], at: Site) -> Value:
        name, options = _named(given)
        has_options = bool(options) or options.hole is not None or any(isinstance(arg, Record) for arg in given)
        config = (options.hole if options.hole and not options else options) if has_options else UNDEFINED
        sql = evaluator.call(data_type, [config], at)
        if not isinstance(sql, str | Unknown):
            sql = at.unknown("is a `customType` whose `dataType` gives no text")
        return Builder(Config(name, sql, "PgCustomColumn", at), format)

    return Native("customType", build)
