"""Plain statements that can lock nothing but the tables they name, so that a look at every lock may be saved.

Listing locks costs a third of a microsecond for each that is held; a transaction over two hundred files holds thousands,
most of them on what it made itself. In such a transaction, and only there, a statement is let pass with a glance if it is
one of these, and each table it names is either younger than the transaction or already locked as strongly as can be.
"""

import re
from collections.abc import Set as AbstractSet

# What ALTER TABLE does to a table alone; no DROP, TYPE, VALIDATE, ATTACH, INHERIT: these reach tables that are not named.
_ALTER = re.compile(
    r"alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?[\w$.\"]+\s+(?:"
    r"add\s+(?:column|constraint)\b"
    r"|alter\s+(?:column\s+)?[\w$\"]+\s+(?:(?:set|drop)\s+(?:default|not\s+null))\b"
    r"|enable\s+row\s+level\s+security\b)",
    re.IGNORECASE,
)
# On a table of this transaction's own, with no foreign key to older ones, no trigger and no view in play.
_OWN = re.compile(
    r"(?:insert\s+into|update|delete\s+from)\b"
    r"|alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?[\w$.\"]+\s+alter\s+(?:column\s+)?[\w$\"]+\s+(?:set\s+data\s+)?type\s",
    re.IGNORECASE,
)
_INDIRECT = re.compile(r"\bcreate\s+(?:or\s+replace\s+)?(?:\w+\s+)?(?:trigger|view)\b", re.IGNORECASE)
_READS = re.compile(r"\b(?:select|with|returning|using)\b|.\btable\b.*\btable\b", re.IGNORECASE | re.DOTALL)
_MAKES = re.compile(r"\bcreate\s+table\s+(?:if\s+not\s+exists\s+)?(?:\"?[\w$]+\"?\.)?\"?([\w$]+)", re.IGNORECASE)
_LINKS = re.compile(r"\breferences\b", re.IGNORECASE)
_CREATE = re.compile(r"create\s+(?:table|(?:unique\s+)?index|type|sequence|schema)\b", re.IGNORECASE)
_REACHES_OUT = re.compile(
    r"\b(?:as|like|inherits?|partition|attach|concurrently|select|drop\s+(?:column|constraint)|type\s+\w|validate|nextval)\b",
    re.IGNORECASE,
)
# Beside AccessExclusive these take a weaker lock, which is news of its own.
_WEAKER = re.compile(r"\b(?:unique|primary|references|foreign|exclude)\b|^create", re.IGNORECASE)
_CREATES_TYPE = re.compile(r"create\s+type\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*")
_CALL = re.compile(r"([A-Za-z_\x80-\U0010ffff][\w$]*)\s*\(")
_UNSETTLING = re.compile(
    r"\b(?:rename|attach|inherit|set\s+schema|partition|create\s+(?:or\s+replace\s+)?(?:function|procedure|domain|operator|cast|rule)"
    r"|do|call|execute(?!\s+(?:function|procedure)\b)|select|import)\b",
    re.IGNORECASE,
)


class Names:
    """The names that tables had, and whether words still mean what they meant."""

    def __init__(self, tables: AbstractSet[str], functions: AbstractSet[str]) -> None:
        """Take the names of the tables and of the functions of the user's own that there are."""
        self._tables = {name.lower() for name in tables}
        self._functions = {name.lower() for name in functions}
        self._made: set[str] = set()
        self._linked: set[str] = set()
        self._direct = True
        self._settled = all(_WORD.fullmatch(name) for name in tables)

    def notice(self, sql: str) -> None:
        """A statement that ran: after some, names may mean other tables, or calls do unknown things."""
        self._made.update(name.lower() for name in _MAKES.findall(sql))
        if self._settled and _LINKS.search(sql):
            words = {word.lower() for word in _WORD.findall(sql)}
            if words & self._tables:
                self._linked |= words & self._made
        self._direct = self._direct and not _INDIRECT.search(sql)
        if (
            self._settled
            and _UNSETTLING.search(sql)
            and not sql.lstrip()[:6].lower().startswith(("insert", "update", "delete"))
        ):
            self._settled = False

    def only(self, sql: str) -> set[str] | None:
        """The names of tables that existed in a familiar statement; None for any other statement."""
        if (
            not self._settled
            or len(sql) > 20_000
            or any(call.lower() in self._functions for call in _CALL.findall(sql))
        ):
            return None
        words = {word.lower() for word in _WORD.findall(sql)}
        named = words & self._tables
        if _OWN.match(sql):
            alone = self._direct and not named and not words & self._linked and not _READS.search(sql)
            return set() if alone else None
        if not (_ALTER.match(sql) or _CREATE.match(sql)):
            return None
        if (_REACHES_OUT.search(sql) and not _CREATES_TYPE.match(sql)) or (named and _WEAKER.search(sql)):
            return None
        return named
