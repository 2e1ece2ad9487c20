"""The files of docs/deploy are what their tools take, and say what this package understands."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from places import TOP

from queued_gspread.cli import health, server
from queued_gspread.cli.options import Parser

DEPLOY = TOP / "docs" / "deploy"
PRODUCTION = TOP / "docs" / "production.md"
KUBERNETES = DEPLOY / "kubernetes"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
RESOURCES = [path for path in sorted(KUBERNETES.glob("*.yaml")) if path.stem != "kustomization"]
# A tool that pip has installed is beside Python.
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


@pytest.fixture
def tool():
    """Return what runs a tool, and returns what it has printed."""

    def run(name, *arguments, **options):
        program = shutil.which(name, path=PATH)
        if program is None:
            pytest.skip(f"there is no {name}")
        command = [program, *map(str, arguments)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return run


def options(words, module=server):
    """Return the options of a command line, which it has to have."""
    parser = Parser("command")
    module.add_options(parser)
    return parser.parse_args(words)


def unit(path):
    """Return what stands in a unit; of names that are there more than once, the last."""
    parsed = configparser.ConfigParser(interpolation=None, strict=False)
    parsed.optionxform = str
    parsed.read_string(path.read_text())
    return parsed


@pytest.fixture
def installed(tmp_path):
    """Return what installs a unit in a folder, with a program there that can be run."""

    def install(path):
        text = path.read_text()
        program = shlex.split(unit(path)["Service"]["ExecStart"])[0]
        copy = tmp_path / path.name
        copy.write_text(text.replace(program, shutil.which("true")))
        return copy

    return install


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_takes_the_unit(path, tool, installed):
    """A unit is one that systemd has nothing to say against."""
    found = tool("systemd-analyze", "verify", installed(path))
    assert (found.stdout, found.stderr) == ("", "")


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_the_unit_is_exposed_to_little(path, tool, installed):
    """A unit is kept from the rest of the machine: by systemd's own measure, 2.5 of 10 at most."""
    tool("systemd-analyze", "security", "--offline=true", "--threshold=25", installed(path))


def test_the_units_are_held_off_alike():
    """Each unit has the same of what keeps it from the rest of the machine."""
    walls = {path.read_text().partition("\nDynamicUser=")[2] for path in UNITS}
    assert len(walls) == 1
    assert "SystemCallFilter=" in walls.pop()


def test_the_unit_is_for_this_server():
    """The unit has options of the server's, the key as its credential, and patience for its end."""
    found = unit(DEPLOY / "systemd" / "queued-gspread.service")["Service"]
    program, *words = shlex.split(found["ExecStart"])
    assert program == "/opt/queued-gspread/bin/queued-gspread-server"
    given = options(words)
    name, source = found["LoadCredential"].split(":")
    assert given.service_account == [f"${{CREDENTIALS_DIRECTORY}}/{name}"]
    assert (found["Type"], source) == ("notify", "/etc/queued-gspread/service_account.json")
    assert given.shutdown_timeout < float(found["TimeoutStopSec"])


def test_the_environment_is_that_of_a_server(monkeypatch):
    """The example of an environment has variables that the server reads."""
    lines = (DEPLOY / "redis.env.example").read_text().splitlines()
    variables = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert list(variables) == ["QUEUED_GSPREAD_REDIS_URL"]
    assert options([]).redis_url == variables["QUEUED_GSPREAD_REDIS_URL"]


def test_the_linter_takes_the_dockerfile(tool):
    """The Dockerfile is one that hadolint has nothing to say against."""
    found = tool("hadolint", DEPLOY / "Dockerfile")
    assert (found.stdout, found.stderr) == ("", "")


def test_the_image_is_what_it_should_be():
    """The image runs as a number that is not root, by commands without a shell, and is checked."""
    lines = (DEPLOY / "Dockerfile").read_text().replace("\\\n", "").splitlines()
    final = lines[max(at for at, line in enumerate(lines) if line.startswith("FROM")) :]
    said = dict(line.split(maxsplit=1) for line in final if line and not line.startswith("#"))
    assert all(int(number) > 0 for number in said["USER"].split(":"))
    check, command = said["HEALTHCHECK"].split(" CMD ")
    assert yaml.safe_load(command) == ["queued-gspread", "health"]
    seconds = dict(re.findall(r"--(\w+)=(\d+)s", check))
    assert options([], health).health_timeout < float(seconds["timeout"])
    assert yaml.safe_load(said["CMD"]) == ["queued-gspread-server"]


