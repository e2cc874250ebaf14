"""Reads extensions, roles, replication and foreign servers."""

from collections import defaultdict
from typing import Any

from checks.catalog import acl
from checks.catalog.outside import (
    DefaultPrivileges,
    Extension,
    ForeignDataWrapper,
    Publication,
    Published,
    Role,
    Server,
    Subscription,
    UserMapping,
)
from checks.catalog.reading.session import Session, options

_EXTENSIONS = """
SELECT e.tableoid, e.oid, e.extname, n.nspname, e.extversion, e.extrelocatable
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname <> 'plpgsql'
"""

_DEFAULT_VERSIONS = "SELECT name, default_version FROM pg_available_extensions()"

_MEMBER_ARRAYS = """
SELECT t.typarray, t.oid FROM pg_type t
WHERE t.typarray <> 0 AND t.oid IN (SELECT objid FROM pg_depend WHERE classid = 'pg_type'::regclass AND deptype = 'e')
"""

_ROLES = """
SELECT r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication, r.rolbypassrls,
       r.rolconnlimit, ARRAY(SELECT pg_get_userbyid(m.roleid)::text FROM pg_auth_members m WHERE m.member = r.oid),
       shobj_description(r.oid, 'pg_authid')
FROM pg_roles r
WHERE r.oid >= 16384
"""

_PUBLICATIONS = """
SELECT p.tableoid, p.oid, p.pubname, p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot, {generated},
       pg_get_userbyid(p.pubowner)
FROM pg_publication p
"""

_PUBLISHED = "SELECT pr.prpubid, pr.prrelid, {columns}, {where}, pr.tableoid, pr.oid FROM pg_publication_rel pr"

_PUBLISHED_SCHEMAS = (
    "SELECT pn.pnpubid, n.nspname FROM pg_publication_namespace pn JOIN pg_namespace n ON n.oid = pn.pnnspid"
)

_SUBSCRIPTIONS = """
SELECT 'pg_subscription'::regclass::oid, s.oid, s.subname, {conninfo}, s.subpublications, s.subenabled, coalesce(s.subslotname, ''),
       jsonb_build_object({options}), pg_get_userbyid(s.subowner)
FROM pg_subscription s
WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

_WRAPPERS = """
SELECT f.tableoid, f.oid, f.fdwname, CASE WHEN f.fdwhandler = 0 THEN '' ELSE f.fdwhandler::regproc::text END,
       CASE WHEN f.fdwvalidator = 0 THEN '' ELSE f.fdwvalidator::regproc::text END, f.fdwoptions, pg_get_userbyid(f.fdwowner),
       f.fdwacl::text[]
