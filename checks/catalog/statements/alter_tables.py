"""How tables and what belongs to them change in place; None where they have to be made anew."""

from collections.abc import Iterator
from dataclasses import replace

from checks.catalog import names, spelling
from checks.catalog.code import Policy
from checks.catalog.statements import casts, make, pieces
from checks.catalog.statements.model import Statement
from checks.catalog.tables import Column, Constraint, Index, Output, Table, View
from checks.catalog.types import Identity

# SET STORAGE DEFAULT came with 16; only types of varying length have a choice.
_STORED = {"numeric": "MAIN", "inet": "MAIN", "cidr": "MAIN", "tsquery": "PLAIN"}


def table(before: Table, after: Table) -> list[Statement] | None:
    """A table; None where its kind, its partitioning or its server is another."""
    if (before.relkind, before.partition_key, before.server) != (after.relkind, after.partition_key, after.server):
        return None
    target = f"ALTER {'FOREIGN TABLE' if after.relkind == 'f' else 'TABLE'} {names.qualified(after.schema, after.name)}"
    resets = [words for words in pieces.storage(before.options, after.options) if words.startswith("RESET")]
    done = [Statement(f"{target} {words}") for words in resets]  # a catalog table of the user's is not rewritten
    if before.unlogged != after.unlogged:
        done.append(Statement(f"{target} SET {'UNLOGGED' if after.unlogged else 'LOGGED'}"))
    if before.access_method != after.access_method:
        done.append(Statement(f"{target} SET ACCESS METHOD {names.quoted(after.access_method or 'heap')}"))
    if before.tablespace != after.tablespace:
        done.append(Statement(f"{target} SET TABLESPACE {names.quoted(after.tablespace or 'pg_default')}"))
    done += [
        Statement(f"{target} {words}") for words in pieces.storage(before.options, after.options) if words not in resets
    ]
    if before.server_options != after.server_options:
        done.append(Statement(f"{target} OPTIONS ({pieces.options(before.server_options, after.server_options)})"))
    if before.rls != after.rls:
        done.append(Statement(f"{target} {'ENABLE' if after.rls else 'DISABLE'} ROW LEVEL SECURITY"))
    if before.force_rls != after.force_rls:
        done.append(Statement(f"{target} {'' if after.force_rls else 'NO '}FORCE ROW LEVEL SECURITY"))
    return done


def column(before: Column, after: Column) -> list[Statement] | None:  # noqa: C901 - one property after the other
    """A column; None where its values have to be computed anew."""
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
        done.append(Statement(f"{target.replace('TABLE ONLY', 'TABLE')} {column} DROP IDENTITY"))
    if (before.type, before.collation) != (after.type, after.collation) and not (after.inherited or after.also_here):
        done.append(retype(before, after, casts.using(before, after)))
    done += _nullable(before, after, target, column)
    if after.identity:
        done += _identity(before, after, after.identity, target.replace("TABLE ONLY", "TABLE"), column)
    kept = before.storage if before.type == after.type else ""  # another type brings its own
    if kept != after.storage:
        word = (
            spelling.STORAGE[after.storage] if after.storage else _STORED.get(after.type.partition("(")[0], "EXTENDED")
        )
        done.append(Statement(f"{target} {column} SET STORAGE {word}"))
    if before.compression != after.compression:
        word = spelling.COMPRESSION[after.compression] if after.compression else "default"
        done.append(Statement(f"{target} {column} SET COMPRESSION {word}"))
    if before.statistics != after.statistics:
        done.append(Statement(f"{target} {column} SET STATISTICS {after.statistics}"))
    done += [Statement(f"{target} {column} {words}") for words in pieces.storage(before.options, after.options)]
    if before.server_options != after.server_options:
        done.append(
            Statement(f"{target} {column} OPTIONS ({pieces.options(before.server_options, after.server_options)})")
        )
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
    changed = pieces.counting(counted, identity.counting)
    words += [option if option.startswith("RESTART") else f"SET {option}" for option in changed]
    if was.counting.type != identity.counting.type:
        for word, value in (("MINVALUE", identity.counting.minimum), ("MAXVALUE", identity.counting.maximum)):
            if not any(each.startswith(f"SET {word}") for each in words):
                words.append(f"SET {word} {value}")
    if words:
        yield Statement(f"{target} {column} {' '.join(words)}")
    if was.name != identity.name:
        old = names.qualified(was.schema, was.name)
        yield Statement(f"ALTER SEQUENCE {old} RENAME TO {names.quoted(identity.name)}")


