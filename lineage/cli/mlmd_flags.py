"""The options of MLMD's metadata_store_server, and its config file."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from lineage.errors import InvalidArgumentError

if TYPE_CHECKING:
    from lineage.server import Tls

__all__ = ["add_arguments", "connection_of", "migration_of", "tls_of"]

_MYSQL = ("host", "port", "database", "user", "password")
_POSTGRES = ("host", "hostaddr", "port", "user", "password", "passfile", "dbname", "skip_db_creation")
_POSTGRES_SSL = ("sslmode", "sslcert", "sslkey", "sslpassword", "sslrootcert")
_SOURCES = ("default", "config_file", "mysql", "postgresql")


def add_arguments(group: Any) -> None:
    """Add the options; the command line takes them with underscores too."""
    group.add_argument(
        "--metadata-store-server-config-file",
        metavar="FILE",
        help="a MetadataStoreServerConfig in text format: the database and TLS",
    )
    group.add_argument("--metadata-source-config-type", choices=_SOURCES, default="default", help=argparse.SUPPRESS)
    group.add_argument(
        "--grpc-channel-arguments",
        default="",
        metavar="NAME=VALUE,...",
        help="settings of gRPC itself, as they are",
    )
    group.add_argument(
        "--metadata-store-connection-retries",
        type=int,
        default=30,
        metavar="N",
        help="how often to try to reach the database at the start, up to 10 s apart (default: 30)",
    )
    group.add_argument(
        "--enable-database-upgrade",
        "--upgrade",
        nargs="?",
        const=True,
        default=False,
        type=_boolean,
        metavar="BOOL",
        help="bring a database with an older schema up to date; close its other clients before",
    )
    group.add_argument(
        "--downgrade-db-schema-version",
        type=int,
        default=-1,
        metavar="N",
        help="bring the database to an older schema version, and stop; see lineage db --help",
    )
    shown = {"help": "and the other mysql_config_ options"}
    for name in _MYSQL:
        group.add_argument(f"--mysql-config-{name}", metavar="VALUE", **shown)
        shown = {"help": argparse.SUPPRESS}
    shown = {"help": "and the other postgres_config_ options"}
    for name in (*_POSTGRES, *_POSTGRES_SSL):
        settings: dict[str, Any] = {"nargs": "?", "const": True, "type": _boolean} if name == "skip_db_creation" else {}
        group.add_argument(f"--postgres-config-{name.replace('_', '-')}", metavar="VALUE", **settings, **shown)
        shown = {"help": argparse.SUPPRESS}


def _boolean(text: str) -> bool:
    if text.lower() in ("true", "t", "yes", "y", "1"):
        return True
    if text.lower() in ("false", "f", "no", "n", "0"):
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")


def connection_of(arguments: argparse.Namespace) -> Any:
    """Return the ConnectionConfig that the options or the config file name, or None if they name none."""
    from lineage.mlmd.proto.metadata_store_pb2 import ConnectionConfig

    config = _config_file(arguments)
    source = arguments.metadata_source_config_type
    if config is not None and source in ("default", "config_file"):
        if not config.connection_config.WhichOneof("config"):
            raise InvalidArgumentError(
                f"{arguments.metadata_store_server_config_file!r} names no database; add e.g. "
                "connection_config { fake_database {} }"
            )
        return config.connection_config
    if source == "config_file":
        raise InvalidArgumentError(
            "--metadata-source-config-type=config_file needs --metadata-store-server-config-file"
        )
    mysql = _given(arguments, "mysql_config_", _MYSQL)
    postgres = _given(arguments, "postgres_config_", (*_POSTGRES, *_POSTGRES_SSL))
    connection: Any = ConnectionConfig()
    if source == "postgresql":
        _need(postgres, "postgres_config_", "port", "dbname", "user")
        for name, value in postgres.items():
            setattr(connection.postgresql.ssloption if name in _POSTGRES_SSL else connection.postgresql, name, value)
        return connection
    if source == "mysql" or mysql.keys() & {"host", "port", "database"}:
        _need(mysql, "mysql_config_", "host", "port", "database")
        for name, value in mysql.items():
            setattr(connection.mysql, name, _port(value) if name == "port" else value)
        return connection
    return None


def migration_of(arguments: argparse.Namespace) -> tuple[bool, int | None]:
    """Return whether the options or the config file ask for an upgrade, and to which version for a downgrade."""
    config = _config_file(arguments)
    options = None if config is None else config.migration_options
    in_file = -1 if options is None else options.downgrade_to_schema_version
    given = {number for number in (arguments.downgrade_db_schema_version, in_file) if number != -1}
    upgrade = arguments.enable_database_upgrade or (options is not None and options.enable_upgrade_migration)
    if len(given) > 1 or (given and upgrade):
        raise InvalidArgumentError("the schema can go to one version; keep one of the upgrade and the downgrades")
    return upgrade, given.pop() if given else None


def _given(arguments: argparse.Namespace, prefix: str, names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(arguments, f"{prefix}{name}") for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _need(given: dict[str, Any], prefix: str, *names: str) -> None:
    missing = [f"--{prefix}{name}" for name in names if name not in given]
    if missing:
        raise InvalidArgumentError(f"the database needs {', '.join(missing)}")


def _port(text: str) -> int:
    if not text.isdigit():
        raise InvalidArgumentError(f"--mysql_config_port must be a number, not {text!r}")
    return int(text)


def _config_file(arguments: argparse.Namespace) -> Any:
    """Return the MetadataStoreServerConfig of the file, or None. A file that cannot be read is an error."""
    from lineage.server.config_file import read_config_file

    path = arguments.metadata_store_server_config_file
    return read_config_file(path) if path else None


def tls_of(arguments: argparse.Namespace) -> Tls | None:
    """Return what the config file says of TLS, or None: the keys themselves are in the file."""
    from lineage.server.config_file import tls_of_config

    config = _config_file(arguments)
    return None if config is None else tls_of_config(config)
