"""What deploy/ says, without a cluster or a container engine: schemas, secrets that fit, probes that are answered."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import kubernetes_validate  # type: ignore[import-untyped]  # typings/ is for pyright
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from ruamel.yaml import YAML

import lineage
from lineage.remote import connect
from lineage.server import Server, ServerOptions, Tls, TokenFile

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
KUBERNETES = "1.30"
"""The oldest whose schemas are asked."""


def documents(path: Path) -> list[dict[str, Any]]:
    return list(YAML(typ="safe").load_all(path))


ALL = [document for path in MANIFESTS for document in documents(path)]


def one(kind: str, name: str) -> dict[str, Any]:
    [found] = [each for each in ALL if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def pods() -> list[dict[str, Any]]:
    return [each["spec"]["template"] for each in ALL if "template" in each["spec"]]


def container(name: str) -> dict[str, Any]:
    found: dict[str, Any]
    [found] = [each for pod in pods() for each in pod["spec"]["containers"] if each["name"] == name]
    return found


@pytest.mark.parametrize("document", ALL, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_kubernetes_knows_every_field(document: dict[str, Any]) -> None:
    if document["kind"] == "ServiceMonitor":  # the Prometheus operator's: its fields are looked at below
        return
    kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_a_field_that_kubernetes_does_not_know_is_found() -> None:
    wrong = {**one("PodDisruptionBudget", "lineage-server"), "spec": {"minAvailabel": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES, strict=True)


def test_kustomize_finds_what_it_names() -> None:
    [customization] = documents(DEPLOY / "kustomization.yaml")
    named = [DEPLOY / each for each in customization["resources"]]
    assert {*named, DEPLOY / "kubernetes" / "servicemonitor.yaml"} == set(MANIFESTS)
    [scripts] = customization["configMapGenerator"]
    assert all((DEPLOY / file).is_file() for file in scripts["files"])
    assert {Path(file).name for file in scripts["files"]} == {each.name for each in (DEPLOY / "neo4j").iterdir()}
    [volume] = [
        each for each in one("Job", "lineage-login")["spec"]["template"]["spec"]["volumes"] if "configMap" in each
    ]
    assert volume["configMap"]["name"] == scripts["name"]
    images = {each["image"] for pod in pods() for each in pod["spec"]["containers"]}
    assert images == {each["name"] for each in customization["images"]}


def test_selectors_select_and_ports_are_there() -> None:
    for each in ALL:
        selector = each["spec"].get("selector") or {}
        labels = selector.get("matchLabels", selector)
        matched = [pod for pod in pods() if labels and labels.items() <= pod["metadata"]["labels"].items()]
        assert len(matched) == (each["kind"] != "Job"), each["metadata"]["name"]
        if each["kind"] == "Service":
            open_ports = {port["containerPort"] for part in matched[0]["spec"]["containers"] for port in part["ports"]}
            assert {port["port"] for port in each["spec"]["ports"]} == open_ports
    monitor, service = one("ServiceMonitor", "lineage-server"), one("Service", "lineage-server")
    assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
    assert monitor["spec"].keys() == {"selector", "endpoints"}
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    [endpoint] = monitor["spec"]["endpoints"]
    assert endpoint.keys() == {"port", "path", "interval"}
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}


def test_no_pod_runs_as_root_and_each_has_its_limit_of_memory() -> None:
    for pod in pods():
        assert pod["spec"]["securityContext"]["runAsNonRoot"]
        assert not pod["spec"]["enableServiceLinks"], "Neo4j's image takes NEO4J_PORT of a Service for a setting"
        for part in pod["spec"]["containers"]:
            assert part["resources"]["limits"]["memory"]
            assert part["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container("server")["securityContext"]["readOnlyRootFilesystem"]
    [user] = re.findall(r"--uid (\d+)", (ROOT / "Dockerfile").read_text())
    assert one("Deployment", "lineage-server")["spec"]["template"]["spec"]["securityContext"]["runAsUser"] == int(user)


def test_the_probes_ask_health_services_that_a_server_has() -> None:
    probes = [container("server")[f"{kind}Probe"]["grpc"] for kind in ("startup", "liveness", "readiness")]
    with (
        lineage.open_store("memory:") as store,
        Server(store, ServerOptions(port=0)) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        stub: Any = health_pb2_grpc.HealthStub(channel)
        for probe in probes:
            answer = stub.Check(health_pb2.HealthCheckRequest(service=probe.get("service", "")), timeout=10)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert probes[1].get("service", "") == "", "liveness"
    assert all(probe["port"] == 8080 for probe in probes)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deploy") / "secrets"
    subprocess.run(["sh", DEPLOY / "secrets.sh", folder, "lineage.example.org"], check=True, timeout=120)
    return folder


def test_the_secrets_are_those_that_compose_and_kubernetes_read(secrets: Path) -> None:
    made = {each.name for each in secrets.iterdir()}
    wanted: set[str] = set()
    for file in (ROOT / "docker-compose.yml", DEPLOY / "secure.yml"):
        wanted |= {Path(each["file"]).name for each in documents(file)[0]["secrets"].values()}
    assert made == wanted | {"ca.crt", "ca.key"}
    keys = {
        item["key"] for pod in pods() for v in pod["spec"]["volumes"] for item in v.get("secret", {}).get("items", ())
    }
    assert keys == {"neo4j-auth", "store-password", "tokens"}
    created = (DEPLOY / "kustomization.yaml").read_text()
    assert set(re.findall(r"--from-file=secrets/(\S+)", created)) == keys
    assert secrets.stat().st_mode & 0o077 == 0, "others of the host cannot get in"
    assert (secrets / "ca.key").stat().st_mode & 0o077 == 0


def test_made_again_the_secrets_stay(secrets: Path) -> None:
    before = {each.name: each.read_bytes() for each in secrets.iterdir()}
    subprocess.run(["sh", DEPLOY / "secrets.sh", secrets], check=True, timeout=120)
    assert {each.name: each.read_bytes() for each in secrets.iterdir()} == before
    assert len(set(before.values())) == len(before)


def test_a_server_with_the_secrets_lets_in_who_has_a_token_and_trusts_its_authority(secrets: Path) -> None:
    tls = Tls.from_files(str(secrets / "tls.crt"), str(secrets / "tls.key"), None)
    options = ServerOptions(port=0, tls=tls, tokens=TokenFile(str(secrets / "tokens")))
    words = dict(line.split()[:2] for line in (secrets / "tokens").read_text().splitlines())
    with lineage.open_store("memory:") as store, Server(store, options) as server:
        url = f"grpcs://localhost:{server.address.rpartition(':')[2]}"
        with connect(url, ca=str(secrets / "ca.crt"), token=words["read-write"]) as client:
            assert client.put_artifact_type(lineage.ArtifactType(name="T")) == 10
        with connect(url, ca=str(secrets / "ca.crt"), token=words["read-only"]) as client:
            assert client.get_artifact_type("T").id == 10
            with pytest.raises(lineage.errors.PermissionDeniedError):
                client.put_artifact_type(lineage.ArtifactType(name="U"))


def test_the_variant_with_tokens_and_tls_fits_what_it_is_laid_over() -> None:
    [base], [secure] = documents(ROOT / "docker-compose.yml"), documents(DEPLOY / "secure.yml")
    given = {*base["services"]["server"]["secrets"], *secure["services"]["server"]["secrets"]}
    command = secure["services"]["server"]["command"]
    read = {word.partition("/run/secrets/")[2] for word in command if "/run/secrets/" in word}
    assert read | {"store-password"} == given
    assert given <= {*base["secrets"], *secure["secrets"]}
    known = subprocess.run(
        [sys.executable, "-m", "lineage", "serve", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert all(word.partition("=")[0] in known for word in command)


def test_a_server_s_address_has_no_password_in_compose_and_kubernetes() -> None:
    environment = {each["name"]: each["value"] for each in container("server")["env"]}
    assert environment == documents(ROOT / "docker-compose.yml")[0]["services"]["server"]["environment"]
    assert environment["LINEAGE_STORE"] == "bolt://lineage@neo4j:7687"
