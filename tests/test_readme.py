"""Everything the README shows is so."""

import re
import subprocess
import sys

import pytest
from conftest import ROOT
from typer.main import get_command

from bot.settings import Settings
from bot.terminal.commands import app
from checks import rules
from checks.policy import parse

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]


def blocks(language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_sample_is_what_the_demo_prints() -> None:
    """Line for line, but for what is left out."""
    done = subprocess.run([sys.executable, "-m", "bot", "demo"], cwd=ROOT, capture_output=True, text=True, check=True)
    printed = set(done.stdout.splitlines())
    sample = [
        line for line in blocks("text")[0].splitlines() if line.strip() not in {"", "…"} and not line.startswith("$")
    ]
    assert len(sample) > 15
    assert [line for line in sample if line not in printed] == []


def test_the_commands_exist() -> None:
    """Every `bulletproof …` of the README is a command, and every option an option of it."""
    found = get_command(app)
    for line in re.findall(r"`?(bulletproof [a-z][^`\n]*)", README):
        words = line.split("#")[0].split()
        command = found.commands.get(words[1])  # type: ignore[attr-defined]
        assert command is not None, line
        below = getattr(command, "commands", {})
        if len(words) > 2 and words[2] in below:
            command = below[words[2]]
        options = {name for parameter in command.params for name in parameter.opts}
        assert [word for word in words[2:] if word.startswith("--") and word not in options] == [], line


def test_every_command_is_in_the_table() -> None:
    """A command that the README does not know is one that nobody finds."""
    assert [name for name in get_command(app).commands if f"`bulletproof {name}`" not in README] == []  # type: ignore[attr-defined]


def test_every_setting_is_in_the_table() -> None:
    """With its default and its meaning."""
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        assert f"| `BULLETPROOF_{name.upper()}` | {default} | {field.description} |" in README


def test_the_policy_file_is_valid() -> None:
    """The example can be copied."""
    (example,) = blocks("yaml")
    policy, problems = parse(example.encode(), rules.all_rules())
    assert problems == ()
    assert policy.large_tables == {"events": 80000000}


def test_the_make_targets_exist() -> None:
    """The two commands, and those that the documents name."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in DOCUMENTS:
        for target in re.findall(r"`make ([a-z]+)", (ROOT / name).read_text(encoding="utf-8")):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), (name, target)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_links_lead_somewhere(name: str) -> None:
    """Relative links, and files named in code, are there."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)]+)\)", text):
        assert (ROOT / target.split("#")[0]).exists(), target
    for path in re.findall(r"`((?:bot|checks|tests|deploy)/[\w./]+?)/?`", text):
        assert (ROOT / path).exists(), path


def test_architecture_stays_short() -> None:
    """Under 150 lines, or nobody reads it."""
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) < 150


def test_nothing_names_a_registry_or_a_machine() -> None:
    """Lock files hold hashes, not addresses; no path of anybody's machine is committed."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    hosts = re.compile(
        rb"pypi\." + rb"org|files\.pythonhosted|registry\.npm" + rb"js|/home/[a-z]+/|" + rb"/work" + rb"/main"
    )
    found = [name for name in listed if name and hosts.search((ROOT / name.decode()).read_bytes())]
    assert found == []
