"""A report as SARIF 2.1.0, the format that code scanning services read."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from checks.render import words
from checks.report import Finding, Report, TraceReport

if TYPE_CHECKING:
    from checks.rules import Page

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def text(report: Report | TraceReport) -> str:
    """One SARIF log with one run: waived findings are suppressed, old ones `unchanged`."""
    judged = report.verdict != "unjudged" if isinstance(report, Report) else True
    rules = list(dict.fromkeys(words.visible(finding.rule) for finding in report.findings))
    run: dict[str, Any] = {
        "tool": {
            "driver": {"name": "Bulletproof", "semanticVersion": _version(), "rules": [_rule(rule) for rule in rules]}
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the repository."}}},
        "invocations": [{"executionSuccessful": judged}],
        "results": _results(report.findings, rules),
    }
    if isinstance(report, Report):
        run["automationDetails"] = {"id": "bulletproof/"}
        run["properties"] = {
            "verdict": report.verdict,
            "title": words.visible(report.title),
            "base": report.base,
            "head": report.head,
        }
        if report.notes and not judged:
            note = [{"level": "error", "message": {"text": words.visible(n)}} for n in report.notes]
            run["invocations"][0]["toolExecutionNotifications"] = note
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _results(findings: Sequence[Finding], rules: list[str]) -> list[dict[str, Any]]:
    seen: Counter[str] = Counter()
    indexes = {rule: number for number, rule in enumerate(rules)}
    results: list[dict[str, Any]] = []
    for finding in findings:
        mark = _fingerprint(finding)
        seen[mark] += 1
        results.append(_result(finding, indexes[words.visible(finding.rule)], f"{mark}:{seen[mark]}"))
    return results


def _result(finding: Finding, index: int, fingerprint: str) -> dict[str, Any]:
    said = words.visible(finding.message)
    if finding.help:
        said += "\n" + words.way_out(finding.help)
    said = said.replace("](", "] (")  # SARIF 3.11.6 reads `[text](target)` as a link
    line = max(finding.line, 1)
    place = {
        "artifactLocation": {"uri": uri(finding.path), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": line, "endLine": max(finding.end_line, line)},
    }
    result: dict[str, Any] = {
        "ruleId": words.visible(finding.rule),
        "ruleIndex": index,
        "level": finding.severity,
        "message": {"text": said},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"bulletproof/v1": fingerprint},
        "baselineState": "new" if finding.introduced else "unchanged",
    }
    if finding.waived is not None:
        excuse = f"{finding.waived.reason} ({finding.waived.by})"
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": words.visible(excuse)},
        ]
    return result


def _fingerprint(finding: Finding) -> str:
    """The same for the same finding when lines move: its rule, place and words, without the line."""
    parts = (finding.rule, finding.path, finding.migration or "", str(finding.statement), finding.message)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def uri(path: str) -> str:
    """A path as a relative URI reference (RFC 3986): its very bytes, percent-encoded."""
    return quote(path.encode("utf-8", "surrogateescape").lstrip(b"/")) or "."


def _rule(rule: str) -> dict[str, Any]:
    page = _page(rule)
    if page is None:
        return {"id": rule, "shortDescription": {"text": rule.replace("-", " ")}}
    return {
        "id": rule,
        "shortDescription": {"text": words.line(page.title, 300)},
        "fullDescription": {"text": words.line(f"{page.title} {page.harm}".strip(), 1_000)},
        "defaultConfiguration": {"level": page.severity if page.severity in {"error", "warning", "note"} else "none"},
        "help": {"text": page.markdown, "markdown": page.markdown},
    }


def _page(rule: str) -> "Page | None":
    """The rule's page, where it has one."""
    from checks import rules  # noqa: PLC0415 - rules bring the grammar with them, and other formats need none

    found = rules.all_rules().get(rule)
    return found.page if found else None


def _version() -> str:
    try:
        return metadata.version("bulletproof-migrations")
    except metadata.PackageNotFoundError:
        return "0.0.0"
