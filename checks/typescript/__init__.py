"""Reads TypeScript without running it: syntax trees, modules, and the values of constants."""
