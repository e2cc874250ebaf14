"""What usual platforms (Supabase, Neon, cloud vendors) bring along: roles, schemas and functions that chains name and never make.

A stub is made only where the SQL names the object and does not create it itself, so it never stands in a chain's way. It
belongs to the branch role, which can grant its roles, write policies for them, and refer to its tables. Stubs carry the
comment `MARK`; their schemas are `SCHEMAS`, so that a reader of the catalog can leave both out.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

MARK = "stands for an object of the platform"

ROLES = tuple(
    # Supabase, Neon, others
    """
    anon authenticated service_role authenticator dashboard_user supabase_admin supabase_auth_admin supabase_storage_admin
    supabase_functions_admin supabase_realtime_admin supabase_replication_admin supabase_read_only_user pgbouncer pgsodium_keyholder
    neon_superuser neondb_owner anonymous cloud_admin web_access
    postgres rds_superuser rdsadmin rds_iam cloudsqlsuperuser cloudsqladmin alloydbsuperuser azure_pg_admin azure_superuser doadmin
    """.split()  # noqa: SIM905 - a list of words reads better than a column of quotes
)


@dataclass(frozen=True, slots=True)
class _Object:
    """A table or function of a platform's schema, and what it stands on."""

    kind: str
    name: str
    sql: str
    needs: tuple[str, ...] = ()


def _table(name: str, columns: str, *needs: str) -> _Object:
    return _Object("TABLE", name, f"CREATE TABLE {name} ({columns})", needs)


def _function(name: str, arguments: str, result: str, body: str, volatility: str = "STABLE") -> _Object:
    sql = f"CREATE FUNCTION {name}({arguments}) RETURNS {result} LANGUAGE sql {volatility} AS $stub$ {body} $stub$"
    return _Object("FUNCTION", name, sql)


_CLAIM = "NULLIF(pg_catalog.current_setting('request.jwt.claims', true), '')::jsonb"
_TIMES = "created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now()"
_USER = "user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE"

