"""The schema as text that people read: like SQL, in a stable order, equal where catalogs are equal."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from checks.catalog import names, spelling, titles
from checks.catalog.code import Aggregate, EventTrigger, Function, Policy, Rule, Trigger
from checks.catalog.model import Catalog, Key, Object
from checks.catalog.outside import (
    DefaultPrivileges,
    Extension,
    ForeignDataWrapper,
    Other,
    Publication,
    Role,
    Server,
    Subscription,
    UserMapping,
)
from checks.catalog.tables import Column, Constraint, Default, Index, Statistics, Table, View
from checks.catalog.types import Acl, Collation, Composite, Domain, DomainCheck, Enum, Range, Schema, Sequence

_ORDER = (
    "role", "schema", "extension", "collation", "type", "sequence", "function", "foreign-data wrapper", "server",
    "user mapping", "table", "view", "statistics", "publication", "subscription", "event trigger", "default privileges",
)  # fmt: skip
_RANK = {kind: rank for rank, kind in enumerate(_ORDER)}
_CHILD_RANK = {
    "column": 0,
    "default": 0,
    "constraint": 1,
    "domain check": 1,
    "index": 2,
    "trigger": 3,
    "rule": 4,
    "policy": 5,
}


def text(catalog: Catalog) -> str:
    """The whole catalog."""
    return "\n".join(
        "\n".join(card) + "\n" for _, card in sorted(cards(catalog).items(), key=lambda item: rank(item[0]))
    )


def rank(key: Key) -> tuple[object, ...]:
    """Where an object stands in the dump."""
    return (_RANK.get(key[0], len(_ORDER)), key)


def home(found: Object) -> Key:
    """The object whose card shows it: a table shows its columns, constraints, indexes and so on."""
    if isinstance(found, Column | Default | Constraint | Index | Trigger | Rule | Policy):
        return ("table", found.schema, found.table)
    if isinstance(found, DomainCheck):
        return ("type", found.schema, found.domain)
    return found.key


def gather(catalog: Catalog, only: Iterable[Key] | None = None) -> dict[Key, list[Object]]:
    """Every object's own parts, itself first, by the object that shows them."""
    wanted = None if only is None else set(only)
    parts: dict[Key, list[Object]] = defaultdict(list)
    for found in catalog:
        where = home(found)
        if where not in catalog.objects and where[0] == "table":
            where = ("view", *where[1:])
        if wanted is None or where in wanted:
            parts[where].append(found)
    return parts


def cards(
    catalog: Catalog, only: Iterable[Key] | None = None, order: dict[Key, int] | None = None
) -> dict[Key, list[str]]:
    """The lines of each object; columns stand in the order of their names, or of `order` where it is given."""
    shown: dict[Key, list[str]] = {}
    for key, parts in gather(catalog, only).items():
        if key in catalog.objects:
            shown[key] = list(_card(catalog.objects[key], parts, order))
    return shown


def _card(top: Object, parts: list[Object], order: dict[Key, int] | None) -> Iterator[str]:
    parts = sorted(parts, key=lambda part: (_CHILD_RANK.get(part.key[0], -1), (order or {}).get(part.key, 0), part.key))
    if isinstance(top, Table):
        yield from _table(top, parts)
    else:
        yield from _single(top)
    for part in parts:
        if part is not top and not isinstance(part, Column | Constraint):
            yield from _part(part, top)
    yield from _about(top)
    for part in parts:
        if isinstance(part, Column | Constraint):
            yield from _about(part)


def _table(table: Table, parts: list[Object]) -> Iterator[str]:  # noqa: C901, PLR0912 - one line after the other
    defaults = {part.column: part.expression for part in parts if isinstance(part, Default)}
    kind = "FOREIGN TABLE" if table.relkind == "f" else "UNLOGGED TABLE" if table.unlogged else "TABLE"
    of_type = f" OF {table.of_type}" if table.of_type else ""
    yield f"CREATE {kind} {names.short(table.schema, table.name)}{of_type} ("
    for part in parts:
        if isinstance(part, Column):
            extra = " NOT VALID" if part.not_null == "not valid" else ""
            null = " NOT NULL" if extra else ""
            inherited = _INHERITED[part.inherited, part.also_here]
            yield f"    {spelling.column(part, defaults.get(part.name, ''))}{null}{extra},{inherited}"
        elif isinstance(part, Constraint):
            inherited = _INHERITED[part.inherited, part.also_here]
            options = f" WITH ({', '.join(part.index_options)})" if part.index_options else ""
            yield f"    CONSTRAINT {names.quoted(part.name)} {part.definition}{options},{inherited}"
    yield ")" + "".join(" " + word for word in _clauses(table)) + ";"
    target = f"ALTER TABLE {names.short(table.schema, table.name)}"
    if table.rls:
        yield f"{target} ENABLE ROW LEVEL SECURITY;"
    if table.force_rls:
        yield f"{target} FORCE ROW LEVEL SECURITY;"
    if table.replica_identity not in ({"n"} if table.relkind == "f" else {"d"}):
        words = {"n": "NOTHING", "f": "FULL"}.get(
            table.replica_identity, f"USING INDEX {names.quoted(table.replica_identity)}"
        )
        yield f"{target} REPLICA IDENTITY {words};"
    for part in parts:
        if isinstance(part, Column):
            for setting in spelling.column_settings(part):
                yield f"{target} ALTER COLUMN {names.quoted(part.name)} {setting};"
        elif isinstance(part, Constraint):
            if not part.valid:
                yield f"-- index {names.quoted(part.name)} is not valid"
            if part.clustered:
                yield f"{target} CLUSTER ON {names.quoted(part.name)};"
            if part.index_parent:
                yield f"ALTER INDEX {names.short(*part.index_parent)} ATTACH PARTITION {names.quoted(part.name)};"


