"""What is nobody's business: tests, examples, documents, what was generated, and databases that live for one run."""

import re
from collections.abc import Iterable

_ASIDE = frozenset(
    {
        "__tests__", "__test__", "__mocks__", "__fixtures__", "__snapshots__", "fixtures", "fixture", "mocks", "mock", "spec", "specs", "e2e", "cypress",
        "playwright", "examples", "example", "samples", "sample", "docs", "doc", "documentation", "stories", ".storybook", "benchmarks", "bench",
        "playground", "playgrounds", "sandbox", "node_modules", "vendor", "third_party", "coverage", "previews", "preview", "testing",
    }
)  # fmt: skip
_TEMPLATES = re.compile(r"(?:^|/)(?:templates?|starters?|boilerplates?|scaffold(?:s|ing)?|create-[\w-]+)/")
_CHARTS = re.compile(r"(?:^|/)(?:charts?|helm)/")
_GENERATED = re.compile(
    r"(?:^|/)(?:dist|\.next|\.nuxt|\.output|\.svelte-kit|\.vercel|\.turbo|out|build|generated|__generated__)/|\.min\.[cm]?js$|\.d\.[cm]?ts$"
)
_TEST_NAME = re.compile(
    r"(?:^|[-_.])(?:tests?|spec|e2e|stories|bench|preview|previews|pglite|testcontainers?|vitest|jest|playwright|cypress|mocks?)(?=[-_.]|$)"
    r"|^(?:global-?)?setup-?tests?\b",
    re.IGNORECASE,
)
_CAMEL_TEST = re.compile(r"^test[A-Z]|(?:Test|Spec|Preview)(?:s|Utils|Helpers?|Db|DB|Database|Setup|Client)?\.")
_SCRATCH_WORD = re.compile(
    r"(?:^|[^a-z])(?:(?:pre|post)?tests?|testing|e2e|previews?|ephemeral|throwaway|scratch|playwright|cypress|vitest|jest|pglite|testcontainers?|smoke)(?=[^a-z]|$)",
    re.IGNORECASE,
)
_LOCAL = re.compile(
    r"postgres(?:ql)?://[^\s'\"]*?(?:@|//)(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|postgres|postgresql|db|database|pg)(?=[:/?]|$)",
    re.IGNORECASE,
)
_SERVER = re.compile(
    r"^(?:[\w.-]+(?::\d+)?/)*(?:postgres|postgresql|postgis|pgvector|timescaledb|neon_local|neon-proxy|supabase-postgres)[\w-]*(?::[\w.-]+)?(?:@sha256:\w+)?$",
    re.IGNORECASE,
)
_STARTS = re.compile(
    r"create-branch-action|supabase\s+(?:db\s+)?start|setup-postgres|action-postgres|docker[ -]compose\b[^\n]*\bup\b|docker\s+run\b[^\n]*(?:postgres|pgvector)"
    r"|\bpg_ctl\b|pg_ctlcluster|(?:service|systemctl\s+start)\s+postgresql|testcontainers|pglite|neonctl?\s+branches\s+create|\.env\.(?:test|ci|e2e)|createdb\b",
    re.IGNORECASE,
)


def aside(path: str) -> bool:
    """A test, an example, a template, a document: what it runs and opens is its own affair."""
    folders, _, name = path.rpartition("/")
    for folder in folders.split("/"):
        if folder.lower() in _ASIDE or _TEST_NAME.search(folder):
            return True
    if _TEMPLATES.search(path) and not _CHARTS.search(path):
        return True
    stem = name.removeprefix(".")
    return bool(_TEST_NAME.search(stem) or _CAMEL_TEST.search(stem)) or name.endswith(
        (".md", ".mdx", ".txt", ".rst", ".adoc")
    )


def generated(path: str, data: bytes) -> bool:
    """JavaScript that a tool wrote: nobody edits it, and its source is read instead."""
    if _GENERATED.search(path) or b"@generated" in data[:400]:
        return True
    return len(data) > 20_000 and len(data) / (data.count(b"\n") + 1) > 500  # minified


def scratch(words: Iterable[str]) -> bool:
    """The words of a command or of a script's name say that the database is a test's or a preview's."""
    return any(_SCRATCH_WORD.search(word) for word in words)


def scratch_database(texts: Iterable[str]) -> bool:
    """What a CI job says shows that it starts its own database, or talks to one beside it."""
    return any(_LOCAL.search(text) or _SERVER.match(text) or _STARTS.search(text) for text in texts)
