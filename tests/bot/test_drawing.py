"""Head's schema is drawn upon base's state once that is known to be what base's snapshot says, and judged no otherwise."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.branches import Template
from bot.branches.embedded import Begun, Embedded, EmbeddedBranch
from bot.git import Repository
from bot.review import review
from checks.report import Report
from tests.bench.shop import Shop
from tests.conftest import BINDIR, GitRepo


class Counted(Embedded):
    """Counts the clusters that it gives."""

    given = 0
    version = 0

    @contextmanager
    def branch(
        self, *, template: Template | None = None, extensions: Sequence[str] = (), seconds: float = 120.0
    ) -> Generator[EmbeddedBranch]:
        """One more."""
        self.given += 1
        with super().branch(template=template, extensions=extensions, seconds=seconds) as branch:
            self.version = branch.version
            yield branch

    @contextmanager
    def go_on(self, begun: Begun, *, extensions: Sequence[str], seconds: float) -> Generator[EmbeddedBranch]:
        """One that was begun."""
        self.given += 1
        with super().go_on(begun, extensions=extensions, seconds=seconds) as branch:
            yield branch


@pytest.fixture
def counted(tmp_path: Path) -> Counted:
    """A provider that has seen no base yet."""
    return Counted(tmp_path / "data", BINDIR)


@pytest.fixture
def shop(repo: GitRepo) -> Shop:
    """Four migrations on main; a branch that goes on."""
    made = Shop(4)
    repo.commit(made.files())
    return made


@pytest.fixture
def grown(repo: GitRepo, shop: Shop) -> GitRepo:
    """With one more migration on head."""
    repo.branch("head")
    shop.grow()
    repo.commit(shop.files())
    return repo


def seen(repo: GitRepo, provider: Counted) -> tuple[Report, int]:
    """The report of head, and how many clusters it took."""
    provider.given = 0
    report = review(Repository(repo.path).change("main", "head"), provider=provider)
    return report, provider.given


def told(report: Report) -> tuple[object, ...]:
    """What it says, without the time that anything took."""
    return (
        *(report.verdict, report.findings, report.checklist, report.equality, report.replay),
        *(report.schema_diff, report.rollback, report.coverage),
    )


def test_the_second_look_needs_no_second_cluster(grown: GitRepo, counted: Counted) -> None:
    """Once it is known that base's snapshot says what base's chain builds; the report is the same."""
    first, more = seen(grown, counted)
    second, one = seen(grown, counted)
    assert (more, one) == (2, 1 if counted.version >= 150000 else 2)
    assert first.equality.schema_ts == first.equality.snapshot == "equal"
    assert told(first) == told(second)


INTEGER = '"name": "amount",\n          "type": "integer"'


@pytest.mark.parametrize(
    ("file", "words", "side"),
    [
        ("schema.ts", ('"more_0_', '"less_0_'), "schema_ts"),
        ("drizzle/meta/0004_snapshot.json", (INTEGER, INTEGER.replace("integer", "bigint")), "snapshot"),
        ("drizzle/0004_step.sql", ("boolean DEFAULT true", "boolean DEFAULT false"), "snapshot"),
        ("drizzle/0004_step.sql", ('USING btree ("name")', 'USING btree ("note")'), "snapshot"),
    ],
)
def test_what_differs_is_found_all_the_same(
    grown: GitRepo, counted: Counted, file: str, words: tuple[str, str], side: str
) -> None:
    """A schema file, a snapshot or a migration of head that says something else, on a base that is known to be in step."""
    seen(grown, counted)
    text = (grown.path / file).read_text()
    assert words[0] in text
    grown.commit({file: text.replace(*words)})
    known, _ = seen(grown, counted)
    fresh, _ = seen(grown, Counted(grown.path.parent / "fresh", BINDIR))
    assert getattr(known.equality, side) == "differs"
    assert told(known) == told(fresh)


@pytest.mark.parametrize(
    ("by_hand", "in_step"),
    [
        ('CREATE INDEX "by_hand" ON "table_000" ("amount");', False),
        (
            "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'; COMMENT ON TABLE table_000 IS 'by hand';",
            True,
        ),
    ],
)
def test_what_was_made_by_hand_is_no_ground_to_draw_upon(
    repo: GitRepo,
    shop: Shop,
    counted: Counted,
    by_hand: str,
    in_step: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Where base's chain builds more than its snapshot says, head's is drawn apart; what Drizzle cannot say does not count."""
    files = shop.files()
    files["drizzle/0003_step.sql"] += f"--> statement-breakpoint\n{by_hand}\n"
    repo.commit(files)
    repo.branch("head")
    shop.grow()
    grown = shop.files()
    grown["drizzle/0003_step.sql"] = files["drizzle/0003_step.sql"]
    repo.commit(grown)
    first, _ = seen(repo, counted)
    second, clusters = seen(repo, counted)
    assert (clusters == 1) is (in_step and counted.version >= 150000)
    assert told(first) == told(second)


def test_another_snapshot_of_the_same_chain_is_looked_at_anew(repo: GitRepo, shop: Shop, counted: Counted) -> None:
    """What is known of base's state is known of one snapshot."""
    files = shop.files()
    repo.branch("head")
    shop.grow()
    repo.commit(shop.files())
    seen(repo, counted)
    repo.checkout("main")
    path = "drizzle/meta/0003_snapshot.json"
    repo.commit({path: files[path].replace('"name": "amount",', '"name": "amount" ,')})
    repo.git("checkout", "--quiet", "-B", "head", "main")
    repo.commit(shop.files(last={path: files[path].replace('"name": "amount",', '"name": "amount" ,')}))
    _, clusters = seen(repo, counted)
    assert clusters == 2
