"""How each object is created and dropped."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from checks.catalog import dump, names, spelling, titles
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
from checks.catalog.statements.model import Statement
from checks.catalog.tables import Column, Constraint, Default, Index, Statistics, Table, View
from checks.catalog.types import Collation, Composite, Domain, DomainCheck, Enum, Range, Schema, Sequence


def create(found: Object, b: Catalog, folded: Collection[Key] = ()) -> Iterator[Statement]:  # noqa: C901, PLR0912, PLR0915 - one short case a kind
    """The statements that make an object; `folded` are the parts that CREATE TABLE makes along."""
    match found:
        case Schema(name=name):
            yield Statement(f"CREATE SCHEMA {names.quoted(name)}")
        case Extension(name=name, schema=schema):
            version = f" VERSION {names.literal(found.version)}" if found.version != found.default_version else ""
            yield Statement(f"CREATE EXTENSION {names.quoted(name)} WITH SCHEMA {names.quoted(schema)}{version}")
        case Role(name=name):
            yield Statement(" ".join((f"CREATE ROLE {names.quoted(name)}", *found.attributes)))
            for group in found.member_of:
                yield Statement(f"GRANT {names.quoted(group)} TO {names.quoted(name)}")
        case Enum(schema=schema, name=name):
            yield Statement(
                f"CREATE TYPE {names.qualified(schema, name)} AS ENUM ({', '.join(map(names.literal, found.labels))})"
            )
        case Domain(schema=schema, name=name):
            words = [f"CREATE DOMAIN {names.qualified(schema, name)} AS {found.type}"]
            words += [f"COLLATE {found.collation}"] if found.collation else []
            words += [f"DEFAULT {found.default}"] if found.default else []
            words += ["NOT NULL"] if found.not_null else []
            yield Statement(" ".join(words))
        case DomainCheck(schema=schema, domain=domain, name=name):
            yield Statement(
                f"ALTER DOMAIN {names.qualified(schema, domain)} ADD CONSTRAINT {names.quoted(name)} {found.definition}"
            )
        case Composite(schema=schema, name=name):
            fields = ", ".join(
                f"{names.quoted(each.name)} {each.type}{' COLLATE ' + each.collation if each.collation else ''}"
                for each in found.attributes
            )
            yield Statement(f"CREATE TYPE {names.qualified(schema, name)} AS ({fields})")
            yield from attribute_comments(None, found)
        case Range(schema=schema, name=name):
            yield Statement(
                f"CREATE TYPE {names.qualified(schema, name)} AS RANGE ({', '.join(dump.range_options(found))})"
            )
        case Collation(schema=schema, name=name):
            yield Statement(f"CREATE COLLATION {names.qualified(schema, name)} ({', '.join(found.options)})")
        case Sequence(schema=schema, name=name):
            unlogged = "UNLOGGED " if found.unlogged else ""
            words = spelling.counting(found.counting, typed=True)
            yield Statement(" ".join([f"CREATE {unlogged}SEQUENCE {names.qualified(schema, name)}", *words]))
        case Table():
            yield from _table(found, b, folded)
        case Column(schema=schema, table=table):
            if not found.inherited:
                default = b.objects.get(("default", *found.key[1:]))
                text = default.expression if isinstance(default, Default) and default.key in folded else ""
                kind = "FOREIGN TABLE" if _foreign(b, schema, table) else "TABLE"
                yield Statement(
                    f"ALTER {kind} {names.qualified(schema, table)} ADD COLUMN {spelling.column(found, text)}"
                )
            elif isinstance(heir := b.objects.get(("table", schema, table)), Table):  # it came with its parent's
                yield from _required_alone(heir, found, b)
            yield from column_extras(found)
        case Default(schema=schema, table=table, column=column):
            kind = "VIEW" if found.of_view else "TABLE ONLY"
            yield Statement(
                f"ALTER {kind} {names.qualified(schema, table)} ALTER COLUMN {names.quoted(column)} SET DEFAULT {found.expression}"
            )
        case Constraint():
            yield from _constraint(found, b)
        case Index(schema=schema, name=name):
            yield Statement(found.definition)
            for each in found.statistics:
                number, _, value = each.partition("=")
                yield Statement(
                    f"ALTER INDEX {names.qualified(schema, name)} ALTER COLUMN {number} SET STATISTICS {value}"
                )
            if found.clustered:
                yield Statement(f"ALTER TABLE {names.qualified(schema, found.table)} CLUSTER ON {names.quoted(name)}")
        case Statistics(schema=schema, name=name):
            yield Statement(found.definition)
            if found.target >= 0:
                yield Statement(f"ALTER STATISTICS {names.qualified(schema, name)} SET STATISTICS {found.target}")
        case View():
            yield Statement(view(found))
            for each in found.columns:
                for setting in each.settings:
                    yield view_setting(found, each.name, setting)
        case Function():
            yield Statement(found.definition)
        case Aggregate(schema=schema, name=name):
            yield Statement(
                f"CREATE AGGREGATE {names.qualified(schema, name)}({found.signature or '*'}) ({', '.join(found.options)})"
            )
        case Trigger() | Rule():
            if found.definition:
                yield Statement(found.definition)
            if found.enabled != "O" or not found.definition:
                yield enabled(found)
        case Policy():
            yield Statement(dump.policy(found))
        case EventTrigger(name=name):
            tags = f" WHEN TAG IN ({', '.join(map(names.literal, found.tags))})" if found.tags else ""
            yield Statement(
                f"CREATE EVENT TRIGGER {names.quoted(name)} ON {found.event}{tags} EXECUTE FUNCTION {found.function}()"
            )
            if found.enabled != "O":
                yield Statement(f"ALTER EVENT TRIGGER {names.quoted(name)} {dump.ENABLED[found.enabled]}")
        case Publication():
            yield Statement(_publication(found))
        case Subscription():
            yield Statement(_subscription(found))
        case ForeignDataWrapper(name=name):
            words = [f"CREATE FOREIGN DATA WRAPPER {names.quoted(name)}"]
            words += [f"HANDLER {found.handler}"] if found.handler else []
            words += [f"VALIDATOR {found.validator}"] if found.validator else []
            words += [f"OPTIONS ({spelling.pairs(found.options)})"] if found.options else []
            yield Statement(" ".join(words))
        case Server(name=name):
            words = [f"CREATE SERVER {names.quoted(name)}"]
            words += [f"TYPE {names.literal(found.type)}"] if found.type else []
            words += [f"VERSION {names.literal(found.version)}"] if found.version else []
            words.append(f"FOREIGN DATA WRAPPER {names.quoted(found.wrapper)}")
            words += [f"OPTIONS ({spelling.pairs(found.options)})"] if found.options else []
            yield Statement(" ".join(words))
        case UserMapping(server=server):
            options = f" OPTIONS ({spelling.pairs(found.options)})" if found.options else ""
            yield Statement(f"CREATE USER MAPPING FOR {_user(found)} SERVER {names.quoted(server)}{options}")
        case DefaultPrivileges():
            for line in dump.default_privileges(None, found):
                yield Statement(line)
        case Other():
            for part in found.definition.split(";\n"):
                yield Statement(part if found.made else f"-- cannot be made here: {found.kind} {found.identity}")


def drop(found: Object) -> Iterator[Statement]:  # noqa: C901, PLR0912 - one short case a kind
    """The statements that remove an object."""
    match found:
        case Table(schema=schema, name=name):
            lost = found.relkind == "r"
            yield Statement(
                f"DROP {_table_kind(found)} {names.qualified(schema, name)}", lost, "its rows are lost" if lost else ""
            )
        case Column(schema=schema, table=table, name=name):
            if not found.inherited:
                lost = not found.generated
                yield Statement(
                    f"ALTER TABLE {names.qualified(schema, table)} DROP COLUMN {names.quoted(name)}",
                    lost,
                    "its values are lost" if lost else "",
                )
        case Default(schema=schema, table=table, column=column):
            kind = "VIEW" if found.of_view else "TABLE ONLY"
            yield Statement(
                f"ALTER {kind} {names.qualified(schema, table)} ALTER COLUMN {names.quoted(column)} DROP DEFAULT"
            )
        case Constraint(schema=schema, table=table, name=name):
            # On version 14 a partition that leaves its table has lost its key to a partitioned one by then.
            there = "IF EXISTS " if found.contype == "f" and found.inherited else ""
            yield Statement(f"ALTER TABLE {names.qualified(schema, table)} DROP CONSTRAINT {there}{names.quoted(name)}")
        case Trigger(definition=""):
            yield enabled(replace(found, enabled=found.above))
        case DomainCheck(schema=schema, domain=domain, name=name):
            yield Statement(f"ALTER DOMAIN {names.qualified(schema, domain)} DROP CONSTRAINT {names.quoted(name)}")
        case UserMapping(server=server):
            yield Statement(f"DROP USER MAPPING FOR {_user(found)} SERVER {names.quoted(server)}")
        case DefaultPrivileges():
            for line in dump.default_privileges(found, None):
                yield Statement(line)
        case Subscription(name=name):
            if found.slot:
                yield Statement(f"ALTER SUBSCRIPTION {names.quoted(name)} DISABLE")
                yield Statement(f"ALTER SUBSCRIPTION {names.quoted(name)} SET (slot_name = NONE)")
            yield Statement(f"DROP SUBSCRIPTION {names.quoted(name)}")
        case Function() | Aggregate():
            yield Statement(f"DROP {titles.called(found)}")
        case Extension(name=name):
            yield Statement(f"DROP EXTENSION {names.quoted(name)}")
        case _:
            yield Statement(f"DROP {titles.called(found)}")


def _user(found: UserMapping) -> str:
    return spelling.role(found.user) if found.user else "CURRENT_USER"


def _foreign(catalog: Catalog, schema: str, table: str) -> bool:
    found = catalog.objects.get(("table", schema, table))
    return isinstance(found, Table) and found.relkind == "f"


def _table_kind(table: Table) -> str:
    return "FOREIGN TABLE" if table.relkind == "f" else "TABLE"


def _table(table: Table, b: Catalog, folded: Collection[Key]) -> Iterator[Statement]:  # noqa: C901 - one clause after the other
    parts = [b.objects[key] for key in folded if key in b.objects]
    defaults = {part.column: part.expression for part in parts if isinstance(part, Default)}
    columns = sorted((part for part in parts if isinstance(part, Column)), key=lambda column: column.position)
    constraints = sorted(
        (part for part in parts if isinstance(part, Constraint)),
        key=lambda part: ("puxcf".index(part.contype), part.name),
    )
    inherits = bool(table.parents) and not table.bound
    lines = [
        "    " + spelling.column(_less(column, table, b), defaults.get(column.name, ""))
        for column in columns
        if not (inherits and column.inherited)
    ]
    lines += [
        f"    CONSTRAINT {names.quoted(part.name)} {part.definition}"
        for part in constraints
        if not (inherits and part.inherited)
    ]
    kind = "UNLOGGED TABLE" if table.unlogged else _table_kind(table)
    body = "(\n" + ",\n".join(lines) + "\n)" if lines else "()"
    words = [f"CREATE {kind} {names.qualified(table.schema, table.name)} {body}"]
    if inherits:
        words.append(f"INHERITS ({', '.join(names.qualified(*parent) for parent in table.parents)})")
    if table.partition_key:
        words.append(f"PARTITION BY {table.partition_key}")
    if table.access_method:
        words.append(f"USING {names.quoted(table.access_method)}")
    if table.options:
        words.append(f"WITH ({spelling.settings(table.options)})")
    if table.tablespace:
        words.append(f"TABLESPACE {names.quoted(table.tablespace)}")
    if table.server:
        words.append(f"SERVER {names.quoted(table.server)}")
    if table.server_options:
        words.append(f"OPTIONS ({spelling.pairs(table.server_options)})")
    yield Statement(" ".join(words))
    target = f"ALTER TABLE {names.qualified(table.schema, table.name)}"
    for column in columns:
        if inherits and column.inherited:
            yield from _apart_from_parents(table, column, defaults.get(column.name, ""), b)
        yield from column_extras(column)
    if table.of_type:
        yield Statement(f"{target} OF {table.of_type}")
    if table.rls:
        yield Statement(f"{target} ENABLE ROW LEVEL SECURITY")
    if table.force_rls:
        yield Statement(f"{target} FORCE ROW LEVEL SECURITY")


def _less(column: Column, table: Table, b: Catalog) -> Column:
    """Without the NOT NULL that a parent has."""
    above = [b.objects.get(("column", *parent, column.name)) for parent in table.parents]
    if column.also_here and any(isinstance(each, Column) and each.not_null == "yes" for each in above):
        return replace(column, not_null="")
    return column


def _apart_from_parents(table: Table, column: Column, default: str, b: Catalog) -> Iterator[Statement]:
    """What an inherited column has, or has not, otherwise than its parent's."""
    target = f"ALTER TABLE {names.qualified(table.schema, table.name)} ALTER COLUMN {names.quoted(column.name)}"
    for parent in table.parents:
        theirs = b.objects.get(("default", *parent, column.name))
        given = theirs.expression if isinstance(theirs, Default) else ""
        above = b.objects.get(("column", *parent, column.name))
        if not isinstance(above, Column):
            continue
        if given != default:
            yield Statement(f"{target} SET DEFAULT {default}" if default else f"{target} DROP DEFAULT")
        yield from _required_alone(table, column, b)
        return


