"""Reads the policy file: every mistake gets its line and the nearest right word, and the rest of the file counts."""

import difflib
from collections.abc import Collection, Iterable, Sequence
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from checks import placed
from checks.policy.model import (
    BranchSection,
    CommandsSection,
    ConnectionSection,
    DrizzleSection,
    EnvironmentSection,
    Policy,
    PolicyFile,
    Problem,
    ReviewSection,
)
from checks.tree import Tree

PATHS = (".github/migration-policy.yml", ".github/migration-policy.yaml")
LARGEST = 100_000


def read(tree: Tree, rules: Collection[str] = ()) -> PolicyFile:
    """Read the policy file of a commit; every key that is wrong is left out and said.

    Args:
        tree: the files of the commit.
        rules: the known rule ids; given, a rule that does not exist is a problem.
    """
    path = next((p for p in PATHS if p in tree), None)
    if path is None:
        return PolicyFile()
    data = tree.read(path)
    if data is None:
        return PolicyFile(
            path=path,
            problems=(Problem(1, "The policy file is a symlink or a submodule; it has to be a regular file."),),
        )
    try:
        _root(data)
    except placed.Unreadable:
        return _last_valid(tree, path, data, rules)
    policy, problems = parse(data, rules)
    return PolicyFile(policy, path, problems)


def _last_valid(tree: Tree, path: str, data: bytes, rules: Collection[str]) -> PolicyFile:
    """A file that cannot be read at all is no way out of the policy: the one before it stands."""
    _, problems = parse(data, rules)
    for before in tree.earlier(path) if tree.earlier is not None else ():
        try:
            _root(before)
        except placed.Unreadable:
            continue
        told = Problem(problems[0].line, "Until it can be read, the last version of it that could be holds.")
        return PolicyFile(parse(before, rules)[0], path, (*problems, told))
    return PolicyFile(Policy(), path, problems)


def parse(data: bytes, rules: Collection[str] = ()) -> tuple[Policy, tuple[Problem, ...]]:
    """The valid part of a policy file's bytes, and its problems."""
    try:
        root = _root(data)
    except placed.Unreadable as error:
        return Policy(), (Problem(error.line, error.why),)
    return (Policy(), ()) if root is None else _validated(root, rules)


