#!/bin/sh
# Give the server a login of its own, `lineage`, with the password of the secret, and set it anew when the secret has
# changed. Runs in Neo4j's image, when the database answers. Where the edition has roles the login is no administrator; in
# the Community edition every login is one, and this one can at least be changed without touching the user neo4j.
set -eu
auth=$(cat /run/secrets/neo4j-auth)
export NEO4J_USERNAME=neo4j NEO4J_PASSWORD="${auth#neo4j/}"
shell() { cypher-shell --address "${NEO4J_ADDRESS:-bolt://neo4j:7687}" --database system --format plain --fail-fast "$@"; }
{
  printf ":param password => '%s';\n" "$(cat /run/secrets/store-password)"
  cat /deploy/login.cypher
} | shell
case $(shell "CALL dbms.components() YIELD edition RETURN edition") in
  *enterprise*) shell --file /deploy/role.cypher ;;
esac
