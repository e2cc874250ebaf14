"""`bulletproof init`: the policy file says what was found; package.json keeps its shape."""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.terminal import init, package_json
from checks import policy
from checks.drizzle import projects
from checks.errors import UserError
from checks.tree import Tree
from checks.ways import commands
from tests.checks.ways_samples import CONFIG, MODULE, STANDARD

FILES = {
    "package.json": '{\n  "name": "shop",\n  "scripts": {\n    "build": "next build",\n    "db:push": "drizzle-kit push"\n  },\n  "files": ["a", "b"]\n}\n',
    "drizzle.config.ts": CONFIG,
    MODULE: STANDARD,
    "lib/database/schema.ts": "export {};\n",
    "lib/database/migrations/meta/_journal.json": '{"version": "7", "dialect": "postgresql", "entries": []}',
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return _repository(tmp_path / "shop", FILES)


def _repository(path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(text.encode())
    for words in (
        ["init", "-qb", "main"],
        ["add", "-A"],
        ["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "start", "--no-gpg-sign"],
    ):
        subprocess.run(["git", *words], cwd=path, check=True)
    return path


def _written(path: Path) -> policy.PolicyFile:
    return policy.read(Tree.of({policy.PATHS[0]: (path / policy.PATHS[0]).read_bytes()}))


def test_the_policy_file_says_what_was_found(shop):
    init.write(shop)
    file = _written(shop)
    assert file.problems == ()
    assert file.policy.connection.module == MODULE
    assert file.policy.connection.driver == "@neondatabase/serverless"
    assert file.policy.connection.forbidden == ("drizzle-orm/node-postgres",)
    assert file.policy.drizzle.config == "drizzle.config.ts"
    assert file.policy.commands.banned == ("db:push", "drizzle-kit push")
    assert not file.policy.strict


def test_every_line_has_a_word_beside_it(shop):
    init.write(shop)
    for line in (shop / policy.PATHS[0]).read_text().splitlines():
        assert not line or "# " in line


def test_what_is_written_changes_nothing_of_what_is_detected(shop):
    init.write(shop)
    tree = Tree.of(FILES)
    said = _written(shop).policy.drizzle
    overrides = projects.DrizzleOverrides(
        config=said.config, schema=said.schema_files, migrations=said.migrations, table=said.table
    )
    assert projects.find(tree, overrides) == projects.find(tree)


def test_an_existing_policy_is_never_overwritten(shop):
    (shop / ".github").mkdir()
    (shop / policy.PATHS[0]).write_text("strict: true\n")
    with pytest.raises(UserError, match="exists already"):
        init.write(shop)
    init.write(shop, scripts=True)
    assert (shop / policy.PATHS[0]).read_text() == "strict: true\n"


def test_the_scripts_are_added_and_push_refuses(shop):
    init.write(shop, scripts=True)
    text = (shop / "package.json").read_text()
    scripts = json.loads(text)["scripts"]
    assert text.startswith('{\n  "name": "shop",\n  "scripts": {\n    "build": "next build",\n    "db:push": "node -e')
    assert text.endswith('  },\n  "files": ["a", "b"]\n}\n')
    assert set(init.SCRIPTS) < set(scripts)
    assert "npm run db:migrate" in scripts["db:push"]
    assert commands.refuses(scripts["db:push"])
    assert (
        subprocess.run(
            ["git", "status", "--porcelain"], cwd=shop, check=True, capture_output=True, text=True
        ).stdout.split()
    ) == ["M", "package.json", "??", ".github/"]


def test_a_second_time_changes_nothing(shop):
    init.write(shop, scripts=True)
    once = (shop / "package.json").read_bytes()
    init.write(shop, scripts=True)
    assert (shop / "package.json").read_bytes() == once


def test_scripts_that_are_there_stay_and_are_named(tmp_path):
    own = '{"scripts": {"db:migrate": "tsx scripts/migrate.ts"}}'
    path = _repository(tmp_path / "r", {**FILES, "package.json": own, "pnpm-lock.yaml": ""})
    said = init.write(path, scripts=True)
    scripts = json.loads((path / "package.json").read_text())["scripts"]
    assert scripts["db:migrate"] == "tsx scripts/migrate.ts"
    assert "pnpm db:migrate" in scripts["db:push"]
    assert any("Left as they are: db:migrate." in line for line in said)


def test_a_repository_without_anything_gets_a_policy_all_the_same(tmp_path):
    path = _repository(tmp_path / "r", {"README.md": "x"})
    init.write(path)
    assert _written(path).problems == ()
    with pytest.raises(UserError, match=r"package\.json"):
        init.write(path, scripts=True)


def test_several_projects_are_named_and_left_to_detection(tmp_path):
    more = {
        f"apps/{a}/{name}": text
        for a in ("shop", "admin")
        for name, text in FILES.items()
        if "lib/database/m" in name or name == "drizzle.config.ts" or "schema" in name
    }
    path = _repository(tmp_path / "r", {**more, "package.json": "{}"})
    init.write(path)
    file = _written(path)
    assert file.problems == ()
    assert (file.policy.drizzle.config, file.policy.drizzle.migrations) == (None, None)
    assert "apps/admin/lib/database/migrations" in (path / policy.PATHS[0]).read_text()


def test_what_cannot_be_written_is_said_in_words(shop):
    (shop / ".github").write_text("a file where a folder has to be")
    with pytest.raises(UserError, match="cannot be written"):
        init.run(shop)


def test_outside_a_repository_it_says_so(tmp_path):
    with pytest.raises(UserError, match="work tree"):
        init.write(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"scripts": []}', "", '{"scripts": 1}'])
def test_a_package_json_that_cannot_be_edited_is_left_alone(text):
    with pytest.raises(UserError):
        package_json.with_scripts(text, {"a": "b"})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", '{\n  "scripts": {\n    "a": "b"\n  }\n}'),
        ('{\n\t"name": "x"\n}\n', '{\n\t"name": "x",\n\t"scripts": {\n\t\t"a": "b"\n\t}\n}\n'),
        ('{"scripts": {}}', '{"scripts": {\n    "a": "b"\n  }}'),
        ('{"scripts": {"x": "y"}}\n', '{"scripts": {"x": "y", "a": "b"}}\n'),
        (
            '{\r\n    "scripts": {\r\n        "x": "y"\r\n    }\r\n}',
            '{\r\n    "scripts": {\r\n        "x": "y",\r\n        "a": "b"\r\n    }\r\n}',
        ),
        (
            '{\n  "scripts": {\n    "a": "old",\n    "x": "{}[]:,\\""\n  }\n}',
            '{\n  "scripts": {\n    "a": "b",\n    "x": "{}[]:,\\""\n  }\n}',
        ),
        (
            '{\n  "x": {"scripts": {"a": "no"}},\n  "scripts": {\n    "a": "1"\n  }\n}',
            '{\n  "x": {"scripts": {"a": "no"}},\n  "scripts": {\n    "a": "b"\n  }\n}',
        ),
    ],
)
def test_the_shape_of_the_file_stays(before, after):
    assert package_json.with_scripts(before, {"a": "b"}) == after


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(NAMES, st.one_of(st.integers(), NAMES, st.lists(NAMES, max_size=2)), max_size=3),
    st.dictionaries(NAMES, NAMES, max_size=3),
    st.dictionaries(NAMES, NAMES, min_size=1, max_size=3),
    st.sampled_from([None, 1, 2, 4, "\t"]),
)
def test_only_the_scripts_change(rest, scripts, new, indent):
    """Whatever else stands in package.json stays, to the last key and in its order."""
    data = {**{k: v for k, v in rest.items() if k != "scripts"}, "scripts": scripts}
    edited = json.loads(package_json.with_scripts(json.dumps(data, indent=indent, ensure_ascii=False), new))
    assert edited == {**data, "scripts": {**scripts, **new}}
    assert list(edited) == list(data)
