"""YAML, JSON and TOML with the line on which each value stands, read in bounded time and memory."""

from checks.placed.json_text import document as json
from checks.placed.toml_text import document as toml
from checks.placed.value import Key, Mapping, Placed, Unreadable, strings
from checks.placed.yaml_text import documents as yaml_documents

__all__ = ["Key", "Mapping", "Placed", "Unreadable", "json", "strings", "toml", "yaml_documents"]
