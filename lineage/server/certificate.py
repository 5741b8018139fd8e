"""The certificate that a server shows, which may become another one while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc

from lineage.server.options import Tls

__all__ = ["ServerCertificate"]


class ServerCertificate:
    """A certificate, its key and the authority of clients, as gRPC asks for them at every handshake.

    Raises InvalidArgumentError if they are wrong, which gRPC would say at the first handshake, and not to us.
    """

    def __init__(self, tls: Tls) -> None:
        tls.check()
        self._tls = tls
        self.paths: Sequence[str] = [each for each in tls.files or () if each is not None]

    def reload(self) -> None:
        """Read the files again. Raises InvalidArgumentError, and then the certificate stays what it was."""
        if self._tls.files is not None:
            tls = Tls.from_files(*self._tls.files)
            tls.check()
            self._tls = tls

    def credentials(self) -> Any:
        """Return gRPC's credentials, which follow the certificate. Connections that are open stay as they are."""

        def configuration() -> Any:
            return grpc.ssl_server_certificate_configuration(
                [(self._tls.key, self._tls.certificate)], self._tls.client_ca
            )

        return grpc.dynamic_ssl_server_credentials(
            configuration(), configuration, require_client_authentication=self._tls.client_ca is not None
        )