def _root(data: bytes) -> placed.Placed | None:
    """The one mapping of the file; None where the file says nothing."""
    if len(data) > LARGEST:
        raise placed.Unreadable(1, f"The policy file has {len(data):,} bytes; more than {LARGEST:,} are not read.")
    try:
        documents = placed.yaml_documents(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise placed.Unreadable(data.count(b"\n", 0, error.start) + 1, "The policy file is not UTF-8.") from error
    except placed.Unreadable as error:
        raise placed.Unreadable(error.line, f"This is not YAML: {error.why}.") from error
    if len(documents) > 1:
        raise placed.Unreadable(documents[1].line, "There is a second YAML document; a policy is one.")
    if not documents or documents[0].value is None:
        return None
    if not isinstance(documents[0].value, placed.Mapping):
        raise placed.Unreadable(documents[0].line, "A policy is a mapping (`version: 1`, `commands: …`).")
    return documents[0]


def _validated(root: placed.Placed, rules: Collection[str]) -> tuple[Policy, tuple[Problem, ...]]:
    problems: list[Problem] = []
    plain = _plain(root, problems, [20_000])
    for name in list(plain.get("rules") or {}) if isinstance(plain.get("rules"), dict) else []:
        if rules and name not in rules:
            problems.append(Problem(_line(root, ("rules", name)), f"There is no rule `{name}`{_nearest(name, rules)}."))
            del plain["rules"][name]
    for _ in range(3):  # what is wrong is cut out and the rest read again
        try:
            policy = Policy.model_validate(plain, strict=True)
        except ValidationError as error:
            for each in error.errors(include_url=False, include_input=True):
                where = tuple(part for part in each["loc"] if part != "[key]")
                problems.append(
                    Problem(_line(root, where), _words(where, each["type"], each["input"], each.get("ctx", {})))
                )
                _cut(plain, where[:-1] if each["type"] == "missing" else where)
        else:
            return policy, tuple(sorted(problems, key=lambda p: p.line))
    return Policy(), tuple(sorted(problems, key=lambda p: p.line))


def _plain(value: placed.Placed, problems: list[Problem], budget: list[int]) -> Any:  # noqa: ANN401 - YAML holds anything
    """Plain lists and dicts; a file of nested aliases ends at the budget."""
    budget[0] -= 1
    if budget[0] < 0:
        if budget[0] == -1:
            problems.append(
                Problem(value.line, "The file has too many values (aliases in aliases?); the rest is not read.")
            )
        return None
    if isinstance(value.value, placed.Mapping):
        result: dict[str, Any] = {}
        for key, each in value.pairs():
            if key.name in result:
                problems.append(Problem(key.line, f"`{key.name}` is said twice; the first one counts."))
            elif each.value is not None:  # `rules:` with nothing below it says nothing
                result[key.name] = _plain(each, problems, budget)
        return result
    if isinstance(value.value, tuple):
        return [_plain(each, problems, budget) for each in value.value]
    return value.value


def _line(root: placed.Placed, where: Sequence[int | str]) -> int:
    here, line = root, root.line
    for part in where:
        if isinstance(part, int):
            items = here.items()
            if part >= len(items):
                break
            here = items[part]
            line = here.line
        else:
            found = next(((k, v) for k, v in here.pairs() if k.name == part), None)
            if found is None:
                break
            line, here = found[0].line, found[1]
    return line


def _cut(plain: dict[str, Any], where: Sequence[int | str]) -> None:
    """Take the wrong value out; a wrong item takes its list with it, for half a list says something else."""
    parent = plain
    for part in where[:-1]:
        below: Any = parent.get(str(part))
        if not isinstance(below, dict):
            parent.pop(str(part), None)
            return
        parent = cast("dict[str, Any]", below)
    if where:
        parent.pop(str(where[-1]), None)


_SECTIONS: dict[str, type[BaseModel]] = {
    "": Policy,
    "drizzle": DrizzleSection,
    "connection": ConnectionSection,
    "commands": CommandsSection,
    "review": ReviewSection,
    "branch": BranchSection,
    "environments": EnvironmentSection,
}
_KINDS = {
    "string_type": "has to be text",
    "bool_type": "has to be true or false",
    "int_type": "has to be a whole number",
    "dict_type": "has to be a mapping",
    "tuple_type": "has to be a list",
    "model_type": "has to be a mapping",
    "missing": "is missing",
}


def _words(where: Sequence[int | str], kind: str, given: object, context: dict[str, Any]) -> str:
    name = ".".join(str(part) for part in where if isinstance(part, str))
    if where and isinstance(where[-1], int):
        name = f"{name}[{where[-1]}]"
    if kind == "extra_forbidden":
        section = _SECTIONS[str(where[0]) if len(where) > 1 else ""]
        names = [field.alias or key for key, field in section.model_fields.items()]
        return f"There is no key `{name}`{_nearest(str(where[-1]), names)}."
    if kind == "literal_error":
        expected = str(context.get("expected", "")).replace("'", "`")
        if where[0] == "rules":
            expected = "`error`, `warning`, `note` or `off`"
        options = [word.strip("` ") for word in expected.replace(" or ", ", ").split(",")]
        return f"`{name}` has to be {expected}, not {_shown(given)}{_nearest(str(given), options) if isinstance(given, str) else ''}."
    says = _KINDS.get(kind, "cannot be read")
    return f"`{name}` {says}." if kind == "missing" else f"`{name}` {says}, not {_shown(given)}."


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = (
        {True: "true", False: "false", None: "nothing"}.get(value, str(value))
        if isinstance(value, bool | None)
        else str(value)
    )
    return f"`{text[:60]}`"


def _nearest(word: str, words: Iterable[str]) -> str:
    spelled = {each.replace("_", "-"): each for each in words}
    near = difflib.get_close_matches(word[:100].lower().replace("_", "-"), spelled, n=1, cutoff=0.6)
    return f" (did you mean `{spelled[near[0]]}`?)" if near else ""
