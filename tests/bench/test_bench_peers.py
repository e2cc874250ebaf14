"""Recall and false alarms, beside two linters, on the development corpus: who names what is slow under a blocking lock.

The linters read the statement alone, with timeouts set above it, as they ask; we have the database, which is the point.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest

from bot.branches.embedded import Embedded
from tests import node_oracle
from tests.bench import measure
from tests.checks.test_rules_on_corpus import ZONED, said
from tests.conftest import corpus

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1200)]

ABOVE = "SET lock_timeout = '1s';\nSET statement_timeout = '5s';\n"
# What each says of locks, scans and rewrites. Rules about style, data that is lost and names that change are left out.
SQUAWK = {
    "adding-field-with-default",
    "adding-foreign-key-constraint",
    "adding-not-nullable-field",
    "adding-required-field",
    "adding-serial-primary-key-field",
    "ban-alter-domain-with-add-constraint",
    "changing-column-type",
    "constraint-missing-not-valid",
    "disallowed-unique-constraint",
    "prefer-repack",
    "require-concurrent-index-creation",
    "require-concurrent-index-deletion",
    "require-concurrent-partition-detach",
    "require-concurrent-reindex",
}
PGFENCE = {
    "add-column-json",
    "add-column-non-constant-default",
    "add-column-not-null-no-default",
    "add-column-serial",
    "add-column-stored-generated",
    "add-constraint-check-no-not-valid",
    "add-constraint-exclude",
    "add-constraint-fk-no-not-valid",
    "add-constraint-unique",
    "add-pk-without-using-index",
    "alter-column-set-not-null",
    "alter-column-type",
    "attach-partition",
    "ban-alter-domain-add-constraint",
    "create-index-not-concurrent",
    "detach-partition",
    "drop-index-not-concurrent",
    "reindex-non-concurrent",
    "refresh-matview-blocking",
    "set-logged-unlogged",
    "vacuum-full",
}

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def rows() -> Rows:
    """The cases whose answer the session's time zone does not decide."""
    return [row for row in corpus("hazards.jsonl") if not row["setup"].startswith(ZONED)]


@pytest.fixture(scope="module")
def files(rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Each statement as a migration of its own."""
    folder = tmp_path_factory.mktemp("cases")
    made = [folder / f"{number:04}.sql" for number in range(len(rows))]
    for path, row in zip(made, rows, strict=True):
        path.write_text(f"{ABOVE}{row['sql'].rstrip().rstrip(';')};\n", encoding="utf-8")
    return made


def test_ours(rows: Rows, branches: Embedded) -> None:
    """With the database, and from the text alone."""
    _score("bulletproof, which runs it", rows, lambda n: bool(said(rows[n], branches)))
    _score("bulletproof --offline, which reads it", rows, lambda n: bool(said(rows[n], None)))


def test_squawk(rows: Rows, files: list[Path]) -> None:
    """Squawk on the same statements."""
    program = Path(sys.executable).with_name("squawk")
    if not program.exists():
        pytest.skip("squawk-cli is not installed (`make test` brings it)")
    answered = _asked([str(program), "--reporter", "json", "--pg-version", "18", *map(str, files)])
    found = {finding["file"] for finding in answered if finding["rule_name"] in SQUAWK}
    _score("squawk", rows, lambda n: str(files[n]) in found)


def test_pgfence(rows: Rows, files: list[Path]) -> None:
    """The other linter, from npm, on the same statements."""
    node = shutil.which("node")
    try:
        folder = node_oracle.installed(cast("Any", "peers"))
    except node_oracle.NodeMissing as reason:
        pytest.skip(str(reason))
    program = folder / "node_modules" / "@flvmnt" / "pgfence" / "dist" / "index.js"
    command = [str(node), str(program), "analyze", "--format", "sql", "--output", "json", "--min-pg-version", "18"]
    answered = _asked([*command, *map(str, files)])
    found = {
        result["filePath"] for result in answered["results"] if any(c["ruleId"] in PGFENCE for c in result["checks"])
    }
    _score("pgfence", rows, lambda n: str(files[n]) in found)


def _asked(command: list[str]) -> Any:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def _score(who: str, rows: Rows, speaks: Callable[[int], bool]) -> None:
    slow = [n for n, row in enumerate(rows) if row["linear_under_blocking_lock"]]
    quick = [n for n, row in enumerate(rows) if not row["linear_under_blocking_lock"]]
    with ThreadPoolExecutor(4) as pool:  # most of a case is waiting for its cluster
        found, wrong = sum(pool.map(speaks, slow)), sum(pool.map(speaks, quick))
    assert slow
    assert quick
    share = f"{found / len(slow):.1%} of the slow found, {wrong / len(quick):.1%} of the quick accused"
    measure.say(f"{who:<40} finds {found:>3} of {len(slow)}, false alarms {wrong:>3} of {len(quick)}   ({share})")
