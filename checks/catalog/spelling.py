"""Parts of objects as SQL, the same for the dump that people read and the statements that run."""

from collections.abc import Collection, Iterator

from checks.catalog import acl, names
from checks.catalog.model import Object
from checks.catalog.outside import Published
from checks.catalog.tables import Column
from checks.catalog.types import Acl, Counting, Identity

RANGE_OF = {"smallint": (-(2**15), 2**15 - 1), "integer": (-(2**31), 2**31 - 1), "bigint": (-(2**63), 2**63 - 1)}
STORAGE = {"p": "PLAIN", "e": "EXTERNAL", "m": "MAIN", "x": "EXTENDED"}
COMPRESSION = {"p": "pglz", "l": "lz4"}
COMMANDS = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE", "*": "ALL"}
PRIVILEGES_ON = {"r": "TABLES", "S": "SEQUENCES", "f": "FUNCTIONS", "T": "TYPES", "n": "SCHEMAS", "L": "LARGE OBJECTS"}


def bounds(counting: Counting) -> tuple[int, int]:
    """The least and greatest value that a sequence has when nothing is said."""
    least, greatest = RANGE_OF[counting.type]
    return (1, greatest) if counting.increment > 0 else (least, -1)


def counting(how: Counting, *, typed: bool) -> list[str]:
    """The options of a sequence that differ from the usual."""
    least, greatest = bounds(how)
    usual_start = how.minimum if how.increment > 0 else how.maximum
    words: list[str] = []
    if typed and how.type != "bigint":
        words.append(f"AS {how.type}")
    if how.increment != 1:
        words.append(f"INCREMENT BY {how.increment}")
    if how.minimum != least:
        words.append(f"MINVALUE {how.minimum}")
    if how.maximum != greatest:
        words.append(f"MAXVALUE {how.maximum}")
    if how.start != usual_start:
        words.append(f"START WITH {how.start}")
    if how.cache != 1:
        words.append(f"CACHE {how.cache}")
    if how.cycle:
        words.append("CYCLE")
    return words


def identity(how: Identity, schema: str, table: str, column: str) -> str:
    """GENERATED … AS IDENTITY; the sequence is named where PostgreSQL would choose another name."""
    words = counting(how.counting, typed=False)
    if (how.schema, how.name) != (schema, f"{table}_{column}_seq"):
        words.insert(0, f"SEQUENCE NAME {names.qualified(how.schema, how.name)}")
    options = f" ({' '.join(words)})" if words else ""
    return f"GENERATED {'ALWAYS' if how.always else 'BY DEFAULT'} AS IDENTITY{options}"


GENERATED = {"s": "STORED", "v": "VIRTUAL"}


def column(found: Column, default: str = "") -> str:
    """A column as CREATE TABLE and ADD COLUMN have it."""
    words = [names.quoted(found.name), found.type]
    if found.collation:
        words.append(f"COLLATE {found.collation}")
    if found.server_options:
        words.append(f"OPTIONS ({pairs(found.server_options)})")
    if found.generated:
        words.append(f"GENERATED ALWAYS AS ({found.expression}) {GENERATED[found.generated]}")
    elif found.identity is not None:
        words.append(identity(found.identity, found.schema, found.table, found.name))
    elif default:
        words.append(f"DEFAULT {default}")
    if found.not_null == "yes":
        words.append("NOT NULL")
    elif found.not_null == "no inherit":
        words.append("NOT NULL NO INHERIT")
    return " ".join(words)


def column_settings(found: Column) -> Iterator[str]:
    """What ALTER COLUMN says of a column besides its definition."""
    if found.storage:
        yield f"SET STORAGE {STORAGE[found.storage]}"
    if found.compression:
        yield f"SET COMPRESSION {COMPRESSION.get(found.compression, found.compression)}"
    if found.statistics >= 0:
        yield f"SET STATISTICS {found.statistics}"
    if found.options:
        yield f"SET ({settings(found.options)})"


def settings(options: tuple[str, ...]) -> str:
    """Storage parameters inside WITH ( )."""
    return ", ".join(f"{name} = {names.literal(value)}" for name, _, value in (each.partition("=") for each in options))


def pairs(options: tuple[str, ...]) -> str:
    """Options of foreign objects inside OPTIONS ( )."""
    return ", ".join(
        f"{names.quoted(name)} {names.literal(value)}" for name, _, value in (each.partition("=") for each in options)
    )


def published(table: Published) -> str:
    """A table in a publication."""
    columns = f" ({names.listed(table.columns)})" if table.columns else ""
    where = f" WHERE ({table.where.removeprefix('(').removesuffix(')')})" if table.where else ""
    return f"TABLE {names.qualified(table.schema, table.table)}{columns}{where}"


def role(name: str) -> str:
    """A role in a list of roles; `public` is everyone."""
    return "PUBLIC" if name == "public" else names.quoted(name)


def grants(privileges: Acl, kind: str, target: str, columns: str = "") -> Iterator[str]:
    """GRANT and REVOKE that make the default into `privileges`."""
    yield from regrants(None, privileges, kind, target, columns)


def regrants(
    before: Acl, after: Acl, kind: str, target: str, columns: str = "", *, head: str = "", owner: str = "CURRENT_USER"
) -> Iterator[str]:
    """GRANT and REVOKE that make `before` into `after`; `head` is what stands before them in ALTER DEFAULT PRIVILEGES."""
    old, new = acl.expand(before, kind), acl.expand(after, kind)
    for who in sorted(old):
        held, wanted = old[who], new.get(who, {})
        gone = held.keys() - wanted.keys()
        if gone and acl.MAINTAIN in gone and len(gone) > 1:  # not a word before 17
            gone = set(held)
            old[who] = {}
        if gone:
            yield f"{head}REVOKE {_privileges(gone, kind, columns)} ON {target} FROM {_grantee(who, owner)}"
        weaker = {letter for letter, grantable in old[who].items() if grantable and wanted.get(letter) is False}
        if weaker and who != acl.OWNER:
            yield f"{head}REVOKE GRANT OPTION FOR {_privileges(weaker, kind, columns)} ON {target} FROM {_grantee(who, owner)}"
    for who in sorted(new):
        held, wanted = old.get(who, {}), new[who]
        if not (wanted.keys() - held.keys()) and not any(can and not held[letter] for letter, can in wanted.items()):
            continue
        for grantable in (False, True):
            more = {letter for letter, can in wanted.items() if can == grantable}
            if acl.MAINTAIN not in more or len(more) < len(acl.FULL[kind]):  # where it is not all, say only what is new
                more = {letter for letter in more if letter not in held or (grantable and not held[letter])}
            if more:
                option = " WITH GRANT OPTION" if grantable else ""
                yield f"{head}GRANT {_privileges(more, kind, columns)} ON {target} TO {_grantee(who, owner)}{option}"


def _privileges(letters: Collection[str], kind: str, columns: str) -> str:
    if set(letters) == set(acl.FULL[kind]) and not columns:
        return "ALL"
    ordered = sorted(letters, key=acl.FULL[kind].find)
    return ", ".join(acl.WORDS[letter] + columns for letter in ordered)


def _grantee(who: str, owner: str) -> str:
    return owner if who == acl.OWNER else who


def signature(found: Object) -> str:
    """Name and argument types of a function, as DROP and COMMENT want them."""
    schema, name, args = found.key[1:4]
    return f"{names.qualified(schema, name)}({args})"
