"""The pages: closed to strangers, safe to look at, readable without JavaScript."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import gate
import httpx
import pytest
from conftest import ROOT
from github import Hub

from bot import state
from bot.events import Repository
from bot.gate import world
from bot.settings import Settings
from bot.state import store
from checks.report import Finding
from tests.checks.render_samples import blocked


class Pages(httpx.Client):
    """Somebody with a browser."""

    def __init__(self, service: gate.Service, state_url: str) -> None:
        super().__init__(base_url=service.url, trust_env=False)
        self.settings, self.state_url = service.settings, state_url


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """A service with nothing to do."""
    folder = tmp_path_factory.mktemp("pages")
    hub = Hub(folder / "hub")
    with gate.state_cluster(folder / "state") as url:
        service = gate.Service(gate.settings(hub, folder), url, work=False)
        with Pages(service, url) as client:
            yield client
        service.stop()
    hub.close()


def kept(client: Pages, report) -> str:
    """Keep a report; the path of its page, with the signature."""

    async def keep() -> str:
        async with state.pool(client.state_url, most=1) as pool:
            await store.named(pool, Repository(1, "octo", "shop", 77))
            return await store.keep(pool, 1, 7, report, enforced=True)

    id_ = asyncio.run(keep())
    key = world.secret(client.settings.webhook_secret.get_secret_value())
    return f"/reviews/{id_}?signature={world.sign(key, f'review:{id_}')}"


def test_a_review_opens_with_its_link_only(pages: Pages) -> None:
    """With the signature it is there; without, with another's or a wrong one there is nothing, also no hint."""
    path, other = kept(pages, blocked()), kept(pages, blocked())
    assert pages.get(path).status_code == 200
    bare, signature = path.split("?")
    wrong = [
        bare,
        f"{bare}?signature=",
        f"{bare}?{other.split('?')[1]}",
        f"{bare}?signature=é",
        f"/reviews/x?{signature}",
    ]
    answers = [pages.get(each) for each in wrong]
    assert [a.status_code for a in answers] == [404] * len(wrong)
    assert all("octo/shop" not in a.text for a in answers)


def test_a_review_says_everything(pages: Pages) -> None:
    """Verdict, checklist, findings with their rules, statements and the difference."""
    text = pages.get(kept(pages, blocked())).text
    report = blocked()
    for finding in report.findings:
        assert f"/rules/{finding.rule}" in text
    for item in report.checklist:
        assert item.title in text
    assert '<a href="http' in text
    assert '/octo/shop/pull/7">octo/shop#7</a>' in text
    assert "`" not in re.sub(r"<pre>.*?</pre>", "", text, flags=re.DOTALL), "what is code looks like code"


HOSTILE = "</code><script>alert(1)</script><img src=x onerror=alert(2)>`{{ 7*7 }}`\x00\u202e"


def test_nothing_hostile_gets_out_of_its_place(pages: Pages) -> None:
    """HTML in a path, a message or SQL is text; and were it not, the page's policy lets no script run."""
    finding = Finding(rule="drops-column", severity="error", path=HOSTILE, message=HOSTILE, help=HOSTILE)
    report = blocked().model_copy(update={"findings": (finding,), "title": HOSTILE, "notes": (HOSTILE,)})
    answer = pages.get(kept(pages, report))
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert "<img" not in answer.text
    assert "49" not in re.findall(r"alert\(2\)&gt;.{0,40}", answer.text)[0]
    assert "\u202e" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_rules_and_probes(pages: Pages) -> None:
    """Every rule has a page; an unknown one names the nearest; probes say how it stands."""
    listed = re.findall(r'href="/rules/([a-z-]+)"', pages.get("/rules").text)
    assert len(listed) > 30
    for rule in listed[:5]:
        shown = pages.get(f"/rules/{rule}")
        assert shown.status_code == 200
        assert "<p>Default: " not in shown.text
    missing = pages.get("/rules/drop-column")
    assert missing.status_code == 404
    assert "drops-column" in missing.text
    assert pages.get("/healthz").json() == {"status": "ok"}
    assert pages.get("/readyz").json()["status"] == "ready"
    assert "bulletproof_deliveries" in pages.get("/metrics").text


def test_the_dashboard_names_nothing_to_strangers(pages: Pages) -> None:
    """Pull requests are listed for whoever has the operator's link."""
    assert "octo" not in pages.get("/").text
    key = world.secret(pages.settings.webhook_secret.get_secret_value())
    assert "No open pull request yet" in pages.get(f"/?signature={world.sign(key, 'dashboard')}").text


