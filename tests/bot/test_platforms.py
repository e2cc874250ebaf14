"""Chains of usual platforms run on an empty branch, and stubs never stand in a chain's way."""

import pytest

from bot.branches import embedded, platforms


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    """Branches of the wheel's PostgreSQL."""
    return embedded.Embedded(tmp_path_factory.mktemp("data"))


def play(branch, *chain):
    """Stubs, then the chain in a new session, as the branch role; what was stubbed."""
    made = platforms.stubs(chain)
    for statements in (made, chain):
        with branch.connect() as session:
            for statement in statements:
                session.execute(statement)
    return made


def test_a_plain_chain_needs_no_stub():
    """Words that merely look alike make nothing."""
    assert (
        platforms.stubs(['CREATE TABLE "users" ("auth" text, "anonymous_id" int); SELECT authentic.x FROM storage'])
        == ()
    )


SUPABASE = [
    "CREATE TABLE profiles (id uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE, owner uuid DEFAULT auth.uid())",
    "ALTER TABLE profiles ENABLE ROW LEVEL SECURITY",
    'CREATE POLICY "own" ON "profiles" AS PERMISSIVE FOR ALL TO "authenticated" USING ((select auth.uid()) = id)',
    "CREATE POLICY \"service\" ON profiles TO service_role USING (auth.jwt() ->> 'role' = 'service_role' AND auth.role() <> 'x')",
    "GRANT SELECT ON profiles TO anon, authenticated; GRANT USAGE ON SCHEMA auth TO anon; GRANT anon TO authenticator",
    (
        "CREATE FUNCTION public.on_user() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS"
        " $$ BEGIN INSERT INTO public.profiles (id) VALUES (new.id); RETURN new; END $$;"
        " CREATE TRIGGER on_auth_user_created AFTER INSERT ON auth.users FOR EACH ROW EXECUTE PROCEDURE public.on_user()"
    ),
    "INSERT INTO auth.users (id, email) VALUES (gen_random_uuid(), 'a@example.com')",
    "INSERT INTO storage.buckets (id, name, public) VALUES ('a', 'a', true)",
    "CREATE POLICY read ON storage.objects FOR SELECT TO authenticated USING (bucket_id = 'a' AND (storage.foldername(name))[1] = auth.uid()::text)",
    "ALTER PUBLICATION supabase_realtime ADD TABLE profiles",
    "CREATE POLICY hear ON realtime.messages FOR SELECT TO authenticated USING (realtime.topic() = 'x')",
    "CREATE TABLE ids (id uuid DEFAULT extensions.uuid_generate_v4(), other uuid DEFAULT uuid_generate_v4())",
    "ALTER TABLE profiles OWNER TO postgres; ALTER TABLE profiles ADD COLUMN x int",
    "ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public GRANT ALL ON TABLES TO anon",
]
NEON = [
    'CREATE TABLE "notes" ("id" uuid PRIMARY KEY, "owner" text DEFAULT (auth.user_id()), "user" text REFERENCES "neon_auth"."users_sync"("id"))',
    'CREATE POLICY "crud" ON "notes" TO "authenticated", "anonymous" USING ((select auth.user_id() = "notes"."owner"))',
    "GRANT neon_superuser TO neondb_owner; ALTER TABLE notes OWNER TO neondb_owner; DROP TABLE notes",
]


@pytest.mark.parametrize("chain", [SUPABASE, NEON], ids=["supabase", "neon"])
def test_a_platforms_chain_runs(provider, chain):
    """Roles, tables, functions and publications that the platform brings are there, and are the branch role's to use."""
    with provider.branch() as branch:
        assert play(branch, *chain)


@pytest.mark.parametrize(
    "chain",
    [
        ["CREATE ROLE anon; CREATE ROLE authenticated NOLOGIN", "GRANT USAGE ON SCHEMA public TO anon, authenticated"],
        [
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'anon') THEN CREATE ROLE anon; END IF; END $$",
            "GRANT USAGE ON SCHEMA public TO anon",
        ],
        [
            'CREATE SCHEMA "auth"',
            'CREATE TABLE "auth"."users" ("id" uuid PRIMARY KEY)',
            "CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
        ],
        [
            "CREATE SCHEMA IF NOT EXISTS auth",
            "CREATE TABLE IF NOT EXISTS auth.users (id int)",
            "CREATE OR REPLACE FUNCTION auth.uid() RETURNS text LANGUAGE sql AS 'SELECT NULL::text'",
        ],
        ["CREATE SCHEMA IF NOT EXISTS auth", "CREATE TABLE mine (x uuid REFERENCES auth.users)"],
        [
            "CREATE SCHEMA extensions",
            'CREATE EXTENSION "uuid-ossp" SCHEMA extensions',
            "SELECT extensions.uuid_generate_v4()",
        ],
        ['CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA "extensions"', "SELECT extensions.uuid_generate_v4()"],
        ["CREATE PUBLICATION supabase_realtime", "DROP PUBLICATION supabase_realtime"],
    ],
)
def test_stubs_do_not_collide_with_what_a_chain_makes(provider, chain):
    """What the chain creates itself is not stubbed."""
    with provider.branch() as branch:
        play(branch, *chain)


def test_every_stub_can_be_made(provider):
    """All at once, on a branch that then still is no superuser's."""
    names = [thing.name + ("()" if thing.kind == "FUNCTION" else " ") for thing in platforms._OBJECTS]
    with provider.branch() as branch:
        made = play(branch, "--" + " ".join([*platforms.ROLES, *names, "extensions.x crypt() supabase_realtime"]))
        assert len(made) > len(platforms.ROLES) + len(names)
