"""Views that dice make of Drizzle's query builder: fields, joins, conditions, groups and orders of every kind."""

import random
from collections.abc import Iterator

HEAD = """import { notBetween, notLike, exists, min, avg } from "drizzle-orm";
export const s = pgSchema('sc'); export const u = pgTable('people', { id: serial().primaryKey(), name: text('full_name'), age: integer(), at: timestamp(), n: numeric(), nn: numeric({ mode: 'number' }), ok: boolean() });
export const p = s.table('posts', { id: serial().primaryKey(), userId: integer('user_id'), title: text(), score: doublePrecision() }); const al = alias(u, 'al');
export const base = pgView('base').as((qb) => qb.select({ id: u.id, nm: sql<string>`upper(${u.name})`.as('nm') }).from(u));
"""
_PEOPLE = {"id": "1", "name": "'it\\'s'", "age": "-5", "at": "new Date('2024-01-02T03:04:05Z')", "n": "'1.50'", "nn": "2.5", "ok": "true"}  # fmt: skip
_COLUMNS = {
    "u": _PEOPLE,
    "al": _PEOPLE,
    "p": {"id": "7", "userId": "0", "title": "'a%'", "score": "0.5"},
    "base": {"id": "3", "nm": "''"},
}


class _Dice:
    """One view."""

    def __init__(self, seed: int, version: str) -> None:
        self.pick = random.Random(seed)
        self.version = version
        self.sources: list[str] = []

    def column(self) -> tuple[str, str]:
        """A column, and a value for it."""
        table = self.pick.choice(self.sources)
        name = self.pick.choice(list(_COLUMNS[table]))
        return f"{table}.{name}", _COLUMNS[table][name]

    def condition(self, depth: int = 0) -> str:
        """What may stand in `where`."""
        (column, value), (other, _) = self.column(), self.column()
        plain = [
            f"eq({column}, {value})", f"{self.pick.choice(['ne', 'gt', 'gte', 'lt', 'lte'])}({column}, {value})", f"isNull({column})", f"isNotNull({column})",
            f"{self.pick.choice(['inArray', 'notInArray'])}({column}, [{value}, {value}])", f"{self.pick.choice(['between', 'notBetween'])}({column}, {value}, {value})",
            f"{self.pick.choice(['like', 'ilike', 'notLike'])}({column}, 'a%')", f"sql`${{{column}}} is distinct from ${{{other}}}`", f"eq({column}, {other})",
            f"exists(qb.select({{ one: sql`1` }}).from(p).where(eq(p.userId, {column})))",
        ]  # fmt: skip
        if depth > 1 or self.pick.random() < 0.6:
            return self.pick.choice(plain)
        inner = ", ".join(self.condition(depth + 1) for _ in range(self.pick.randrange(1, 4)))
        return self.pick.choice([f"and({inner})", f"or({inner}, undefined)", f"not({self.condition(depth + 1)}!)"])

    def field(self, number: int) -> str:
        """One of the selected fields."""
        (column, value), (other, _) = self.column(), self.column()
        forms = [column, column, f"sql<number>`${{{column}}} || ${{{other}}}`.as('f{number}')", f"{self.pick.choice(['count', 'max', 'min', 'sum', 'avg'])}({column}).as('f{number}')"]  # fmt: skip
        forms += [f"sql`coalesce(${{{column}}}, ${{{value}}})`.as('f{number}')"] if "Date" not in value else []
        forms += [f"{column}.as('al{number}')"] if self.version == "v1" and not column.endswith(".nm") else []
        return f"f{number}: {self.pick.choice(forms)}"

    def query(self) -> str:
        """A select statement."""
        self.sources = [self.pick.choice(["u", "u", "base", "p"])]
        text = f".from({self.sources[0]})"
        for table in self.pick.sample(["p", "al"], self.pick.choice([0, 0, 1, 2])):
            if table not in self.sources:
                self.sources.append(table)
                text += f".{self.pick.choice(['leftJoin', 'innerJoin', 'rightJoin', 'fullJoin'])}({table}, {self.condition()})"
        fields = ", ".join(self.field(number) for number in range(self.pick.randrange(1, 4)))
        text = f"qb.{self.pick.choice(['select', 'selectDistinct'])}({'' if self.pick.random() < 0.2 else '{ ' + fields + ' }'}){text}"
        text += f".where({self.condition()})" if self.pick.random() < 0.6 else ""
        text += f".groupBy({self.column()[0]}).having(gt(count(), 1))" if self.pick.random() < 0.2 else ""
        text += f".orderBy(desc({self.column()[0]}), {self.column()[0]})" if self.pick.random() < 0.3 else ""
        return text + (".limit(10).offset(5)" if self.pick.random() < 0.2 else "")

    def view(self) -> str:
        """The view."""
        form = self.pick.randrange(5)
        if form == 0:
            return f"pgView('v').as((qb) => {{ const sq = {self.query()}.as('sq'); return qb.select().from(sq); }})"
        if form == 1:
            return f"pgView('v').as((qb) => {{ const w = qb.$with('w').as({self.query()}); return qb.with(w).select().from(w); }})"
        kind = self.pick.choice(["pgView", "pgMaterializedView", "s.view"])
        return f"{kind}('v').as((qb) => {self.query()})"


def views(version: str, count: int) -> Iterator[tuple[str, str]]:
    """So many views: a name and the source of schema.ts."""
    for seed in range(count):
        yield f"drawn view {seed}", f"{HEAD}export const v = {_Dice(seed, version).view()};"
