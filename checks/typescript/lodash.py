"""The functions of lodash (and of its like) with which schemas make names and pick columns."""

import re
from collections.abc import Callable, Mapping

from checks.typescript.values import Native, Record, Site, Value, listed, text_of

# lodash's own division into words, for what is written in ASCII: `userID2` is `user`, `ID`, `2`.
_WORD = re.compile(
    r"\d*(?:1st|2nd|3rd|(?![123])\dth)(?=\b|[A-Z_])|[A-Z]?[a-z]+(?=[^A-Za-z0-9]|[A-Z]|$)"
    r"|[A-Z]+(?=[^A-Za-z0-9]|[A-Z][a-z]|$)|[A-Z]?[a-z]+|[A-Z]+|\d+"
)


def _words(args: list[Value]) -> list[str]:
    text = text_of(args[0])
    if text is None or not text.isascii():
        raise TypeError
    return _WORD.findall(text.replace("'", ""))


def _cased(join: Callable[[list[str]], str]) -> Callable[[list[Value]], Value]:
    return lambda args: join([word.lower() for word in _words(args)])


def _camel(words: list[str]) -> str:
    return "".join(word if index == 0 else word.capitalize() for index, word in enumerate(words))


def _chosen(args: list[Value], *, keep: bool) -> Value:
    record = args[0]
    names = [name for arg in args[1:] for name in (listed(arg) or [arg])]
    if (
        not isinstance(record, Record)
        or record.hole is not None
        or not all(isinstance(n, str) and "." not in n for n in names)
    ):
        raise TypeError
    if keep:
        return Record((name, record[name]) for name in names if name in record)
    return Record((name, record[name]) for name in record.names() if name not in names)


_PLAIN: Mapping[str, Callable[[list[Value]], Value]] = {
    "snakeCase": _cased("_".join),
    "kebabCase": _cased("-".join),
    "camelCase": _cased(_camel),
    "upperFirst": lambda args: args[0][:1].upper() + args[0][1:],
    "lowerFirst": lambda args: args[0][:1].lower() + args[0][1:],
    "capitalize": lambda args: args[0].capitalize(),
    "pick": lambda args: _chosen(args, keep=True),
    "omit": lambda args: _chosen(args, keep=False),
}
_WHOLE = frozenset({"lodash", "lodash-es"})


def _native(name: str) -> Native:
    def call(args: list[Value], site: Site) -> Value:
        try:
            return _PLAIN[name](args)
        except (TypeError, IndexError, AttributeError):
            return site.unknown(f"`{name}` of lodash is called in a way that is not understood")

    return Native(name, call)


def exports(specifier: str) -> Mapping[str, Value] | None:
    """What a specifier of lodash exports, as far as it is known: `lodash`, `lodash-es/snakeCase`, `lodash/omit.js`."""
    package, _, path = specifier.partition("/")
    if package not in _WHOLE:
        return None
    if not path:
        return {name: _native(name) for name in _PLAIN}
    name = path.removesuffix(".js")
    return {"default": _native(name), "*": _native(name)} if name in _PLAIN else None