def _required_alone(table: Table, column: Column, b: Catalog) -> Iterator[Statement]:
    """NOT NULL of an inherited column whose parent's may be null."""
    above = (b.objects.get(("column", *parent, column.name)) for parent in table.parents)
    theirs = next((each for each in above if isinstance(each, Column)), None)
    if theirs is not None and column.not_null and not theirs.not_null:
        name = names.qualified(table.schema, table.name)
        yield Statement(f"ALTER TABLE {name} ALTER COLUMN {names.quoted(column.name)} SET NOT NULL")


def column_extras(column: Column) -> Iterator[Statement]:
    """What is said of a column after it is there."""
    table = names.qualified(column.schema, column.table)
    for setting in spelling.column_settings(column):
        yield Statement(f"ALTER TABLE ONLY {table} ALTER COLUMN {names.quoted(column.name)} {setting}")
    if column.not_null == "not valid":
        yield Statement(f"ALTER TABLE {table} ADD NOT NULL {names.quoted(column.name)} NOT VALID")


def replica_identity(table: Table) -> Statement:
    """REPLICA IDENTITY; an index that it uses must be there already."""
    words = {"d": "DEFAULT", "n": "NOTHING", "f": "FULL"}.get(
        table.replica_identity, f"USING INDEX {names.quoted(table.replica_identity)}"
    )
    return Statement(f"ALTER TABLE {names.qualified(table.schema, table.name)} REPLICA IDENTITY {words}")


