"""Reads functions, aggregates, and the rare objects that are compared by their definition."""

from checks.catalog import names
from checks.catalog.code import Aggregate, EventTrigger, Function
from checks.catalog.outside import Other
from checks.catalog.reading.session import Row, Session

_FUNCTIONS = """
SELECT p.oid, p.pronamespace, p.proname, oidvectortypes(p.proargtypes), pg_get_function_arguments(p.oid), p.prokind::text,
       CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END,
       coalesce(pg_get_function_result(p.oid), ''), coalesce(p.proargnames, '{}'), coalesce(p.proargmodes::text[], '{}'),
       coalesce(p.proallargtypes::oid[], '{}'),
       p.pronargdefaults::int, p.prosqlbody IS NULL, pg_get_userbyid(p.proowner), p.proacl::text[], p.proparallel::text
FROM pg_proc p
WHERE p.pronamespace = ANY (%(schemas)s::oid[])
  AND NOT EXISTS (SELECT FROM pg_depend own WHERE own.classid = 'pg_proc'::regclass AND own.objid = p.oid AND own.deptype IN ('e', 'i'))
"""

_AGGREGATES = """
SELECT a.aggfnoid::oid, a.aggkind::text, a.aggtransfn::text, format_type(a.aggtranstype, NULL), a.aggtransspace,
       a.aggfinalfn::text, a.aggfinalextra, a.aggfinalmodify::text, a.aggcombinefn::text, a.aggserialfn::text,
       a.aggdeserialfn::text, a.agginitval, a.aggmtransfn::text, a.aggminvtransfn::text,
       format_type(nullif(a.aggmtranstype, 0), NULL), a.aggmtransspace, a.aggmfinalfn::text, a.aggmfinalextra,
       a.aggmfinalmodify::text, a.aggminitval,
       (SELECT quote_ident(n.nspname) || '.' || o.oprname FROM pg_operator o
        JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE o.oid = a.aggsortop)
FROM pg_aggregate a
JOIN pg_proc p ON p.oid = a.aggfnoid
WHERE p.pronamespace = ANY (%(schemas)s::oid[])
"""

_EVENT_TRIGGERS = """
SELECT e.tableoid, e.oid, e.evtname, e.evtevent, e.evtfoid::regproc::text, e.evttags, e.evtenabled::text,
       pg_get_userbyid(e.evtowner)
FROM pg_event_trigger e
WHERE NOT EXISTS (SELECT FROM pg_depend own WHERE own.classid = 'pg_event_trigger'::regclass AND own.objid = e.oid AND own.deptype = 'e')
"""

# Operators and functions of classes, and those that only their family knows, as pg_dump tells them apart.
_MEMBERS = """
SELECT d.refclassid, d.refobjid, 'OPERATOR' AS kind, o.amopstrategy AS number,
       format('OPERATOR %s %s%s', o.amopstrategy, o.amopopr::regoperator,
              (SELECT format(' FOR ORDER BY %I.%I', sn.nspname, s.opfname)
               FROM pg_opfamily s JOIN pg_namespace sn ON sn.oid = s.opfnamespace WHERE s.oid = o.amopsortfamily)) AS text
FROM pg_depend d JOIN pg_amop o ON o.oid = d.objid WHERE d.classid = 'pg_amop'::regclass
UNION ALL
SELECT d.refclassid, d.refobjid, 'FUNCTION', p.amprocnum,
       format('FUNCTION %s (%s, %s) %s', p.amprocnum, format_type(p.amproclefttype, NULL), format_type(p.amprocrighttype, NULL),
              p.amproc::oid::regprocedure)
FROM pg_depend d JOIN pg_amproc p ON p.oid = d.objid WHERE d.classid = 'pg_amproc'::regclass
"""

# What a class or family cannot be without because one of its members cannot.
_MEMBERS_NEED = """
SELECT of.refclassid, of.refobjid, d.refclassid, d.refobjid
FROM pg_depend of JOIN pg_depend d ON d.classid = of.classid AND d.objid = of.objid
WHERE of.classid IN ('pg_amop'::regclass, 'pg_amproc'::regclass) AND of.objid >= 16384
  AND of.refclassid IN ('pg_opclass'::regclass, 'pg_opfamily'::regclass) AND d.refobjid >= 16384
"""

