"""What can be asked of a repository of the tests' GitHub: its pull requests, checks, comments and branches, as REST."""

import subprocess
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from github import Repository

APP = 4242
SLUG = "bulletproof-test"
INSTALLATION = 77

Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]] | None


def clock() -> str:
    """The time, as GitHub writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


# What can be asked of a repository: the repository, the path's parts, the query, the body.


def _pull(here: "Repository", parts: Any, _query: Any, _body: Any) -> Answer:
    pull = here.pulls.get(int(parts[0]))
    return (200, pull.shown()) if pull else None


def _pulls(here: "Repository", _parts: Any, query: Any, _body: Any) -> Answer:
    state, base = query.get("state", ["open"])[0], query.get("base", [None])[0]
    found = [p for p in here.pulls.values() if state in {"all", p.state} and base in {None, p.base}]
    return 200, [p.shown() for p in found]


def _pulls_with(here: "Repository", parts: Any, _query: Any, _body: Any) -> Answer:
    return 200, [p.shown() for p in here.pulls.values() if p.head == parts[0]]


def _runs(here: "Repository", parts: Any, query: Any, _body: Any) -> Answer:
    name = query.get("check_name", [None])[0]
    found = [r for r in here.runs if r["head_sha"] == parts[0] and name in {None, r["name"]}]
    return 200, {"total_count": len(found), "check_runs": [_run_shown(r) for r in found]}


def _run_shown(run: dict[str, Any]) -> dict[str, Any]:
    output = {k: v for k, v in run["output"].items() if k != "annotations"}
    return run | {"output": output | {"annotations_count": len(run["output"]["annotations"])}}


def _begin_run(here: "Repository", _parts: Any, _query: Any, body: Any) -> Answer:
    run = {
        "id": here.hub.id(),
        "app": {"id": APP, "slug": SLUG},
        "conclusion": None,
        "history": [],
        "started_at": clock(),
        **body,
    }
    run["output"] = {"annotations": [], **body.get("output", {})}
    run["history"].append((run["status"], run["conclusion"]))
    here.runs.append(run)
    return 201, _run_shown(run)


def _change_run(here: "Repository", parts: Any, _query: Any, body: Any) -> Answer:
    run = next((r for r in here.runs if r["id"] == int(parts[0])), None)
    if run is None:
        return None
    output = dict(body.pop("output", {}))
    more = output.pop("annotations", [])
    assert len(more) <= 50, "GitHub takes 50 annotations at a time"
    for key, most in (("summary", 65_535), ("text", 65_535), ("title", 255)):
        if len(output.get(key, "").encode()) > most:
            return 422, {"message": f"{key} is too long"}
    run.update(body)
    if body.get("status") == "in_progress":
        run["conclusion"] = None
    run["output"].update(output)
    run["output"]["annotations"] += more
    run["history"].append((run["status"], run["conclusion"]))
    return 200, _run_shown(run)


def _annotations(here: "Repository", parts: Any, _query: Any, _body: Any) -> Answer:
    run = next((r for r in here.runs if r["id"] == int(parts[0])), None)
    return (200, run["output"]["annotations"]) if run else None


def _comments(here: "Repository", parts: Any, _query: Any, _body: Any) -> Answer:
    return 200, list(here.comments.get(int(parts[0]), []))


def _comment(here: "Repository", parts: Any, _query: Any, body: Any) -> Answer:
    if len(body["body"]) > 65_536:
        return 422, {"message": "Validation Failed", "errors": ["body is too long (maximum is 65536 characters)"]}
    user = {"login": f"{SLUG}[bot]", "id": 9, "type": "Bot"}
    return 201, here.comment(int(parts[0]), body["body"], user, performed_via_github_app={"id": APP, "slug": SLUG})


def _edit(here: "Repository", parts: Any, _query: Any, body: Any) -> Answer:
    for each in (c for found in here.comments.values() for c in found):
        if each["id"] == int(parts[0]):
            each["body"] = body["body"]
            each["edits"] = each.get("edits", 0) + 1
            return 200, each
    return None


def _branch(here: "Repository", parts: Any, _query: Any, _body: Any) -> Answer:
    done = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"refs/heads/{unquote(parts[0])}"],
        cwd=here.git.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        return None
    return 200, {"ref": f"refs/heads/{parts[0]}", "object": {"sha": done.stdout.strip(), "type": "commit"}}


def _make_commit(here: "Repository", _parts: Any, _query: Any, body: Any) -> Answer:
    """Signed, where neither author nor committer is named; the tree and the parents have to be there."""
    lines = [f"tree {body['tree']}", *(f"parent {parent}" for parent in body["parents"])]
    who = f"{SLUG}[bot] <{SLUG}[bot]@users.noreply.github.com> {int(time.time())} +0000"
    lines += [f"author {who}", "committer GitHub <noreply@github.com>" + who[who.index("> ") + 1 :]]
    if "author" not in body and "committer" not in body:
        lines.append("gpgsig -----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----")
    raw = "\n".join([*lines, "", body["message"]]).encode()
    for each in (body["tree"], *body["parents"]):
        here.git.git("cat-file", "-e", each)
    sha = here.git.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=raw)
    return 201, {"sha": sha, "tree": {"sha": body["tree"]}, "message": body["message"]}


def _forward(here: "Repository", parts: Any, _query: Any, body: Any) -> Answer:
    name, sha = f"refs/heads/{unquote(parts[0])}", body["sha"]
    old = here.git.git("rev-parse", name)
    if here.git.git("merge-base", old, sha) != old:
        return 422, {"message": "Update is not a fast forward"}
    here.git.git("update-ref", name, sha, old)
    for pull in here.pulls.values():
        if not pull.fork and f"refs/heads/{pull.branch}" == name:
            threading.Thread(target=pull.set, args=(sha,), daemon=True).start()
    return 200, {"ref": name, "object": {"sha": sha, "type": "commit"}}


def _drop_ref(here: "Repository", parts: Any, _query: Any, _body: Any) -> Answer:
    here.git.git("update-ref", "-d", f"refs/{unquote(parts[0])}")
    return 204, None


def _permission(here: "Repository", parts: Any, _query: Any, _body: Any) -> Answer:
    found = here.permissions.get(unquote(parts[0]), "none")
    return 200, {"permission": found, "role_name": found, "user": {"login": parts[0], "id": 1}}


ROUTES: list[tuple[str, str, Callable[["Repository", Any, Any, Any], Answer]]] = [
    ("GET", r"/pulls/(\d+)", _pull),
    ("GET", r"/pulls", _pulls),
    ("GET", r"/pulls/(\d+)/reviews", lambda h, p, _q, _b: (200, h.pulls[int(p[0])].reviews)),
    ("GET", r"/commits/(\w+)/pulls", _pulls_with),
    ("GET", r"/commits/(\w+)/check-runs", _runs),
    ("POST", r"/check-runs", _begin_run),
    ("PATCH", r"/check-runs/(\d+)", _change_run),
    ("GET", r"/check-runs/(\d+)/annotations", _annotations),
    ("GET", r"/issues/(\d+)/comments", _comments),
    ("POST", r"/issues/(\d+)/comments", _comment),
    ("PATCH", r"/issues/comments/(\d+)", _edit),
    ("POST", r"/issues/comments/(\d+)/reactions", lambda _h, _p, _q, b: (201, {"id": 1, "content": b["content"]})),
    ("GET", r"/git/ref/heads/(.+)", _branch),
    ("POST", r"/git/commits", _make_commit),
    ("PATCH", r"/git/refs/heads/(.+)", _forward),
    ("DELETE", r"/git/refs/(.+)", _drop_ref),
    ("GET", r"/rules/branches/(.+)", lambda h, p, _q, _b: (200, h.rules.get(unquote(p[0]), []))),
    ("GET", r"/collaborators/([^/]+)/permission", _permission),
]
