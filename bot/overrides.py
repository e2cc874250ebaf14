"""What a policy file says of the Drizzle project; the rest is detected."""

from checks.drizzle.projects import DrizzleOverrides
from checks.policy import PolicyFile


def said(written: PolicyFile) -> DrizzleOverrides:
    """The words of `drizzle:` as the finder of projects wants them."""
    drizzle = written.policy.drizzle
    return DrizzleOverrides(
        config=drizzle.config,
        schema=drizzle.schema_files,
        migrations=drizzle.migrations,
        format=None if drizzle.format == "auto" else drizzle.format,
        migrator=None if drizzle.migrator == "auto" else drizzle.migrator,
        table=drizzle.table,
    )
