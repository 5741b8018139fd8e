"""Is a server alive? ``python -m lineage.server.probe [--ready] [HOST:PORT]`` exits with 0 if it is, for health checks.

With ``--ready``, only if its store answers, too. The health service is asked. Behind TLS, where that needs a
certificate, a server that answers the handshake is taken to be alive and ready.
"""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Sequence
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from lineage.server.health import READINESS

__all__ = ["is_alive", "main"]


def is_alive(address: str, *, service: str = "", timeout_s: float = 3.0) -> bool:
    """Tell whether the server at ``HOST:PORT``, or a service of it, serves."""
    try:
        with grpc.insecure_channel(address) as channel:
            stub: Any = health_pb2_grpc.HealthStub(channel)
            response = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=timeout_s)
            return bool(response.status == health_pb2.HealthCheckResponse.SERVING)
    except grpc.RpcError:
        return _answers_tls(address, timeout_s)


def _answers_tls(address: str, timeout_s: float) -> bool:
    host, _, port = address.rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is sent, and nothing believed: it only has to answer
    context.set_alpn_protocols(["h2"])
    try:
        place = host.strip("[]"), int(port)
        with socket.create_connection(place, timeout=timeout_s) as plain, context.wrap_socket(plain):
            return True
    except (OSError, ValueError):
        return False


def main(arguments: Sequence[str]) -> int:
    """Return 0 if the server is alive, else 1."""
    service = READINESS if "--ready" in arguments else ""
    [address] = [each for each in arguments if not each.startswith("--")] or ["127.0.0.1:8080"]
    return 0 if is_alive(address, service=service) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