def _constraint(found: Constraint, b: Catalog) -> Iterator[Statement]:
    owner = b.objects.get(("table", found.schema, found.table))
    table = names.qualified(found.schema, found.table)
    only = ""
    if isinstance(owner, Table) and owner.relkind == "p" and found.contype in "pux":
        only = "ONLY "
    definition = found.definition
    given = found.index_options if found.contype != "x" else ()  # PostgreSQL prints those of an exclusion itself
    options = [option for option in given if not option.startswith("tablespace=")]
    spaces = [option.partition("=")[2] for option in given if option.startswith("tablespace=")]
    extra = f" WITH ({spelling.settings(tuple(options))})" if options else ""
    extra += f" USING INDEX TABLESPACE {names.quoted(spaces[0])}" if spaces else ""
    if extra:
        for tail in (" DEFERRABLE INITIALLY DEFERRED", " DEFERRABLE", " WHERE "):
            if tail in definition:
                place = definition.index(tail)
                definition = definition[:place] + extra + definition[place:]
                break
        else:
            definition += extra
    yield Statement(f"ALTER TABLE {only}{table} ADD CONSTRAINT {names.quoted(found.name)} {definition}")
    if found.clustered:
        yield Statement(f"ALTER TABLE {table} CLUSTER ON {names.quoted(found.name)}")


