"""`bulletproof review` where a commit does not show all: files behind links, in submodules, outside of the repository."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import GitRepo

from tests.checks.drizzle_samples import CONFIG, Story, folder_v1
from tests.stories.test_review import Reviewed, Shop, story, two_sides

ELSEWHERE = "../elsewhere"


def at(schema: str) -> str:
    """A configuration whose `schema` is this, as JavaScript."""
    return f'export default {{ dialect: "postgresql", schema: {schema}, out: "./drizzle" }};'


def why(reviewed: Reviewed, item: str) -> str:
    """What a checklist item rests on."""
    return next(each["why"] for each in reviewed.report["checklist"] if each["id"] == item)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ('"../other/schema.ts"', "`../other/schema.ts` leads out of the repository"),
        ('"./db/schema.ts"', "`db/schema.ts` is not there"),
        ('"./linked/schema.ts"', "`linked/schema.ts` leads through `linked`, a symbolic link, which is not followed"),
        ("where()", "`schema` in `drizzle.config.ts` cannot be known without running it"),
    ],
)
def test_a_schema_file_that_is_not_found_is_named(
    repo: GitRepo, capsys: pytest.CaptureFixture[str], schema: str, said: str
) -> None:
    """Which path, and why: nobody has to guess which of two files was looked for."""
    base = story()
    base.files["drizzle.config.ts"] = at(schema)
    (repo.path / "linked").symlink_to(ELSEWHERE)
    reviewed = Reviewed(two_sides(repo, base, Story(base.files).add("refunds")), capsys, "--offline")
    assert reviewed.report["equality"]["schema_ts"] == "absent"
    assert why(reviewed, "schema-in-place") == (
        f"No schema file was found: {said}; the policy file can name it (`drizzle.schema`)."
    )


def test_a_configuration_that_cannot_be_read_is_named(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Head breaks it: the migrations are found by their shape, the schema file is not."""
    head = story().add("refunds")
    head.files["drizzle.config.ts"] = "export default {" * 50
    reviewed = Reviewed(two_sides(repo, story(), head), capsys, "--offline")
    assert "nothing in `drizzle.config.ts` can be read" in why(reviewed, "schema-in-place")


