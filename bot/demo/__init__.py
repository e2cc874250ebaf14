"""The demo: a small shop with Drizzle, a pull request that obeys its policy and one that breaks it, both reviewed for real."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

SHOP = Path(__file__).parent / "shop"

_AUTHOR = (
    "-c",
    "user.name=Ada",
    "-c",
    "user.email=ada@example.com",
    "-c",
    "commit.gpgSign=false",
    "-c",
    "core.hooksPath=/dev/null",
)


def run() -> int:
    """Build the shop, review both pull requests, and show both reports.

    Returns:
        0 once both verdicts, `pass` and `block`, are shown; 3 otherwise.
    """
    from rich.console import Console  # noqa: PLC0415 - heavy, and only the demo needs it here
    from rich.rule import Rule  # noqa: PLC0415

    from bot.terminal import local  # noqa: PLC0415 - the whole pipeline
    from checks.render import text  # noqa: PLC0415

    console = Console()
    verdicts: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bulletproof-demo-") as folder:
        shop = Path(folder) / "corner-shop"
        build(shop)
        for branch, title in (("clean", "Keep a history of every order"), ("breaking", "Tidy up orders and users")):
            console.print(Rule(f"pull request “{title}” ({branch} → main)", style="bold"))
            report = local.review(repo=shop, base="main", head=branch)
            text.show(report, console)
            verdicts.append(report.verdict)
    if verdicts != ["pass", "block"]:
        sys.stderr.write(f"The demo expected the verdicts pass and block, and got {' and '.join(verdicts)}.\n")
        return 3
    console.print(Rule(style="bold"))
    console.print("That was `bulletproof review` on both branches. Try it on a repository of yours:", highlight=False)
    console.print(f"{_command()} review --repo PATH --base main", highlight=False)
    return 0


def _command() -> str:
    """What to type: the command's name where a shell finds it, else where it is."""
    if shutil.which("bulletproof"):
        return "bulletproof"
    beside = Path(sys.executable).parent / "bulletproof"
    here = Path.cwd()
    return str(beside.relative_to(here) if beside.is_relative_to(here) else beside)


def build(folder: Path) -> None:
    """Write the shop's history into `folder`: main with three migrations, and the branches `clean` and `breaking`."""
    folder.mkdir(parents=True)
    _git(folder, "init", "--quiet", "--initial-branch=main")
    _step(folder, "1-shop", "Open the shop")
    _step(folder, "2-products", "Sell products")
    _git(folder, "checkout", "--quiet", "-b", "breaking")
    _step(folder, "breaking", "Tidy up orders and users")
    _git(folder, "checkout", "--quiet", "main")
    _step(folder, "3-discounts", "Give discounts")
    _git(folder, "checkout", "--quiet", "-b", "clean")
    _step(folder, "clean", "Keep a history of every order")
    _git(folder, "checkout", "--quiet", "main")


def _step(folder: Path, name: str, message: str) -> None:
    source = SHOP / name
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        target = folder / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", f"--message={message}")


def _git(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        ["git", *_AUTHOR, "-C", str(folder), *_arguments(arguments)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.stderr.write(done.stderr)
        done.check_returncode()


def _arguments(arguments: Sequence[str]) -> list[str]:
    """Demo commits never depend on the person's own templates."""
    return ["init", "--template=", *arguments[1:]] if arguments[0] == "init" else list(arguments)
