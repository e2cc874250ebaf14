"""What the packages of Drizzle export, as far as a schema is made of it; everything else of theirs is harmless."""

import re
from collections.abc import Mapping

from checks.schema import column_types, conditions, constraints, queries, security, sqltext, tables, views, zod
from checks.schema.columns import Builder, Format
from checks.schema.objects import Enum, Role, Sequence
from checks.typescript.evaluate import Evaluator
from checks.typescript.values import UNDEFINED, Native, Record, Site, Thing, Unknown, Value

_OTHERS = ("drizzle-orm/mysql-core", "drizzle-orm/sqlite-core", "drizzle-orm/singlestore-core", "drizzle-orm/gel-core",
           "drizzle-orm/mssql-core", "drizzle-orm/cockroach-core")  # fmt: skip


_PAYLOAD = re.compile(
    r"@payloadcms/db-[\w-]+/drizzle(/.*)?"
)  # Drizzle under another name, in the schemas that it generates


class Harmless(dict[str, Value]):
    """Exports of which we know only that no schema comes of them."""

    def __init__(self, specifier: str, known: Mapping[str, Value], site: Site) -> None:
        super().__init__(known)
        self._specifier = specifier
        self._site = site

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def __missing__(self, name: str) -> Value:
        return Unknown(self._site.path, self._site.line, f"`{name}` of `{self._specifier}` makes no tables", inert=True)


