"""A review against its floor: the least that must be done to know what a pull request does."""

import itertools
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.branches import Template
from bot.branches.embedded import Embedded, EmbeddedBranch
from bot.git import Repository
from bot.review import review
from checks.catalog import read as catalogs
from checks.report import Report
from tests.bench import measure
from tests.bench.shop import Shop
from tests.conftest import ROOT, GitRepo

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1200)]


_HEADS = 6


@dataclass(frozen=True, slots=True)
class History:
    """A repository with one more migration on each `head` than on `main`, and its chunks of SQL."""

    path: Path
    chain: tuple[str, ...]
    added: tuple[str, ...]
    heads: Iterator[str]


def chunks(text: str) -> tuple[str, ...]:
    """What Drizzle sends."""
    return tuple(text.split("--> statement-breakpoint"))


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """200 migrations of ten statements each, schema file and snapshots in step; each head adds the next, and is seen once."""
    shop = Shop(200)
    repo = GitRepo(tmp_path_factory.mktemp("shop") / "repo")
    before = shop.files()
    repo.commit(before)
    repo.branch("head")
    added = shop.grow()
    heads: list[str] = []
    for number in range(_HEADS):
        shop.sql[-1] = f"-- {number}\n{added}"
        heads.append(repo.commit(shop.files(last=before)))
    chain = tuple(chunk for text in shop.sql[:-1] for chunk in chunks(text))
    return History(repo.path, chain, chunks(added), itertools.cycle(heads))


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Embedded:
    """Templates of this module alone, programs and the blank cluster made."""
    made = Embedded(tmp_path_factory.mktemp("data"))
    made.prepare()
    with made.branch():
        pass
    return made


def plainly(branch: EmbeddedBranch, sent: tuple[str, ...]) -> None:
    """Apply SQL as any program would: psycopg, one transaction."""
    with branch.connect(autocommit=False) as session:
        for chunk in sent:
            session.execute(chunk.encode())
        session.commit()


def once(history: History, provider: Embedded) -> Report:
    """The main job, from two revisions to a report."""
    return review(Repository(history.path).change("main", next(history.heads)), provider=provider)


def floor(history: History, provider: Embedded, template: Template) -> None:
    """Copy, start and first query of a template, the added migration, two catalog reads."""
    with provider.branch(template=template) as branch:
        for sent in ((), history.added):
            plainly(branch, sent)
            with branch.connect() as session:
                catalogs.read(session)


def test_a_warm_review(history: History, provider: Embedded) -> None:
    """Base is known and head is new; the wait for the whole chain from zero, which runs beside it, is told apart."""
    template = Template("floor-of-200", lambda branch: plainly(branch, history.chain))
    reports: list[Report] = []
    ours, least = measure.medians(
        [lambda: reports.append(once(history, provider)), lambda: floor(history, provider, template)], rounds=5
    )
    assert reports[-1].verdict == "pass"
    assert reports[-1].equality.schema_ts == reports[-1].equality.snapshot == "equal"
    timings = reports[-1].timings_ms
    waited = measure.middle([report.timings_ms.get("from_zero_wait", 0.0) for report in reports[1:]])
    measure.line("review, warm, one migration after 200", ours - waited, least, at_most=2.0)
    measure.line("  with the wait for from_zero", ours, least)
    measure.say(f"  {timings}")


def test_a_cold_review(history: History, provider: Embedded) -> None:
    """Base is seen for the first time: its chain runs once, and is kept."""
    reports: list[Report] = []

    def prepare() -> None:
        shutil.rmtree(provider._place.templates.folder, ignore_errors=True)
        provider._place.templates.folder.mkdir()
        provider.prepare()

    def ours() -> None:
        prepare()
        reports.append(once(history, provider))

    def chain() -> None:
        with provider.branch() as branch:
            plainly(branch, history.chain)
            for sent in ((), history.added):
                plainly(branch, sent)
                with branch.connect() as session:
                    catalogs.read(session)

    times = measure.medians([ours, chain, prepare], rounds=3)
    waited = measure.middle([report.timings_ms.get("from_zero_wait", 0.0) for report in reports[1:]])
    measure.line("review, cold, 200 migrations of 10 statements", times[0] - times[2] - waited, times[1], at_most=2.2)
    measure.line("  with the wait for from_zero", times[0] - times[2], times[1])


def test_the_start_of_the_command() -> None:
    """`bulletproof --help`, in seconds of CPU."""

    def cpu(arguments: list[str]) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000

    ours = measure.middle([cpu(["-m", "bot", "--help"]) for _ in range(5)])
    bare = measure.middle([cpu(["-c", "import typer"]) for _ in range(5)])
    measure.line("bulletproof --help, CPU (target 300 ms)", ours, 300.0, at_most=1.0)
    measure.line("  beside `import typer` alone", ours, bare)