def test_a_policy_that_names_a_schema_file_elsewhere_is_told(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """The path and its reason are a note, and the configuration's own schema file judges."""
    base = story()
    base.files[".github/migration-policy.yml"] = "version: 1\ndrizzle: {schema: [../other/schema.ts]}\n"
    reviewed = Reviewed(two_sides(repo, base, base.fork().add("refunds")), capsys, "--offline")
    (note,) = reviewed.report["notes"]
    assert note == (
        "The policy file names a schema file (`drizzle.schema`) that cannot be read here: "
        "`../other/schema.ts` leads out of the repository; judged by what was found."
    )
    assert reviewed.report["project"]["schema_files"] == ["schema.ts"]


def test_a_schema_that_lies_elsewhere_in_part_accuses_nobody(repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """`sessions` is declared in another repository: its migration is not one too many, and nothing is equal."""
    base = story()
    base.files["drizzle.config.ts"] = at('["./schema.ts", "../shared/auth.ts"]')
    reviewed = Reviewed(two_sides(repo, base, Story(base.files).add("sessions")), capsys)
    assert (reviewed.code, reviewed.rules("error"), reviewed.rules("warning")) == (0, [], [])
    assert reviewed.report["equality"]["schema_ts"] == "unresolved"
    assert reviewed.report["equality"]["unresolved"] == [
        {"path": "schema.ts", "line": 1, "why": "the rest: `../shared/auth.ts` leads out of the repository"}
    ]


@pytest.mark.parametrize("name", ["schema.ts", "tables.ts"])
def test_a_schema_file_that_is_a_link_is_said_to_be_one(
    repo: GitRepo, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """The file itself, or one that it imports: neither is "not there"."""
    base = story()
    base.files["schema.ts"] = 'export * from "./tables";\n'
    base.files.pop(name, None)
    (repo.path / name).symlink_to(f"{ELSEWHERE}/{name}")
    reviewed = Reviewed(two_sides(repo, base, Story(base.files).add("refunds")), capsys, "--offline")
    (lack,) = reviewed.report["equality"]["unresolved"]
    assert lack["why"].endswith("is a symbolic link, which is not followed")


def moved_link(repo: GitRepo) -> None:
    """Head points the link that stands for the migrations at another folder."""
    (repo.path / "drizzle").symlink_to(f"{ELSEWHERE}/one")
    repo.commit({"drizzle.config.ts": CONFIG, "schema.ts": ""})
    repo.branch("head")
    (repo.path / "drizzle").unlink()
    (repo.path / "drizzle").symlink_to(f"{ELSEWHERE}/two")
    repo.commit()


def moved_submodule(repo: GitRepo) -> None:
    """Head takes the submodule that holds the migrations to another commit."""
    first = repo.commit({"drizzle.config.ts": CONFIG, "schema.ts": ""})
    for commit, branch in ((first, "main"), ("1" * 40, "head")):
        repo.git("checkout", "--quiet", "-B", branch)
        repo.git("update-index", "--add", "--cacheinfo", f"160000,{commit},drizzle")
        repo.git("commit", "--quiet", "--message=a step")


@pytest.mark.parametrize(
    ("moved", "kind"),
    [
        (moved_link, "a symbolic link, which is not followed"),
        (moved_submodule, "a submodule, which is not read"),
    ],
)
def test_a_link_that_stands_for_the_migrations_is_never_no_migration(
    repo: GitRepo, capsys: pytest.CaptureFixture[str], moved: Callable[[GitRepo], None], kind: str
) -> None:
    """What came with it cannot be seen: unknown, where "no migration touched" would be a silent pass."""
    moved(repo)
    reviewed = Reviewed(repo, capsys, "--offline")
    assert (reviewed.code, reviewed.report["title"]) == (0, "passed, 3 things not checked")
    said = f"`drizzle` changes, and the folder of the migrations, `drizzle`, is {kind}."
    unknown = ("migration-tested", "committed-together", "history-linear")
    assert [(reviewed.item(item), why(reviewed, item)) for item in unknown] == [("unknown", said)] * 3


NEXT = "drizzle/20260102000000_next"


def linked_folder(root: Path) -> None:
    """A migration's folder is a link."""
    (root / NEXT).symlink_to(ELSEWHERE)


def linked_file(root: Path) -> None:
    """Its SQL is a link."""
    (root / NEXT).mkdir()
    (root / NEXT / "migration.sql").symlink_to(ELSEWHERE)


def folder_as_file(root: Path) -> None:
    """Its SQL is a folder."""
    (root / NEXT / "migration.sql").mkdir(parents=True)
    (root / NEXT / "migration.sql" / "part.sql").write_text("SELECT 1;")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (linked_folder, f"`{NEXT}` is a symbolic link, which is not followed"),
        (linked_file, f"`{NEXT}/migration.sql` is a symbolic link, which is not followed"),
        (folder_as_file, f"`{NEXT}/migration.sql` is a folder: Drizzle stops"),
    ],
)
def test_a_v1_migration_that_is_no_file_blocks(
    repo: GitRepo, capsys: pytest.CaptureFixture[str], make: Callable[[Path], None], said: str
) -> None:
    """drizzle-orm 1.0 follows the link, or stops at the folder: neither is nothing."""
    first = folder_v1("20260101000000_first", "a", ["00000000-0000-0000-0000-000000000000"], kind="base")
    repo.commit({"drizzle.config.ts": CONFIG, "schema.ts": "", **first})
    repo.branch("head")
    make(repo.path)
    repo.commit()
    reviewed = Reviewed(repo, capsys, "--offline")
    (finding,) = [f for f in reviewed.report["findings"] if f["rule"] == "journal-mismatch"]
    assert (reviewed.code, said in finding["message"]) == (1, True), finding["message"]


@pytest.mark.parametrize("when", ["soon", None, True, [1]])
def test_a_when_that_is_no_number_is_not_told_as_one(
    repo: GitRepo, capsys: pytest.CaptureFixture[str], when: Any
) -> None:
    """Nothing is greater than base's last `when` that cannot be compared with it."""
    head: Shop = story().add("refunds")
    *old, last = head.entries
    head.list([*old, {**last, "when": when}])
    reviewed = Reviewed(two_sides(repo, story(), head), capsys, "--offline")
    (finding,) = [f for f in reviewed.report["findings"] if f["rule"] == "silently-skipped"]
    assert finding["message"] == (
        "`0002_refunds` will never run where `0001_orders` of base has run: its `when` is no number."
    )
