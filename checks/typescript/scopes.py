"""Where names live while code is read: function scopes, closures, the namespace of a module, and the budget."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from checks.typescript.syntax import Node
from checks.typescript.values import Value

if TYPE_CHECKING:
    from checks.typescript.module import Module


class Exhausted(Exception):  # noqa: N818 - it is a state, caught by the reader of the module
    """The budget of steps or of time is used up."""


class Budget:
    """Bounds what hostile code can make us do. One step is one expression."""

    __slots__ = ("ceiling", "deadline", "depth", "late", "steps", "total")

    def __init__(self, steps: int, seconds: float) -> None:
        self.steps = 0
        self.total = self.ceiling = steps
        self.late = False
        # Processor time of this thread: what else the machine does must not make a schema unknown.
        self.deadline = time.thread_time() + seconds
        self.depth = 0

    def check(self) -> None:
        """Called now and then: raises where the budget is used up."""
        if self.late or time.thread_time() > self.deadline:
            self.late, self.ceiling, self.total = True, 0, 0
            raise Exhausted("takes too long to read")
        if self.steps > self.ceiling:
            raise Exhausted("is more work than a schema should be (too many steps)")


class Scope:
    """The names of one function call or block; the outermost has no parent and belongs to a module."""

    __slots__ = ("module", "names", "parent")

    def __init__(self, module: "Module", parent: "Scope | None") -> None:
        self.module = module
        self.parent = parent
        self.names: dict[str, Value] = {}


class Closure:
    """A function of the source, with the scope it was made in."""

    __slots__ = ("name", "node", "scope", "this")

    def __init__(self, node: Node, scope: Scope, name: str = "", this: Value = None) -> None:
        self.node = node
        self.scope = scope
        self.name = name
        self.this = this


class Namespace:
    """All exports of a module, looked up one by one (`import * as schema`)."""

    __slots__ = ("get", "names", "path")

    def __init__(self, path: str, get: Callable[[str], Value], names: Callable[[], list[str]]) -> None:
        self.path = path
        self.get = get
        self.names = names
