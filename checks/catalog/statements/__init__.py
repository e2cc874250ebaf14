"""The difference of two catalogs as SQL: `sql(a, b)` gives the statements that turn `a` into `b`, in order."""

from collections.abc import Iterable

from checks.catalog import names, part
from checks.catalog.code import Function, Policy
from checks.catalog.model import Catalog
from checks.catalog.outside import DefaultPrivileges, UserMapping
from checks.catalog.statements import arrange, decide
from checks.catalog.statements.model import Statement

__all__ = ["Statement", "sql", "text"]


def sql(a: Catalog, b: Catalog) -> list[Statement]:
    """The statements that turn `a` into `b`; in one transaction, on PostgreSQL 14-18."""
    a, b = part.of(a, b)
    if not a.objects and not b.objects:
        return []
    done = decide.decide(a, b)
    statements = arrange.arrange(done)
    touched = [b.objects[key] for key in (*done.created, *done.altered)]
    head: list[Statement] = []
    if len(touched) > 1 and any(isinstance(each, Function) and each.text_body for each in touched):
        head.append(Statement("SET check_function_bodies = off"))
    return head + [_role(role) for role in _new_roles(a, b)] + statements


def text(statements: Iterable[Statement]) -> str:
    """The statements as a script; what loses data says so in a comment above it."""
    lines: list[str] = []
    for statement in statements:
        if statement.loses_data:
            lines.append(f"-- loses data: {statement.why}")
        elif statement.why:
            lines.append(f"-- {statement.why}")
        lines.append(f"{statement.sql};")
    return "\n".join(lines) + "\n" if lines else ""


def _new_roles(a: Catalog, b: Catalog) -> list[str]:
    """Roles that objects of `b` name and `a`'s cluster lacks; where roles are compared they are objects themselves."""
    named: set[str] = set()
    for key, found in b.objects.items():
        if a.objects.get(key) == found:
            continue
        named.add(getattr(found, "owner", ""))
        if isinstance(found, Policy):
            named.update(found.roles)
        if isinstance(found, DefaultPrivileges):
            named.add(found.role)
        if isinstance(found, UserMapping):
            named.add(found.user)
        for item in getattr(found, "acl", None) or ():
            named.add(item.rpartition("=")[0])
        for column in getattr(found, "columns", ()):
            for item in getattr(column, "acl", None) or ():
                named.add(item.rpartition("=")[0])
    return sorted(
        role
        for role in b.roles
        if (role in named or names.quoted(role) in named) and role not in a.roles and ("role", role) not in b.objects
    )


def _role(name: str) -> Statement:
    """CREATE ROLE for a cluster that may know it from another database."""
    mark = "$$"
    while mark in name:
        mark = f"${'x' * (len(mark) - 1)}$"
    return Statement(
        f"DO {mark} BEGIN CREATE ROLE {names.quoted(name)}; EXCEPTION WHEN duplicate_object THEN NULL; END {mark}"
    )
