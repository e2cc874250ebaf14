"""What the extras of a table hold: indexes, unique and primary keys, foreign keys, checks."""

from checks.schema.columns import IndexColumn, plain
from checks.typescript.values import UNDEFINED, Native, Record, Site, Thing, Unknown, Value


def _argument(args: list[Value], index: int = 0) -> Value:
    return args[index] if len(args) > index else UNDEFINED


class IndexTerm(Thing):
    """One column or expression of an index, with its order as it was when the index took it."""

    __slots__ = ("nulls", "opclass", "order", "value")

    def __init__(self, value: Value) -> None:
        self.order: Value = UNDEFINED
        self.nulls: Value = UNDEFINED
        self.opclass: Value = UNDEFINED
        self.value = plain(value)
        if isinstance(value, IndexColumn):
            self.order, self.nulls, self.opclass = value.order, value.nulls, value.opclass
            value.reset()


class Index(Thing):
    """An index, or the beginning of one (`index("name")`, until `.on`)."""

    __slots__ = ("concurrent", "method", "name", "options", "site", "terms", "unique", "where")

    def __init__(self, name: Value, site: Site, *, unique: bool) -> None:
        self.name = name
        self.site = site
        self.unique = unique
        self.terms: list[IndexTerm] | None = None
        self.method: Value = "btree"
        self.concurrent = False
        self.options: Value = UNDEFINED
        self.where: Value = UNDEFINED

    def member(self, name: str, site: Site) -> Value:
        """A method of the builder."""
        if name in {"on", "onOnly"}:
            return Native(name, lambda args, _s: self._on("btree", args))
        if name == "using":
            return Native(name, lambda args, _s: self._on(_argument(args), args[1:]))
        if name == "concurrently":
            return Native(name, lambda _a, _s: self._set("concurrent", True))
        if name == "with":
            return Native(name, lambda args, _s: self._set("options", _argument(args)))
        if name == "where":
            return Native(name, lambda args, _s: self._set("where", _argument(args)))
        return site.unknown(f"`.{name}` of an index is not understood")

    def _on(self, method: Value, columns: list[Value]) -> "Index":
        index = Index(self.name, self.site, unique=self.unique)
        index.method = method
        index.terms = [IndexTerm(column) for column in columns]
        return index

    def _set(self, attribute: str, value: Value) -> "Index":
        setattr(self, attribute, value)
        return self


class Unique(Thing):
    """A unique constraint of the table."""

    __slots__ = ("columns", "name", "nulls_not_distinct", "site")

    def __init__(self, name: Value, site: Site) -> None:
        self.name = name
        self.site = site
        self.columns: list[Value] | None = None
        self.nulls_not_distinct = False

    def member(self, name: str, site: Site) -> Value:
        """A method of the builder."""
        if name == "on":
            return Native(name, lambda args, _s: self._on(args))
        if name == "nullsNotDistinct":
            return Native(name, lambda _a, _s: self._nulls())
        return site.unknown(f"`.{name}` of a unique constraint is not understood")

    def _on(self, columns: list[Value]) -> "Unique":
        unique = Unique(self.name, self.site)
        unique.columns = [plain(column) for column in columns]
        return unique

    def _nulls(self) -> "Unique":
        self.nulls_not_distinct = True
        return self


class PrimaryKey(Thing):
    """A primary key of the table."""

    __slots__ = ("columns", "name", "site")

    def __init__(self, columns: Value, name: Value, site: Site) -> None:
        self.columns = columns
        self.name = name
        self.site = site

    @classmethod
    def make(cls, args: list[Value], site: Site) -> Value:
        """From `primaryKey({ columns, name })` or `primaryKey(a, b)`."""
        first = _argument(args)
        if isinstance(first, Unknown):
            return first
        if isinstance(first, Record):
            columns = first.get("columns", first.hole or UNDEFINED)
            return cls(_plain_all(columns), first.get("name", first.hole or UNDEFINED), site)
        return cls(_plain_all(list(args)), UNDEFINED, site)


def _plain_all(columns: Value) -> Value:
    return [plain(column) for column in columns] if columns.__class__ is list else columns


class ForeignKey(Thing):
    """A foreign key of the table."""

    __slots__ = ("config", "on_delete", "on_update", "site")

    def __init__(self, config: Value, site: Site) -> None:
        self.config = config
        self.site = site
        self.on_delete: Value = "no action"
        self.on_update: Value = "no action"

    def member(self, name: str, site: Site) -> Value:
        """`onDelete`, `onUpdate`."""
        if name in {"onDelete", "onUpdate"}:
            attribute = "on_delete" if name == "onDelete" else "on_update"
            return Native(name, lambda args, _s: self._set(attribute, _argument(args)))
        return site.unknown(f"`.{name}` of a foreign key is not understood")

    def _set(self, attribute: str, value: Value) -> "ForeignKey":
        setattr(self, attribute, "no action" if value is UNDEFINED else value)
        return self


class Check(Thing):
    """`check("name", sql`…`)`."""

    __slots__ = ("name", "site", "value")

    def __init__(self, name: Value, value: Value, site: Site) -> None:
        self.name = name
        self.value = value
        self.site = site


TABLE: dict[str, Native] = {
    "index": Native("index", lambda args, site: Index(_argument(args), site, unique=False)),
    "uniqueIndex": Native("uniqueIndex", lambda args, site: Index(_argument(args), site, unique=True)),
    "unique": Native("unique", lambda args, site: Unique(_argument(args), site)),
    "primaryKey": Native("primaryKey", PrimaryKey.make),
    "foreignKey": Native("foreignKey", lambda args, site: ForeignKey(_argument(args), site)),
    "check": Native("check", lambda args, site: Check(_argument(args), _argument(args, 1), site)),
}
