"""Policies, and the helpers of Neon and Supabase that make them."""

from checks.schema import sqltext
from checks.schema.objects import Role
from checks.typescript.values import UNDEFINED, Native, Record, Site, Thing, Unknown, Value, listed

_PARTS = ("as", "for", "to", "using", "withCheck")


class Policy(Thing):
    """`pgPolicy("name", options)`."""

    __slots__ = ("linked", "name", "options", "site")

    def __init__(self, name: Value, options: Record, site: Site) -> None:
        self.name = name
        self.options = options
        self.site = site
        self.linked: Value = UNDEFINED

    @classmethod
    def make(cls, args: list[Value], site: Site) -> Value:
        """From the arguments of `pgPolicy`."""
        name = args[0] if args else UNDEFINED
        options = args[1] if len(args) > 1 else UNDEFINED
        if not isinstance(name, str | Unknown):
            return site.unknown("is a policy without a name")
        if not isinstance(options, Record):
            hole = options if isinstance(options, Unknown) else None
            options = Record()
            options.hole = hole
        return cls(name, options, site)

    def option(self, name: str) -> Value:
        """One of its options."""
        return self.options.get(name, self.options.hole or UNDEFINED)

    def member(self, name: str, site: Site) -> Value:
        """`link(table)` puts it on a table from elsewhere."""
        if name == "link":
            return Native(name, lambda args, _s: self._link(args[0] if args else UNDEFINED))
        if name in _PARTS:
            return self.option(name)
        return self.name if name == "name" else site.unknown(f"`.{name}` of a policy is not understood")

    def _link(self, table: Value) -> "Policy":
        self.linked = table
        return self


def _condition(value: Value) -> Value:
    if value is True or value is False:
        return sqltext.of("true" if value else "false")
    return UNDEFINED if value is None else value


def _crud(args: list[Value], site: Site) -> Value:
    """Neon's `crudPolicy`: up to four policies."""
    options = args[0] if args else UNDEFINED
    if not isinstance(options, Record) or options.hole is not None:
        return options if isinstance(options, Unknown) else site.unknown("is `crudPolicy` of something not understood")
    if "read" not in options or "modify" not in options:
        return site.unknown("is `crudPolicy` without `read` or `modify`, which Drizzle refuses")
    roles = options.get("role", UNDEFINED)
    names: list[str] = []
    for role in [roles] if (many := listed(roles)) is None else many:
        name = role.name if isinstance(role, Role) else role
        if not isinstance(name, str):
            return (
                name if isinstance(name, Unknown) else site.unknown("is `crudPolicy` for a role that is not understood")
            )
        names.append(name)
    read, modify = _condition(options.get("read", UNDEFINED)), _condition(options.get("modify", UNDEFINED))
    title = "-".join(names)
    policies: list[Value] = []
    for kind, given, parts in (
        ("select", read, ("using",)),
        ("insert", modify, ("withCheck",)),
        ("update", modify, ("using", "withCheck")),
        ("delete", modify, ("using",)),
    ):
        if given is not UNDEFINED:
            record = Record({"for": kind, "to": roles, **dict.fromkeys(parts, given)})
            policies.append(Policy(f"crud-{title}-policy-{kind}", record, site))
    return policies


def _existing(name: str, site: Site) -> Role:
    role = Role(name, Record(), site)
    role.existing = True
    return role


def neon(site: Site) -> dict[str, Value]:
    """What `drizzle-orm/neon` exports for policies."""
    return {
        "crudPolicy": Native("crudPolicy", _crud),
        "authenticatedRole": _existing("authenticated", site),
        "anonymousRole": _existing("anonymous", site),
        "authUid": Native(
            "authUid", lambda args, _s: sqltext.of("(select auth.user_id() = {})", args[0] if args else UNDEFINED)
        ),
    }


def supabase(site: Site) -> dict[str, Value]:
    """What `drizzle-orm/supabase` exports for policies."""
    roles = {
        "anonRole": "anon",
        "authenticatedRole": "authenticated",
        "serviceRole": "service_role",
        "postgresRole": "postgres_role",
        "supabaseAuthAdminRole": "supabase_auth_admin",
    }
    return {
        **{export: _existing(name, site) for export, name in roles.items()},
        "authUid": sqltext.of("(select auth.uid())"),
        "realtimeTopic": sqltext.of("realtime.topic()"),
    }
