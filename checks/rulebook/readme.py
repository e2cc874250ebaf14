"""The table of all rules: `python -m checks.rulebook.readme` prints checks/rules/README.md."""

import sys

from checks import rules

_HEAD = """# Rules

This file is made from the rules' docstrings: `python -m checks.rulebook.readme > checks/rules/README.md`.

A rule is one file. Its name is the function's name and, in kebab-case, the rule's id; the decorator is its default severity (`error` blocks, `warning`
and `note` do not, `off` is silent until the policy asks for it); the annotation of its first parameter says which facts it hears of; its docstring is
its page, which `bulletproof rules ID` shows. Every `sql bad` example is run on a real PostgreSQL, on the tables of [shop.sql](shop.sql) and in the way
Drizzle runs migrations (`none`: without a transaction; `offline`: not run), and raises exactly its own rule; every `sql good` example runs and raises
nothing but, at most, notes.

| Rule | Default | What it is about |
|---|---|---|
"""


def text() -> str:
    """The whole file."""
    rows = (
        f"| [`{rule.id}`]({rule.id.replace('-', '_')}.py) | {rule.severity} | {rule.page.title} |\n"
        for rule in rules.all_rules().values()
    )
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    sys.stdout.write(text())