def test_setup_makes_the_app(tmp_path: Path) -> None:
    """The manifest of `app.yml` goes to GitHub; what does not come back from there is refused."""
    service = gate.Service(Settings(public_url="https://bulletproof.example", data_dir=tmp_path), "unused")
    with Pages(service, "unused") as client:
        text = client.get("/setup?organization=octo").text
        assert "https://github.com/organizations/octo/settings/apps/new?state=" in text
        assert "merge_group" in text
        assert client.get("/setup/done?code=abc&state=forged").status_code == 400
        assert client.get("/readyz").status_code == 503
        assert client.post("/webhook", content=b"{}").status_code == 503
    service.stop()


def test_setup_takes_the_key_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The code is changed for the App's key, once; both are in files for us alone, shown once, and in no log."""
    hub = Hub(tmp_path / "hub")
    hub.apps["c0de"] = {
        "id": 99, "slug": "bulletproof-x", "name": "Bulletproof <x>", "pem": "-----BEGIN X-----\nk3y\n-----END X-----\n",
        "webhook_secret": "hunter2", "client_id": "Iv1", "client_secret": "s3cret", "html_url": "https://x",
    }  # fmt: skip
    folder = tmp_path / "data"
    settings = Settings(public_url="https://bulletproof.example", data_dir=folder, github_api_url=hub.api)
    service = gate.Service(settings, "unused")
    with Pages(service, "unused") as client:
        form = client.get("/setup").text
        state = re.search(r"state=([\w-]+)", form)
        assert state is not None
        assert "<code>checks</code>" in form
        done = client.get("/setup/done", params={"code": "c0de", "state": state[1]})
        assert done.status_code == 200
        assert "Bulletproof &lt;x&gt;" in done.text
        assert "hunter2" in done.text
        assert "no-store" in done.headers["cache-control"]
        again = client.get("/setup/done", params={"code": "c0de", "state": state[1]})
        assert again.status_code == 400
        other = re.search(r"state=([\w-]+)", client.get("/setup").text)
        assert other is not None
        assert client.get("/setup/done", params={"code": "spent", "state": other[1]}).status_code == 502
    service.stop()
    hub.close()
    assert hub.complaints == []
    for name in ("github-app.pem", "github-app.env"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert "k3y" in (folder / "github-app.pem").read_text()
    said = capsys.readouterr()
    assert not any(word in said.out + said.err for word in ("hunter2", "k3y", "s3cret"))
    made = subprocess.run(
        ["sh", "-c", f". {folder}/github-app.env; echo $BULLETPROOF_GITHUB_APP_ID $BULLETPROOF_WEBHOOK_SECRET"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert made.stdout == "99 hunter2\n"


def test_the_manifest_is_found_from_anywhere(tmp_path: Path) -> None:
    """Wherever the service was started."""
    code = "from bot.pages import setup; print(setup.manifest('https://x')['default_events'])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )  # fmt: skip
    assert "merge_group" in done.stdout


@pytest.mark.long
def test_a_browser_shows_it(pages: Pages, tmp_path: Path) -> None:
    """Headless Chromium paints the page on a phone and on a desktop: nothing is wider than the window."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium here to look at the page with")
    text = pages.get(kept(pages, blocked())).text
    css = pages.get("/style.css").text
    # Its width is measured by a script of the test, in a copy of the page: the page itself may run none.
    probe = "<script>document.title = document.documentElement.scrollWidth - window.innerWidth</script>"
    copy = tmp_path / "page.html"
    copy.write_text(
        text.replace('<link rel="stylesheet" href="/style.css">', f"<style>{css}</style>").replace(
            "</body>", probe + "</body>"
        )
    )
    for size in ("390,844", "1280,900"):
        done = subprocess.run(
            [
                *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
                *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
                *(f"--user-data-dir={tmp_path / size}", f"--window-size={size}", "--dump-dom", f"file://{copy}"),
            ],
            capture_output=True, text=True, timeout=25, check=False,
        )  # fmt: skip
        found = re.search(r"<title>(-?\d+)</title>", done.stdout)
        assert found, done.stderr[-300:]
        assert int(found[1]) <= 0, f"at {size} the page is {found[1]} pixels too wide"