_INHERITED = {
    (False, False): "",
    (True, False): "  -- inherited",
    (False, True): "  -- inherited, and declared here too",
}


def _clauses(table: Table) -> Iterator[str]:
    if table.parents and not table.bound:
        yield f"INHERITS ({', '.join(names.short(*parent) for parent in table.parents)})"
    if table.bound:
        yield f"PARTITION OF {names.short(*table.parents[0]) if table.parents else '?'} {table.bound}"
    if table.partition_key:
        yield f"PARTITION BY {table.partition_key}"
    if table.access_method:
        yield f"USING {table.access_method}"
    if table.server:
        yield f"SERVER {names.quoted(table.server)}"
    if table.server_options:
        yield f"OPTIONS ({spelling.pairs(table.server_options)})"
    if table.options:
        yield f"WITH ({', '.join(table.options)})"
    if table.tablespace:
        yield f"TABLESPACE {table.tablespace}"


def _part(part: Object, top: Object) -> Iterator[str]:  # noqa: C901 - one short case a kind
    target = names.short(*top.key[1:3])
    if isinstance(part, Index):
        yield f"{part.definition};"
        if not part.valid:
            yield f"-- index {names.quoted(part.name)} is not valid"
        if part.parent:
            yield f"ALTER INDEX {names.short(*part.parent)} ATTACH PARTITION {names.short(part.schema, part.name)};"
        if part.clustered:
            yield f"ALTER TABLE {target} CLUSTER ON {names.quoted(part.name)};"
        for each in part.statistics:
            number, _, value = each.partition("=")
            yield f"ALTER INDEX {names.short(part.schema, part.name)} ALTER COLUMN {number} SET STATISTICS {value};"
    elif isinstance(part, Default) and part.of_view:
        yield f"ALTER VIEW {target} ALTER COLUMN {names.quoted(part.column)} SET DEFAULT {part.expression};"
    elif isinstance(part, DomainCheck):
        yield f"ALTER DOMAIN {target} ADD CONSTRAINT {names.quoted(part.name)} {part.definition};"
    elif isinstance(part, Trigger | Rule):
        if part.definition:
            yield from (f"{part.definition};").split("\n")
        if part.enabled != "O" or not part.definition:
            yield f"ALTER TABLE {target} {ENABLED[part.enabled]} {part.key[0].upper()} {names.quoted(part.name)};"
    elif isinstance(part, Policy):
        yield policy(part) + ";"
    yield from _about(part)


