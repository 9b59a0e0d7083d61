"""The manifests as data: what each says of images, processes, variables and containers."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
PROCESSES = ("web", "worker", "webhooks", "scheduler")
NOT_OBJECTS = ("kustomization.yaml",)
EXAMPLE = "secret.example.yaml"


def dockerfile() -> list[tuple[str, str]]:
    """Its instructions with what follows them, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines) if word]


def instruction(name: str) -> str:
    """The last of its kind, which is the one that holds."""
    return [rest for word, rest in dockerfile() if word == name][-1]


def compose(**environment: str) -> dict[str, Any]:
    """docker-compose.yml as it is read with an environment: ${NAME:-default} filled in."""

    def value(found: re.Match[str]) -> str:
        return environment.get(found[1]) or found[2]

    text = (ROOT / "docker-compose.yml").read_text()
    filled = re.sub(r"\$\{([A-Z_]+):-([^}]*)\}", value, text)
    assert "${" not in filled, "a variable without a default"
    made: dict[str, Any] = yaml.safe_load(filled)
    return made


def fly() -> dict[str, Any]:
    return tomllib.loads((ROOT / "deploy" / "fly" / "fly.toml").read_text())


def kustomization() -> dict[str, Any]:
    made: dict[str, Any] = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    return made


def kubernetes_files() -> list[Path]:
    return [path for path in sorted(KUBERNETES.glob("*.yaml")) if path.name not in NOT_OBJECTS]


def objects() -> list[dict[str, Any]]:
    """Every object of Kubernetes that is applied."""
    applied = [path for path in kubernetes_files() if path.name != EXAMPLE]
    return [each for path in applied for each in yaml.safe_load_all(path.read_text())]


def example_secret() -> dict[str, Any]:
    made: dict[str, Any] = yaml.safe_load((KUBERNETES / EXAMPLE).read_text())
    return made


def named(kind: str, name: str) -> dict[str, Any]:
    [found] = [o for o in objects() if o["kind"] == kind and o["metadata"]["name"] == name]
    return found


def pods() -> dict[str, dict[str, Any]]:
    """The specification of each kind of pod, by the name of what makes it."""
    found = {}
    for each in objects():
        spec = each.get("spec", {})
        if each["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if "template" in spec:
            found[each["metadata"]["name"]] = spec["template"]["spec"]
    return found


def containers() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, pod in pods().items():
        for each in [*pod.get("initContainers", []), *pod["containers"]]:
            yield f"{name}/{each['name']}", each


def procfile() -> dict[str, str]:
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {name: command for name, _, command in (line.partition(": ") for line in lines)}


def known_variables() -> set[str]:
    """What config.py and the Procfile read."""
    settings = re.findall(r"(?:env, |env\.get\()\"([A-Z_]+)\"", (ROOT / "config.py").read_text())
    return {*settings, *re.findall(r"\$\{([A-Z_]+)", " ".join(procfile().values()))}


def dockerfile_variables() -> dict[str, str]:
    found: Mapping[str, str] = dict(
        pair.split("=", 1) for word, rest in dockerfile() if word == "ENV" for pair in rest.split()
    )
    return dict(found)
