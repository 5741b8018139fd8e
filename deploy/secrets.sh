#!/bin/sh
# Make the secrets that docker-compose.yml, deploy/secure.yml and deploy/kubernetes read, in the folder secrets/ or the
# one that is named. What is there stays. The certificate is of an authority of this folder's own, ca.crt, which clients are to
# trust, for localhost and the names after the folder:
#
#   sh deploy/secrets.sh                         sh deploy/secrets.sh secrets lineage.example.org
set -eu
folder=${1:-secrets}
[ $# -eq 0 ] || shift
umask 077
mkdir -p "$folder"
# The folder is its owner's; the files in it are readable, because containers read them as users of their own.
chmod 700 "$folder"
made() { [ -s "$folder/$1" ]; }
word() { openssl rand -hex 24; }

made neo4j-auth || printf 'neo4j/%s\n' "$(word)" >"$folder/neo4j-auth"
made store-password || printf '%s\n' "$(word)" >"$folder/store-password"
made tokens || printf 'read-write %s writer\nread-only %s reader\n' "$(word)" "$(word)" >"$folder/tokens"
if ! made tls.crt; then
  names=DNS:localhost,IP:127.0.0.1,DNS:server,DNS:lineage-server
  for name in "$@"; do names=$names,DNS:$name; done
  openssl req -x509 -newkey rsa:3072 -nodes -days 3650 -subj "/CN=lineage authority" \
    -addext keyUsage=critical,keyCertSign,cRLSign \
    -keyout "$folder/ca.key" -out "$folder/ca.crt" 2>/dev/null
  openssl req -newkey rsa:3072 -nodes -subj "/CN=lineage" -keyout "$folder/tls.key" -out "$folder/tls.csr" 2>/dev/null
  printf 'subjectAltName=%s\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n' "$names" >"$folder/tls.ext"
  openssl x509 -req -days 825 -in "$folder/tls.csr" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -CAcreateserial \
    -extfile "$folder/tls.ext" -out "$folder/tls.crt" 2>/dev/null
  rm -f "$folder/tls.csr" "$folder/tls.ext" "$folder/ca.srl"
fi
(cd "$folder" && chmod 644 neo4j-auth store-password tokens tls.crt tls.key ca.crt)
[ ! -e "$folder/ca.key" ] || chmod 600 "$folder/ca.key"
