"""deploy/: what its files name is there, their linters pass, and compose.yaml's services work in a closed root."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

import tlcore
from deploy import check, steps
from tlcore import cli
from tlcore.commands import cluster, launch
from tlcore.errors import SpecError
from tlcore.people import keys

ROOT = Path(__file__).resolve().parents[1]
FILES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "deploy").iterdir() if path.is_file()}
ENV = {"LAB_SECRET": "x" * 64, "LAB_DB_PASSWORD": "password"}
IMAGE = steps.dockerfile()[-1]


def containers():
    """Return the container and the pod of each Deployment of kubernetes.yaml, by its name."""
    pods = {
        one["metadata"]["name"]: one["spec"]["template"]["spec"]
        for one in steps.objects()
        if one["kind"] == "Deployment"
    }
    return {name: (pod["containers"][0], pod) for name, pod in pods.items()}


@pytest.mark.parametrize("what", steps.LINTERS)
def test_the_linters_pass(what):
    program, *arguments = steps.LINTERS[what]
    path = Path(sys.executable).with_name(program)
    done = subprocess.run([path, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_for_kubernetes_is_short_and_has_its_parts():
    assert len(FILES["kubernetes.yaml"].splitlines()) <= 120
    kinds = {one["kind"] for one in steps.objects()}
    assert kinds >= {"Deployment", "Service", "PersistentVolumeClaim", "Secret", "NetworkPolicy"}
    server, _ = containers()["server"]
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(server)


@pytest.mark.parametrize("name", ["server", "scheduler", "worker"])
def test_every_command_is_one_of_the_lab(name):
    default = steps.words(IMAGE.last("CMD"))
    for command in (
        steps.services(ENV)[name].get("command", default),
        containers()[name][0].get("args", default),
    ):
        options = cli.parser().parse_args([str(word) for word in command])
        assert (
            options.do is {"server": launch.serve_command, "scheduler": cluster.schedule, "worker": cluster.work}[name]
        )
    assert steps.words(IMAGE.last("ENTRYPOINT"))[-3:] == ["python", "-m", "tlcore"]


def test_every_setting_is_one_that_the_lab_reads():
    code = "".join(
        path.read_text(encoding="utf-8") for folder in ("tlcore", "server") for path in (ROOT / folder).rglob("*.py")
    )
    named = {name for text in FILES.values() for name in re.findall(r"TRANSFER_LAB_[A-Z_]+", text)}
    names = {name.removesuffix("_MB").removesuffix("_PERSON") for name in named}
    assert named and [name for name in names if name.removeprefix("TRANSFER_LAB_") not in code] == []
    asked = set(re.findall(r"\$\{(\w+)", FILES["compose.yaml"]))
    assert asked == set(re.findall(r"^(\w+)=", FILES["example.env"], re.MULTILINE))
    with pytest.raises(KeyError, match="LAB_SECRET: Set it in .env"):
        steps.services({"LAB_DB_PASSWORD": "password"})


def test_ports_and_probes_are_those_of_the_server():
    assert IMAGE.last("EXPOSE") == str(launch.PORT) == IMAGE.env({"PATH": ""})["PORT"]
    routes = (ROOT / "app.py").read_text(encoding="utf-8")
    for path in re.findall(r"path: (/\w+)", FILES["kubernetes.yaml"]) + ["/healthz"]:
        assert f'"{path}"' in routes
    assert f":{launch.PORT}/healthz" in IMAGE.last("HEALTHCHECK")
    assert steps.services(ENV)["server"]["ports"] == [f"127.0.0.1:{launch.PORT}:{launch.PORT}"]
    assert f"dask://scheduler:{cluster.PORT}" in FILES["compose.yaml"] and "8786" in FILES["kubernetes.yaml"]
    ports = {port for name in ("compose.yaml", "kubernetes.yaml") for port in re.findall(r"\b8\d{3}\b", FILES[name])}
    assert ports == {str(launch.PORT), str(cluster.PORT)}


def test_versions_are_those_of_the_project():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    least = set(re.findall(r'requires-python = ">=(\d+\.\d+)"', project))
    assert {one for stage in steps.dockerfile() for one in re.findall(r"python:(\d+\.\d+)-", stage.base)} == least
    assert {one["image"] for one, _ in containers().values()} == {f"transfer-lab:{tlcore.__version__}"}
    assert f'version = "{tlcore.__version__}"' in project


def test_the_image_gets_the_whole_lab_and_nothing_else():
    copied = {name for step, said in steps.dockerfile()[0].steps if step == "COPY" for name in said.split()[:-1]}
    sent = set(steps.context())
    assert {path.partition("/")[0] for path in sent} == {name.partition("/")[0] for name in copied}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split("\n")
    if len(tracked) > 1:  # a clone, not an archive of one
        wanted = {path for path in tracked if path.partition("/")[0] in copied and (ROOT / path).exists()}
        assert wanted - sent == set()
        assert {path for path in sent - wanted if path.endswith((".mo", ".pyc", "secrets.toml"))} == set()


def test_a_secret_that_nobody_filled_in_is_refused():
    (secret,) = (one["stringData"] for one in steps.objects() if one["kind"] == "Secret")
    with pytest.raises(SpecError, match="TRANSFER_LAB_SECRET must have at least 32 characters"):
        keys(ROOT, secret)
    assert re.search(r"^LAB_SECRET=$", FILES["example.env"], re.MULTILINE)


def test_services_run_as_a_person_in_a_closed_root_with_one_volume():
    user = IMAGE.last("USER")
    assert user == "10001:10001" and IMAGE.last("VOLUME") == IMAGE.env({"PATH": ""})["TRANSFER_LAB_HOME"] == "/data"
    for service in (steps.services(ENV)[name] for name in ("server", "scheduler", "worker")):
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["volumes"] == ["lab:/data"]
    for container, pod in containers().values():
        closed = container["securityContext"]
        assert closed["readOnlyRootFilesystem"] and not closed["allowPrivilegeEscalation"]
        assert pod["securityContext"]["runAsUser"] == int(user.partition(":")[0])
    networks = yaml.safe_load(re.sub(r"\$\{[^}]*\}", "x", FILES["compose.yaml"]))["networks"]
    assert networks["inside"] == {"internal": True}
    inside = ("scheduler", "worker", "db")  # who reaches a plain dask port runs code
    assert all(steps.services(ENV)[name]["networks"] == ["inside"] for name in inside)


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.timeout(1800, func_only=True)
def test_the_services_of_compose_work_in_a_closed_root_without_a_network():
    if why := check.unable():
        pytest.skip(f"the steps cannot be done here: {why}")
    words = [sys.executable, ROOT / "deploy" / "check.py", "--packages", sys.prefix]
    done = subprocess.run(words, capture_output=True, text=True, timeout=1750)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        "nothing can be written to but the volume and /tmp  ",
        "there is no network  ",
        "two runs on the workers",
    ):
        assert line in done.stdout


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(900, func_only=True)
@pytest.mark.parametrize("moment", ["COPY tlcore", "there is no network", "db: "])
def test_a_check_that_is_told_to_stop_leaves_nothing_behind(moment):
    if why := check.unable():
        pytest.skip(f"the steps cannot be done here: {why}")
    shared = set(Path("/dev/shm").iterdir())
    with tempfile.TemporaryDirectory(prefix="t-") as place:  # short: a socket's path may have 107 characters
        os.chmod(place, 0o711)
        words = [sys.executable, ROOT / "deploy" / "check.py", "--unlinted", "--packages", sys.prefix]
        with subprocess.Popen(words, env=os.environ | {"TMPDIR": place}, stdout=subprocess.PIPE, text=True) as process:
            said = next((line for line in process.stdout or () if line.startswith(moment)), "")
            if not said or "NOT TRIED" in said:
                pytest.skip(f"this machine's check says nothing of {moment!r}: {said}")
            process.terminate()
            assert process.wait(120) == 128 + signal.SIGTERM
        assert list(Path(place).iterdir()) == []
        assert [path for path in Path("/proc").glob("[0-9]*/cmdline") if place in read(path)] == []
    left = {path for path in Path("/dev/shm").iterdir() if path.name.startswith("PostgreSQL")} - shared
    assert left == set()


def read(path):
    """Return what a file of a process says; "" of one that is gone."""
    with suppress(OSError):
        return path.read_text(errors="replace")
    return ""
