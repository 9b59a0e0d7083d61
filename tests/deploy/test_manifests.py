"""What the manifests say is true of this app: its processes, settings, routes, ports and signals."""

import re
from typing import Any

import pytest
from flask import Flask

import config
from deploy import healthy
from portal import create_app
from portal.database import engine_options
from tests.deploy import manifests
from tests.deploy.manifests import PROCESSES

OF_PYTHON = {"PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONUNBUFFERED"}
PINNED = r"\d+\.\d+(\.\d+)?(-[a-z-]+)?"
REAL_SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def routes() -> set[str]:
    """Those of the app; nothing connects."""
    app: Flask = create_app(
        config.load({"DATABASE_URL": "postgresql://nowhere/x", "DREAMLAND_ENV": "testing"})
    )
    return {rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}


def app_services(**environment: str) -> dict[str, dict[str, Any]]:
    """Those of compose that run this project's image."""
    services = manifests.compose(**environment)["services"]
    return {name: each for name, each in services.items() if "build" in each}


# --- Processes


def test_each_manifest_starts_the_procfile_s_processes_by_their_names() -> None:
    assert set(manifests.procfile()) == set(PROCESSES)
    assert manifests.fly()["processes"] == {name: name for name in PROCESSES}
    for name in PROCESSES:
        assert app_services()[name]["command"] == [name]
        [container] = manifests.pods()[name]["containers"]
        assert container["args"] == [name]


def test_they_all_go_through_the_image_s_entry_point() -> None:
    assert manifests.instruction("ENTRYPOINT") == '["/app/deploy/start"]'
    assert manifests.instruction("CMD") == '["web"]'
    assert manifests.instruction("WORKDIR") == "/app"
    assert not any("entrypoint" in each for each in app_services().values())
    overriding = {name for name, each in manifests.containers() if "command" in each}
    assert overriding == {f"{name}/migrated" for name in PROCESSES}


def test_every_process_waits_for_the_migration() -> None:
    assert app_services()["prepare"]["command"] == ["prepare"]
    assert manifests.fly()["deploy"]["release_command"] == "prepare"
    assert manifests.pods()["migrate"]["containers"][0]["args"] == ["prepare"]
    for name in PROCESSES:
        waits = app_services()[name]["depends_on"]
        assert waits["prepare"] == {"condition": "service_completed_successfully"}
        assert waits["postgres"] == waits["redis"] == {"condition": "service_healthy"}
        [first] = manifests.pods()[name]["initContainers"]
        assert first["command"] == ["python", "-m", "deploy.migrated"]


def test_there_is_one_scheduler() -> None:
    scheduler = manifests.named("Deployment", "scheduler")["spec"]
    assert (scheduler["replicas"], scheduler["strategy"]) == (1, {"type": "Recreate"})
    assert "deploy" not in app_services()["scheduler"]


