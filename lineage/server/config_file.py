"""MLMD's config file of a server: a MetadataStoreServerConfig in protobuf's text format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import text_format

from lineage.errors import InvalidArgumentError
from lineage.mlmd.proto.metadata_store_pb2 import MetadataStoreServerConfig
from lineage.server.options import Tls

__all__ = ["read_config_file", "tls_of_config"]


def read_config_file(path: str) -> Any:
    """Return the message. Raises InvalidArgumentError that names the file if it cannot be read."""
    try:
        return text_format.Parse(Path(path).read_text(encoding="utf-8"), MetadataStoreServerConfig())
    except OSError as error:
        reason = error.strerror or str(error)
    except UnicodeDecodeError as error:
        reason = f"byte {error.start} is not UTF-8"
    except text_format.ParseError as error:  # its text may have a password in it
        reason = f"line {error.GetLine()}, column {error.GetColumn()} is not of that form"
    raise InvalidArgumentError(f"cannot read {path!r} as a MetadataStoreServerConfig in text format: {reason}")


def tls_of_config(config: Any) -> Tls | None:
    """Return what the message says of TLS, or None: the keys themselves are in it."""
    if not config.HasField("ssl_config"):
        return None
    ssl = config.ssl_config
    if not ssl.server_key or not ssl.server_cert:
        raise InvalidArgumentError("ssl_config in the config file needs server_key and server_cert, as PEM text")
    if ssl.client_verify and not ssl.custom_ca:
        raise InvalidArgumentError("client_verify in the config file needs custom_ca, to verify clients with")
    client_ca = ssl.custom_ca.encode() if ssl.client_verify else None
    return Tls(ssl.server_cert.encode(), ssl.server_key.encode(), client_ca)
