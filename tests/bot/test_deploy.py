"""What `deploy/` holds fits the program, and promises what it keeps. No image is built here; the files are read."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT

from bot.settings import Settings

DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
SETTINGS = {f"BULLETPROOF_{name.upper()}" for name in Settings.model_fields}
TEXTS = sorted(p for p in DEPLOY.rglob("*") if p.is_file() and "action" not in p.parts)


def manifests() -> dict[str, dict[str, Any]]:
    """The Kubernetes objects, by kind."""
    found = [yaml.safe_load(p.read_text()) for p in sorted(KUBERNETES.glob("*.yaml"))]
    return {each["kind"]: each for each in found}


def dockerfile() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (DEPLOY / "Dockerfile").read_text())
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in text.splitlines()) if word.isupper()]


def test_names_of_settings() -> None:
    """Every setting that a file names is one that the program reads."""
    for path in TEXTS:
        said = set(re.findall(r"BULLETPROOF_[A-Z_]+", path.read_text()))
        assert said <= SETTINGS, path


def test_the_image() -> None:
    """Short names of base images, hash-pinned packages, no root, and nothing copied that is not there."""
    said = dockerfile()
    for word, rest in said:
        if word == "FROM":
            assert re.fullmatch(r"[a-z]+:[\w.-]+( AS \w+)?", rest), "the base image by its short name"
        if word == "COPY" and not rest.startswith("--"):
            assert all((ROOT / name).exists() for name in rest.split()[:-1]), rest
    installs = [rest for word, rest in said if word == "RUN" and "pip install" in rest]
    assert installs
    assert all("--require-hashes" in each and "-r " in each for each in installs)
    assert [rest for word, rest in said if word == "USER"] == ["10001:10001"]
    assert said.index(("USER", "10001:10001")) < next(n for n, (word, _) in enumerate(said) if word == "ENTRYPOINT")
    assert not any("://" in rest and "127.0.0.1" not in rest for _, rest in said), "no address but our own"
    sent = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {n for word, rest in said if word == "COPY" and not rest.startswith("--") for n in rest.split()[:-1]}
    assert copied == sent


def test_the_lock_file_is_whole() -> None:
    """Every package of the image is pinned to a version, with its hashes."""
    packages = re.split(r"\n(?=\S)", (ROOT / "requirements.txt").read_text().strip())
    pinned = [each for each in packages if not each.startswith("#")]
    assert len(pinned) > 30
    assert all("==" in each and "--hash=sha256:" in each for each in pinned)


def test_compose() -> None:
    """One service, without rights, on the port that the program listens on, its data in a volume."""
    said = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    [service] = said["services"].values()
    assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert service["ports"] == [f"127.0.0.1:{Settings.model_fields['port'].default}:8000"]
    assert set(said["volumes"]) == {each.split(":")[0] for each in service["volumes"]}


def test_kubernetes() -> None:
    """The objects belong together, run without rights, and can be probed before there is an App."""
    found = manifests()
    assert set(found["Kustomization"]["resources"]) == {p.name for p in KUBERNETES.glob("*.yaml")} - {
        "kustomization.yaml"
    }
    pod = found["StatefulSet"]["spec"]["template"]
    labels = pod["metadata"]["labels"]
    assert found["StatefulSet"]["spec"]["selector"]["matchLabels"] == labels
    assert found["Service"]["spec"]["selector"] == labels
    assert found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    [container] = pod["spec"]["containers"]
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    [port] = container["ports"]
    assert found["Service"]["spec"]["ports"][0]["targetPort"] == port["name"]
    assert found["NetworkPolicy"]["spec"]["ingress"][0]["ports"][0]["port"] == port["containerPort"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": "/healthz", "port": port["name"]}
    volumes = {v["name"] for v in pod["spec"]["volumes"]} | {
        v["metadata"]["name"] for v in found["StatefulSet"]["spec"]["volumeClaimTemplates"]
    }
    assert volumes == {mount["name"] for mount in container["volumeMounts"]}


@pytest.mark.parametrize("path", [p for p in TEXTS if p.suffix == ".md"], ids=lambda p: p.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Files that the runbook names are there."""
    for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (path.parent / link).exists(), link
