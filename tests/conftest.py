"""Servers for every test that asks for one."""

from __future__ import annotations

from tests.servers.fixtures import empty_neo4j, neo4j_server

__all__ = ["empty_neo4j", "neo4j_server"]
