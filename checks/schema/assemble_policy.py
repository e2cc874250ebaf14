"""One policy as data."""

from checks.schema import model
from checks.schema.context import Context
from checks.schema.notes import known_text
from checks.schema.objects import Role
from checks.schema.security import Policy
from checks.typescript.values import UNDEFINED, listed


def assemble_policy(context: Context, policy: Policy) -> model.Policy:
    """A policy as data.

    Raises:
        Lost: a part of it is not known.
    """
    site = policy.site
    to = policy.option("to")
    roles: list[str] = []
    for item in [to] if (many := listed(to)) is None else many:
        role = item.name if isinstance(item, Role) else item
        if role is not UNDEFINED and role is not None and role != "":
            roles.append(known_text(role, site))
    conditions = [policy.option(name) for name in ("using", "withCheck")]
    using, check = (None if v is UNDEFINED or v is None else context.sql(v, site) for v in conditions)
    words = [policy.option("as"), policy.option("for")]
    kind, command = (("" if w is UNDEFINED else known_text(w, site)).upper() for w in words)
    order = sorted(roles or ["public"], key=lambda role: role.encode("utf-16-be", "surrogatepass"))
    return model.Policy(
        known_text(policy.name, site), kind or "PERMISSIVE", command or "ALL", tuple(order), using, check
    )