def view(found: View, *, again: bool = False) -> str:
    """CREATE VIEW."""
    kind = "MATERIALIZED VIEW" if found.materialized else "OR REPLACE VIEW" if again else "VIEW"
    columns = f" ({names.listed(column.name for column in found.columns)})" if found.columns else ""
    method = f" USING {names.quoted(found.access_method)}" if found.access_method else ""
    options = f" WITH ({spelling.settings(found.options)})" if found.options else ""
    space = f" TABLESPACE {names.quoted(found.tablespace)}" if found.tablespace else ""
    empty = "" if found.populated else "\nWITH NO DATA"
    columns = "" if not found.materialized else columns
    name = names.qualified(found.schema, found.name)
    return f"CREATE {kind} {name}{columns}{method}{options}{space} AS\n{found.definition}{empty}"


def view_setting(found: View, column: str, setting: str) -> Statement:
    """What ALTER COLUMN says of a materialized view's column."""
    name = names.qualified(found.schema, found.name)
    return Statement(f"ALTER MATERIALIZED VIEW {name} ALTER COLUMN {names.quoted(column)} {setting}")


def enabled(found: Trigger | Rule) -> Statement:
    """ENABLE or DISABLE TRIGGER, RULE."""
    table = names.qualified(found.schema, found.table)
    return Statement(
        f"ALTER TABLE {table} {dump.ENABLED[found.enabled]} {found.key[0].upper()} {names.quoted(found.name)}"
    )


