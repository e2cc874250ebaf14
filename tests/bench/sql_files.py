"""SQL files of five kinds, as people have them: what reads text is measured on each."""

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

FILES = {
    "a dump": "".join(_TABLE.format(n) for n in range(80)),
    "functions": "".join(_FUNCTION.format(n) for n in range(250)),
    "views": "".join(_VIEW.format(n) for n in range(150)),
    "single rows": "".join(_ROW.format(n) for n in range(2_000)),
    "changes of old tables": "".join(_CHANGES[n % 5].format(n) for n in range(1_500)),
}
