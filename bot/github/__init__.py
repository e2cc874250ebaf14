"""GitHub: what only GitHub knows, and what is said there. Files and merges come from git."""

from bot.github.client import Client, GitHub
from bot.github.errors import Missing, Refused
from bot.github.model import Annotation, CheckRun, Comment, Delivery, Output, Pull, Review

__all__ = [
    "Annotation",
    "CheckRun",
    "Client",
    "Comment",
    "Delivery",
    "GitHub",
    "Missing",
    "Output",
    "Pull",
    "Refused",
    "Review",
]