# https://supabase.com/docs/guides/auth/managing-user-data · https://neon.com/docs/data-api/access-control
_OBJECTS = (
    _table(
        "auth.users",
        "instance_id uuid, id uuid NOT NULL PRIMARY KEY, aud varchar(255), role varchar(255), email varchar(255), "
        "encrypted_password varchar(255), email_confirmed_at timestamptz, invited_at timestamptz, confirmation_token varchar(255), "
        "confirmation_sent_at timestamptz, recovery_token varchar(255), recovery_sent_at timestamptz, "
        "email_change_token_new varchar(255), email_change varchar(255), email_change_sent_at timestamptz, "
        "last_sign_in_at timestamptz, raw_app_meta_data jsonb, raw_user_meta_data jsonb, is_super_admin boolean, "
        "created_at timestamptz, updated_at timestamptz, phone text DEFAULT NULL UNIQUE, phone_confirmed_at timestamptz, "
        "phone_change text DEFAULT '', phone_change_token varchar(255) DEFAULT '', phone_change_sent_at timestamptz, "
        "confirmed_at timestamptz GENERATED ALWAYS AS (LEAST(email_confirmed_at, phone_confirmed_at)) STORED, "
        "email_change_token_current varchar(255) DEFAULT '', email_change_confirm_status smallint DEFAULT 0, "
        "banned_until timestamptz, reauthentication_token varchar(255) DEFAULT '', reauthentication_sent_at timestamptz, "
        "is_sso_user boolean NOT NULL DEFAULT false, deleted_at timestamptz, is_anonymous boolean NOT NULL DEFAULT false",
    ),
    _table(
        "auth.identities",
        "provider_id text NOT NULL, "
        f"{_USER}, identity_data jsonb NOT NULL, provider text NOT NULL, last_sign_in_at timestamptz, {_TIMES}, "
        "email text, id uuid NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY",
        "auth.users",
    ),
    _table("auth.sessions", f"id uuid NOT NULL PRIMARY KEY, {_USER}, {_TIMES}, not_after timestamptz", "auth.users"),
    _function("auth.jwt", "", "jsonb", f"SELECT {_CLAIM}"),
    _function("auth.uid", "", "uuid", f"SELECT ({_CLAIM} ->> 'sub')::uuid"),
    _function("auth.role", "", "text", f"SELECT {_CLAIM} ->> 'role'"),
    _function("auth.email", "", "text", f"SELECT {_CLAIM} ->> 'email'"),
    _function("auth.user_id", "", "text", f"SELECT {_CLAIM} ->> 'sub'"),
    _function("auth.session", "", "jsonb", f"SELECT {_CLAIM}"),
    _table(
        "storage.buckets",
        f"id text NOT NULL PRIMARY KEY, name text NOT NULL UNIQUE, owner uuid, {_TIMES}, public boolean DEFAULT false, "
        "avif_autodetection boolean DEFAULT false, file_size_limit bigint, allowed_mime_types text[], owner_id text",
    ),
    _table(
        "storage.objects",
        "id uuid NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY, bucket_id text REFERENCES storage.buckets (id), name text, "
        f"owner uuid, {_TIMES}, last_accessed_at timestamptz DEFAULT now(), metadata jsonb, "
        "path_tokens text[] GENERATED ALWAYS AS (string_to_array(name, '/')) STORED, version text, owner_id text, user_metadata jsonb",
        "storage.buckets",
    ),
    _function(
        "storage.foldername",
        "name text",
        "text[]",
        "SELECT (pg_catalog.string_to_array(name, '/'))[:pg_catalog.cardinality(pg_catalog.string_to_array(name, '/')) - 1]",
        "IMMUTABLE",
    ),
    _function(
        "storage.filename", "name text", "text", "SELECT pg_catalog.regexp_replace(name, '^.*/', '')", "IMMUTABLE"
    ),
    _function(
        "storage.extension", "name text", "text", "SELECT pg_catalog.regexp_replace(name, '^.*\\.', '')", "IMMUTABLE"
    ),
    _table(
        "realtime.messages",
        "topic text NOT NULL, extension text NOT NULL, payload jsonb, event text, private boolean DEFAULT false, "
        "updated_at timestamp NOT NULL DEFAULT now(), inserted_at timestamp NOT NULL DEFAULT now(), "
        "id uuid NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY",
    ),
    _function("realtime.topic", "", "text", "SELECT NULLIF(pg_catalog.current_setting('realtime.topic', true), '')"),
    _function(
        "realtime.send",
        "payload jsonb, event text, topic text, private boolean DEFAULT true",
        "void",
        "SELECT",
        "VOLATILE",
    ),
    _Object(
        "FUNCTION",
        "realtime.broadcast_changes",
        "CREATE FUNCTION realtime.broadcast_changes(topic_name text, event_name text, operation text, table_name text, "
        "table_schema text, new record, old record, level text DEFAULT 'ROW') RETURNS void LANGUAGE plpgsql AS $stub$ BEGIN END $stub$",
    ),
    _table(
        "neon_auth.users_sync",
        "raw_json jsonb NOT NULL, id text GENERATED ALWAYS AS (raw_json ->> 'id') STORED NOT NULL PRIMARY KEY, "
        "name text GENERATED ALWAYS AS (raw_json ->> 'display_name') STORED, "
        "email text GENERATED ALWAYS AS (raw_json ->> 'primary_email') STORED, "
        "created_at timestamptz, updated_at timestamptz, deleted_at timestamptz",
    ),
    _table(
        'neon_auth."user"',
        "id uuid NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE, "
        '"emailVerified" boolean NOT NULL, image text, "createdAt" timestamptz NOT NULL DEFAULT now(), '
        '"updatedAt" timestamptz NOT NULL DEFAULT now(), role text, banned boolean, "banReason" text, "banExpires" timestamptz',
    ),
)
SCHEMAS = frozenset({"auth", "storage", "realtime", "extensions", "neon_auth", "graphql_public"})
_PUBLICATION = "supabase_realtime"
# Supabase keeps these in a schema that is on everyone's search_path.
_PREINSTALLED = {
    "uuid-ossp": r"uuid_generate_v\w+|uuid_nil|uuid_ns_\w+",
    "pgcrypto": r"crypt|gen_salt|digest|hmac|gen_random_bytes|pgp_\w+",
}


