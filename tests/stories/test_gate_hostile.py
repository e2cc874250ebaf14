"""What strangers write (titles, names of branches, people, files, SQL) goes through the whole service and stays text."""

import html
import json
import re
import subprocess
from html.parser import HTMLParser

import httpx
import pytest
from gate import Scripted, concluded, settled, until
from github import Hub, Repository
from markdown_it import MarkdownIt

from bot.gate.reviewing import Outcome, Request
from tests.stories.test_gate_verdicts import MIGRATIONS

EVIL = "`</code></summary>--><script>alert(1)</script><img src=x onerror=alert(2)> @octo/team @ada #1 GH-2 [x](javascript:x) $(id) {{7*7}}"
NAMES = {  # PostgreSQL takes any of these as a name
    "table": "t`</td><script>alert(3)</script> @octo/team #1",
    "column": "c](https://evil.example)<img src=x onerror=alert(4)>|",
}
ALLOWED = {"details", "summary", "code", "sub", "span", "br", "p"}


class Tags(HTMLParser):
    """The tags of a piece of HTML."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One more."""
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}


def harmless(markdown: str) -> None:
    """No tag but our own, no link but ours, and outside of code nothing that GitHub makes a mention or a reference of."""
    prose: list[str] = []
    for block in MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown):
        if block.type == "html_block":
            assert Tags(block.content).found <= ALLOWED, block.content
            prose.append(re.sub(r"<code>.*?</code>", "", block.content, flags=re.DOTALL))
        coded = False  # GitHub makes nothing of what stands between <code> and </code>
        for each in block.children or []:
            if each.type == "html_inline":
                coded = coded if "code>" not in each.content else each.content == "<code>"
                tags = Tags(each.content)
                assert tags.found <= ALLOWED, each.content
                assert tags.attributes <= {"open"}, each.content
            elif each.type == "link_open":
                assert str(each.attrs["href"]).startswith("https://bulletproof.example/"), each.attrs
            elif each.type == "image":
                raise AssertionError(each)
            elif each.type == "text" and not coded:
                prose.append(each.content)
    said = html.unescape(re.sub(r"<[^>]*>", "", "\n".join(prose)))
    assert not re.search(r"(?<![\w`])@[A-Za-z0-9]", said), "a mention"
    assert not re.search(r"(?<![\w&])#\d|\bGH-\d", re.sub(r"with #\d+", "", said)), "a reference"


