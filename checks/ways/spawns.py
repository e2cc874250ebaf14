"""Commands that TypeScript runs: `execSync("…")`, `spawn("npx", […])`, `` $`…` ``, and `pushSchema` of drizzle-kit's API."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from checks.placed import Unreadable
from checks.typescript import syntax
from checks.typescript.syntax import Node
from checks.ways.source import Source, arguments

_MODULES = frozenset(
    {
        "child_process", "execa", "zx", "zx/core", "bun", "shelljs", "cross-spawn", "nano-spawn", "tinyexec", "dax", "dax-sh", "@actions/exec", "tinyspawn",
        "foreground-child", "google/zx", "execa-wrap", "@npmcli/promise-spawn", "concurrently", "npm-run-all", "@david/dax", "spawn-command", "sudo-prompt",
    }
)  # fmt: skip
_RUN = re.compile(
    r"^(?:\$|\$\$|default|concurrently|runAll|sync|(?:exec|spawn|fork|execa|x|command|cmd|run|sh|shell|script)\w*)$"
)
_PUSH_API = re.compile(r"drizzle-kit/(?:api|payload)[\w-]*")
_CONFIGURED = re.compile(
    r"^(?:build|start|install|dev|deploy|release|preDeploy|postDeploy|ignore|prebuild|postbuild|migrate|setup|init)_?[cC]ommand$"
)
_INSIDE = frozenset(
    {
        "array", "binary_expression", "as_expression", "satisfies_expression", "parenthesized_expression", "pair", "object", "spread_element",
        "ternary_expression", "template_substitution", "template_string",
    }
)  # fmt: skip
_CONFIG_FILE = re.compile(r"\.(?:config|run)\.[cm]?[jt]s$")
# keys of process managers (`ecosystem.config.js`)
_RUN_BY = frozenset(
    {"command", "cmd", "script", "exec", "args", "pre-deploy", "post-deploy", "pre-setup", "post-setup"}
)
_GLOBALS = ("Bun", "Deno", "$")
_MOST = 300
_HIGHEST = 15


@dataclass(frozen=True, slots=True)
class Spawn:
    """A call that runs something, with what could be read of its arguments; `around` is the call as written."""

    text: str | tuple[str, ...]
    line: int
    around: str = ""


def spawns(source: Source, needles: re.Pattern[bytes]) -> Iterator[Spawn]:
    """The commands in a file whose text has one of the needles.

    Raises:
        Unreadable: there are too many to look at.
    """
    seen: set[int] = set()
    for number, found in enumerate(needles.finditer(source.data)):
        if number > _MOST:
            raise Unreadable(
                source.data.count(b"\n", 0, found.start()) + 1, f"it names banned commands more than {_MOST} times"
            )
        node = source.at(found.start(), found.end())
        string = _string(node)
        for call in _calls(source, string) if string is not None else ():
            if call.id in seen or not _runs(source, call):
                continue
            seen.add(call.id)
            words = _words(source, call)
            if words:
                yield Spawn(words, syntax.line(call), syntax.text(call)[:1000])
        if string is not None and string.id not in seen and _is_configured(source, string):
            seen.add(string.id)
            yield Spawn(_static(source, string), syntax.line(string))


def pushes(source: Source) -> Iterator[int]:
    """The lines that import `pushSchema` of drizzle-kit's API for use."""
    for each in source.imports(lambda package: _PUSH_API.fullmatch(package) is not None):
        if not each.types and any(name == "pushSchema" for name, _ in each.names):
            yield syntax.line(each.node)
        elif not each.types:
            for name, here in each.names:
                if name in {"*", "default"} and any(_member(use) == "pushSchema" for use in source.uses(here)):
                    yield syntax.line(each.node)


def _member(use: Node) -> str:
    parent = use.parent
    named = (
        parent.child_by_field_name("property") if parent is not None and parent.type == "member_expression" else None
    )
    return syntax.text(named) if named is not None else ""


def _string(node: Node) -> Node | None:
    here: Node | None = node
    for _ in range(4):
        if here is None or here.type == "comment":
            return None
        if here.type in {"string", "template_string"}:
            return here
        here = here.parent
    return None


