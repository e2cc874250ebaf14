"""Reports for programs: JSON with the contract's keys, schemas made from the models, SARIF that its own schema accepts."""

import io
import json
from pathlib import Path
from urllib.parse import unquote_to_bytes

import jsonschema
import node_oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks import render
from checks.render import json as as_json
from checks.render import sarif, schema
from checks.report import Finding, Report, TraceReport
from tests.checks import render_samples as samples

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "checks" / "render"
REPORTS = [
    samples.blocked(),
    samples.passed(),
    samples.untouched(),
    samples.unjudged(),
    samples.everywhere("ä\x1b|`\n"),
]

KEYS = {
    "": "version verdict base head merge_base project checklist findings migrations replay schema_diff equality rollback "
    "conflicts coverage witnesses timings_ms",
    "project": "format migrations_dir schema_files migrator config",
    "checklist.0": "id title state why",
    "findings.0": "rule severity path line end_line message help migration statement introduced waived",
    "findings.5.waived": "reason by until",
    "migrations.0": "tag path change statements",
    "migrations.0.statements.0": "index line sql kind ms executed error locks rewrites scans changes rows",
    "migrations.0.statements.0.locks.0": "relation mode existed",
    "migrations.0.statements.1.error": "sqlstate message",
    "replay": "from_base from_zero error would_skip transaction",
    "replay.error": "migration statement sqlstate message",
    "schema_diff": "sql unified summary",
    "equality": "schema_ts snapshot missing_sql unresolved",
    "equality.unresolved.0": "path line why",
    "rollback": "sql proven irreversible",
    "conflicts.0": "with kind message fix",
    "coverage": "statements read executed opaque",
    "coverage.opaque.0": "migration statement why",
}


def test_the_keys_are_those_of_the_contract() -> None:
    """Every key that programs rely on is there, at every level, under its own name."""
    document = json.loads(as_json.text(samples.blocked()))
    for path, names in KEYS.items():
        value = document
        for step in filter(None, path.split(".")):
            value = value[int(step) if step.isdigit() else step]
        assert set(names.split()) <= set(value), path
    assert document["version"] == 1
    assert document["conflicts"][0]["with"] == "#12"


def test_json_is_read_back() -> None:
    """A document makes the very report it was made from; this is how the GitHub Action renders it."""
    for report in REPORTS:
        assert Report.model_validate_json(as_json.text(report)) == report
    assert TraceReport.model_validate_json(as_json.text(samples.trace())) == samples.trace()


def test_paths_that_are_not_utf8_are_spelled_out() -> None:
    """A path with bytes that are not UTF-8 cannot stop the document, and reads as it does elsewhere."""
    finding = Finding(rule="a", severity="error", path="lib/\udcff.sql", message="m")
    text = as_json.text(samples.passed().model_copy(update={"findings": (finding,), "timings_ms": {"\udcfe": 1}}))
    document = json.loads(text.encode())
    assert document["findings"][0]["path"] == "lib/\\xff.sql"
    assert document["migrations"][0]["statements"][0]["sql"] == 'ALTER TABLE "users"\n  ADD COLUMN "bio" text'


@pytest.mark.parametrize("name", schema.FILES)
def test_the_published_schema_is_current(name: str) -> None:
    """The schemas in the repository are those of the models (`python -m checks.render.schema` writes them)."""
    assert (FOLDER / name).read_text(encoding="utf-8") == schema.text(schema.FILES[name])


