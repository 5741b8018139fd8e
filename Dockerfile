# The server, with every database that it can keep lineage in:
#
#   docker build --tag lineage .
#   docker run --rm --publish 127.0.0.1:8080:8080 --volume "$PWD/password:/run/secrets/store-password:ro" \
#     --env LINEAGE_STORE_PASSWORD_FILE=/run/secrets/store-password lineage --store neo4j://user@host:7687
#
# Pinned by digest: --build-arg PYTHON_IMAGE=python:3.12-slim@sha256:... docs/server.md says more.

ARG PYTHON_IMAGE=python:3.12-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --quiet hatchling
COPY pyproject.toml README.md LICENSE ./
COPY requirements/dev.txt requirements/
COPY lineage lineage
COPY backends backends
COPY cypher cypher
# The versions that the tests ran with; their hashes are left out because this package itself has none.
RUN sed -E 's/ *\\$//; /^ +--hash/d' requirements/dev.txt > /constraints.txt \
    && python -m venv /app \
    && /venv/bin/pip wheel --no-cache-dir --quiet --no-deps --no-build-isolation --wheel-dir /wheel . \
    && /app/bin/pip install --no-cache-dir --quiet --constraint /constraints.txt "$(echo /wheel/*.whl)[server,neo4j,mysql,postgres]"

FROM ${PYTHON_IMAGE}
RUN useradd --no-create-home --shell /usr/sbin/nologin --uid 10001 lineage
COPY --from=build /app /app
USER lineage
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=8s --start-period=20s CMD ["python", "-m", "lineage.server.probe", "--ready"]
STOPSIGNAL SIGTERM
# `docker stop` waits 10 s before it kills.
ENTRYPOINT ["lineage", "serve", "--host", "0.0.0.0", "--grace-s", "8"]