def _calls(source: Source, string: Node) -> Iterator[Node]:
    """The calls that a string, or the constant that holds it, is an argument of."""
    here, parent = string, string.parent
    for _ in range(_HIGHEST):
        if parent is None or parent.type not in _INSIDE:
            break
        here, parent = parent, parent.parent
    match parent.type if parent is not None else "":
        case "member_expression" if parent is not None and parent.parent is not None:  # ["npx", …].join(" ")
            if parent.parent.type == "call_expression":
                yield from _calls(source, parent.parent)
        case "arguments" if parent is not None and parent.parent is not None:
            yield parent.parent
        case "call_expression" if parent is not None:
            yield parent
        case "variable_declarator" if parent is not None and parent.child_by_field_name("value") == here:
            yield from _calls_with(source, parent.child_by_field_name("name"))
        case _:
            return


def _calls_with(source: Source, name: Node | None) -> Iterator[Node]:
    """The calls that a constant is an argument of."""
    for use in source.uses(syntax.text(name)) if name is not None and name.type == "identifier" else ():
        outer = use.parent
        for _ in range(_HIGHEST):
            if outer is None or outer.type not in _INSIDE:
                break
            outer = outer.parent
        if outer is not None and outer.type == "arguments" and outer.parent is not None:
            yield outer.parent
        elif outer is not None and outer.type == "call_expression":
            yield outer


def _runs(source: Source, call: Node, depth: int = 0) -> bool:
    """Whether a call runs a command."""
    function = call.child_by_field_name("function") or call.child_by_field_name("constructor")
    if function is None or depth > 3:
        return False
    if function.type == "call_expression":  # $({ cwd })`…`, execa({ … })`…`
        return _runs(source, function, depth + 1)
    if function.type == "member_expression":
        return _runs_as_method(source, function)
    name = syntax.text(function)
    return function.type == "identifier" and (name == "$" or name in _bound(source) or _wraps(source, name, depth))


def _runs_as_method(source: Source, function: Node) -> bool:
    holder, named = function.child_by_field_name("object"), function.child_by_field_name("property")
    if holder is None or named is None:
        return False
    method = syntax.text(named)
    if syntax.text(holder) in _GLOBALS and method == "Command":
        return True
    if holder.type == "call_expression":  # require("child_process").execSync(…)
        known = any(f'"{m}"' in _plain(holder) for m in _MODULES)
    else:
        known = syntax.text(holder) in _GLOBALS or syntax.text(holder) in _bound(source)
    return known and _RUN.match(method) is not None


def _plain(node: Node) -> str:
    return syntax.text(node)[:200].replace("'", '"').replace("node:", "")


@lru_cache(maxsize=1)  # of the file that is being read
def _bound(source: Source) -> set[str]:
    """Local names of the modules that run commands, and of what they export for it."""
    names: set[str] = set()
    for each in source.imports(lambda package: package in _MODULES):
        names.update(here for name, here in each.names if name == "*" or _RUN.match(name))
    for alias in re.finditer(
        rb"\b(?:const|let|var)\s+([\w$]+)\s*=\s*(?:[\w$]+\.)?promisify\(\s*([\w$.]+)", source.data
    ):
        if alias[2].decode().partition(".")[0] in names:
            names.add(alias[1].decode())
    return names


def _wraps(source: Source, name: str, depth: int) -> bool:
    """A function of the file that hands its parameter to one that runs commands: `const run = (cmd) => execSync(cmd)`."""
    pattern = re.compile(rb"\b(?:function\s+|const\s+|let\s+|var\s+)" + re.escape(name.encode()) + rb"(?![\w$])")
    for found in pattern.finditer(source.data):
        declared = source.at(found.end() - 1, found.end()).parent
        if declared is None:
            continue
        function = declared.child_by_field_name("value") if declared.type == "variable_declarator" else declared
        parameters = (
            function.child_by_field_name("parameters") or function.child_by_field_name("parameter")
            if function is not None
            else None
        )
        body = function.child_by_field_name("body") if function is not None else None
        if parameters is None or body is None:
            continue
        given = set(re.findall(r"[A-Za-z_$][\w$]*", syntax.text(parameters)[:300]))
        for call in _calls_below(body):
            handed = {syntax.text(n) for a in arguments(call) for n in (a, *a.named_children)}
            if given & {h.strip(".") for h in handed} and _runs(source, call, depth + 1):
                return True
    return False


