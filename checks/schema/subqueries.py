"""A query that another query reads, under a name."""

from typing import TYPE_CHECKING

from checks.schema import sqltext
from checks.schema.columns import Column, Owner
from checks.schema.sqltext import Aliased, Name, Raw, Sql
from checks.typescript.values import UNDEFINED, Record, Site, Unknown, Value

if TYPE_CHECKING:
    from checks.schema.queries import Select


class Subquery(Owner):
    """A query under a name, to be selected from: `.as("name")`, or by `$with`."""

    __slots__ = ("_sql", "alias", "columns", "lost", "name", "named", "query", "schema", "site")

    def __init__(self, query: "Select", name: str, site: Site, *, named: bool) -> None:
        self.query = query
        self._sql: Sql | Unknown | None = None
        self.name = name
        self.named = named
        self.schema = UNDEFINED
        self.alias = True
        self.site = site
        self.lost: list[tuple[str | None, Unknown]] = []
        origin = name if query.builder.format == "v1" else None
        self.columns: dict[str, Value] = {}
        for key, field in query.selected():
            if isinstance(field, Column):
                self.columns[key] = Column(field.config, field.name, key, self)
            elif isinstance(field, Aliased):
                self.columns[key] = Aliased(field.sql, field.alias, selection=True, origin=origin)
            else:
                self.columns[key] = site.unknown("selects from a query a field that has no name there")

    def member(self, name: str, site: Site) -> Value:
        """A column of it."""
        if name == "...":
            return Record(self.columns)
        return self.columns.get(name, site.unknown(f"`.{name}` of a query is not understood"))

    def reference(self, text: sqltext.Text) -> str:  # noqa: ARG002 - the signature is shared
        """`"name"`."""
        return sqltext.quoted(self.name)

    def sql(self, site: Site) -> Sql | Unknown:
        """The query, made once: others may hold it many times."""
        if self._sql is None:
            self._sql = self.query.sql(site)
        return self._sql

    def source(self, site: Site) -> list[Value]:
        """What stands behind `from`."""
        return [Name(self.name)] if self.named else [Raw("("), self.sql(site), Raw(") "), Name(self.name)]
