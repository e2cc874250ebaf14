"""Two catalogs of different PostgreSQL versions, spelled by one of them: each version prints views and expressions in its own way."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import fields, replace
from typing import Any

import psycopg

from checks.catalog import ground, read, statements
from checks.catalog.model import Catalog, Object

_TEXTS = frozenset({"definition", "expression", "using", "check", "default", "partition_key", "bound", "shape"})

Open = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]
"""Opens a session on a fresh branch database."""


def alike(a: Catalog, b: Catalog, branch: Open) -> tuple[Catalog, Catalog]:
    """Both, spelled by the version of the branch database where they come from two versions and are told apart."""
    if _major(a) == _major(b):
        return a, b
    near = ground.of(a, b)
    return _respelled(a, near[0], branch), _respelled(b, near[1], branch)


def _respelled(whole: Catalog, near: Catalog, branch: Open) -> Catalog:
    """Make the part on a branch and read it there; where it cannot be made just so, it stays as it is."""
    if not near.objects:
        return whole
    with contextlib.suppress(psycopg.Error), branch() as session:
        if session.info.server_version // 10000 == _major(whole):
            return whole
        script = ";\n".join(each.sql for each in statements.sql(read.read(session), near))
        session.execute(script.encode())
        got = read.read(session)
        if got.objects.keys() == near.objects.keys() and all(
            _same_but_words(found, got.objects[key]) for key, found in near.objects.items()
        ):
            objects = {key: got.objects.get(key, found) for key, found in whole.objects.items()}
            return replace(whole, version=got.version, objects=objects)
    return whole


def _same_but_words(one: Object, other: Object) -> bool:
    return type(one) is type(other) and all(
        getattr(one, each.name) == getattr(other, each.name)
        for each in fields(one)
        if each.compare and each.name not in _TEXTS
    )


def _major(catalog: Catalog) -> int:
    return catalog.version // 10000