def attribute_comments(before: Composite | None, after: Composite) -> Iterator[Statement]:
    """Comments of the fields of a composite type."""
    old = {each.name: each.comment for each in before.attributes} if before else {}
    for each in after.attributes:
        if each.comment != old.get(each.name, ""):
            where = names.qualified(after.schema, after.name, each.name)
            yield Statement(f"COMMENT ON COLUMN {where} IS {names.literal(each.comment) if each.comment else 'NULL'}")


def published(found: Publication) -> list[str]:
    """What a publication is FOR, as ADD and SET have it."""
    parts = [spelling.published(table) for table in found.tables]
    parts[1:] = [part.removeprefix("TABLE ") for part in parts[1:]]  # version 14 knows the word once
    return parts + [f"TABLES IN SCHEMA {names.quoted(schema)}" for schema in found.schemas]


def _publication(found: Publication) -> str:
    words = [f"CREATE PUBLICATION {names.quoted(found.name)}"]
    if found.all_tables:
        words.append("FOR ALL TABLES")
    elif parts := published(found):
        words.append("FOR " + ", ".join(parts))
    if found.options:
        words.append(f"WITH ({', '.join(found.options)})")
    return " ".join(words)


def _subscription(found: Subscription) -> str:
    slot = names.literal(found.slot) if found.slot else "NONE"
    options = ["connect = false", f"slot_name = {slot}", *found.options]
    connection = names.literal(found.connection or "")
    return (
        f"CREATE SUBSCRIPTION {names.quoted(found.name)} CONNECTION {connection}"
        f" PUBLICATION {names.listed(found.publications)} WITH ({', '.join(options)})"
    )
