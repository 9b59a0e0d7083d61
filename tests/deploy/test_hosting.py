"""docs/hosting.md: its commands name what there is."""

import re

import pytest
from flask import Flask

import config
from jobs.schedule import TABLE
from portal import create_app
from tests.deploy import manifests

TEXT = (manifests.ROOT / "docs" / "hosting.md").read_text()
MIGRATE = "app.kubernetes.io/component=migrate"


@pytest.fixture(scope="module")
def commands() -> set[str]:
    """Those of the app; nothing connects."""
    app: Flask = create_app(
        config.load({"DATABASE_URL": "postgresql://nowhere/x", "DREAMLAND_ENV": "testing"})
    )
    return set(app.cli.commands)


def said(pattern: str) -> set[str]:
    found = set(re.findall(pattern, TEXT))
    assert found, pattern
    return found


def test_every_word_for_the_entry_point_is_one_it_knows(commands: set[str]) -> None:
    known = commands | {"prepare", *manifests.PROCESSES}
    assert said(r"deploy/start ([a-z-]+)") <= known
    assert said(r"docker compose run --rm web ([a-z-]+)") <= commands


def test_every_service_of_compose_exists() -> None:
    services = set(manifests.compose()["services"])
    assert said(r"docker compose (?:run --rm|exec) (\w+)") <= services
    assert set(" ".join(said(r"logs --follow ([\w ]+)\n")).split()) <= services
    read = set(re.findall(r"\$\{([A-Z_]+):-", (manifests.ROOT / "docker-compose.yml").read_text()))
    section = TEXT.partition("## Docker Compose")[2].partition("\n## ")[0]
    assert set(re.findall(r"^([A-Z_]+)=", section, re.MULTILINE)) <= read


def test_every_object_of_kubernetes_exists() -> None:
    for kind, name in said(r"(deployment|job)(?:/| (?=migrate))([a-z]+)\b"):
        manifests.named(kind.title(), name)
    assert said(r"apply -k deploy/kubernetes -l (\S+)") == {MIGRATE}
    key, _, value = MIGRATE.partition("=")
    chosen = {
        each["kind"] for each in manifests.objects() if each["metadata"]["labels"].get(key) == value
    }
    assert chosen == {"Namespace", "ConfigMap", "Job"}


def test_every_variable_is_one_that_is_read() -> None:
    section = TEXT.partition("**Settings.**")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", section))
    assert len(named) > 6
    assert named <= manifests.known_variables()


def test_the_hour_of_the_nightly_check_is_the_real_one() -> None:
    [hour] = said(r"\((\d\d:\d\d) UTC each night\)")
    minute, at, *_ = manifests.named("CronJob", "verify")["spec"]["schedule"].split()
    assert hour == f"{int(at):02}:{int(minute):02}"
    [hour] = said(r"\(from (\d\d:\d\d) UTC on\)")
    [job] = [each for each in TABLE if each.id == "verify-books"]
    minute, at, *_ = job.cron.split()
    assert hour == f"{int(at):02}:{int(minute):02}"
