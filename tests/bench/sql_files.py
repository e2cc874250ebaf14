"""SQL files of many kinds, as people have them: what reads text is measured on each."""

_TABLE = """
--
-- Name: customer_{0}; Type: TABLE; Schema: public; Owner: postgres
--
CREATE TABLE public.customer_{0} (
    id bigint NOT NULL,
    email character varying(255) NOT NULL,
    status public.status DEFAULT 'active'::public.status NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    total numeric(12,2) DEFAULT 0.00,
    meta jsonb DEFAULT '{{}}'::jsonb,
    CONSTRAINT customer_{0}_total_check CHECK ((total >= (0)::numeric))
);
ALTER TABLE public.customer_{0} OWNER TO postgres;
CREATE SEQUENCE public.customer_{0}_id_seq START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1;
ALTER SEQUENCE public.customer_{0}_id_seq OWNED BY public.customer_{0}.id;
COMMENT ON COLUMN public.customer_{0}.email IS 'where they are reached';
ALTER TABLE ONLY public.customer_{0} ALTER COLUMN id SET DEFAULT nextval('public.customer_{0}_id_seq'::regclass);
ALTER TABLE ONLY public.customer_{0} ADD CONSTRAINT customer_{0}_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX customer_{0}_email_idx ON public.customer_{0} USING btree (lower((email)::text));
CREATE TRIGGER touch BEFORE UPDATE ON public.customer_{0} FOR EACH ROW EXECUTE FUNCTION public.touch();
ALTER TABLE ONLY public.customer_{0}
    ADD CONSTRAINT customer_{0}_org_fkey FOREIGN KEY (org_id) REFERENCES public.orgs(id) ON DELETE CASCADE;
GRANT SELECT,INSERT ON TABLE public.customer_{0} TO app;
SELECT pg_catalog.setval('public.customer_{0}_id_seq', 42, true);
"""
_FUNCTION = """
CREATE OR REPLACE FUNCTION app.f{0}(a integer, b text DEFAULT 'x') RETURNS TABLE(id integer, total numeric)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = app AS $fn$
DECLARE r record; n int := 0;
BEGIN
  FOR r IN SELECT o.id, sum(l.price * l.qty) AS total FROM app.orders o JOIN app.lines l ON l.order_id = o.id
           WHERE o.customer_id = a AND o.state <> 'void' GROUP BY o.id LOOP
    n := n + 1;
    IF r.total > 100 THEN UPDATE app.orders SET flagged = true WHERE app.orders.id = r.id; END IF;
    RETURN NEXT;
  END LOOP;
END $fn$;
"""
_VIEW = """
CREATE OR REPLACE VIEW v{0} AS
WITH recent AS (SELECT o.id, o.customer_id, sum(l.qty * l.price) AS total FROM orders o LEFT JOIN lines l ON l.order_id = o.id
  WHERE o.created_at > now() - interval '30 days' GROUP BY o.id, o.customer_id HAVING count(*) > {0})
SELECT c.id, coalesce(r.total, 0) AS total, row_number() OVER (PARTITION BY c.region ORDER BY r.total DESC) AS place,
  CASE WHEN r.total > 1000 THEN 'gold' WHEN r.total > 100 THEN 'silver' ELSE 'none' END AS tier
FROM customers c LEFT JOIN recent r ON r.customer_id = c.id WHERE c.deleted_at IS NULL ORDER BY place;
"""
_ROW = "INSERT INTO public.events (id, kind, payload, at) VALUES ({0}, 'clicked', '{{\"a\": {0}, \"it''s\": true}}', now());\n"
_CHANGES = (
    'ALTER TABLE "users" ADD COLUMN "c{0}" text;\n',
    'ALTER TABLE "users" ALTER COLUMN "c{0}" SET DATA TYPE varchar(20);\n',
    'ALTER TABLE "t{0}" ADD CONSTRAINT "t{0}_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action;\n',
    'CREATE INDEX "i{0}" ON "t{0}" USING btree ("a","b");\n',
    'DROP TABLE "t{0}" CASCADE;\n',
)

