"""What the parts of a schema share while it is assembled: the names of columns, the text of SQL, calls of callbacks."""

from collections.abc import Callable

from checks.schema import model, sqltext
from checks.schema.columns import Column
from checks.schema.notes import Notes, known_text
from checks.schema.sqltext import Lost, Sql, Text
from checks.typescript.evaluate import Evaluator
from checks.typescript.functions import Leave
from checks.typescript.scopes import Exhausted
from checks.typescript.values import Site, Unknown, Value


class Context:
    """What all parts of a schema need while it is assembled: names, SQL, calls of callbacks, and the notes.

    Args:
        casing: the name of a column that was given none, in v0.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        format: model.Format,  # noqa: A002 - the project's word
        casing: Callable[[str], str] | None,
        notes: Notes,
    ) -> None:
        self.evaluator = evaluator
        self.v1 = format == "v1"
        self.format: model.Format = format
        self.cased = casing is not None and not self.v1
        self.casing = casing if casing is not None and not self.v1 else sqltext.as_written
        self.notes = notes

    def column_name(self, column: Column) -> str:
        """The name in the database.

        Raises:
            Lost: it is not known.
        """
        name = known_text(column.name, column.config.site)
        return self.casing(name) if column.config.key_as_name else name

    def printer(self, site: Site, *, bare: bool = False, inline: bool = False) -> Text:
        """Prints SQL with the names of this schema."""
        return Text(site, self.casing, bare=bare, inline=inline, v1=self.v1)

    def sql(self, value: Value, site: Site, *, bare: bool = False, inline: bool = False) -> str:
        """The text of an SQL template.

        Raises:
            Lost: it is not known, or has parameters where drizzle-kit cannot print them.
        """
        if isinstance(value, Unknown):
            raise Lost(value)
        if not isinstance(value, Sql):
            raise Lost(site.unknown("is not an SQL template"))
        printer = self.printer(site, bare=bare, inline=inline)
        text = printer.of(value)
        if printer.params:
            raise Lost(
                site.unknown("has a value that drizzle-kit prints as a parameter (`$1`), which PostgreSQL refuses")
            )
        return text

    def call(self, function: Value, args: list[Value], site: Site) -> Value:
        """What calling a callback gives."""
        try:
            return self.evaluator.call(function, args, site)
        except (Leave, Exhausted) as stopped:
            return site.unknown(str(stopped))