def _calls_below(node: Node) -> Iterator[Node]:
    stack, seen = [node], 0
    while stack and seen < 2_000:
        here = stack.pop()
        seen += 1
        if here.type in {"call_expression", "new_expression"}:
            yield here
        stack.extend(here.named_children)


def _words(source: Source, call: Node) -> str | tuple[str, ...]:
    """What a call runs: one text, or a program and its words."""
    given = arguments(call)
    if not given:
        return ""
    first = given[0]
    if first.type in {"array", "identifier"}:
        items = _items(source, first)
        if items:
            return tuple(items)
    if first.type == "object":  # Bun.spawn({ cmd: […] })
        return tuple(_items(source, _value_of(first, "cmd")))
    text = _static(source, first)
    if len(given) > 1:
        rest = _items(source, given[1])
        if not rest and given[1].type == "object":  # new Deno.Command("npx", { args: […] })
            rest = _items(source, _value_of(given[1], "args"))
        if rest:
            return (*text.split(), *rest)
    return text


def _value_of(mapping: Node, key: str) -> Node | None:
    for child in mapping.named_children:
        named = child.child_by_field_name("key") if child.type == "pair" else None
        if named is not None and syntax.text(named).strip("'\"") == key:
            return child.child_by_field_name("value")
    return None


def _items(source: Source, node: Node | None) -> list[str]:
    if node is None:
        return []
    if node.type == "identifier":
        value = source.constant(syntax.text(node))
        return _items(source, value) if value is not None and value.type in {"array", "as_expression"} else []
    if node.type == "as_expression" and node.named_children:
        return _items(source, node.named_children[0])
    if node.type != "array":
        return []
    words: list[str] = []
    for child in node.named_children[:200]:
        if child.type == "spread_element" and child.named_children:
            words += _items(source, child.named_children[0])
        elif child.type != "comment":
            words.append(_static(source, child))
    return words


def _static(source: Source, node: Node | None, depth: int = 0) -> str:
    """The text of an expression; what cannot be known is the word `$?`."""
    found: str | None = None
    match node.type if node is not None and depth < 8 else "":
        case "string" | "template_string" if node is not None:
            found = "".join(_static(source, child, depth + 1) for child in node.named_children)
        case "string_fragment" | "escape_sequence" if node is not None:
            found = _fragment(node)
        case "template_substitution" | "as_expression" | "parenthesized_expression" | "satisfies_expression" if (
            node is not None
        ):
            found = _static(source, next(iter(node.named_children), None), depth + 1)
        case "binary_expression" if node is not None:
            sides = (node.child_by_field_name(side) for side in ("left", "right"))
            found = "".join(_static(source, side, depth + 1) for side in sides)
        case "identifier" if node is not None:
            found = _static(source, source.constant(syntax.text(node)), depth + 1)
        case "call_expression" if node is not None:
            function = node.child_by_field_name("function")
            holder = function.child_by_field_name("object") if function is not None else None
            found = " ".join(_items(source, holder)) if holder is not None else None
        case _:
            pass
    return found or "$?"


def _fragment(node: Node) -> str:
    text = syntax.text(node)
    if node.type != "escape_sequence":
        return text
    return {"\\n": "\n", "\\t": "\t", "\\\n": ""}.get(text, text[1:])


def _is_configured(source: Source, string: Node) -> bool:
    """`buildCommand: "…"` of a deployment's configuration."""
    parent = string.parent
    key = parent.child_by_field_name("key") if parent is not None and parent.type == "pair" else None
    name = syntax.text(key).strip("'\"") if key is not None else ""
    return _CONFIGURED.match(name) is not None or (name in _RUN_BY and _CONFIG_FILE.search(source.path) is not None)
