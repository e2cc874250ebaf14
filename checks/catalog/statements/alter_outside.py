"""How extensions, roles, replication and foreign servers change in place; None where they have to be made anew."""

from collections.abc import Iterator

from checks.catalog import names, spelling
from checks.catalog.outside import (
    Extension,
    ForeignDataWrapper,
    Publication,
    Role,
    Server,
    Subscription,
    UserMapping,
)
from checks.catalog.statements import make, pieces
from checks.catalog.statements.model import Statement


def extension(before: Extension, after: Extension) -> list[Statement] | None:
    """An extension; None where it cannot move, or would go back."""
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


def role(before: Role, after: Role) -> list[Statement]:
    """A role."""
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


def publication(before: Publication, after: Publication) -> list[Statement] | None:
    """A publication."""
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


def subscription(before: Subscription, after: Subscription) -> list[Statement]:
    """A subscription."""
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


def wrapper(before: ForeignDataWrapper, after: ForeignDataWrapper) -> list[Statement]:
    """A foreign-data wrapper."""
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
        yield Statement(f"{target} OPTIONS ({pieces.options(before.options, after.options)})")


def server(before: Server, after: Server) -> list[Statement] | None:
    """A foreign server; None where its wrapper or type is another."""
    if (before.wrapper, before.type) != (after.wrapper, after.type) or (before.version and not after.version):
        return None
    target = f"ALTER SERVER {names.quoted(after.name)}"
    done: list[Statement] = []
    if before.version != after.version:
        done.append(Statement(f"{target} VERSION {names.literal(after.version)}"))
    if before.options != after.options:
        done.append(Statement(f"{target} OPTIONS ({pieces.options(before.options, after.options)})"))
    return done


def user_mapping(before: UserMapping, after: UserMapping) -> list[Statement]:
    """A user mapping."""
    user = spelling.role(after.user) if after.user else "CURRENT_USER"
    changed = pieces.options(before.options, after.options)
    return [Statement(f"ALTER USER MAPPING FOR {user} SERVER {names.quoted(after.server)} OPTIONS ({changed})")]