def test_the_image_has_extras_that_there_are():
    """The extras of the image are the package's own."""
    (listed,) = re.findall(r'"\.\[([a-z,]+)\]"', (DEPLOY / "Dockerfile").read_text())
    optional = (
        (TOP / "pyproject.toml").read_text().partition("[project.optional-dependencies]\n")[2]
    )
    assert set(listed.split(",")) <= set(re.findall(r"^(\w+) = \[", optional, re.MULTILINE))


def test_the_image_is_made_of_what_is_there():
    """What the Dockerfile copies is there, and is what its list of ignored files lets through."""
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text()
    assert names == set(re.findall(r"^!(.+)$", ignored, re.MULTILINE))
    assert [name for name in names if not (TOP / name).exists()] == []


def test_the_page_names_what_is_there():
    """Files of docs/deploy that the page on production names are there, or are yours to bring."""
    named = set(re.findall(r"docs/deploy[\w./-]*\w", PRODUCTION.read_text()))
    yours = {"service_account.json", "redis.env"}
    assert len(named) > 5
    assert [
        name for name in named if not (TOP / name).exists() and Path(name).name not in yours
    ] == []


def test_the_page_has_each_alert():
    """The page on production says what to do at each alert that the rules have, and at no other."""
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    section = (
        PRODUCTION.read_text().partition("## What to do at an alert\n")[2].partition("\n## ")[0]
    )
    told = re.findall(r"^\| `(\w+)`[^|]*\| \S[^|]*\| \S[^|]*\|$", section, re.MULTILINE)
    assert sorted(f"QueuedGspread{name}" for name in told) == sorted(alerts)


@pytest.fixture
def composed():
    """Return what the Compose file says."""
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_compose_takes_its_file(tool, tmp_path):
    """Compose has nothing to say against its file."""
    key = tmp_path / "service_account.json"
    key.write_text("{}")
    variables = {**os.environ, "SERVICE_ACCOUNT_FILE": str(key)}
    found = tool("docker-compose", "-f", DEPLOY / "compose.yaml", "config", "-q", env=variables)
    assert (found.stdout, found.stderr) == ("", "")


def test_the_services_are_for_this_server(composed):
    """Two servers have the key and options of theirs, and Redis keeps all and is not published."""
    services = composed["services"]
    servers = [service for name, service in services.items() if name.startswith("server-")]
    assert len(servers) == 2
    for service in servers:
        program, *words = service["command"]
        assert program == "queued-gspread-server"
        given = options(words)
        assert [Path(each).name for each in given.service_account] == service["secrets"][:1]
        assert given.shutdown_timeout < float(service["stop_grace_period"].rstrip("s"))
    for service in services.values():
        assert set(service.get("depends_on", [])) <= set(services)
        assert set(service.get("secrets", [])) <= set(composed["secrets"])
    redis = services["redis"]
    assert "ports" not in redis
    assert redis["command"] == shlex.split(
        "redis-server --appendonly yes --maxmemory-policy noeviction"
    )


@pytest.mark.parametrize("path", RESOURCES, ids=lambda path: path.name)
def test_kubernetes_takes_its_resources(path, tool):
    """Each resource has the fields that Kubernetes knows, and no other."""
    tool("kubernetes-validate", "--strict", "--quiet", path)


def test_kustomize_makes_resources_that_kubernetes_takes(tool, tmp_path):
    """With a key and an environment beside it, the folder is made into valid resources."""
    folder = shutil.copytree(KUBERNETES, tmp_path / "kubernetes")
    (folder / "service_account.json").write_text("{}")
    shutil.copy(DEPLOY / "redis.env.example", folder / "redis.env")
    made = tmp_path / "made.yaml"
    made.write_text(tool("kubectl", "kustomize", folder).stdout)
    kinds = [resource["kind"] for resource in yaml.safe_load_all(made.read_text())]
    assert sorted(kinds) == ["Deployment", "PodDisruptionBudget", "Secret", "Secret"]
    tool("kubernetes-validate", "--strict", "--quiet", made)


def test_the_pods_are_for_this_server():
    """Two pods have the key and options of the server's, and are asked where it answers."""
    (found,) = yaml.safe_load_all((KUBERNETES / "deployment.yaml").read_text())
    pod = found["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    program, *words = container["command"]
    assert (found["spec"]["replicas"], program) == (2, "queued-gspread-server")
    given = options(words)
    (key,) = map(Path, given.service_account)
    assert str(key.parent) == container["volumeMounts"][0]["mountPath"]
    made = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["secretGenerator"]
    assert key.name in made[0]["files"]
    assert pod["volumes"][0]["secret"]["secretName"] == made[0]["name"]
    assert container["envFrom"][0]["secretRef"]["name"] == made[1]["name"]
    assert given.metrics_port == container["ports"][0]["containerPort"]
    assert given.shutdown_timeout < pod["terminationGracePeriodSeconds"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
