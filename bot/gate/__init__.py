"""The gate: looks at pull requests, judges them and says it on GitHub. Every write is fenced by the head that it was made for."""
