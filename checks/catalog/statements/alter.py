"""How an object becomes another in place; None where it has to be dropped and made anew."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from checks.catalog import dump, names, spelling
from checks.catalog.code import EventTrigger, Function, Policy, Rule, Trigger
from checks.catalog.model import Catalog, Object
from checks.catalog.outside import (
    DefaultPrivileges,
    Extension,
    ForeignDataWrapper,
    Publication,
    Role,
    Server,
    Subscription,
    UserMapping,
)
from checks.catalog.statements import casts, make
from checks.catalog.statements.model import Statement
from checks.catalog.tables import Column, Constraint, Default, Index, Statistics, Table, View
from checks.catalog.types import Composite, Counting, Domain, Enum, Identity, Sequence

_SAID_ELSEWHERE = {"owner": "", "acl": None, "comment": ""}


def alter(before: Object, after: Object) -> list[Statement] | None:
    """The statements that make `before` into `after`, owner, privileges and comment apart."""
    if type(before) is not type(after):
        return None
    if _bare(before) == _bare(after):
        return []
    way = _WAYS.get(type(after))
    return None if way is None else way(before, after)


def _bare(found: Object) -> Object:
    if isinstance(found, DefaultPrivileges):
        return found
    return replace(found, **{name: value for name, value in _SAID_ELSEWHERE.items() if hasattr(found, name)})


def _options(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    old, new = (dict(each.partition("=")[::2] for each in options) for options in (before, after))
    words = [f"DROP {names.quoted(name)}" for name in old if name not in new]
    words += [
        f"SET {names.quoted(name)} {names.literal(value)}"
        for name, value in new.items()
        if name in old and old[name] != value
    ]
    words += [f"ADD {names.quoted(name)} {names.literal(value)}" for name, value in new.items() if name not in old]
    return ", ".join(words)


def _extension(before: Extension, after: Extension) -> list[Statement] | None:
    name = names.quoted(after.name)
    done: list[Statement] = []
    if before.version != after.version:
        if _version(after.version) < _version(before.version):
            return None  # there is rarely a path back
        done.append(Statement(f"ALTER EXTENSION {name} UPDATE TO {names.literal(after.version)}"))
    if before.schema != after.schema:
        if not before.relocatable:
            return None
        done.append(Statement(f"ALTER EXTENSION {name} SET SCHEMA {names.quoted(after.schema)}"))
    return done


def _version(text: str) -> list[tuple[int, int | str]]:
    return [(1, int(part)) if part.isdigit() else (0, part) for part in text.replace("-", ".").split(".")]


def _role(before: Role, after: Role) -> list[Statement]:
    return list(_role_words(before, after))


def _role_words(before: Role, after: Role) -> Iterator[Statement]:
    words = [word for word in after.attributes if word not in before.attributes]
    for word in before.attributes:
        if word not in after.attributes:
            if word.startswith("CONNECTION LIMIT"):
                words += (
                    []
                    if any(each.startswith("CONNECTION LIMIT") for each in after.attributes)
                    else ["CONNECTION LIMIT -1"]
                )
            else:
                words.append(word.removeprefix("NO") if word == "NOINHERIT" else f"NO{word}")
    if words:
        yield Statement(f"ALTER ROLE {names.quoted(after.name)} {' '.join(words)}")
    for group in before.member_of:
        if group not in after.member_of:
            yield Statement(f"REVOKE {names.quoted(group)} FROM {names.quoted(after.name)}")
    for group in after.member_of:
        if group not in before.member_of:
            yield Statement(f"GRANT {names.quoted(group)} TO {names.quoted(after.name)}")


def _enum(before: Enum, after: Enum) -> list[Statement] | None:
    kept = [label for label in after.labels if label in before.labels]
    if kept != list(before.labels):
        return None
    name = names.qualified(after.schema, after.name)
    done: list[Statement] = []
    known = list(before.labels)
    for place, label in enumerate(after.labels):
        if label in before.labels:
            continue
        if place and after.labels[place - 1] == known[-1]:
            where = ""
        elif place:
            where = f" AFTER {names.literal(after.labels[place - 1])}"
        else:
            where = f" BEFORE {names.literal(known[0])}" if known else ""
        done.append(Statement(f"ALTER TYPE {name} ADD VALUE {names.literal(label)}{where}"))
        known.insert(place, label)
    return done


def _domain(before: Domain, after: Domain) -> list[Statement] | None:
    if (before.type, before.collation) != (after.type, after.collation):
        return None
    name = names.qualified(after.schema, after.name)
    done: list[Statement] = []
    if before.default != after.default:
        done.append(
            Statement(f"ALTER DOMAIN {name} {'SET DEFAULT ' + after.default if after.default else 'DROP DEFAULT'}")
        )
    if before.not_null != after.not_null:
        done.append(Statement(f"ALTER DOMAIN {name} {'SET' if after.not_null else 'DROP'} NOT NULL"))
    return done


def _composite(before: Composite, after: Composite) -> list[Statement] | None:
    name = names.qualified(after.schema, after.name)
    old = {each.name: each for each in before.attributes}
    new = {each.name: each for each in after.attributes}
    kept = [each.name for each in before.attributes if each.name in new]
    added = [each.name for each in after.attributes if each.name not in old]
    if kept + added != [each.name for each in after.attributes]:
        return None
    done = [
        Statement(f"ALTER TYPE {name} DROP ATTRIBUTE {names.quoted(each)}", True, "its values are lost")
        for each in old
        if each not in new
    ]
    for each in kept:
        if (old[each].type, old[each].collation) != (new[each].type, new[each].collation):
            return None  # not allowed where a table uses the type
    for each in added:
        collation = f" COLLATE {new[each].collation}" if new[each].collation else ""
        done.append(Statement(f"ALTER TYPE {name} ADD ATTRIBUTE {names.quoted(each)} {new[each].type}{collation}"))
    return done + list(make.attribute_comments(before, after))


def counting(before: Counting, after: Counting) -> list[str]:
    """The options of ALTER SEQUENCE that make one way to count into another."""
    words: list[str] = []
    if before.type != after.type:
        words.append(f"AS {after.type}")
    if before.increment != after.increment:
        words.append(f"INCREMENT BY {after.increment}")
    if before.minimum != after.minimum or before.type != after.type:
        words.append(f"MINVALUE {after.minimum}")
    if before.maximum != after.maximum or before.type != after.type:
        words.append(f"MAXVALUE {after.maximum}")
    if before.start != after.start:
        words.append(f"START WITH {after.start}")
    if not after.minimum <= before.start <= after.maximum:
        words.append(f"RESTART WITH {after.start}")
    if before.cache != after.cache:
        words.append(f"CACHE {after.cache}")
    if before.cycle != after.cycle:
        words.append("CYCLE" if after.cycle else "NO CYCLE")
    return words


def _sequence(before: Sequence, after: Sequence) -> list[Statement]:
    name = names.qualified(after.schema, after.name)
    done: list[Statement] = []
    if words := counting(before.counting, after.counting):
        done.append(Statement(f"ALTER SEQUENCE {name} {' '.join(words)}"))
    if before.unlogged != after.unlogged and not after.owned_by:
        done.append(Statement(f"ALTER SEQUENCE {name} SET {'UNLOGGED' if after.unlogged else 'LOGGED'}"))
    if before.owned_by != after.owned_by and not after.owned_by:
        done.append(Statement(f"ALTER SEQUENCE {name} OWNED BY NONE"))
    return done


def _table(before: Table, after: Table) -> list[Statement] | None:
    if (before.relkind, before.partition_key, before.server) != (after.relkind, after.partition_key, after.server):
        return None
    target = f"ALTER {'FOREIGN TABLE' if after.relkind == 'f' else 'TABLE'} {names.qualified(after.schema, after.name)}"
    done: list[Statement] = []
    if before.unlogged != after.unlogged:
        done.append(Statement(f"{target} SET {'UNLOGGED' if after.unlogged else 'LOGGED'}"))
    if before.access_method != after.access_method:
        done.append(Statement(f"{target} SET ACCESS METHOD {names.quoted(after.access_method or 'heap')}"))
    if before.tablespace != after.tablespace:
        done.append(Statement(f"{target} SET TABLESPACE {names.quoted(after.tablespace or 'pg_default')}"))
    if before.of_type != after.of_type:
        done.append(Statement(f"{target} OF {after.of_type}" if after.of_type else f"{target} NOT OF"))
    done += [Statement(f"{target} {words}") for words in storage(before.options, after.options)]
    if before.server_options != after.server_options:
        done.append(Statement(f"{target} OPTIONS ({_options(before.server_options, after.server_options)})"))
    if before.rls != after.rls:
        done.append(Statement(f"{target} {'ENABLE' if after.rls else 'DISABLE'} ROW LEVEL SECURITY"))
    if before.force_rls != after.force_rls:
        done.append(Statement(f"{target} {'' if after.force_rls else 'NO '}FORCE ROW LEVEL SECURITY"))
    return done


def storage(before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[str]:
    """RESET and SET of storage parameters."""
    old, new = (dict(each.partition("=")[::2] for each in options) for options in (before, after))
    if gone := [name for name in old if name not in new]:
        yield f"RESET ({', '.join(gone)})"
    if changed := tuple(f"{name}={value}" for name, value in new.items() if old.get(name) != value):
        yield f"SET ({spelling.settings(changed)})"


def _column(before: Column, after: Column) -> list[Statement] | None:
    generated = (before.generated, before.expression) != (after.generated, after.expression)
    if generated and (after.generated or before.generated == "v"):
        return None
    if after.generated and (before.type, before.collation) != (after.type, after.collation):
        return None  # its values are computed anew
    head = "FOREIGN TABLE" if before.server_options or after.server_options else "TABLE ONLY"
    target = f"ALTER {head} {names.qualified(after.schema, after.table)}"
    column = f"ALTER COLUMN {names.quoted(after.name)}"
    done: list[Statement] = []
    if generated:
        done.append(Statement(f"{target.replace('TABLE ONLY', 'TABLE')} {column} DROP EXPRESSION"))
    if before.identity and not after.identity:
        done.append(Statement(f"{target} {column} DROP IDENTITY"))
    if (before.type, before.collation) != (after.type, after.collation) and not after.inherited:
        done.append(retype(before, after, casts.using(before, after)))
    done += _nullable(before, after, target, column)
    if after.identity:
        done += _identity(before, after, after.identity, target, column)
    if before.storage != after.storage:
        word = spelling.STORAGE[after.storage] if after.storage else "DEFAULT"
        done.append(Statement(f"{target} {column} SET STORAGE {word}"))
    if before.compression != after.compression:
        word = spelling.COMPRESSION[after.compression] if after.compression else "default"
        done.append(Statement(f"{target} {column} SET COMPRESSION {word}"))
    if before.statistics != after.statistics:
        done.append(Statement(f"{target} {column} SET STATISTICS {after.statistics}"))
    done += [Statement(f"{target} {column} {words}") for words in storage(before.options, after.options)]
    if before.server_options != after.server_options:
        done.append(Statement(f"{target} {column} OPTIONS ({_options(before.server_options, after.server_options)})"))
    return done


def retype(before: Column, after: Column, using: str) -> Statement:
    """ALTER COLUMN … TYPE."""
    collation = f" COLLATE {after.collation}" if after.collation else ""
    why = casts.loss(before, after)
    return Statement(
        f"ALTER TABLE {names.qualified(after.schema, after.table)} ALTER COLUMN {names.quoted(after.name)}"
        f" SET DATA TYPE {after.type}{collation}{using}",
        bool(why),
        why,
    )


def _nullable(before: Column, after: Column, target: str, column: str) -> Iterator[Statement]:
    if before.not_null == after.not_null:
        return
    table = names.qualified(after.schema, after.table)
    if not after.not_null:
        yield Statement(f"{target.replace('TABLE ONLY', 'TABLE')} {column} DROP NOT NULL")
    elif after.not_null == "yes" and before.not_null != "no inherit":
        yield Statement(f"{target.replace('TABLE ONLY', 'TABLE')} {column} SET NOT NULL")
    else:
        if before.not_null:
            yield Statement(f"{target} {column} DROP NOT NULL")
        words = {"yes": "", "not valid": " NOT VALID", "no inherit": " NO INHERIT"}[after.not_null]
        yield Statement(f"ALTER TABLE {table} ADD NOT NULL {names.quoted(after.name)}{words}")


def _identity(before: Column, after: Column, identity: Identity, target: str, column: str) -> Iterator[Statement]:
    was = before.identity
    if was is None:
        yield Statement(f"{target} {column} ADD {spelling.identity(identity, after.schema, after.table, after.name)}")
        return
    words: list[str] = []
    if was.always != identity.always:
        words.append(f"SET GENERATED {'ALWAYS' if identity.always else 'BY DEFAULT'}")
    counted = replace(was.counting, type=identity.counting.type)  # ALTER COLUMN TYPE took the sequence along
    for option in counting(counted, identity.counting):
        words.append(option if option.startswith("RESTART") else f"SET {option}")
    if was.counting.type != identity.counting.type:
        for word, value in (("MINVALUE", identity.counting.minimum), ("MAXVALUE", identity.counting.maximum)):
            if not any(each.startswith(f"SET {word}") for each in words):
                words.append(f"SET {word} {value}")
    if words:
        yield Statement(f"{target} {column} {' '.join(words)}")
    if was.name != identity.name:
        old = names.qualified(was.schema, was.name)
        yield Statement(f"ALTER SEQUENCE {old} RENAME TO {names.quoted(identity.name)}")


def _constraint(before: Constraint, after: Constraint) -> list[Statement] | None:
    table = names.qualified(after.schema, after.table)
    name = names.quoted(after.name)
    done: list[Statement] = []
    loose = replace(
        before, definition=after.definition, index_options=after.index_options, index_parent=after.index_parent,
        clustered=after.clustered, comment=after.comment, index_comment=after.index_comment,
    )  # fmt: skip
    if loose != after or (before.index_parent and before.index_parent != after.index_parent):
        return None
    if before.definition != after.definition:
        if before.definition == f"{after.definition} NOT VALID":
            done.append(Statement(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"))
        elif after.contype == "f" and _deferral(before.definition)[0] == _deferral(after.definition)[0]:
            done.append(
                Statement(
                    f"ALTER TABLE {table} ALTER CONSTRAINT {name} {_deferral(after.definition)[1] or 'NOT DEFERRABLE'}"
                )
            )
        else:
            return None
    if before.index_options != after.index_options:
        done += [
            Statement(f"ALTER INDEX {names.qualified(after.schema, after.name)} {words}")
            for words in storage(before.index_options, after.index_options)
        ]
    if before.clustered != after.clustered:
        done.append(
            Statement(f"ALTER TABLE {table} {'CLUSTER ON ' + name if after.clustered else 'SET WITHOUT CLUSTER'}")
        )
    return done


def _deferral(definition: str) -> tuple[str, str]:
    for words in ("DEFERRABLE INITIALLY DEFERRED", "DEFERRABLE"):
        if definition.endswith(" " + words):
            return definition.removesuffix(" " + words), words
    return definition, ""


def _index(before: Index, after: Index) -> list[Statement] | None:
    same = replace(
        before,
        clustered=after.clustered,
        statistics=after.statistics,
        parent=after.parent,
        valid=after.valid,
        comment=after.comment,
    )
    if same != after or (before.parent and before.parent != after.parent):
        return None
    if before.valid != after.valid and not after.definition.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX")):
        return None
    if before.valid != after.valid and " ON ONLY " not in after.definition:
        return None
    done: list[Statement] = []
    name = names.qualified(after.schema, after.name)
    old, new = (dict(each.partition("=")[::2] for each in index.statistics) for index in (before, after))
    done += [
        Statement(f"ALTER INDEX {name} ALTER COLUMN {number} SET STATISTICS {new.get(number, '-1')}")
        for number in sorted(old.keys() | new.keys(), key=int)
        if old.get(number) != new.get(number)
    ]
    if before.clustered != after.clustered:
        words = f"CLUSTER ON {names.quoted(after.name)}" if after.clustered else "SET WITHOUT CLUSTER"
        done.append(Statement(f"ALTER TABLE {names.qualified(after.schema, after.table)} {words}"))
    return done


def _view(before: View, after: View) -> list[Statement] | None:
    if before.materialized != after.materialized:
        return None
    old = [(each.name, each.type, each.collation) for each in before.columns]
    new = [(each.name, each.type, each.collation) for each in after.columns]
    name = names.qualified(after.schema, after.name)
    kind = "MATERIALIZED VIEW" if after.materialized else "VIEW"
    done: list[Statement] = []
    if before.definition != after.definition or old != new:
        if after.materialized or new[: len(old)] != old:
            return None
        return [Statement(make.view(after, replace=True))]
    if before.populated != after.populated:
        done.append(Statement(f"REFRESH MATERIALIZED VIEW {name}{'' if after.populated else ' WITH NO DATA'}"))
    if before.access_method != after.access_method:
        done.append(Statement(f"ALTER {kind} {name} SET ACCESS METHOD {names.quoted(after.access_method or 'heap')}"))
    if before.tablespace != after.tablespace:
        done.append(Statement(f"ALTER {kind} {name} SET TABLESPACE {names.quoted(after.tablespace or 'pg_default')}"))
    done += [Statement(f"ALTER {kind} {name} {words}") for words in storage(before.options, after.options)]
    return done


def _policy(before: Policy, after: Policy) -> list[Statement] | None:
    if (before.permissive, before.command) != (after.permissive, after.command):
        return None
    if (before.using and not after.using) or (before.check and not after.check):
        return None
    words = [f"ALTER POLICY {names.quoted(after.name)} ON {names.qualified(after.schema, after.table)}"]
    if before.roles != after.roles:
        words.append(f"TO {', '.join(map(spelling.role, after.roles))}")
    if before.using != after.using:
        words.append(f"USING ({after.using})")
    if before.check != after.check:
        words.append(f"WITH CHECK ({after.check})")
    return [Statement(" ".join(words))]


def _publication(before: Publication, after: Publication) -> list[Statement] | None:
    if before.all_tables != after.all_tables:
        return None
    name = names.quoted(after.name)
    done: list[Statement] = []
    if (before.tables, before.schemas) != (after.tables, after.schemas):
        if not make.published(after):
            done += [Statement(f"ALTER PUBLICATION {name} DROP {part}") for part in _unqualified(before)]
        else:
            done.append(Statement(f"ALTER PUBLICATION {name} SET {', '.join(make.published(after))}"))
    if before.options != after.options:
        usual = {"publish": "publish = 'insert, update, delete, truncate'", "publish_via_partition_root": "publish_via_partition_root = false",
                 "publish_generated_columns": "publish_generated_columns = none"}  # fmt: skip
        new = {option.partition(" ")[0]: option for option in after.options}
        reset = [usual[option.partition(" ")[0]] for option in before.options if option.partition(" ")[0] not in new]
        done.append(Statement(f"ALTER PUBLICATION {name} SET ({', '.join([*reset, *after.options])})"))
    return done


def _unqualified(found: Publication) -> list[str]:
    parts = [f"TABLE {names.qualified(table.schema, table.table)}" for table in found.tables]
    return parts + [f"TABLES IN SCHEMA {names.quoted(schema)}" for schema in found.schemas]


_SUBSCRIPTION_DEFAULTS = {
    "binary": "false", "streaming": "off", "synchronous_commit": "'off'", "disable_on_error": "false",
    "password_required": "true", "run_as_owner": "false", "origin": "'any'", "failover": "false", "two_phase": "false",
}  # fmt: skip


def _subscription(before: Subscription, after: Subscription) -> list[Statement]:
    return list(_subscription_words(before, after))


def _subscription_words(before: Subscription, after: Subscription) -> Iterator[Statement]:
    target = f"ALTER SUBSCRIPTION {names.quoted(after.name)}"
    if before.enabled and not after.enabled:
        yield Statement(f"{target} DISABLE")
    if before.connection != after.connection and after.connection is not None:
        yield Statement(f"{target} CONNECTION {names.literal(after.connection)}")
    if before.publications != after.publications:
        yield Statement(f"{target} SET PUBLICATION {names.listed(after.publications)} WITH (refresh = false)")
    new = {option.partition(" = ")[0]: option for option in after.options}
    settings = [option for option in after.options if option not in before.options]
    for option in before.options:
        word = option.partition(" = ")[0]
        if word not in new:
            settings.append(f"{word} = {_SUBSCRIPTION_DEFAULTS[word]}")
    if before.slot != after.slot:
        settings.insert(0, f"slot_name = {names.literal(after.slot) if after.slot else 'NONE'}")
    if settings:
        yield Statement(f"{target} SET ({', '.join(settings)})")
    if after.enabled and not before.enabled:
        yield Statement(f"{target} ENABLE")


def _wrapper(before: ForeignDataWrapper, after: ForeignDataWrapper) -> list[Statement]:
    return list(_wrapper_words(before, after))


def _wrapper_words(before: ForeignDataWrapper, after: ForeignDataWrapper) -> Iterator[Statement]:
    target = f"ALTER FOREIGN DATA WRAPPER {names.quoted(after.name)}"
    for word, old, new in (
        ("HANDLER", before.handler, after.handler),
        ("VALIDATOR", before.validator, after.validator),
    ):
        if old != new:
            yield Statement(f"{target} {word} {new}" if new else f"{target} NO {word}")
    if before.options != after.options:
        yield Statement(f"{target} OPTIONS ({_options(before.options, after.options)})")


def _server(before: Server, after: Server) -> list[Statement] | None:
    if (before.wrapper, before.type) != (after.wrapper, after.type) or (before.version and not after.version):
        return None
    target = f"ALTER SERVER {names.quoted(after.name)}"
    done: list[Statement] = []
    if before.version != after.version:
        done.append(Statement(f"{target} VERSION {names.literal(after.version)}"))
    if before.options != after.options:
        done.append(Statement(f"{target} OPTIONS ({_options(before.options, after.options)})"))
    return done


def _default(_: Default, after: Default) -> list[Statement]:
    return list(make.create(after, Catalog()))


def _statistics(before: Statistics, after: Statistics) -> list[Statement] | None:
    if before.definition != after.definition or (before.table_schema, before.table) != (
        after.table_schema,
        after.table,
    ):
        return None
    return [Statement(f"ALTER STATISTICS {names.qualified(after.schema, after.name)} SET STATISTICS {after.target}")]


def _function(before: Function, after: Function) -> list[Statement] | None:
    if (before.prokind, before.shape) != (after.prokind, after.shape) or after.defaults < before.defaults:
        return None
    return [Statement(after.definition)]


def _trigger(before: Trigger, after: Trigger) -> list[Statement] | None:
    return [make.enabled(after)] if before.definition == after.definition else None


def _rule(before: Rule, after: Rule) -> list[Statement] | None:
    return [make.enabled(after)] if before.definition == after.definition else None


def _event_trigger(before: EventTrigger, after: EventTrigger) -> list[Statement] | None:
    if (before.event, before.function, before.tags) != (after.event, after.function, after.tags):
        return None
    return [Statement(f"ALTER EVENT TRIGGER {names.quoted(after.name)} {dump.ENABLED[after.enabled]}")]


def _user_mapping(before: UserMapping, after: UserMapping) -> list[Statement]:
    user = spelling.role(after.user) if after.user else "CURRENT_USER"
    changed = _options(before.options, after.options)
    return [Statement(f"ALTER USER MAPPING FOR {user} SERVER {names.quoted(after.server)} OPTIONS ({changed})")]


def _default_privileges(before: DefaultPrivileges, after: DefaultPrivileges) -> list[Statement]:
    return [Statement(line) for line in dump.default_privileges(before, after)]


_WAYS: dict[type, Callable[[Any, Any], list[Statement] | None]] = {
    Column: _column,
    Composite: _composite,
    Constraint: _constraint,
    Default: _default,
    DefaultPrivileges: _default_privileges,
    Domain: _domain,
    Enum: _enum,
    EventTrigger: _event_trigger,
    Extension: _extension,
    ForeignDataWrapper: _wrapper,
    Function: _function,
    Index: _index,
    Policy: _policy,
    Publication: _publication,
    Role: _role,
    Rule: _rule,
    Sequence: _sequence,
    Server: _server,
    Statistics: _statistics,
    Subscription: _subscription,
    Table: _table,
    Trigger: _trigger,
    UserMapping: _user_mapping,
    View: _view,
}
