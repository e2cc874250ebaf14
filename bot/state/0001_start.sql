-- What the service remembers. All of it can be had again from GitHub; losing it costs time, not truth.

CREATE TABLE repository (
    id bigint PRIMARY KEY,
    owner text NOT NULL,
    name text NOT NULL,
    installation bigint NOT NULL
);

-- A delivery is stored before it is answered. It is done when the generation of work that it asked for is done.
CREATE TABLE delivery (
    id text PRIMARY KEY,
    event text NOT NULL,
    key text,
    generation bigint NOT NULL DEFAULT 0,
    received timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON delivery (received);

-- "Look at this again": however many deliveries ask, the work is done once for all that came before it began.
CREATE TABLE work (
    key text PRIMARY KEY,
    kind text NOT NULL,
    repository bigint,
    about jsonb NOT NULL,
    wanted bigint NOT NULL DEFAULT 1,
    done bigint NOT NULL DEFAULT 0,
    queued boolean NOT NULL DEFAULT false,  -- a job waits for it
    fresh boolean NOT NULL DEFAULT false,
    attempts integer NOT NULL DEFAULT 0,
    holder text,                            -- the run that may write; a later run takes it over
    delivery text,                          -- the last that asked
    changed timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON work (changed) WHERE wanted > done;

CREATE TABLE pull (
    repository bigint NOT NULL,
    number integer NOT NULL,
    head text NOT NULL,
    base_ref text NOT NULL,
    base text,                              -- base's tip at the last judgement
    open boolean NOT NULL,
    inputs text,                            -- what the last judgement was made from, but for base's tip
    review text,
    verdict text,
    conclusion text,
    title text,
    comment bigint,
    comment_hash text,
    seen timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repository, number)
);
CREATE INDEX ON pull (repository, base_ref) WHERE open;
CREATE INDEX ON pull (repository, head);

-- Written down before GitHub is asked for one, so that none is left spinning by a process that died.
CREATE TABLE check_run (
    repository bigint NOT NULL,
    head text NOT NULL,
    number integer,                         -- the pull request; null: a merge group
    id bigint,
    completed boolean NOT NULL DEFAULT false,
    hash text,
    PRIMARY KEY (repository, head)
);
CREATE INDEX ON check_run (repository, number) WHERE NOT completed;

CREATE TABLE review (
    id text PRIMARY KEY,
    repository bigint NOT NULL,
    number integer,
    enforced boolean NOT NULL,
    report jsonb NOT NULL,
    made timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON review (made);

-- When something that only one process should do now and then was done last.
CREATE TABLE turn (
    name text PRIMARY KEY,
    at timestamptz NOT NULL
);

-- Ask for work, and make sure that a job waits for it. Gives the generation that will have done it.
CREATE FUNCTION want(
    _key text, _kind text, _repository bigint, _about jsonb, _fresh boolean, _delivery text, _after timestamptz DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    _wanted bigint;
    _queued boolean;
BEGIN
    INSERT INTO work AS w (key, kind, repository, about, fresh, delivery)
        VALUES (_key, _kind, _repository, _about, _fresh, _delivery)
        ON CONFLICT (key) DO UPDATE
            SET kind = EXCLUDED.kind, repository = EXCLUDED.repository, about = w.about || EXCLUDED.about,
                wanted = w.wanted + 1, fresh = w.fresh OR EXCLUDED.fresh, delivery = coalesce(EXCLUDED.delivery, w.delivery),
                attempts = 0, changed = now()
        RETURNING w.wanted, w.queued INTO _wanted, _queued;
    IF NOT _queued THEN
        PERFORM procrastinate_defer_jobs_v1(ARRAY[
            ROW('work', 'work', 0, _key, NULL, jsonb_build_object('key', _key), _after)::procrastinate_job_to_defer_v1
        ]);
        UPDATE work SET queued = true WHERE key = _key;
    END IF;
    RETURN _wanted;
END $$;

-- Store a delivery and ask for its work. A repeated one whose work is done asks for nothing; one whose work is not, again.
CREATE FUNCTION receive(
    _id text, _event text, _key text, _kind text, _repository bigint, _owner text, _name text, _installation bigint,
    _about jsonb, _fresh boolean
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    _done boolean;
    _new boolean;
BEGIN
    INSERT INTO delivery (id, event, key) VALUES (_id, _event, _key) ON CONFLICT DO NOTHING;
    _new := FOUND;
    IF NOT _new THEN
        SELECT d.key IS NULL OR coalesce(d.generation <= w.done, false) INTO _done
            FROM delivery d LEFT JOIN work w ON w.key = d.key WHERE d.id = _id;
        IF _done THEN
            RETURN 'done';
        END IF;
    END IF;
    IF _repository IS NOT NULL THEN
        INSERT INTO repository AS r (id, owner, name, installation) VALUES (_repository, _owner, _name, _installation)
            ON CONFLICT (id) DO UPDATE
                SET owner = EXCLUDED.owner, name = EXCLUDED.name,
                    installation = coalesce(nullif(EXCLUDED.installation, 0), r.installation)
                WHERE (r.owner, r.name, r.installation) IS DISTINCT FROM
                    (EXCLUDED.owner, EXCLUDED.name, coalesce(nullif(EXCLUDED.installation, 0), r.installation));
    END IF;
    IF _key IS NOT NULL THEN
        UPDATE delivery SET generation = want(_key, _kind, _repository, _about, _fresh, _id) WHERE id = _id;
    END IF;
    RETURN CASE WHEN _new THEN 'new' ELSE 'again' END;
END $$;

-- Ask again for work that nobody will do: its job was aborted, or failed.
CREATE FUNCTION repair() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    _key text;
    _found integer := 0;
BEGIN
    FOR _key IN
        SELECT key FROM work
        WHERE wanted > done AND changed < now() - interval '3 seconds'
            AND NOT EXISTS (SELECT FROM procrastinate_jobs j WHERE j.lock = work.key AND j.status IN ('todo', 'doing'))
        FOR UPDATE SKIP LOCKED
    LOOP
        PERFORM procrastinate_defer_jobs_v1(ARRAY[
            ROW('work', 'work', 0, _key, NULL, jsonb_build_object('key', _key), NULL)::procrastinate_job_to_defer_v1
        ]);
        UPDATE work SET queued = true, changed = now() WHERE key = _key;
        _found := _found + 1;
    END LOOP;
    RETURN _found;
END $$;