def test_nobody_is_killed_in_the_middle_of_a_request() -> None:
    patience = int(re.findall(r"--workers-kill-timeout (\d+)", manifests.procfile()["web"])[0])
    web = manifests.pods()["web"]
    command = web["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert int(command[1]) + patience < web["terminationGracePeriodSeconds"]
    assert manifests.fly()["kill_signal"] == "SIGTERM"
    assert manifests.fly()["kill_timeout"] > patience
    for name in PROCESSES:
        assert int(app_services()[name]["stop_grace_period"].removesuffix("s")) > patience


# --- Settings and secrets


def test_every_variable_that_is_set_is_one_that_is_read() -> None:
    known = manifests.known_variables()
    assert {"DATABASE_URL", "PORT", "WEB_THREADS", "DREAMLAND_ENV"} <= known
    assert set(manifests.dockerfile_variables()) <= known | OF_PYTHON
    assert set(manifests.fly()["env"]) <= known
    assert set(manifests.named("ConfigMap", "dreamland")["data"]) <= known
    assert set(manifests.example_secret()["stringData"]) <= known
    for each in app_services().values():
        assert set(each["environment"]) <= known


def test_compose_is_for_development_unless_told_and_then_wants_a_secret() -> None:
    def settings(**environment: str) -> config.Settings:
        return config.load(app_services(**environment)["web"]["environment"])

    assert settings().environment == "development"
    with pytest.raises(config.ConfigError, match="SECRET_KEY must be set"):
        settings(DREAMLAND_ENV="production")
    mail = {"MAIL_URL": "smtp://mail.example.com", "MAIL_FROM": "no-reply@example.com"}
    told = {"SECRET_KEY": REAL_SECRET, "PUBLIC_URL": "https://dreamland.example.com", **mail}
    assert settings(DREAMLAND_ENV="production", **told).is_production


def test_compose_has_no_password_but_one_named_for_what_it_is() -> None:
    services = manifests.compose()["services"]
    password = services["postgres"]["environment"]["POSTGRES_PASSWORD"]
    assert password == "development-only-password"
    assert f":{password}@postgres" in services["web"]["environment"]["DATABASE_URL"]
    other = manifests.compose(POSTGRES_PASSWORD="another")
    assert password not in str(other)


def test_production_s_settings_load_and_its_example_secret_does_not_do() -> None:
    settings = dict(manifests.named("ConfigMap", "dreamland")["data"])
    example = manifests.example_secret()
    with pytest.raises(config.ConfigError, match="SECRET_KEY"):
        config.load(settings | example["stringData"])
    loaded = config.load(settings | example["stringData"] | {"SECRET_KEY": REAL_SECRET})
    assert loaded.is_production
    secrets = {"DATABASE_URL": "postgresql://x/y", "SECRET_KEY": REAL_SECRET}
    secrets["MAIL_URL"] = "smtps://mail.example.com"
    assert config.load(manifests.fly()["env"] | secrets).is_production


def test_every_container_reads_the_settings_and_the_secret_by_reference() -> None:
    secret = manifests.example_secret()["metadata"]["name"]
    assert set(manifests.example_secret()["stringData"]) >= {"DATABASE_URL", "SECRET_KEY"}
    for name, container in manifests.containers():
        sources = [{"configMapRef": {"name": "dreamland"}}, {"secretRef": {"name": secret}}]
        assert container["envFrom"] == sources, name
        assert "env" not in container
    assert not [each for each in manifests.objects() if each["kind"] == "Secret"]


# --- Images and rights


def test_images_are_pinned() -> None:
    bases = {rest.split()[0] for word, rest in manifests.dockerfile() if word == "FROM"}
    others = manifests.compose()["services"].values()
    for image in bases | {each["image"] for each in others if "build" not in each}:
        assert re.fullmatch(rf"[a-z]+:{PINNED}", image), image
    [ours] = manifests.kustomization()["images"]
    assert re.fullmatch(PINNED, ours["newTag"])
    assert {each["image"] for _, each in manifests.containers()} == {ours["name"]}


def test_the_servers_are_new_enough_and_keep_what_they_have() -> None:
    services = manifests.compose()["services"]
    assert int(re.findall(r"postgres:(\d+)", services["postgres"]["image"])[0]) >= 15
    assert services["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    assert services["redis"]["volumes"] == ["redis:/data"]
    words = services["redis"]["command"]
    assert words[words.index("--appendonly") + 1] == "yes"
    assert words[words.index("--maxmemory-policy") + 1] == "noeviction"


def test_the_database_has_connections_for_every_process() -> None:
    services = manifests.compose()["services"]
    allowed = int(services["postgres"]["command"][-1].removeprefix("max_connections="))
    settings = config.load(services["web"]["environment"])
    options = engine_options(settings)
    per_process = options["pool_size"] + options["max_overflow"]
    web = int(services["web"]["environment"]["WEB_WORKERS"]) * per_process
    assert web + 20 < allowed
    assert f"up to {web} connections" in (manifests.KUBERNETES / "web.yaml").read_text()


def test_no_container_runs_as_root_or_can_become_it() -> None:
    user = int(manifests.instruction("USER"))
    assert user >= 10000
    for pod in manifests.pods().values():
        context = pod["securityContext"]
        assert (context["runAsNonRoot"], context["runAsUser"]) == (True, user)
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is pod["enableServiceLinks"] is False
    for each in app_services().values():
        assert (each["read_only"], each["cap_drop"]) == (True, ["ALL"])
        assert each["security_opt"] == ["no-new-privileges:true"]


def test_every_container_is_locked_and_has_limits() -> None:
    for name, container in manifests.containers():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]


# --- Ports and probes


def test_one_port_is_meant_everywhere_and_only_the_web_s_is_published() -> None:
    port = int(manifests.dockerfile_variables()["PORT"])
    assert int(manifests.instruction("EXPOSE")) == port
    assert manifests.fly()["http_service"]["internal_port"] == port
    [exposed] = manifests.pods()["web"]["containers"][0]["ports"]
    assert exposed == {"name": "http", "containerPort": port}
    services = manifests.compose()["services"]
    published = {name: each["ports"] for name, each in services.items() if "ports" in each}
    assert published == {"web": [f"127.0.0.1:5000:{port}"]}
    assert manifests.dockerfile_variables()["HOST"] == "0.0.0.0"  # noqa: S104 - a container's


def test_probes_ask_for_routes_that_exist(routes: set[str]) -> None:
    [web] = manifests.pods()["web"]["containers"]
    probes = {name: web[name]["httpGet"] for name in web if name.endswith("Probe")}
    assert {name: each["path"] for name, each in probes.items()} == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }
    assert {each["port"] for each in probes.values()} == {"http"}
    [check] = manifests.fly()["http_service"]["checks"]
    assert {check["path"], *(each["path"] for each in probes.values())} <= routes


