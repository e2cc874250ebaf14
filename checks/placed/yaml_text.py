"""Reads YAML event by event, so that no tag builds an object and no alias is copied."""

import re
from typing import cast

import yaml

from checks.placed.value import DEEPEST, MOST_VALUES, Key, Mapping, Placed, Scalar, Unreadable

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER = yaml.resolver.Resolver()
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9_]{0,30})\Z")
_TAG = "tag:yaml.org,2002:"


def documents(text: str) -> list[Placed]:
    """The documents of a YAML file.

    Aliases are shared, not copied, so that a file of nested aliases costs no more than its own length. Unknown tags (`!reference`) are passed over.

    Raises:
        Unreadable: it is not YAML, or nested too deep.
    """
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = " ".join(part for part in (error.context, error.problem) if part)
        raise Unreadable(1 if mark is None else mark.line + 1, why or "not YAML") from error
    except yaml.YAMLError as error:
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
        raise Unreadable(line, "a character that YAML does not allow") from error
    return builder.documents


class _Builder:
    """Puts events together; the open collections are a list here, so that depth costs no stack."""

    def __init__(self) -> None:
        self.documents: list[Placed] = []
        self._anchors: dict[str, Placed] = {}
        self._open: list[tuple[int, str | None, list[Placed]]] = []
        self._count = 0

    def take(self, event: yaml.Event) -> None:
        line = 1 if event.start_mark is None else event.start_mark.line + 1
        match event:
            case yaml.AliasEvent():
                if event.anchor not in self._anchors:
                    raise Unreadable(line, f"`*{event.anchor}` names no anchor")
                self._add(self._anchors[event.anchor], None)
            case yaml.ScalarEvent():
                self._add(Placed(_scalar(event), line, event.style in {"|", ">"}), event.anchor)
            case yaml.CollectionStartEvent():
                if len(self._open) >= DEEPEST:
                    raise Unreadable(line, f"nested deeper than {DEEPEST} levels")
                self._open.append((line, event.anchor, []))
            case yaml.MappingEndEvent():
                begun, anchor, values = self._open.pop()
                self._add(Placed(_pairs(values), begun), anchor)
            case yaml.SequenceEndEvent():
                begun, anchor, values = self._open.pop()
                self._add(Placed(tuple(values), begun), anchor)
            case yaml.DocumentStartEvent():
                self._anchors.clear()
            case _:
                pass

    def _add(self, value: Placed, anchor: str | None) -> None:
        self._count += 1
        if self._count > MOST_VALUES:
            raise Unreadable(value.line, f"more than {MOST_VALUES:,} values")
        if anchor:
            self._anchors[anchor] = value
        (self._open[-1][2] if self._open else self.documents).append(value)


def _pairs(values: list[Placed]) -> Mapping:
    found: list[tuple[Key, Placed]] = []
    merged: list[tuple[Key, Placed]] = []
    for key, value in zip(values[::2], values[1::2], strict=True):
        if key.value == "<<":  # a merge: the mapping's own keys come first
            for each in value.items() or (value,):
                merged.extend(each.pairs())
            if len(merged) > MOST_VALUES:
                raise Unreadable(key.line, f"more than {MOST_VALUES:,} values")
        else:
            found.append((Key(_name(key), key.line), value))
    own = {key.name for key, _ in found}
    return Mapping((*found, *(pair for pair in merged if pair[0].name not in own)))


def _name(key: Placed) -> str:
    match key.value:
        case True:
            return "on"  # YAML 1.1 reads the bare word `on` (GitHub Actions) as a boolean
        case False:
            return "off"
        case str() | int() | float():
            return str(key.value)
        case _:
            return ""


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    value = str(event.value)
    match _tag(event).removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return value.lower() in {"yes", "true", "on"}
        case "int" if _NUMBER.match(value):
            return int(value.replace("_", ""))
        case "float":
            try:
                return float(value.replace("_", ""))
            except ValueError:
                return value
        case _:
            return value


def _tag(event: yaml.ScalarEvent) -> str:
    if event.tag is not None and event.tag != "!":
        return str(event.tag)
    return cast("str", _RESOLVER.resolve(yaml.ScalarNode, event.value, event.implicit))  # pyright: ignore[reportUnknownMemberType] - untyped in its stubs
