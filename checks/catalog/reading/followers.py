"""Reads what hangs on tables: statistics, triggers, rules and policies."""

from checks.catalog.code import Policy, Rule, Trigger
from checks.catalog.reading.session import Session
from checks.catalog.tables import Statistics

_CLASSES = """
SELECT relname, oid FROM pg_class
WHERE relnamespace = 'pg_catalog'::regnamespace AND relname IN ('pg_statistic_ext', 'pg_trigger', 'pg_policy')
"""

_STATISTICS = """
SELECT s.oid, s.stxnamespace, s.stxname, s.stxrelid, pg_get_statisticsobjdef(s.oid), coalesce(s.stxstattarget, -1)::int,
       pg_get_userbyid(s.stxowner), pg_get_statisticsobjdef_columns(s.oid),
       array_to_string(
           ARRAY(SELECT quote_ident(a.attname) FROM pg_attribute a
                 WHERE a.attrelid = s.stxrelid AND a.attnum = ANY (s.stxkeys) ORDER BY 1)
           || pg_get_statisticsobjdef_expressions(s.oid), ', ')
FROM pg_statistic_ext s
WHERE s.stxnamespace = ANY (%(schemas)s::oid[])
"""

_TRIGGERS = """
SELECT t.oid, t.tgrelid, t.tgname, CASE WHEN t.tgparentid = 0 THEN pg_get_triggerdef(t.oid) ELSE '' END, t.tgenabled::text,
       coalesce(up.tgenabled::text, 'O'), t.tgparentid, t.tgconstrrelid
FROM pg_trigger t LEFT JOIN pg_trigger up ON up.oid = t.tgparentid
WHERE (NOT t.tgisinternal OR t.tgconstrindid = 0) AND (t.tgparentid = 0 OR t.tgenabled <> up.tgenabled)
"""

_RULES = """
SELECT r.oid, r.ev_class, r.rulename, CASE WHEN r.rulename = '_RETURN' THEN '' ELSE pg_get_ruledef(r.oid) END, r.ev_enabled::text
FROM pg_rewrite r
WHERE r.ev_class >= 16384
"""

_POLICIES = """
SELECT p.oid, p.polrelid, p.polname, p.polpermissive, p.polcmd::text,
       ARRAY(SELECT CASE WHEN r = 0 THEN 'public' ELSE pg_get_userbyid(r)::text END FROM unnest(p.polroles) r),
       coalesce(pg_get_expr(p.polqual, p.polrelid), ''), coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '')
FROM pg_policy p
"""

ALWAYS = (_CLASSES, _TRIGGERS, _RULES)
"""What every catalog is asked."""


def followers(session: Session) -> None:
    """Statistics, triggers, rules and policies."""
    pg: dict[str, int] = dict(session.ask(_CLASSES))
    for oid, namespace, name, relid, said, target, role, columns, ordered in (
        session.ask(_STATISTICS) if session.has("pg_statistic_ext") else ()
    ):
        if relid in session.relations:
            head, on, tail = said.rpartition(f" ON {columns} FROM ")  # in the order of the table's columns
            definition = f"{head} ON {ordered} FROM {tail}" if on else said
            comment = session.comment(pg["pg_statistic_ext"], oid)
            place = (session.schemas[namespace], name, *session.relations[relid])
            found = Statistics(*place, definition, target, session.owner(role), comment)
            session.add(found, (pg["pg_statistic_ext"], oid))
    _triggers(session, pg["pg_trigger"])
    for oid, relid, name, definition, enabled in session.ask(_RULES):
        if relid not in session.relations:
            continue
        if name == "_RETURN":
            session.keys[session.pg_rewrite, oid] = session.keys[session.pg_class, relid]
            continue
        rule = Rule(*session.relations[relid], name, definition.rstrip().removesuffix(";"), enabled,
                    session.comment(session.pg_rewrite, oid))  # fmt: skip
        session.add(rule, (session.pg_rewrite, oid))
    for oid, relid, name, permissive, command, roles, using, check in (
        session.ask(_POLICIES) if session.has("pg_policy") else ()
    ):
        if relid in session.relations:
            policy = Policy(
                *session.relations[relid], name, permissive, command, tuple(sorted(roles)), using, check,
                session.comment(pg["pg_policy"], oid),
            )  # fmt: skip
            session.add(policy, (pg["pg_policy"], oid))


def _triggers(session: Session, catalog: int) -> None:
    """Triggers; those of partitions only where they are switched otherwise than their parents'."""
    of_parents: list[tuple[Trigger, int]] = []
    for oid, relid, name, definition, enabled, above, parent, other in session.ask(_TRIGGERS):
        if relid in session.relations:
            trigger = Trigger(
                *session.relations[relid], name, definition, enabled, session.comment(catalog, oid), above
            )
            session.add(trigger, (catalog, oid))
            if other in session.relations:  # FROM another table
                session.need(trigger.key, ("table", *session.relations[other]))
            if parent:
                of_parents.append((trigger, parent))
    for trigger, parent in of_parents:
        if (catalog, parent) in session.keys:
            session.need(trigger.key, session.keys[catalog, parent])