class Packages:
    """The packages for one generation of Drizzle."""

    def __init__(self, evaluator: Evaluator, format: Format, site: Site) -> None:  # noqa: A002 - the project's word
        self.format: Format = format
        self._site = site
        builders = dict(column_types.table(evaluator, format))
        self.tables = tables.Tables(evaluator, format, builders)
        self._views = views.Views(evaluator, self.tables, format)
        self._core = self._pg_core(evaluator, builders)
        self._root: dict[str, Value] = {
            "sql": sqltext.SQL,
            "getTableColumns": Native("getTableColumns", _columns),
            "getColumns": Native("getColumns", _columns),
            "getTableName": Native("getTableName", _name),
            **conditions.table(format),
        }
        self._known: dict[str, Mapping[str, Value] | None] = {}

    def __call__(self, specifier: str) -> Mapping[str, Value] | None:
        """What a package exports; None where it is not Drizzle's."""
        if specifier not in self._known:
            self._known[specifier] = self._exports(specifier)
        return self._known[specifier]

    def _exports(self, specifier: str) -> Mapping[str, Value] | None:  # noqa: PLR0911 - one case a kind of value
        if found := _PAYLOAD.fullmatch(specifier):
            specifier = f"drizzle-orm{found[1] or ''}"
        if specifier == "drizzle-orm/pg-core" or specifier.startswith("drizzle-orm/pg-core/"):
            return self._core
        if specifier in {"drizzle-orm", "drizzle-orm/sql"} or specifier.startswith("drizzle-orm/sql/"):
            return Harmless(specifier, self._root, self._site)
        if specifier in {"drizzle-orm/neon", "drizzle-orm/neon/rls"}:
            return Harmless(specifier, security.neon(self._site) | self._users_sync(), self._site)
        if specifier in {"drizzle-orm/supabase", "drizzle-orm/supabase/rls"}:
            return Harmless(specifier, security.supabase(self._site) | self._supabase_tables(), self._site)
        if specifier in zod.EXPORTS:
            return Harmless(specifier, zod.EXPORTS[specifier], self._site)
        if specifier.startswith("drizzle-orm/") or specifier in _OTHERS or specifier == "drizzle-kit":
            return Harmless(specifier, {"defineConfig": Native("defineConfig", _identity)}, self._site)
        return None

    def _pg_core(self, evaluator: Evaluator, builders: dict[str, Native]) -> dict[str, Value]:
        made = self.tables
        core: dict[str, Value] = {
            **builders,
            **constraints.TABLE,
            "pgTable": made.creator(),
            "pgTableCreator": tables.creator_maker(made),
            "pgSchema": tables.schema_maker(made, self._views.maker),
            "pgEnum": Native("pgEnum", lambda args, site: Enum.make(args, site, UNDEFINED, self.format)),
            "pgSequence": Native("pgSequence", Sequence.make),
            "pgRole": Native("pgRole", Role.make),
            "pgPolicy": Native("pgPolicy", security.Policy.make),
            "pgView": self._views.maker(UNDEFINED, False, None),
            "pgMaterializedView": self._views.maker(UNDEFINED, True, None),
            "alias": Native("alias", tables.aliased),
            "getTableConfig": Native(
                "getTableConfig", lambda _a, site: site.unknown("reads the inside of a table", inert=True)
            ),
            "QueryBuilder": Native("QueryBuilder", lambda _a, _s: queries.QueryBuilder(self.format, evaluator)),
            **{name: queries.combined(name) for name in queries.SETS},
        }
        if self.format == "v1":
            for name, casing in (("snakeCase", "snake_case"), ("camelCase", "camelCase")):
                core[name] = Record({
                    "table": made.creator(UNDEFINED, casing),
                    "view": self._views.maker(UNDEFINED, False, casing),
                    "materializedView": self._views.maker(UNDEFINED, True, casing),
                    "schema": tables.schema_maker(made, self._views.maker, casing),
                })  # fmt: skip
        return core

    def _table(self, schema: str, name: str, columns: dict[str, tuple[str, list[Value], tuple[str, ...]]]) -> Value:
        record = Record()
        for key, (kind, args, methods) in columns.items():
            builder = self._core[kind].call(args, self._site)
            for method in methods:
                builder = builder.member(method, self._site).call([], self._site)
            record[key] = builder
        return self.tables.make(name, [record], schema, None, self._site)

    def _supabase_tables(self) -> dict[str, Value]:
        zone = Record(withTimezone=True)
        stamps = ("emailConfirmedAt", "phoneConfirmedAt", "lastSignInAt", "createdAt", "updatedAt")
        users: dict[str, tuple[str, list[Value], tuple[str, ...]]] = {
            "id": ("uuid", [], ("primaryKey", "notNull")),
            "email": ("varchar", [Record(length=255)], ()),
            "phone": ("text", [], ("unique",)),
            **{key: ("timestamp", [tables.snake_case(key), zone], ()) for key in stamps},
        }
        messages: dict[str, tuple[str, list[Value], tuple[str, ...]]] = {
            "id": ("bigserial", [Record(mode="bigint")], ("primaryKey",)),
            "topic": ("text", [], ("notNull",)),
            "extension": ("text", [], ("notNull",)),
        }
        return {
            "authUsers": self._table("auth", "users", users),
            "realtimeMessages": self._table("realtime", "messages", messages),
        }

    def _users_sync(self) -> dict[str, Value]:
        zone = Record(withTimezone=True, mode="string")
        columns: dict[str, tuple[str, list[Value], tuple[str, ...]]] = {
            "rawJson": ("jsonb", ["raw_json"], ("notNull",)),
            "id": ("text", [], ("primaryKey", "notNull")),
            "name": ("text", [], ()),
            "email": ("text", [], ()),
            **{
                key: ("timestamp", [tables.snake_case(key), zone], ())
                for key in ("createdAt", "deletedAt", "updatedAt")
            },
        }
        return {"usersSync": self._table("neon_auth", "users_sync", columns)}


def _identity(args: list[Value], _site: Site) -> Value:
    return args[0] if args else UNDEFINED


def _columns(args: list[Value], site: Site) -> Value:
    first = args[0] if args else UNDEFINED
    return first.member("...", site) if isinstance(first, Thing) else first


def _name(args: list[Value], site: Site) -> Value:
    first = args[0] if args else UNDEFINED
    return first.name if isinstance(first, tables.Table) else site.unknown("is the name of something that is no table")


__all__ = ["Builder", "Packages"]
