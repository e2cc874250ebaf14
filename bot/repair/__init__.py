"""Writes migrations into a repository: what `sync` puts in order, what `generate` adds, and the proof of it."""
