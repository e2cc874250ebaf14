"""What `make` needs and makes before anything else: `.ci/environment`, run in folders and on machines of all kinds."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

SCRIPT = ROOT / ".ci" / "environment"

# In place of uv: a private environment, and no downloads.
UV = f"""#!/bin/sh
case $1 in
venv) exec "{sys.executable}" -m venv --without-pip "$5" ;;
pip) exit 0 ;;
esac
"""

# In place of the project: says what it was called with, and what stands first on the path.
CLI = "import sys\ndef main():\n    print(*sys.argv[1:], sep='|')\n    import json\n    print(json.__name__)\n    return 7\n"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with the programs that a bare machine has, and nothing else."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("sh", "git", "sed", "cat", "chmod", "pwd", "touch"):
        (folder / name).symlink_to(shutil.which(name) or pytest.skip(f"there is no {name} here"))
    return folder


def _program(folder: Path, name: str, text: str) -> None:
    (folder / name).unlink(missing_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def _make(folder: Path, programs: Path, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "PATH"} | {"PATH": str(programs), "PYTHON": python}
    return subprocess.run(
        ["sh", SCRIPT, ".venv", "requirements.txt"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("name", ["plain", "with a space", 'it\'s $(here) "too"', "deep/" * 30 + "folder"])
def test_the_command_runs_wherever_the_checkout_is(tmp_path: Path, programs: Path, name: str) -> None:
    """Spaces, quotes and long paths included; from any folder, whose own files are never run."""
    folder = tmp_path / name
    (folder / "bot").mkdir(parents=True)
    (folder / "checks").mkdir()
    (folder / "bot" / "cli.py").write_text(CLI)
    _program(programs, "uv", UV)
    made = _make(folder, programs)
    assert made.returncode == 0, made.stderr
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    for module in ("json.py", "bot.py"):
        (hostile / module).write_text("raise SystemExit('run')\n")
    command = folder / ".venv/bin/bulletproof"
    done = subprocess.run(
        [command, "review", "a b", "$HOME"], cwd=hostile, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, "review|a b|$HOME\njson\n", "")


@pytest.mark.parametrize(
    ("version", "fine"),
    [("2.37.9", False), ("1.9.1", False), ("2.38.0", True), ("2.39.3 (Apple Git-146)", True), ("3.0.0", True)],
)
def test_an_old_git_is_named(tmp_path: Path, programs: Path, version: str, fine: bool) -> None:  # noqa: FBT001 - a column
    """With the version that is there and the one that is needed."""
    _program(programs, "git", f"#!/bin/sh\necho git version '{version}'\n")
    _program(programs, "uv", "#!/bin/sh\nexit 9\n")  # as far as it has to come
    made = _make(tmp_path, programs)
    assert made.returncode == (9 if fine else 2)
    assert fine or "but 2.38 or newer is needed" in made.stderr


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("sys.version_info", "but 3.11 or newer is needed. Name another one: make PYTHON="),
        ("ensurepip", "has no venv module. Install it (Debian, Ubuntu: apt install python3-venv)."),
    ],
)
def test_a_python_that_lacks_something_is_named(tmp_path: Path, programs: Path, asked: str, said: str) -> None:
    """What to install, too."""
    python = f'#!/bin/sh\ncase "$*" in *{asked}*) exit 1 ;; esac\nexec "{sys.executable}" "$@"\n'
    _program(programs, "python3", python)
    made = _make(tmp_path, programs, "python3")
    assert made.returncode == 2
    assert said in made.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("lacking", "package"), [("git", "apt install git"), ("python3", "apt install python3 python3-venv")]
)
def test_what_is_missing_is_named_with_its_package(tmp_path: Path, programs: Path, lacking: str, package: str) -> None:
    """Nothing is half made."""
    (programs / lacking).unlink(missing_ok=True)
    made = _make(tmp_path, programs, "python3" if lacking == "python3" else sys.executable)
    assert made.returncode == 2
    assert package in made.stderr
    assert not (tmp_path / ".venv").exists()