ENABLED = {"O": "ENABLE", "D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}


def policy(found: Policy) -> str:
    """CREATE POLICY, whole."""
    words = [f"CREATE POLICY {names.quoted(found.name)} ON {names.qualified(found.schema, found.table)}"]
    if not found.permissive:
        words.append("AS RESTRICTIVE")
    if found.command != "*":
        words.append(f"FOR {spelling.COMMANDS[found.command]}")
    words.append(f"TO {', '.join(map(spelling.role, found.roles))}")
    if found.using:
        words.append(f"USING ({_bare(found.using)})")
    if found.check:
        words.append(f"WITH CHECK ({_bare(found.check)})")
    return " ".join(words)


def _bare(expression: str) -> str:
    """An expression without the one pair of parentheses around the whole of it."""
    depth = 0
    if not (expression.startswith("(") and expression.endswith(")")) or "'" in expression or '"' in expression:
        return expression
    for place, char in enumerate(expression):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth == 0 and place < len(expression) - 1:
            return expression
    return expression[1:-1]


def _single(top: Object) -> Iterator[str]:  # noqa: C901, PLR0912, PLR0915 - one short line a kind
    match top:
        case Schema(name=name):
            yield f"CREATE SCHEMA {names.quoted(name)};"
        case Extension(name=name, schema=schema, version=version):
            yield f"CREATE EXTENSION {names.quoted(name)} SCHEMA {names.quoted(schema)} VERSION {names.literal(version)};"
        case Role(name=name):
            yield f"CREATE ROLE {' '.join((names.quoted(name), *top.attributes))};"
            for group in top.member_of:
                yield f"GRANT {names.quoted(group)} TO {names.quoted(name)};"
        case Enum(schema=schema, name=name):
            yield f"CREATE TYPE {names.short(schema, name)} AS ENUM ("
            for label in top.labels:
                yield f"    {names.literal(label)},"
            yield ");"
        case Domain(schema=schema, name=name):
            words = [f"CREATE DOMAIN {names.short(schema, name)} AS {top.type}"]
            words += [f"COLLATE {top.collation}"] if top.collation else []
            words += [f"DEFAULT {top.default}"] if top.default else []
            words += ["NOT NULL"] if top.not_null else []
            yield " ".join(words) + ";"
        case Composite(schema=schema, name=name):
            yield f"CREATE TYPE {names.short(schema, name)} AS ("
            for attribute in top.attributes:
                collation = f" COLLATE {attribute.collation}" if attribute.collation else ""
                yield f"    {names.quoted(attribute.name)} {attribute.type}{collation},"
            yield ");"
            for attribute in top.attributes:
                if attribute.comment:
                    where = f"{names.short(schema, name)}.{names.quoted(attribute.name)}"
                    yield f"COMMENT ON COLUMN {where} IS {names.literal(attribute.comment)};"
        case Range(schema=schema, name=name):
            yield f"CREATE TYPE {names.short(schema, name)} AS RANGE ({', '.join(range_options(top))});"
        case Collation(schema=schema, name=name):
            yield f"CREATE COLLATION {names.short(schema, name)} ({', '.join(top.options)});"
        case Sequence(schema=schema, name=name):
            unlogged = "UNLOGGED " if top.unlogged else ""
            yield (
                " ".join(
                    [
                        f"CREATE {unlogged}SEQUENCE {names.short(schema, name)}",
                        *spelling.counting(top.counting, typed=True),
                    ]
                )
                + ";"
            )
            if top.owned_by:
                yield f"ALTER SEQUENCE {names.short(schema, name)} OWNED BY {names.qualified(*top.owned_by)};"
        case View(schema=schema, name=name):
            kind = "MATERIALIZED VIEW" if top.materialized else "VIEW"
            options = f" WITH ({', '.join(top.options)})" if top.options else ""
            yield f"CREATE {kind} {names.short(schema, name)}{options} AS"
            yield from top.definition.split("\n")
            yield ";" if top.populated else "WITH NO DATA;"
            for column in top.columns:
                where = f"{names.short(schema, name)}.{names.quoted(column.name)}"
                for setting in column.settings:
                    yield f"ALTER {kind} {names.short(schema, name)} ALTER COLUMN {names.quoted(column.name)} {setting};"
                if column.comment:
                    yield f"COMMENT ON COLUMN {where} IS {names.literal(column.comment)};"
                yield from _grants(
                    column.acl, "c", f"TABLE {names.short(schema, name)}", f" ({names.quoted(column.name)})"
                )
        case Function():
            yield from f"{top.definition};".split("\n")
        case Aggregate(schema=schema, name=name):
            yield f"CREATE AGGREGATE {names.short(schema, name)}({top.signature}) ({', '.join(top.options)});"
        case Statistics():
            yield f"{top.definition};"
            if top.target >= 0:
                yield f"ALTER STATISTICS {names.short(top.schema, top.name)} SET STATISTICS {top.target};"
        case EventTrigger(name=name):
            tags = f" WHEN TAG IN ({', '.join(map(names.literal, top.tags))})" if top.tags else ""
            yield f"CREATE EVENT TRIGGER {names.quoted(name)} ON {top.event}{tags} EXECUTE FUNCTION {top.function}();"
            if top.enabled != "O":
                yield f"ALTER EVENT TRIGGER {names.quoted(name)} {ENABLED[top.enabled]};"
        case Publication(name=name):
            yield f"CREATE PUBLICATION {names.quoted(name)}{' FOR ALL TABLES' if top.all_tables else ''};"
            for table in top.tables:
                yield f"ALTER PUBLICATION {names.quoted(name)} ADD {spelling.published(table)};"
            for schema in top.schemas:
                yield f"ALTER PUBLICATION {names.quoted(name)} ADD TABLES IN SCHEMA {names.quoted(schema)};"
            for option in top.options:
                yield f"ALTER PUBLICATION {names.quoted(name)} SET ({option});"
        case Subscription(name=name):
            options = [*top.options, f"enabled = {str(top.enabled).lower()}", f"slot_name = {top.slot or 'NONE'}"]
            # Never the connection string itself: it holds passwords.
            yield f"CREATE SUBSCRIPTION {names.quoted(name)} PUBLICATION {names.listed(top.publications)} WITH ({', '.join(options)});"
        case ForeignDataWrapper(name=name):
            handler = f" HANDLER {top.handler}" if top.handler else ""
            validator = f" VALIDATOR {top.validator}" if top.validator else ""
            yield f"CREATE FOREIGN DATA WRAPPER {names.quoted(name)}{handler}{validator} OPTIONS ({spelling.pairs(top.options)});"
        case Server(name=name):
            words = [f"CREATE SERVER {names.quoted(name)}"]
            words += [f"TYPE {names.literal(top.type)}"] if top.type else []
            words += [f"VERSION {names.literal(top.version)}"] if top.version else []
            yield f"{' '.join(words)} FOREIGN DATA WRAPPER {names.quoted(top.wrapper)} OPTIONS ({spelling.pairs(top.options)});"
        case UserMapping(server=server):
            options = ", ".join(option.partition("=")[0] for option in top.options)
            user = spelling.role(top.user) if top.user else "CURRENT_USER"
            yield f"CREATE USER MAPPING FOR {user} SERVER {names.quoted(server)} OPTIONS ({options});"
        case DefaultPrivileges():
            yield from (f"{line};" for line in default_privileges(None, top))
        case Other(definition=definition):
            yield from f"{definition};".split("\n")
        case _:
            yield f"-- {' '.join(top.key)}"


def range_options(found: Range) -> list[str]:
    """The options of CREATE TYPE … AS RANGE."""
    named = {
        "subtype": found.subtype,
        "subtype_opclass": found.opclass,
        "collation": found.collation,
        "canonical": found.canonical,
        "subtype_diff": found.difference,
        "multirange_type_name": names.qualified(found.schema, found.multirange),
    }
    return [f"{word} = {value}" for word, value in named.items() if value]


def default_privileges(before: DefaultPrivileges | None, after: DefaultPrivileges | None) -> Iterator[str]:
    """ALTER DEFAULT PRIVILEGES that makes one into the other."""
    some = after or before
    if some is None:
        return
    nothing: Acl = () if some.schema else None
    role = f" FOR ROLE {names.quoted(some.role)}" if some.role else ""
    schema = f" IN SCHEMA {names.quoted(some.schema)}" if some.schema else ""
    old, new = before.acl if before else nothing, after.acl if after else nothing
    head = f"ALTER DEFAULT PRIVILEGES{role}{schema} "
    for line in spelling.regrants(old, new, some.objects, spelling.PRIVILEGES_ON[some.objects], head=head):
        yield line.replace("CURRENT_USER", names.quoted(some.role)) if some.role else line


def _grants(privileges: Acl, kind: str, target: str, columns: str = "") -> Iterator[str]:
    if privileges is not None:
        yield from (f"{line};" for line in spelling.grants(privileges, kind, target, columns))


def _about(found: Object) -> Iterator[str]:
    """Owner, privileges and comment of an object."""
    what = titles.called(found, names.short)
    owner = getattr(found, "owner", "")
    if owner:
        yield f"-- {what} is owned by {names.quoted(owner)}"
    privileges: Acl = getattr(found, "acl", None)
    if privileges is not None and found.key[0] in titles.GRANTED:
        yield from _grants(privileges, titles.GRANTED[found.key[0]][1], titles.grant_target(found))
    elif privileges is not None and isinstance(found, Column):
        yield from _grants(
            privileges, "c", f"TABLE {names.short(found.schema, found.table)}", f" ({names.quoted(found.name)})"
        )
    comment = getattr(found, "comment", "")
    if comment:
        yield f"COMMENT ON {what} IS {names.literal(comment)};"
    if isinstance(found, Column) and found.identity:
        sequence = f"SEQUENCE {names.short(found.identity.schema, found.identity.name)}"
        yield from _grants(found.identity.acl, "S", sequence)
        if found.identity.comment:
            yield f"COMMENT ON {sequence} IS {names.literal(found.identity.comment)};"
    if isinstance(found, Constraint) and found.index_comment:
        yield f"COMMENT ON INDEX {names.short(found.schema, found.name)} IS {names.literal(found.index_comment)};"
