"""Make trouble for stores, and check every acknowledged write: `make chaos`, or

    python -m tests.chaos [--seconds N] [--seed S] [--only NAME]...

Prints a line for each kind of trouble, and what is wrong below it; the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import random
import secrets
import shutil
import sys
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from tests.chaos.troubles import TROUBLES, Round
from tests.servers.neo4j import Neo4jServer, start_neo4j

SHOWN = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="make trouble, and look what is lost")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each kind of trouble (default: 20)")
    parser.add_argument(
        "--seed", default=secrets.token_hex(4), help="of what is done; not of when (default: a new one)"
    )
    parser.add_argument("--only", action="append", choices=TROUBLES, help="a kind of trouble; may be repeated")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="lineage-chaos-"))
    wrong = 0
    with ExitStack() as stack:

        @cache
        def server() -> Neo4jServer:
            return stack.enter_context(start_neo4j(heap="300m", page_cache="64m"))

        def empty() -> Neo4jServer:
            server().fresh()
            return server()

        for name in arguments.only or TROUBLES:
            round_ = Round(name, arguments.seconds, random.Random(f"{arguments.seed}/{name}"), folder, empty)
            TROUBLES[name](round_)
            print(round_, flush=True)
            for each in round_.wrong[:SHOWN]:
                print(f"  {each}", flush=True)
            if len(round_.wrong) > SHOWN:
                print(f"  and {len(round_.wrong) - SHOWN} more", flush=True)
            wrong += len(round_.wrong)
    if wrong:
        print(f"the journals are in {folder}", flush=True)
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
