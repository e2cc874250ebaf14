"""YAML and JSON with the line on which each value stands, read in bounded time and memory."""

from checks.placed.json_text import document as json
from checks.placed.value import Key, Mapping, Placed, Unreadable, strings
from checks.placed.yaml_text import documents as yaml_documents

__all__ = ["Key", "Mapping", "Placed", "Unreadable", "json", "strings", "yaml_documents"]