def test_what_has_no_port_is_asked_by_name() -> None:
    assert set(healthy.QUESTIONS) == set(PROCESSES)
    assert manifests.instruction("HEALTHCHECK").endswith(
        '["python", "-m", "deploy.healthy", "web"]'
    )
    for name in ("worker", "webhooks", "scheduler"):
        command = ["python", "-m", "deploy.healthy", name]
        [container] = manifests.pods()[name]["containers"]
        assert container["livenessProbe"]["exec"]["command"] == command
        assert app_services()[name]["healthcheck"]["test"] == ["CMD", *command]


# --- Kubernetes holds together


def test_every_file_of_kubernetes_is_applied_but_the_example() -> None:
    files = {path.name for path in manifests.kubernetes_files()}
    assert set(manifests.kustomization()["resources"]) == files - {manifests.EXAMPLE}


def test_every_object_is_in_the_one_namespace_and_says_what_it_belongs_to() -> None:
    space = manifests.kustomization()["namespace"]
    for each in manifests.objects():
        assert "app.kubernetes.io/component" in each["metadata"]["labels"]
        if each["kind"] == "Namespace":
            assert each["metadata"]["name"] == space
        else:
            assert each["metadata"]["namespace"] == space


def test_what_refers_to_another_object_finds_it() -> None:
    web = manifests.named("Deployment", "web")
    labels = web["spec"]["template"]["metadata"]["labels"]
    assert web["spec"]["selector"]["matchLabels"] == labels
    assert manifests.named("Service", "web")["spec"]["selector"] == labels
    scaled = manifests.named("HorizontalPodAutoscaler", "web")["spec"]["scaleTargetRef"]
    assert (scaled["kind"], scaled["name"]) == ("Deployment", "web")
    [rule] = manifests.named("Ingress", "web")["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": "web", "port": {"name": "http"}}
    for name in ("web", "worker"):
        budget = manifests.named("PodDisruptionBudget", name)["spec"]
        made = manifests.named("Deployment", name)["spec"]["template"]["metadata"]["labels"]
        assert budget["selector"]["matchLabels"] == made


def test_the_books_are_verified_every_night() -> None:
    job = manifests.named("CronJob", "verify")["spec"]
    assert job["concurrencyPolicy"] == "Forbid"
    assert manifests.pods()["verify"]["containers"][0]["args"] == ["verify"]
