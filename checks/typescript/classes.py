"""Classes of the source: static members, and instances with their fields, methods and getters."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from checks.typescript import functions, object_literals, patterns, syntax
from checks.typescript.scopes import Closure, Scope
from checks.typescript.syntax import Node
from checks.typescript.values import UNDEFINED, Instance, Record, Site, Thing, Unknown, Value

if TYPE_CHECKING:
    from checks.typescript.evaluate import Evaluator

_DEEP = 90
_NOT_RUN = frozenset({"abstract", "declare", "accessor"})


class Class(Thing):
    """A class whose parents are all in the source. Its static members are evaluated when one is first asked for."""

    __slots__ = (
        "_ev",
        "_fields",
        "_getters",
        "_methods",
        "_scope",
        "_shared",
        "_site",
        "_statics",
        "constructor",
        "name",
        "parent",
    )

    def __init__(self, ev: "Evaluator", node: Node, scope: Scope, name: str, parent: "Class | None") -> None:
        self._ev = ev
        self._site = ev.site(node, scope)
        self._scope = Scope(scope.module, scope)
        self.name = name
        self.parent = parent
        self.constructor: Node | None = None
        self._statics: Instance | None = None
        self._shared: dict[str, Closure] = {}  # static methods and getters, which are no properties that a copy gets
        self._fields: list[Node] = []
        self._methods: dict[str, Node] = {}
        self._getters: dict[str, Node] = {}
        self._scope.names["super"] = Super(self, of_class=False)
        if name:
            self._scope.names[name] = self
        for child in self._body():
            if child.type == "public_field_definition" and not _words(child) & {"static", *_NOT_RUN}:
                self._fields.append(child)
            elif child.type == "method_definition" and not _words(child) & {"static", "set"}:
                key = child.child_by_field_name("name")
                if key is not None and syntax.text(key) == "constructor":
                    self.constructor = child
                elif key is not None:
                    (self._getters if "get" in _words(child) else self._methods)[self._key(key)] = child

    def _body(self) -> Iterator[Node]:
        body = self._site.node.child_by_field_name("body")
        yield from () if body is None else body.named_children

    def _key(self, key: Node) -> str:
        if key.type == "private_property_identifier":
            return syntax.text(key)
        name = object_literals.key_of(self._ev, key, self._scope)
        return name if isinstance(name, str) else ""

    def member(self, name: str, site: Site) -> Value:  # noqa: PLR0911 - one case a kind of member
        """A static member; `...`: all of them that are listed."""
        statics = self._static()
        if name == "...":
            return statics.plain(site)
        if name in statics:
            return statics.read(name, site)
        if name in self._shared:
            found = self._shared[name]
            return self._ev.call(found, [], site) if "get" in _words(found.node) else found
        if statics.hole is not None:
            return statics.hole
        if self.parent is not None:
            return self.parent.member(name, site)
        if name == "name":
            return self.name
        return site.unknown(f"`{name}` of a class is not followed") if name == "prototype" else UNDEFINED

    def put(self, name: str, value: Value) -> bool:
        """Assign to a static member."""
        self._static()[name] = value
        return True

    def _static(self) -> Instance:
        if self._statics is not None:
            return self._statics
        record = self._statics = Instance()
        scope = Scope(self._scope.module, self._scope)
        scope.names |= {"this": self, "super": Super(self, of_class=True)}
        for child in self._body():
            words = _words(child)
            if child.type == "class_static_block":
                self._run(child.named_children[-1], scope, record)
            elif "static" not in words or words & _NOT_RUN:
                continue
            elif child.type == "public_field_definition":
                self._field(record, child, scope)
            elif child.type == "method_definition" and (key := child.child_by_field_name("name")) is not None:
                name = self._key(key)
                if "set" not in words:
                    self._shared[name] = Closure(child, scope, name, self)
        return record

    def _field(self, record: Record, node: Node, scope: Scope) -> None:
        key, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if key is None:
            return
        name = self._key(key)
        if not name:
            record.hole = self._site.unknown("has a member whose name is not known")
        elif node.named_children[0].type == "decorator":
            record[name] = self._site.unknown(f"`{name}` is decorated")
        elif value is not None:
            record[name] = self._ev.value(value, scope)

    def _run(self, block: Node, scope: Scope, record: Record) -> None:
        left = functions.run_body(self._ev, block, scope)
        if left is not None and left.value.__class__ is Unknown:
            functions.spoil(record, left.value)

    def new(self, args: list[Value], site: Site) -> Value:
        """`new C(…)`."""
        budget = self._ev.budget
        if budget.depth > _DEEP:
            return site.unknown("makes instances of classes too deeply")
        record = Instance(self)
        budget.depth += 2
        try:
            self.construct(record, args)
        finally:
            budget.depth -= 2
        return record

    def construct(self, record: Record, args: list[Value]) -> None:
        """Give an instance its fields, and run the constructor."""
        scope = Scope(self._scope.module, self._scope)
        scope.names["this"] = record
        body = None if self.constructor is None else self.constructor.child_by_field_name("body")
        if self.parent is None or self.constructor is None or body is None:
            if self.parent is not None:
                self.parent.construct(record, args)
            self.begin(record)
        if self.constructor is None or body is None:
            return
        patterns.parameters(self._ev, self.constructor, args, scope)
        parameters = self.constructor.child_by_field_name("parameters")
        for node in [] if parameters is None else parameters.named_children:
            if _kinds(node) & {"accessibility_modifier", "readonly", "override_modifier"}:
                pattern = node.child_by_field_name("pattern")
                if pattern is not None and syntax.text(pattern) in scope.names:
                    record[syntax.text(pattern)] = scope.names[syntax.text(pattern)]
        self._run(body, scope, record)

    def begin(self, record: Record) -> None:
        """Give an instance the fields of this class, as JavaScript does before the constructor, or after `super(…)`."""
        scope = Scope(self._scope.module, self._scope)
        scope.names["this"] = record
        for field in self._fields:
            self._field(record, field, scope)

    def inherited(self, record: Record, name: str, site: Site) -> Value:
        """A method or getter of an instance."""
        if name in self._getters:
            return self._ev.call(Closure(self._getters[name], self._scope, name, record), [], site)
        if name in self._methods:
            return Closure(self._methods[name], self._scope, name, record)
        if "" in self._methods or "" in self._getters:
            return self._site.unknown("has a member whose name is not known")
        return UNDEFINED if self.parent is None else self.parent.inherited(record, name, site)


class Super(Thing):
    """`super` within a class: in its static members (`of_class`) or in an instance; `this` is bound where it is used."""

    __slots__ = ("of_class", "owner", "this")

    def __init__(self, owner: Class, *, of_class: bool, this: Value = UNDEFINED) -> None:
        self.owner = owner
        self.of_class = of_class
        self.this = this

    def member(self, name: str, site: Site) -> Value:
        """What the parent class has under that name."""
        parent = self.owner.parent
        if parent is None:
            return UNDEFINED
        if self.of_class:
            found = parent.member(name, site)
            return Closure(found.node, found.scope, name, self.this) if found.__class__ is Closure else found
        return parent.inherited(self.this, name, site) if isinstance(self.this, Record) else UNDEFINED

    def call(self, args: list[Value], site: Site) -> Value:
        """`super(…)`."""
        if self.owner.parent is None or not isinstance(self.this, Record):
            return site.unknown("calls `super` where there is none")
        self.owner.parent.construct(self.this, args)
        self.owner.begin(self.this)
        return UNDEFINED


def parent_of(scope: Scope, site: Site) -> Value:
    """The value of `super`."""
    named, this = _nearest(scope, "super"), _nearest(scope, "this")
    if not isinstance(named, Super):
        return site.unknown("`super` is not understood")
    return Super(named.owner, of_class=named.of_class, this=this)


def _nearest(scope: Scope, word: str) -> Value:
    here: Scope | None = scope
    while here is not None and word not in here.names:
        here = here.parent
    return UNDEFINED if here is None else here.names[word]


def make(ev: "Evaluator", node: Node, scope: Scope) -> Value:
    """The value of a class; one that is decorated, or whose parent is not in the source, is nothing of a schema."""
    name_node = node.child_by_field_name("name")
    name = "" if name_node is None else syntax.text(name_node)
    parent: Value = None
    heritage = next((child for child in node.named_children if child.type == "class_heritage"), None)
    clause = (
        None if heritage is None else next((c for c in heritage.named_children if c.type != "implements_clause"), None)
    )
    if clause is not None:
        given = clause.child_by_field_name("value") or clause
        parent = ev.value(given, scope)
        if not isinstance(parent, Class):
            return ev.site(node, scope).unknown("is a class whose parent is not known", inert=True)
    decorated = any(child.type == "decorator" for child in node.named_children)
    if decorated or node.has_error:
        return ev.site(node, scope).unknown("is a class with decorators, which is not read", inert=True)
    return Class(ev, node, scope, name, parent)


def _words(node: Node) -> set[str]:
    return {child.type for child in node.children if not child.is_named}


def _kinds(node: Node) -> set[str]:
    return {child.type for child in node.children}