# On a shared server no role can be made; the chain then fails where it names one, in PostgreSQL's own words.
_ROLE = """DO $stub$ BEGIN
  CREATE ROLE "{role}";
  COMMENT ON ROLE "{role}" IS '{mark}';
  GRANT "{role}" TO CURRENT_USER;
  GRANT ALL ON SCHEMA public TO "{role}";
EXCEPTION WHEN insufficient_privilege OR duplicate_object THEN NULL;
END $stub$"""


def stubs(texts: Iterable[str]) -> tuple[str, ...]:
    """The statements that make what the SQL in `texts` takes for granted, to be run as the branch role before the chain.

    Args:
        texts: every migration of the chain, in any order.
    """
    sql = "\n".join(texts)
    lowered = sql.lower()
    words = _words(lowered)  # a chain that names none of them is looked at once
    return (*_roles(sql, words), *_schemas(sql, words), *(_publication(sql) if _PUBLICATION in lowered else ()))


def _words(sql: str) -> frozenset[str]:
    """The names of ours that stand in the SQL."""
    return frozenset(name for name in (*ROLES, *SCHEMAS) if name in sql and re.search(rf"\b{re.escape(name)}\b", sql))


def _roles(sql: str, words: frozenset[str]) -> Iterable[str]:
    for role in ROLES:
        if role in words and not _created(sql, r"(?:role|user|group)", role):
            yield _ROLE.format(role=role, mark=MARK)


def _schemas(sql: str, words: frozenset[str]) -> Iterable[str]:
    made: set[str] = set()
    for schema in sorted(SCHEMAS & words):
        if re.search(rf'\bcreate\s+schema\s+(?!if\s+not\s+exists)"?{schema}\b', sql, re.IGNORECASE):
            continue
        wanted = [thing for thing in _OBJECTS if thing.name.startswith(f"{schema}.") and _wanted(sql, thing)]
        if not wanted and not re.search(rf'(?<![\w."]){schema}"?\s*\.|\bschema\s+"?{schema}\b', sql, re.IGNORECASE):
            continue
        yield f"CREATE SCHEMA IF NOT EXISTS {schema}; COMMENT ON SCHEMA {schema} IS '{MARK}'"
        names = {need for thing in wanted for need in thing.needs} | {thing.name for thing in wanted}
        for thing in _OBJECTS:
            if thing.name in names and thing.name not in made:
                made.add(thing.name)
                yield f"{thing.sql}; COMMENT ON {thing.kind} {thing.name} IS '{MARK}'"
        if schema == "extensions":
            yield from _preinstalled(sql)


def _preinstalled(sql: str) -> Iterable[str]:
    for name, functions in _PREINSTALLED.items():
        if re.search(rf"\b(?:{functions})\s*\(", sql, re.IGNORECASE) and not _created(sql, "extension", name):
            yield f'CREATE EXTENSION "{name}" SCHEMA extensions'
    yield 'ALTER ROLE CURRENT_USER SET search_path = "$user", public, extensions'


def _publication(sql: str) -> Iterable[str]:
    if not _created(sql, "publication", _PUBLICATION):
        yield f"CREATE PUBLICATION {_PUBLICATION}; COMMENT ON PUBLICATION {_PUBLICATION} IS '{MARK}'"


def _wanted(sql: str, thing: _Object) -> bool:
    """Named in the SQL (quoted or not), and not created there."""
    schema, _, name = thing.name.replace('"', "").partition(".")
    after = r"\s*\(" if thing.kind == "FUNCTION" else ""  # `REFERENCES auth.users(id)` names a table, too
    named = rf'(?<![\w.])"?{schema}"?\s*\.\s*"?{name}\b"?{after}'
    return bool(re.search(named, sql, re.IGNORECASE)) and not _created(sql, thing.kind, name, schema)


def _created(sql: str, kind: str, name: str, schema: str = "") -> bool:
    where = rf'"?{schema}"?\s*\.\s*' if schema else ""
    made = rf'\bcreate\s+(?:or\s+replace\s+)?{kind}\s+(?:if\s+not\s+exists\s+)?{where}"?{re.escape(name)}(?![\w$])'
    return bool(re.search(made, sql, re.IGNORECASE))