# Each row: class, oid, kind and identity as DROP wants them, definition, whether the definition makes it, owner.
_OTHERS = """
SELECT c.tableoid, c.oid, 'CAST', format('(%s AS %s)', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)),
       format('CREATE CAST (%s AS %s) %s%s', format_type(c.castsource, NULL), format_type(c.casttarget, NULL),
              CASE c.castmethod WHEN 'b' THEN 'WITHOUT FUNCTION' WHEN 'i' THEN 'WITH INOUT'
                   ELSE 'WITH FUNCTION ' || c.castfunc::regprocedure::text END,
              CASE c.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' ELSE '' END), true, NULL
FROM pg_cast c WHERE c.oid >= 16384
  AND NOT EXISTS (SELECT FROM pg_depend own WHERE own.classid = 'pg_cast'::regclass AND own.objid = c.oid AND own.deptype = 'i')
UNION ALL
SELECT o.tableoid, o.oid, 'OPERATOR', (pg_identify_object(o.tableoid, o.oid, 0)).identity,
       format('CREATE OPERATOR %I.%s (FUNCTION = %s%s%s%s%s%s%s%s%s)', n.nspname, o.oprname, o.oprcode,
              CASE WHEN o.oprleft <> 0 THEN ', LEFTARG = ' || format_type(o.oprleft, NULL) ELSE '' END,
              ', RIGHTARG = ' || format_type(o.oprright, NULL),
              (SELECT format(', COMMUTATOR = OPERATOR(%I.%s)', cn.nspname, co.oprname) FROM pg_operator co
               JOIN pg_namespace cn ON cn.oid = co.oprnamespace WHERE co.oid = o.oprcom),
              (SELECT format(', NEGATOR = OPERATOR(%I.%s)', cn.nspname, co.oprname) FROM pg_operator co
               JOIN pg_namespace cn ON cn.oid = co.oprnamespace WHERE co.oid = o.oprnegate),
              CASE WHEN o.oprrest <> 0 THEN ', RESTRICT = ' || o.oprrest::text ELSE '' END,
              CASE WHEN o.oprjoin <> 0 THEN ', JOIN = ' || o.oprjoin::text ELSE '' END,
              CASE WHEN o.oprcanhash THEN ', HASHES' ELSE '' END, CASE WHEN o.oprcanmerge THEN ', MERGES' ELSE '' END),
       o.oprcode <> 0, pg_get_userbyid(o.oprowner)
FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE o.oid >= 16384
UNION ALL
SELECT f.tableoid, f.oid, 'OPERATOR FAMILY', format('%I.%I USING %I', n.nspname, f.opfname, a.amname),
       concat_ws(';' || chr(10), format('CREATE OPERATOR FAMILY %I.%I USING %I', n.nspname, f.opfname, a.amname),
              (SELECT string_agg(format('ALTER OPERATOR FAMILY %I.%I USING %I ADD %s', n.nspname, f.opfname, a.amname, m.text),
                                 ';' || chr(10) ORDER BY m.text)
               FROM ({members}) m WHERE m.refclassid = 'pg_opfamily'::regclass AND m.refobjid = f.oid)),
       true, pg_get_userbyid(f.opfowner)
FROM pg_opfamily f JOIN pg_namespace n ON n.oid = f.opfnamespace JOIN pg_am a ON a.oid = f.opfmethod WHERE f.oid >= 16384
UNION ALL
SELECT c.tableoid, c.oid, 'OPERATOR CLASS', format('%I.%I USING %I', n.nspname, c.opcname, a.amname),
       format('CREATE OPERATOR CLASS %I.%I %sFOR TYPE %s USING %I FAMILY %I.%I AS %s', n.nspname, c.opcname,
              CASE WHEN c.opcdefault THEN 'DEFAULT ' ELSE '' END, format_type(c.opcintype, NULL), a.amname, fn.nspname, f.opfname,
              coalesce(nullif(concat_ws(', ',
                  (SELECT string_agg(m.text, ', ' ORDER BY m.kind DESC, m.number, m.text)
                   FROM ({members}) m WHERE m.refclassid = 'pg_opclass'::regclass AND m.refobjid = c.oid),
                  'STORAGE ' || format_type(nullif(c.opckeytype, 0), NULL)), ''), 'STORAGE ' || format_type(c.opcintype, NULL))),
       true, pg_get_userbyid(c.opcowner)
FROM pg_opclass c JOIN pg_namespace n ON n.oid = c.opcnamespace JOIN pg_am a ON a.oid = c.opcmethod
JOIN pg_opfamily f ON f.oid = c.opcfamily JOIN pg_namespace fn ON fn.oid = f.opfnamespace WHERE c.oid >= 16384
UNION ALL
SELECT d.tableoid, d.oid, 'TEXT SEARCH DICTIONARY', format('%I.%I', n.nspname, d.dictname),
       format('CREATE TEXT SEARCH DICTIONARY %I.%I (TEMPLATE = %I.%I%s)', n.nspname, d.dictname, tn.nspname, t.tmplname,
              ', ' || d.dictinitoption), true, pg_get_userbyid(d.dictowner)
FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace JOIN pg_ts_template t ON t.oid = d.dicttemplate
JOIN pg_namespace tn ON tn.oid = t.tmplnamespace WHERE d.oid >= 16384
UNION ALL
SELECT c.tableoid, c.oid, 'TEXT SEARCH CONFIGURATION', format('%I.%I', n.nspname, c.cfgname),
       format('CREATE TEXT SEARCH CONFIGURATION %I.%I (PARSER = %I.%I)', n.nspname, c.cfgname, pn.nspname, p.prsname)
       || coalesce((SELECT string_agg(
              format(E';\\nALTER TEXT SEARCH CONFIGURATION %I.%I ADD MAPPING FOR %I WITH %s', n.nspname, c.cfgname, m.alias, m.dicts),
              '' ORDER BY m.alias)
          FROM (SELECT k.alias, string_agg(m.mapdict::regdictionary::text, ', ' ORDER BY m.mapseqno) AS dicts
                FROM pg_ts_config_map m JOIN ts_token_type(c.cfgparser) k ON k.tokid = m.maptokentype
                WHERE m.mapcfg = c.oid GROUP BY k.alias) m), ''), true, pg_get_userbyid(c.cfgowner)
FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace JOIN pg_ts_parser p ON p.oid = c.cfgparser
JOIN pg_namespace pn ON pn.oid = p.prsnamespace WHERE c.oid >= 16384
UNION ALL
SELECT p.tableoid, p.oid, 'TEXT SEARCH PARSER', format('%I.%I', n.nspname, p.prsname),
       format('CREATE TEXT SEARCH PARSER %I.%I (START = %s, GETTOKEN = %s, END = %s, LEXTYPES = %s%s)', n.nspname, p.prsname,
              p.prsstart, p.prstoken, p.prsend, p.prslextype,
              CASE WHEN p.prsheadline <> 0 THEN ', HEADLINE = ' || p.prsheadline ELSE '' END), true, NULL
FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = p.prsnamespace WHERE p.oid >= 16384
UNION ALL
SELECT t.tableoid, t.oid, 'TEXT SEARCH TEMPLATE', format('%I.%I', n.nspname, t.tmplname),
       format('CREATE TEXT SEARCH TEMPLATE %I.%I (LEXIZE = %s%s)', n.nspname, t.tmplname, t.tmpllexize,
              CASE WHEN t.tmplinit <> 0 THEN ', INIT = ' || t.tmplinit ELSE '' END), true, NULL
FROM pg_ts_template t JOIN pg_namespace n ON n.oid = t.tmplnamespace WHERE t.oid >= 16384
UNION ALL
SELECT c.tableoid, c.oid, 'CONVERSION', format('%I.%I', n.nspname, c.conname),
       format('CREATE %sCONVERSION %I.%I FOR %L TO %L FROM %s', CASE WHEN c.condefault THEN 'DEFAULT ' ELSE '' END, n.nspname,
              c.conname, pg_encoding_to_char(c.conforencoding), pg_encoding_to_char(c.contoencoding), c.conproc), true,
       pg_get_userbyid(c.conowner)
FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.oid >= 16384
UNION ALL
SELECT l.tableoid, l.oid, 'LANGUAGE', format('%I', l.lanname),
       format('CREATE %sLANGUAGE %I HANDLER %s%s%s', CASE WHEN l.lanpltrusted THEN 'TRUSTED ' ELSE '' END, l.lanname,
              l.lanplcallfoid::regproc, CASE WHEN l.laninline <> 0 THEN ' INLINE ' || l.laninline::regproc ELSE '' END,
              CASE WHEN l.lanvalidator <> 0 THEN ' VALIDATOR ' || l.lanvalidator::regproc ELSE '' END), true,
       pg_get_userbyid(l.lanowner)
FROM pg_language l WHERE l.oid >= 16384
UNION ALL
SELECT a.tableoid, a.oid, 'ACCESS METHOD', format('%I', a.amname),
       format('CREATE ACCESS METHOD %I TYPE %s HANDLER %s', a.amname, CASE a.amtype WHEN 'i' THEN 'INDEX' ELSE 'TABLE' END,
              a.amhandler), true, NULL
FROM pg_am a WHERE a.oid >= 16384
UNION ALL
SELECT t.tableoid, t.oid, 'TRANSFORM', format('FOR %s LANGUAGE %I', format_type(t.trftype, NULL), l.lanname),
       format('CREATE TRANSFORM FOR %s LANGUAGE %I (%s)', format_type(t.trftype, NULL), l.lanname, concat_ws(', ',
              CASE WHEN t.trffromsql <> 0 THEN 'FROM SQL WITH FUNCTION ' || t.trffromsql::oid::regprocedure END,
              CASE WHEN t.trftosql <> 0 THEN 'TO SQL WITH FUNCTION ' || t.trftosql::oid::regprocedure END)), true, NULL
FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang WHERE t.oid >= 16384
""".replace("{members}", _MEMBERS)

