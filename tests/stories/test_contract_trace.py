"""The contract's sentences on files that people name themselves: dumps with owners and rights of another server."""

import json
import time
from pathlib import Path

import pytest

from bot.cli import main

DUMP = """\\restrict abc
SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.t (id integer NOT NULL, a text);
ALTER TABLE public.t OWNER TO somebody;
CREATE POLICY p ON public.t TO "App User" USING (true);
COPY public.t (id, a) FROM stdin;
1	x
2	y;
\\.
ALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY (id);
GRANT SELECT,INSERT ON TABLE public.t TO reader;
ALTER DEFAULT PRIVILEGES FOR ROLE boss IN SCHEMA public GRANT SELECT ON TABLES TO reader;
\\unrestrict abc
"""


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "dump.sql"
    path.write_text(DUMP, encoding="utf-8")
    return path


def test_a_dump_of_another_server_is_a_set_up(dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """pg_dump names roles and never makes them; what they own can be traced all the same."""
    sql = tmp_path / "up.sql"
    sql.write_text("ALTER TABLE t ADD COLUMN b int;\nUPDATE t SET b = 1;", encoding="utf-8")
    assert main(["trace", "--sql", str(sql), "--setup", str(dump), "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(s["executed"], s["rows"]) for s in told["statements"]] == [(True, None), (True, 2)]
    assert told["statements"][0]["locks"] == [{"relation": "public.t", "mode": "AccessExclusiveLock", "existed": True}]


def test_a_dump_can_be_compared(dump: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", str(dump), str(dump)]) == 0
    assert capsys.readouterr().out == ""


def test_what_does_not_end_is_stopped_when_the_caller_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The limit is an option: a loop without an end takes no longer, and all the rest is listed as not run."""
    sql = tmp_path / "up.sql"
    sql.write_text("CREATE TABLE t (a int);\nDO $$ BEGIN PERFORM pg_sleep(100); END $$;\nSELECT 1;", encoding="utf-8")
    began = time.monotonic()
    assert main(["trace", "--sql", str(sql), "--timeout", "3", "--format", "json"]) == 1
    assert time.monotonic() - began < 50
    told = json.loads(capsys.readouterr().out)
    assert [s["executed"] for s in told["statements"]] == [True, False, False]
    assert ("fails", 2) in {(f["rule"], f["line"]) for f in told["findings"]}
    assert main(["trace", "--sql", str(sql), "--timeout", "0"]) == 2
    assert "--timeout" in capsys.readouterr().err
