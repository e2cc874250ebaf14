"""Reads pg_catalog (PostgreSQL 14-18): each module asks its questions and makes objects of the answers."""