_RARE = ("pg_cast", "pg_operator", "pg_opfamily", "pg_opclass", "pg_ts_dict", "pg_ts_config", "pg_ts_parser", "pg_ts_template",
         "pg_conversion", "pg_language", "pg_am", "pg_transform")  # fmt: skip


def functions(session: Session) -> None:
    """Functions, procedures and aggregates."""
    aggregates: dict[int, Row] | None = None
    for row in session.ask(_FUNCTIONS) if session.has("pg_proc") else ():
        (oid, namespace, name, args, signature, prokind, definition, result, arg_names, modes, _, defaults, text_body, role,
         items, parallel) = row  # fmt: skip
        schema = session.schemas[namespace]
        common = (session.owner(role), session.acl(items, "f", role), session.comment(session.pg_proc, oid))
        if prokind != "a":
            shape = (result, *arg_names, "|", *modes)
            text = definition.rstrip()
            function = Function(schema, name, args, prokind, text, shape, defaults, text_body, *common)
            session.add(function, (session.pg_proc, oid))
            continue
        if aggregates is None:
            aggregates = {found[0]: found for found in session.ask(_AGGREGATES)}
        described = _aggregate_options(aggregates[oid], parallel)
        session.add(Aggregate(schema, name, args, signature, described, *common), (session.pg_proc, oid))


