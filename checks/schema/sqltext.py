"""SQL templates (`sql`…``) as data, and the text that Drizzle makes of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from checks.typescript.globals_ import stringify
from checks.typescript.values import (
    UNDEFINED,
    BigInt,
    Date,
    Native,
    Record,
    Site,
    Thing,
    Unknown,
    Value,
    listed,
    number_text,
    too_big,
)

_PIECES = 100_000  # of SQL in one expression


@dataclass(frozen=True, slots=True)
class Raw:
    """A piece of SQL that is printed as it is."""

    text: str


class Name(Thing):
    """`sql.identifier(name)`."""

    __slots__ = ("text",)

    def __init__(self, text: Value) -> None:
        self.text = text


class Param(Thing):
    """A value that is sent beside the query (`$1`), or written into it where parameters are inlined."""

    __slots__ = ("encoder", "value")

    def __init__(self, value: Value, encoder: Value = None) -> None:
        self.value = value
        self.encoder = encoder


class Referable(Thing):
    """What can stand in a template by its name: a table, a column, a view, an enum, a schema."""

    __slots__ = ()

    def reference(self, text: "Text") -> str:
        """The SQL that names it."""
        raise Lost(text.site.unknown(f"{type(self).__name__} has no name in SQL"))


class Sql(Thing):
    """A piece of SQL."""

    __slots__ = ("chunks", "inline")

    def __init__(self, chunks: list[Value], *, inline: bool = False) -> None:
        self.chunks = chunks
        self.inline = inline

    def member(self, name: str, site: Site) -> Value:
        """Methods of a template."""
        if name == "as":
            return Native(name, lambda args, _s: Aliased(self, args[0]) if args and isinstance(args[0], str) else self)
        if name == "inlineParams":
            return Native(name, lambda _a, _s: self._inlined())
        if name in {"mapWith", "getSQL", "nullable", "$type"}:
            return Native(name, lambda _a, _s: self)
        if name == "append":
            return Native(name, lambda args, _s: self._append(args[0] if args else UNDEFINED))
        if name == "if":
            return Native(
                name, lambda args, _s: self if args and args[0] not in {False, None, UNDEFINED} else UNDEFINED
            )
        return site.unknown(f"`.{name}` of an SQL template is not understood")

    def _inlined(self) -> "Sql":
        self.inline = True
        return self

    def _append(self, other: Value) -> "Sql":
        if len(self.chunks) > _PIECES:
            return self  # too much to print, which is said there
        self.chunks += other.chunks if isinstance(other, Sql) else [other]
        return self


class Aliased(Thing):
    """A piece of SQL with a name (`.as("total")`)."""

    __slots__ = ("alias", "origin", "selection", "sql")

    def __init__(self, sql: Sql, alias: str, *, selection: bool = False, origin: str | None = None) -> None:
        self.sql = sql
        self.alias = alias
        self.selection = selection  # it is a column of a view, no longer an expression
        self.origin = origin  # v1: the view

    def member(self, name: str, site: Site) -> Value:
        """Methods of SQL with a name."""
        if name in {"getSQL", "sql"}:
            return self.sql if name == "sql" else Native(name, lambda _a, _s: self.sql)
        return site.unknown(f"`.{name}` of an aliased template is not understood")


class Lost(Exception):  # noqa: N818 - carries an Unknown out of the printing
    """A piece of the SQL is not known."""

    def __init__(self, unknown: Unknown) -> None:
        super().__init__(unknown.why)
        self.unknown = unknown


def quoted(name: str) -> str:
    """An identifier in quotes."""
    return '"' + name.replace('"', '""') + '"'


def as_written(name: str) -> str:
    """A name, unchanged."""
    return name


def literal(text: str) -> str:
    """A text in single quotes."""
    return "'" + text.replace("'", "''") + "'"


class Text:
    """Prints SQL as Drizzle does.

    Args:
        site: where to say that something is not known.
        casing: the name of a column as the database knows it.
        source: `indexes` prints columns without their table.
        inline: write parameters into the text.
        v1: as drizzle-orm 1.0 writes them.
    """

    def __init__(
        self,
        site: Site,
        casing: Callable[[str], str] | None = None,
        *,
        bare: bool = False,
        inline: bool = False,
        v1: bool = False,
    ) -> None:
        self.site = site
        self.casing: Callable[[str], str] = casing or as_written
        self.bare = bare
        self.inline = inline
        self.v1 = v1
        self.params: list[Value] = []
        self._depth = 0
        self._pieces = 0

    def of(self, sql: Sql) -> str:
        """The text of a template.

        Raises:
            Lost: a part of it is not known.
        """
        return self._all(sql.chunks, inline=self.inline or sql.inline)

    def _all(self, chunks: Iterable[Value], *, inline: bool) -> str:
        self._depth += 1
        if self._depth > 40:
            raise Lost(self.site.unknown("is nested too deeply"))
        text = "".join(self._one(chunk, inline=inline) for chunk in chunks)
        self._depth -= 1
        return text

    def _one(self, chunk: Value, *, inline: bool) -> str:  # noqa: C901, PLR0911, PLR0912 - one case a kind of chunk
        self._pieces += 1
        if self._pieces > _PIECES:
            raise Lost(self.site.unknown("is more SQL than a schema should hold"))
        if chunk.__class__ is Raw:
            return chunk.text
        if chunk is UNDEFINED:
            return ""
        if chunk.__class__ is Unknown:
            raise Lost(chunk)
        if isinstance(chunk, Sql):
            return self._all(chunk.chunks, inline=inline or chunk.inline)
        if isinstance(chunk, Name):
            if not isinstance(chunk.text, str):
                raise Lost(
                    chunk.text if isinstance(chunk.text, Unknown) else self.site.unknown("is a name that is not known")
                )
            return quoted(chunk.text)
        if isinstance(chunk, Param):
            return self._param(chunk, inline=inline)
        if isinstance(chunk, Aliased):
            return (f"{quoted(chunk.origin)}." if chunk.origin is not None else "") + quoted(chunk.alias)
        if isinstance(chunk, Referable):
            return chunk.reference(self)
        if chunk.__class__ is list:
            if too_big(chunk):
                raise Lost(self.site.unknown("is more SQL than a schema should hold"))
            return "(" + ", ".join(self._one(item, inline=inline) for item in chunk) + ")"
        if isinstance(chunk, Thing):
            inner = chunk.member("getSQL", self.site)
            if isinstance(inner, Native):
                inner = inner.call([], self.site)
            if isinstance(inner, Sql):
                return "(" + self._all(inner.chunks, inline=inline or inner.inline) + ")"
            raise Lost(self.site.unknown(f"{type(chunk).__name__} cannot stand in SQL"))
        return self._value(chunk, inline=inline)

    def _param(self, param: Param, *, inline: bool) -> str:
        value = param.value
        if value.__class__ is Unknown:
            raise Lost(value)
        encoder = param.encoder
        if encoder is not None and value is not None and not isinstance(value, Sql):
            encode = getattr(encoder, "encode", None)
            if encode is not None:
                value = encode(value)
                if value.__class__ is Unknown:
                    raise Lost(value)
        if isinstance(value, Sql):
            return self._all(value.chunks, inline=inline or value.inline)
        return self._value(value, inline=inline)

    def _value(self, value: Value, *, inline: bool) -> str:
        if not inline:
            self.params.append(value)
            return f"${len(self.params)}"
        return self._inlined(value)

    def _inlined(self, value: Value) -> str:
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return number_text(value)
        if isinstance(value, BigInt) and self.v1:
            return str(value.value)
        if isinstance(value, str):
            return literal(value)
        if isinstance(value, Record):
            text = stringify(value, self.site)
            if isinstance(text, str):
                return literal(text)
            raise Lost(text if isinstance(text, Unknown) else self.site.unknown("has no JSON form"))
        if isinstance(value, Date):
            raise Lost(self.site.unknown("is a date, which Drizzle prints in local time"))
        raise Lost(self.site.unknown("is a value that cannot be written into SQL"))


def template(args: list[Value], site: Site) -> Value:
    """`sql`…`` (called with the texts and the values), or `sql` given something else."""
    strings = listed(args[0]) if args else None
    if strings is None or len(strings) != len(args):
        return site.unknown("calls `sql` as a function")
    chunks: list[Value] = [Raw(strings[0])] if strings[0] else []
    for value, after in zip(args[1:], strings[1:], strict=True):
        chunks.append(value)
        if after:
            chunks.append(Raw(after))
    return Sql(chunks)


def of(text: str, *values: Value) -> Sql:
    """A template written by us; `{}` marks the places of the values."""
    parts = text.split("{}")
    chunks: list[Value] = [Raw(parts[0])] if parts[0] else []
    for value, after in zip(values, parts[1:], strict=True):
        chunks.append(value)
        if after:
            chunks.append(Raw(after))
    return Sql(chunks)


def _raw(args: list[Value], site: Site) -> Value:
    if args and args[0].__class__ is Unknown:
        return Sql([args[0]])
    return Sql([Raw(args[0])]) if args and isinstance(args[0], str) else site.unknown("is `sql.raw` of no text")


def _join(args: list[Value], site: Site) -> Value:
    if not args or args[0].__class__ is not list:
        return args[0] if args and args[0].__class__ is Unknown else site.unknown("is `sql.join` of no list")
    chunks: list[Value] = []
    for index, item in enumerate(args[0]):
        if index and len(args) > 1:
            chunks.append(args[1])
        chunks.append(item)
    return Sql(chunks)


def _first(make: Callable[[Value], Value]) -> Callable[[list[Value], Site], Value]:
    return lambda args, _site: make(args[0] if args else UNDEFINED)


SQL = Native(
    "sql",
    template,
    {
        "raw": Native("raw", _raw),
        "identifier": Native("identifier", _first(Name)),
        "join": Native("join", _join),
        "empty": Native("empty", lambda _a, _s: Sql([])),
        "fromList": Native(
            "fromList", _first(lambda chunks: Sql(list(chunks)) if chunks.__class__ is list else chunks)
        ),
        "param": Native(
            "param", lambda args, _s: Param(args[0] if args else UNDEFINED, args[1] if len(args) > 1 else None)
        ),
        "placeholder": Native("placeholder", lambda _a, site: site.unknown("is a placeholder")),
    },
)