FROM pg_foreign_data_wrapper f
WHERE NOT EXISTS (SELECT FROM pg_depend own WHERE own.classid = 'pg_foreign_data_wrapper'::regclass AND own.objid = f.oid AND own.deptype = 'e')
"""

_SERVERS = """
SELECT s.tableoid, s.oid, s.srvname, f.fdwname, coalesce(s.srvtype, ''), coalesce(s.srvversion, ''), s.srvoptions,
       pg_get_userbyid(s.srvowner), s.srvacl::text[]
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper f ON f.oid = s.srvfdw
WHERE NOT EXISTS (SELECT FROM pg_depend own WHERE own.classid = 'pg_foreign_server'::regclass AND own.objid = s.oid AND own.deptype = 'e')
"""

_USER_MAPPINGS = (
    "SELECT CASE WHEN m.umuser = 0 THEN 'public' ELSE m.usename END, m.srvname, m.umoptions FROM pg_user_mappings m"
)

_DEFAULT_PRIVILEGES = """
SELECT pg_get_userbyid(d.defaclrole), coalesce(n.nspname, ''), d.defaclobjtype::text, d.defaclacl::text[]
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
"""

ALWAYS = (_ROLES,)
"""What every catalog is asked."""


def extensions(session: Session) -> None:
    """Extensions, and which objects are theirs."""
    rows = session.ask(_EXTENSIONS) if session.has("pg_extension") else []
    defaults: dict[str, str] = dict(session.ask(_DEFAULT_VERSIONS)) if rows else {}
    for catalog, oid, name, schema, version, relocatable in rows:
        found = Extension(name, schema, version, default_version=defaults.get(name) or "", relocatable=relocatable)
        session.add(found, (catalog, oid))
        session.need(found.key, ("schema", schema))
    for member, extension in session.members.items():
        key = session.keys.get((session.pg_extension, extension))
        if key is not None:
            session.keys[member] = key
    for array, element in session.ask(_MEMBER_ARRAYS) if rows else ():
        if (session.pg_type, element) in session.keys:
            session.keys[session.pg_type, array] = session.keys[session.pg_type, element]


_ATTRIBUTES = ("SUPERUSER", "NOINHERIT", "CREATEROLE", "CREATEDB", "LOGIN", "REPLICATION", "BYPASSRLS")


def roles(session: Session, *, compared: bool) -> None:
    """Roles of the cluster; they are objects only where they are `compared`."""
    for (
        name,
        is_super,
        inherit,
        create_role,
        create_db,
        login,
        replication,
        bypass,
        limit,
        member_of,
        comment,
    ) in session.ask(_ROLES):
        if name in session.own_roles:
            continue
        flags = (is_super, not inherit, create_role, create_db, login, replication, bypass)
        attributes = [word for word, said in zip(_ATTRIBUTES, flags, strict=True) if said]
        if limit >= 0:
            attributes.append(f"CONNECTION LIMIT {limit}")
        role = Role(name, tuple(attributes), tuple(sorted(member_of)), comment or "")
        session.roles[name] = role
        if compared:
            session.objects[role.key] = role


def replication(session: Session) -> None:  # noqa: C901 - what versions lack is left out
    """Publications and subscriptions."""
    if session.has("pg_subscription"):
        _subscriptions(session)
    if not session.has("pg_publication"):
        return
    modern = session.version >= 150000
    columns = "(SELECT array_agg(a.attname ORDER BY a.attname) FROM pg_attribute a WHERE a.attrelid = pr.prrelid AND a.attnum = ANY (pr.prattrs))"
    query = _PUBLISHED.replace("{columns}", columns if modern else "NULL")
    tables: dict[int, list[Published]] = defaultdict(list)
    rows: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for publication, relid, named, where, catalog, row in session.ask(
        query.replace("{where}", "pg_get_expr(pr.prqual, pr.prrelid)" if modern else "NULL")
    ):
        if relid in session.relations:
            rows[publication].append((catalog, row))
            tables[publication].append(Published(*session.relations[relid], tuple(named or ()), where or ""))
    schemas: dict[int, list[str]] = defaultdict(list)
    for publication, schema in session.ask(_PUBLISHED_SCHEMAS) if modern else ():
        schemas[publication].append(schema)
    generated = "p.pubgencols::text" if session.version >= 180000 else "'n'"
    for row in session.ask(_PUBLICATIONS.replace("{generated}", generated)):
        catalog, oid, name, everything, insert, update, delete, truncate, via_root, gencols, role = row
        flags = {"insert": insert, "update": update, "delete": delete, "truncate": truncate}
        settings: list[str] = []
        if not all(flags.values()):
            settings.append(f"publish = '{', '.join(word for word, said in flags.items() if said)}'")
        if via_root:
            settings.append("publish_via_partition_root = true")
        if gencols == "s":
            settings.append("publish_generated_columns = stored")
        found = Publication(
            name, everything, tuple(settings), tuple(sorted(tables[oid], key=lambda t: (t.schema, t.table))),
            tuple(sorted(schemas[oid])), session.owner(role), session.comment(catalog, oid),
        )  # fmt: skip
        session.add(found, (catalog, oid), *rows[oid])
        for table in found.tables:
            session.need(found.key, ("table", table.schema, table.table))
            for column in table.columns:
                session.need(found.key, ("column", table.schema, table.table, column))
        for schema in found.schemas:
            session.need(found.key, ("schema", schema))


# Each option of CREATE SUBSCRIPTION, its column, the version it came with, and what it is when nothing is said.
_OPTIONS = (
    ("binary", "subbinary", 140000, False),
    ("streaming", "substream", 140000, None),
    ("synchronous_commit", "subsynccommit", 140000, "off"),
    ("two_phase", "subtwophasestate", 150000, "d"),
    ("disable_on_error", "subdisableonerr", 150000, False),
    ("password_required", "subpasswordrequired", 160000, True),
    ("run_as_owner", "subrunasowner", 160000, False),
    ("origin", "suborigin", 160000, "any"),
    ("failover", "subfailover", 170000, False),
)


def _subscriptions(session: Session) -> None:
    known = [option for option in _OPTIONS if session.version >= option[2]]
    listed = ", ".join(f"'{word}', s.{column}" for word, column, *_ in known)
    visible = session.ask("SELECT has_column_privilege('pg_subscription', 'subconninfo', 'SELECT')")[0][0]
    query = _SUBSCRIPTIONS.replace("{conninfo}", "s.subconninfo" if visible else "NULL").replace("{options}", listed)
    for catalog, oid, name, connection, publications, enabled, slot, values, role in session.ask(query):
        settings = [f"{word} = {_setting(word, values[word])}" for word, _, _, usual in known if values[word] != usual]
        found = Subscription(
            name, connection, tuple(sorted(publications)), tuple(settings), enabled, slot,
            session.owner(role), session.comment(catalog, oid),
        )  # fmt: skip
        session.add(found, (catalog, oid))


def _setting(word: str, value: Any) -> str:  # noqa: ANN401 - as jsonb has it
    if word == "streaming":
        return {True: "on", "t": "on", "p": "parallel"}.get(value, "off")
    if word == "two_phase":
        return "true"
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'"


def servers(session: Session) -> None:
    """Foreign-data wrappers, servers and user mappings."""
    if not session.has("pg_foreign_data_wrapper"):
        return
    for catalog, oid, name, handler, validator, settings, role, items in session.ask(_WRAPPERS):
        wrapper = ForeignDataWrapper(
            name, handler, validator, options(settings), session.owner(role), session.acl(items, "F", role),
            session.comment(catalog, oid),
        )  # fmt: skip
        session.add(wrapper, (catalog, oid))
    for catalog, oid, name, wrapper, kind, version, settings, role, items in session.ask(_SERVERS):
        server = Server(
            name, wrapper, kind, version, options(settings), session.owner(role), session.acl(items, "s", role),
            session.comment(catalog, oid),
        )  # fmt: skip
        session.add(server, (catalog, oid))
    for user, server, settings in session.ask(_USER_MAPPINGS):
        mapping = UserMapping(session.owner(user), server, options(settings))
        session.objects[mapping.key] = mapping
        session.need(mapping.key, ("server", server))


def default_privileges(session: Session) -> None:
    """What new objects will grant."""
    for role, schema, kind, items in session.ask(_DEFAULT_PRIVILEGES) if session.has("pg_default_acl") else ():
        held = acl.complete(acl.parse(items, role), kind, session.version)
        if schema:  # what is granted in a schema comes on top
            text = tuple(sorted(f"{who}={letters}" for who, letters in _texts(held)))
        else:
            text = acl.collapse(held, kind)
        found = DefaultPrivileges(session.owner(role), schema, kind, text)
        if text or (not schema and text is not None):
            session.objects[found.key] = found
            if schema:
                session.need(found.key, ("schema", schema))


def _texts(held: acl.Privileges) -> list[tuple[str, str]]:
    return [
        (who, "".join(letter + "*" * on for letter, on in sorted(letters.items()))) for who, letters in held.items()
    ]