_ALTERS = (
    'ALTER TABLE "orders" ADD COLUMN "col_{0}" integer DEFAULT {1} NOT NULL;\n',
    'ALTER TABLE "public"."orders_{1}" ALTER COLUMN "amount_{0}" SET DATA TYPE numeric(12, 2);\n',
    'ALTER TABLE "orders_{1}" DROP COLUMN "legacy_{0}";\n',
    "ALTER TABLE orders_{1} ALTER COLUMN state_{0} SET NOT NULL;\n",
    'ALTER TABLE "orders_{1}" RENAME COLUMN "a{0}" TO "b{0}";\n',
    "ALTER TABLE ONLY public.orders_{1} ADD CONSTRAINT orders_{0}_pkey PRIMARY KEY (id);\n",
    'ALTER TABLE "items_{0}" DROP CONSTRAINT "items_{0}_unique";\n',
    'ALTER TABLE "items_{0}" ADD CONSTRAINT "ck_{0}" CHECK ("items_{0}"."qty" > {1});\n',
    'ALTER TABLE "items_{0}" ALTER COLUMN "at" SET DEFAULT now();\n',
    'ALTER TABLE "items_{0}" ENABLE ROW LEVEL SECURITY;\n',
    "ALTER TABLE items_{0} OWNER TO app;\n",
)
_INDEXES = (
    'CREATE INDEX "idx_{0}" ON "t{1}" USING btree ("a","b");\n',
    'CREATE UNIQUE INDEX "u_{0}" ON "t{1}" USING btree (lower("email"));\n',
    'CREATE INDEX CONCURRENTLY "c_{0}" ON "t{1}" ("a");\n',
    "CREATE INDEX IF NOT EXISTS idx_{0} ON public.t{1} USING gin (data jsonb_path_ops);\n",
    'CREATE INDEX "p_{0}" ON "t{1}" USING btree ("a" DESC NULLS LAST) WHERE "t{1}"."deleted_at" IS NULL;\n',
)
_RIGHTS = (
    "COMMENT ON TABLE public.t{1} IS 'this is what table {0} is for';\n",
    "COMMENT ON COLUMN public.t{1}.c{0} IS 'it''s a column';\n",
    "GRANT SELECT, INSERT, UPDATE ON TABLE public.t{0} TO app_user;\n",
    "GRANT ALL ON TABLE t{0} TO admin;\n",
    "REVOKE ALL ON TABLE public.t{0} FROM PUBLIC;\n",
)
_ENUMS = (
    "CREATE TYPE \"public\".\"mood_{0}\" AS ENUM('sad', 'ok', 'happy');\n",
    'ALTER TYPE "public"."mood_{1}" ADD VALUE \'new_{0}\';\n',
    "CREATE TYPE status_{0} AS ENUM ('a{1}', 'b', 'c', 'd', 'e');\n",
    "ALTER TYPE mood_{1} RENAME TO m{0};\n",
)
_TYPES = (
    "text",
    "integer DEFAULT 0 NOT NULL",
    "varchar(255)",
    "timestamp with time zone DEFAULT now() NOT NULL",
    "jsonb",
)
_BLOCK = """DO $$ BEGIN
 ALTER TABLE "a{0}" ADD CONSTRAINT "a{0}_fk" FOREIGN KEY ("x") REFERENCES "public"."b"("id") ON DELETE no action;
EXCEPTION
 WHEN duplicate_object THEN null;
END $$;
"""


def _each(forms: tuple[str, ...], many: int) -> str:
    return "".join(forms[n % len(forms)].format(n, n * 7 % 97) for n in range(many))


def _table(number: int) -> str:
    columns = "".join(f',\n\t"c{number}_{n}" {_TYPES[(n + number) % 5]}' for n in range(19))
    return f'CREATE TABLE "table_{number}" (\n\t"id" serial PRIMARY KEY NOT NULL{columns}\n);\n'


def _mixed(many: int) -> str:
    """All of them by turns, none like its neighbour."""
    forms = (*_ALTERS, *_INDEXES, *_RIGHTS, *_ENUMS)
    return "".join(_table(n) if n % 9 == 0 else forms[n * 31 % len(forms)].format(n, n * 7 % 97) for n in range(many))


FILES = {
    "a dump": "".join(_TABLE.format(n) for n in range(80)),
    "functions": "".join(_FUNCTION.format(n) for n in range(250)),
    "views": "".join(_VIEW.format(n) for n in range(150)),
    "single rows": "".join(_ROW.format(n) for n in range(2_000)),
    "changes of old tables": "".join(_CHANGES[n % 5].format(n) for n in range(1_500)),
    "ALTER TABLE": _each(_ALTERS, 2_000),
    "CREATE INDEX": _each(_INDEXES, 2_000),
    "COMMENT and GRANT": _each(_RIGHTS, 2_000),
    "enums": _each(_ENUMS, 2_000),
    "tables of 20 columns": "".join(_table(n) for n in range(250)),
    "blocks around constraints": _each((_BLOCK,), 700),
    "a mixture": _mixed(100),
    "a longer mixture": _mixed(2_000),
    "a long mixture": _mixed(20_000),
}
