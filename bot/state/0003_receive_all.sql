-- Store many deliveries, and ask for their work, in a handful of statements: an array's worth of `receive`.

CREATE FUNCTION receive_all(_given jsonb) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    _outcomes text[];
    _asked text[];
    _wanted bigint[];
    _idle text[];
BEGIN
    -- What somebody else stores right now is new here, too, and its work is asked for twice, which changes nothing.
    SELECT array_agg(
            CASE
                WHEN d.id IS NOT NULL AND (d.key IS NULL OR coalesce(d.generation <= w.done, false)) THEN 'done'
                WHEN d.id IS NOT NULL THEN 'again'
                ELSE 'new'
            END
            ORDER BY g.n
        ) INTO _outcomes
        FROM jsonb_to_recordset(_given) AS g (n integer, id text)
            LEFT JOIN delivery d ON d.id = g.id LEFT JOIN work w ON w.key = d.key;

    INSERT INTO repository AS r (id, owner, name, installation)
        SELECT l.id, l.owner, l.name, l.installation FROM (
            SELECT repository AS id, (array_agg(owner ORDER BY n DESC))[1] AS owner, (array_agg(name ORDER BY n DESC))[1] AS name,
                coalesce((array_agg(installation ORDER BY n DESC) FILTER (WHERE installation <> 0))[1], 0) AS installation
            FROM jsonb_to_recordset(_given) AS g (n integer, repository bigint, owner text, name text, installation bigint)
            WHERE repository IS NOT NULL AND _outcomes[n] <> 'done' GROUP BY repository
        ) AS l
        WHERE NOT EXISTS (
            SELECT FROM repository k WHERE k.id = l.id
                AND (k.owner, k.name, k.installation) = (l.owner, l.name, coalesce(nullif(l.installation, 0), k.installation))
        )
        ORDER BY l.id
        ON CONFLICT (id) DO UPDATE
            SET owner = EXCLUDED.owner, name = EXCLUDED.name,
                installation = coalesce(nullif(EXCLUDED.installation, 0), r.installation);

    WITH doing AS (
        SELECT * FROM jsonb_to_recordset(_given) AS g (
            n integer, id text, key text, kind text, repository bigint, about jsonb, fresh boolean
        ) WHERE g.key IS NOT NULL AND _outcomes[g.n] <> 'done'
    ), wanted AS (
        SELECT DISTINCT ON (key) key, kind, repository, id,
            count(*) OVER same AS often, bool_or(fresh) OVER same AS fresh,
            CASE WHEN count(*) OVER same = 1 THEN about ELSE (
                SELECT jsonb_object_agg(e.key, e.value ORDER BY o.n)
                FROM doing o, jsonb_each(o.about) e WHERE o.key = doing.key
            ) END AS about
        FROM doing WINDOW same AS (PARTITION BY key) ORDER BY key, n DESC
    ), asked AS (
        INSERT INTO work AS w (key, kind, repository, about, wanted, fresh, delivery)
            SELECT key, kind, repository, coalesce(about, '{}'), often, fresh, id FROM wanted ORDER BY key
            ON CONFLICT (key) DO UPDATE
                SET kind = EXCLUDED.kind, repository = EXCLUDED.repository, about = w.about || EXCLUDED.about,
                    wanted = w.wanted + EXCLUDED.wanted, fresh = w.fresh OR EXCLUDED.fresh, delivery = EXCLUDED.delivery,
                    attempts = 0, changed = now()
            RETURNING w.key, w.wanted, w.queued
    )
    SELECT array_agg(key), array_agg(wanted), array_agg(key) FILTER (WHERE NOT queued) INTO _asked, _wanted, _idle FROM asked;

    INSERT INTO delivery AS d (id, event, key, generation)
        SELECT DISTINCT ON (g.id) g.id, g.event, g.key, coalesce(a.wanted, 0)
            FROM jsonb_to_recordset(_given) AS g (n integer, id text, event text, key text)
                LEFT JOIN unnest(_asked, _wanted) AS a (key, wanted) ON a.key = g.key
            WHERE _outcomes[g.n] <> 'done' ORDER BY g.id, g.n DESC
        ON CONFLICT (id) DO UPDATE SET generation = EXCLUDED.generation;

    IF _idle IS NOT NULL THEN
        PERFORM procrastinate_defer_jobs_v1((
            SELECT array_agg(ROW('work', 'work', 0, k, NULL, jsonb_build_object('key', k), NULL)::procrastinate_job_to_defer_v1)
            FROM unnest(_idle) AS k
        ));
        UPDATE work SET queued = true WHERE key = ANY(_idle);
    END IF;
    RETURN _outcomes;
END $$;