def _aggregate_options(row: Row, parallel: str) -> tuple[str, ...]:
    (_, kind, sfunc, stype, sspace, final, final_extra, final_modify, combine, serial, deserial, initial, msfunc, minv,
     mstype, msspace, mfinal, mfinal_extra, mfinal_modify, minitial, sort) = row  # fmt: skip
    ordered = kind in "oh"
    pairs: list[tuple[str, object]] = [
        ("SFUNC", sfunc),
        ("STYPE", stype),
        ("SSPACE", sspace or None),
        ("FINALFUNC", _function(final)),
        ("COMBINEFUNC", _function(combine)),
        ("SERIALFUNC", _function(serial)),
        ("DESERIALFUNC", _function(deserial)),
        ("INITCOND", None if initial is None else names.literal(initial)),
        ("MSFUNC", _function(msfunc)),
        ("MINVFUNC", _function(minv)),
        ("MSTYPE", mstype),
        ("MSSPACE", msspace or None),
        ("MFINALFUNC", _function(mfinal)),
        ("MINITCOND", None if minitial is None else names.literal(minitial)),
        ("SORTOP", None if sort is None else f"OPERATOR({sort})"),
        ("PARALLEL", {"s": "SAFE", "r": "RESTRICTED"}.get(parallel)),
    ]
    texts = [f"{word} = {value}" for word, value in pairs if value is not None]
    usual = "w" if ordered else "r"
    for prefix, func, extra, modify in (
        ("", final, final_extra, final_modify),
        ("M", mfinal, mfinal_extra, mfinal_modify),
    ):
        if _function(func) is None:
            continue
        if extra:
            texts.append(f"{prefix}FINALFUNC_EXTRA")
        if modify != usual:
            texts.append(f"{prefix}FINALFUNC_MODIFY = {_MODIFY[modify]}")
    if kind == "h":
        texts.append("HYPOTHETICAL")
    return tuple(texts)


_MODIFY = {"r": "READ_ONLY", "s": "SHAREABLE", "w": "READ_WRITE"}


def _function(name: str) -> str | None:
    return None if name == "-" else name


def others(session: Session) -> None:
    """Event triggers and the rare rest."""
    triggers = session.ask(_EVENT_TRIGGERS) if session.has("pg_event_trigger") else ()
    for catalog, oid, name, event, function, tags, enabled, role in triggers:
        trigger = EventTrigger(
            name,
            event,
            function,
            tuple(sorted(tags or ())),
            enabled,
            session.owner(role),
            session.comment(catalog, oid),
        )
        session.add(trigger, (catalog, oid))
    rare = session.ask(_OTHERS) if any(map(session.has, _RARE)) else ()
    for catalog, oid, kind, identity, definition, made, role in rare:
        if (catalog, oid) in session.keys:  # an extension's
            continue
        other = Other(
            kind, identity, definition, made, session.owner(role) if role else "", session.comment(catalog, oid)
        )
        session.add(other, (catalog, oid))
    if session.has("pg_opfamily") or session.has("pg_opclass"):
        keys = session.keys
        for catalog, oid, needed_catalog, needed in session.ask(_MEMBERS_NEED):
            if (catalog, oid) in keys and (needed_catalog, needed) in keys:
                session.need(keys[catalog, oid], keys[needed_catalog, needed])