def constraint(before: Constraint, after: Constraint) -> list[Statement] | None:
    """A constraint; None where its definition is another."""
    table = names.qualified(after.schema, after.table)
    name = names.quoted(after.name)
    done: list[Statement] = []
    loose = replace(
        before, definition=after.definition, index_options=after.index_options, index_parent=after.index_parent,
        valid=after.valid, also_here=after.also_here, clustered=after.clustered, comment=after.comment, index_comment=after.index_comment,
    )  # fmt: skip
    if loose != after or (before.index_parent and before.index_parent != after.index_parent):
        return None
    if before.valid and not after.valid:
        return None
    if before.inherited and after.also_here:
        done.append(Statement(f"ALTER TABLE {table} ADD CONSTRAINT {name} {after.definition}"))
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
            for words in pieces.storage(before.index_options, after.index_options)
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


def index(before: Index, after: Index) -> list[Statement] | None:
    """An index; None where its definition is another."""
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
    if before.valid != after.valid and (before.valid or " ON ONLY " not in after.definition):
        return None  # a partitioned index becomes valid with its last part, and stays so
    done: list[Statement] = []
    name = names.qualified(after.schema, after.name)
    old, new = pieces.told(before.statistics), pieces.told(after.statistics)
    done += [
        Statement(f"ALTER INDEX {name} ALTER COLUMN {number} SET STATISTICS {new.get(number, '-1')}")
        for number in sorted(old.keys() | new.keys(), key=int)
        if old.get(number) != new.get(number)
    ]
    if before.clustered != after.clustered:
        words = f"CLUSTER ON {names.quoted(after.name)}" if after.clustered else "SET WITHOUT CLUSTER"
        done.append(Statement(f"ALTER TABLE {names.qualified(after.schema, after.table)} {words}"))
    return done


def view(before: View, after: View) -> list[Statement] | None:
    """A view; None where columns go or change."""
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
        return [Statement(make.view(after, again=True))]
    for was, now in zip(before.columns, after.columns, strict=True):
        if len(set(was.settings) | set(now.settings)) > len(now.settings) and not _overwritten(was, now):
            return None
        done += [make.view_setting(after, now.name, each) for each in now.settings if each not in was.settings]
    if before.populated != after.populated:
        done.append(Statement(f"REFRESH MATERIALIZED VIEW {name}{'' if after.populated else ' WITH NO DATA'}"))
    if before.access_method != after.access_method:
        done.append(Statement(f"ALTER {kind} {name} SET ACCESS METHOD {names.quoted(after.access_method or 'heap')}"))
    if before.tablespace != after.tablespace:
        done.append(Statement(f"ALTER {kind} {name} SET TABLESPACE {names.quoted(after.tablespace or 'pg_default')}"))
    done += [Statement(f"ALTER {kind} {name} {words}") for words in pieces.storage(before.options, after.options)]
    return done


def _overwritten(before: Output, after: Output) -> bool:
    """Each setting that goes is another value of one that comes."""
    coming = {each.rpartition(" ")[0] for each in after.settings}
    return all(each in after.settings or each.rpartition(" ")[0] in coming for each in before.settings)


def policy(before: Policy, after: Policy) -> list[Statement] | None:
    """A policy; None where its command changes, or an expression goes."""
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