def quoted(name: str) -> str:
    """As SQL writes a name."""
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.long
def test_hostile_text_stays_text(
    serve, hub: Hub, shop: Repository, state_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the check and its annotations, in the comment, on the page, in the log; nobody is called, nothing is linked or run."""
    service = serve()
    table, column = quoted(NAMES["table"]), quoted(NAMES["column"])
    path = f"{MIGRATIONS}/0003_order_history.sql"
    sql = shop.git.git("show", f"clean:{path}")
    sql += (
        f"\n--> statement-breakpoint\nCREATE TABLE {table} (id int, {column} text DEFAULT '{EVIL}');"
        f'\n--> statement-breakpoint\nALTER TABLE "users" RENAME COLUMN "nickname" TO {column};'
        f"\n--> statement-breakpoint\nDO $$ BEGIN RAISE EXCEPTION '{EVIL.replace('%', '%%')}'; END $$;\n"
    )
    shop.git.git("checkout", "--quiet", "-B", "x</code><b>@ada`#1`", "clean")
    files = {
        path: sql,
        "scripts/<img src=x onerror=alert(5)> @octo #1 `rm`.ts": 'import pg from "drizzle-orm/node-postgres";\n',
        "scripts/ünï\u202ecod\u0007e.ts": 'import { drizzle } from "drizzle-orm/node-postgres";\n',
    }
    shop.git.commit(files)
    odd = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=shop.git.path, input=b'import "drizzle-orm/node-postgres";\n',
        capture_output=True, check=True,
    ).stdout.decode().strip()  # fmt: skip
    subprocess.run(
        ["git", "update-index", "--index-info"], cwd=shop.git.path, check=True, capture_output=True,
        input=f"100644 {odd}\tscripts/".encode() + b"not-utf-8-\xff.ts\n",
    )  # fmt: skip
    shop.git.git("commit", "--quiet", "-m", "odd bytes")
    pull = shop.open("x</code><b>@ada`#1`", title=EVIL, author="octo-<b>")
    check = concluded(pull)
    assert check["conclusion"] == "failure", check["output"]
    settled(state_url)
    [comment] = pull.ours
    assert "RAISE" in comment["body"]
    harmless(comment["body"])
    harmless(check["output"]["summary"])
    assert "<" not in check["output"]["title"]
    for annotation in check["output"]["annotations"]:
        assert annotation["message"].isprintable() or "\n" in annotation["message"]
    where = check["details_url"].replace("https://bulletproof.example", service.url)
    page = httpx.get(where, trust_env=False)
    assert page.status_code == 200
    tags = Tags(page.text)
    assert not tags.found & {"script", "img", "b", "iframe", "object"}
    assert not {name for name in tags.attributes if name.startswith("on")}
    assert "\u202e" not in page.text
    said = capsys.readouterr()
    log = said.out + said.err
    assert "Traceback" not in log
    assert "\x07" not in log
    assert "onerror" not in log


HOSTILE_REPLIES = [
    f"/migrate {EVIL}",
    f"/migrate explain {EVIL}",
    f"/migrate waive {EVIL}",
    f"/migrate force {EVIL}",
    "/migrate waive drops-table " + "@octo/team #1 " * 400,
]


def test_replies_call_nobody_but_the_one_who_asked(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """Whatever stands in a command, its answer mentions at most its author."""
    judge = Scripted()
    serve(judge=judge)
    pull = shop.open("clean")
    concluded(pull)
    settled(state_url)
    for number, body in enumerate(HOSTILE_REPLIES, start=1):
        pull.say(body, "ada")
        until(lambda number=number: len(pull.replies) >= number, f"reply {number}")
    settled(state_url)
    for reply in pull.replies:
        harmless(re.sub(r"<!-- bulletproof-\w+ [^\n]*? -->", "", reply).replace("@ada", "ada", 1))


def test_hostile_bodies_leave_no_trace_in_the_log(
    serve, hub: Hub, shop: Repository, state_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Numbers, lists and nests where GitHub has text, names that are none: 4xx or nothing, and no traceback."""
    serve(judge=Scripted())
    settled(state_url)
    good = shop.payload("opened", number=1, pull_request={"number": 1, "head": {"ref": "x", "sha": "a" * 40}})
    nest: object = "x"
    for _ in range(300):
        nest = [nest]
    for spoiled in (
        good | {"action": EVIL}, good | {"pull_request": {"number": "1; DROP TABLE work"}}, good | {"pull_request": []},
        good | {"pull_request": {"number": 2**70}}, good | {"pull_request": {"number": -1}}, good | {"repository": {"id": 1}},
        good | {"repository": {"id": 2**70, "full_name": "o/r"}}, good | {"installation": {"id": "x"}}, good | {"x": nest},
        good | {"repository": {"id": 1, "full_name": f"../..//{EVIL}"}}, good | {"ref": "\ud800"}, [], "x", None,
    ):  # fmt: skip
        assert hub.deliver("pull_request", spoiled) in {202, 400, 503}  # type: ignore[arg-type]
    settled(state_url, seconds=90)
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err


def test_an_outcome_with_hostile_words(serve, hub: Hub, shop: Repository, state_url: str) -> None:
    """Why something could not be judged is said by git and PostgreSQL in words that a stranger may have chosen."""
    judge = Scripted()

    def no(_request: Request) -> Outcome:
        return Outcome(enforced=True, why=EVIL)

    judge.outcome = no
    serve(judge=judge)
    check = concluded(shop.open("clean", title=EVIL))
    harmless(check["output"]["summary"])
    assert json.dumps(check["output"]["title"]) == '"could not judge"'
    settled(state_url)
