"""The protocol of lineage.v1: what client and server share."""