def test_reports_are_valid_against_the_published_schema() -> None:
    """What the command prints is what the schema says; a report of a later version with more keys is valid too."""
    validator = jsonschema.Draft202012Validator(json.loads((FOLDER / "report.schema.json").read_text(encoding="utf-8")))
    for report in REPORTS:
        document = json.loads(as_json.text(report))
        validator.validate(document)
        validator.validate(document | {"later": 1})
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(json.loads(as_json.text(samples.passed())) | {"verdict": "perhaps"})
    traces = json.loads((FOLDER / "trace.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(traces).validate(json.loads(as_json.text(samples.trace())))


@pytest.mark.node
def test_sarif_is_valid() -> None:
    """The standard's own schema accepts every report, and nothing but reports."""
    folder = node_oracle.require("sarif").folder / "node_modules/@microsoft/jest-sarif"
    (path,) = folder.rglob("sarif-2.1.0-rtm.5.json")
    standard = json.loads(path.read_text(encoding="utf-8"))
    broken = json.loads(sarif.text(samples.blocked()))
    broken["runs"][0]["results"][0]["level"] = "fatal"
    assert not jsonschema.Draft4Validator(standard).is_valid(broken)
    for report in (*REPORTS, samples.trace()):
        jsonschema.Draft4Validator(standard).validate(json.loads(sarif.text(report)))


def test_sarif_says_what_the_report_says() -> None:
    """Levels, rules, places, what is old and what is waived, as code scanning reads them."""
    log = json.loads(sarif.text(samples.blocked()))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    for finding, result in zip(samples.blocked().findings, run["results"], strict=True):
        assert rules[result["ruleIndex"]] == result["ruleId"] == finding.rule
        assert result["level"] == finding.severity
        assert result["message"]["text"].startswith(finding.message)
        assert result["baselineState"] == ("new" if finding.introduced else "unchanged")
        assert bool(result.get("suppressions")) == (finding.waived is not None)
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {"uri": finding.path, "uriBaseId": "%SRCROOT%"}
        assert place["region"]["startLine"] == finding.line <= place["region"]["endLine"]
    assert run["invocations"] == [{"executionSuccessful": True}]


def test_sarif_of_an_unjudged_review_is_no_success() -> None:
    """A review that could not judge says so, instead of showing no results."""
    (run,) = json.loads(sarif.text(samples.unjudged()))["runs"]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert "stopped answering" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_sarif_takes_help_from_the_rule_pages() -> None:
    """A rule that has a page brings its harm and its help; one without brings its id."""
    from checks import rules  # noqa: PLC0415 - loads the grammar

    known = sorted(rules.all_rules())[:1]
    findings = tuple(Finding(rule=r, severity="note", path="a.sql", message="m") for r in (*known, "not-a-rule"))
    (run,) = json.loads(sarif.text(samples.passed().model_copy(update={"findings": findings})))["runs"]
    described = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert described["not-a-rule"] == {"id": "not-a-rule", "shortDescription": {"text": "not a rule"}}
    for rule in known:
        assert described[rule]["help"]["markdown"] == rules.page(rule).markdown


def test_fingerprints_survive_moved_lines() -> None:
    """The same finding on another line is the same alert; two equal findings are two alerts."""
    finding = Finding(rule="a", severity="error", path="a.sql", line=3, message="m")
    moved = finding.model_copy(update={"line": 30, "end_line": 31})

    def marks(*findings: Finding) -> list[str]:
        (run,) = json.loads(sarif.text(samples.passed().model_copy(update={"findings": findings})))["runs"]
        return [result["partialFingerprints"]["bulletproof/v1"] for result in run["results"]]

    assert marks(finding) == marks(moved)
    assert len(set(marks(finding, finding))) == 2
    assert marks(finding) != marks(finding.model_copy(update={"message": "n"}))


@given(st.binary(min_size=1, max_size=20).filter(lambda b: b"\0" not in b and not b.startswith(b"/")))
@settings(deadline=None)
def test_uris_are_the_bytes_of_the_path(path: bytes) -> None:
    """Any path that git can hold becomes a relative URI reference and back."""
    uri = sarif.uri(path.decode(errors="surrogateescape"))
    assert uri.isascii()
    assert not set(uri) & set(' :?#[]@<>"\\^`{|}')
    assert unquote_to_bytes(uri) == path


@pytest.mark.parametrize("form", ["text", "markdown", "json", "sarif"])
def test_writing_to_a_terminal_without_unicode(form: str) -> None:
    """Text keeps to the terminal's characters; what programs read is UTF-8 wherever it goes."""
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    render.write(samples.everywhere("ä→\udcff"), form, out)
    out.flush()
    written = raw.getvalue().decode("ascii" if form == "text" else "utf-8")
    assert written.endswith("\n")
    if form in {"json", "sarif"}:
        json.loads(written)
    plain = io.StringIO()
    render.write(samples.passed(), form, plain)
    if form != "text":
        assert plain.getvalue() == render.as_text(samples.passed(), form)
