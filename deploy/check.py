"""``make deploy-check``: lint what is in this folder, and do without a container runtime what it would have done.

The Dockerfile's steps are done in order in a root of their own: the machine's programs, read-only, and a fresh virtual
environment. Then compose.yaml's services are started by their very commands, as another user, with nothing writable but
the volume and /tmp, and without a network. Needs Linux, and root for its mounts. ``--keep FOLDER`` builds there, and
goes on with what is built; ``--packages VENV`` takes those of an environment in place of installing them;
``--unlinted`` leaves out the linters.
"""

import argparse
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import postgres_server  # noqa: E402

from deploy import steps  # noqa: E402

VENV, APP, VOLUME = "/opt/venv", "/app", "/data"
BARE = ("usr", "lib", "lib32", "lib64", "bin", "sbin", "etc")  # of the machine, where a service runs
PASSED = re.compile(r"PIP_\w+|\w+_PROXY|\w+_proxy|SSL_CERT_\w+|REQUESTS_CA_BUNDLE")  # of the person, to a build
START_S = 900.0  # on a machine that others use too, the first import of TensorFlow takes minutes
RUN = """
import json, sys, time, urllib.request
from tlcore.datasets import samples
from tlcore.people import Person
from tlcore.people.tokens import Tokens
from tlcore.spec import DataSpec, FineTuneSpec, Phase
from tlcore.store import Store
store = Store()
spec = FineTuneSpec(data=DataSpec(per_class=20), phases=(Phase(2, ("conv_1", "conv_2")),))
ids = [store.create(spec, owner="a" * 32).id for _ in range(2)]
until = time.monotonic() + 600
while not all(store.get(id).final for id in ids) and time.monotonic() < until:
    time.sleep(0.2)
runs = [store.get(id) for id in ids]
token, _ = Tokens(store).make(Person("a" * 32))
items, _ = samples(spec.data.target, 1)
body = json.dumps({"model": f"run:{ids[0]}", "pixels": items[0].reshape(28, 28).tolist()}).encode()
headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
asked = urllib.request.Request("http://127.0.0.1:8501/api/predict", body, headers)
answer = json.load(urllib.request.urlopen(asked, timeout=120))
print(json.dumps({"runs": [[run.state, run.worker, run.accuracy] for run in runs], "label": answer["label"]}))
"""


class NotSo(Exception):
    """Something that the files promise is not so."""


def tell(what: str, outcome: object, began: float | None = None) -> None:
    took = "" if began is None else f"{time.monotonic() - began:6.1f} s"
    print(f"{what:<58} {outcome!s:<50} {took}".rstrip(), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    parser.add_argument("--packages", type=Path, metavar="VENV")
    parser.add_argument("--unlinted", action="store_true", help="do the steps alone")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # as after Ctrl+C: what was made goes
    try:
        if options.inside:
            serve(options.inside)
            return 0
        if not options.unlinted:
            lint()
        if missing := unable():
            tell("the steps themselves", f"NOT TRIED: {missing}")
            return 0
        with tempfile.TemporaryDirectory(prefix="deploy-") as place:
            os.chmod(place, 0o711)  # Postgres is another user
            folder = (options.keep or Path(place) / "image").resolve()
            build(folder, options.packages)
            words = ["--net", "--ipc", sys.executable, __file__, "--inside", folder]
            return apart(*words, env=os.environ | {"TMPDIR": place})
    except NotSo as error:
        print(f"NOT SO: {error}", file=sys.stderr)
        return 1


def unable() -> str:
    """Return why this machine cannot do the steps; "" where it can."""
    if sys.platform != "linux" or os.geteuid():
        return "they need Linux, and root for the mounts"
    missing = [name for name in ("unshare", "mount", "chroot") if not shutil.which(name)]
    if missing:
        return f"there is no {missing[0]} here"
    done = subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "true"], capture_output=True, text=True)
    return done.stderr.strip() if done.returncode else ""


def apart(*words: str | Path, env: Mapping[str, str] | None = None) -> int:
    """Run a command with mounts and processes of its own; these end when this process is told to."""
    own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    process = subprocess.Popen([*own, *words], env=env)
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            first = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            for pid in first or [process.pid]:  # with the first one all go, and unshare ends once they are gone
                os.kill(int(pid), signal.SIGKILL)
            process.wait()


def lint() -> None:
    """Hold the files against their linters and schemas."""
    for what, (program, *arguments) in steps.LINTERS.items():
        path = Path(sys.executable).with_name(program)
        done = subprocess.run([path, *arguments], cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise NotSo(f"{program}: {done.stdout}{done.stderr}")
        tell(f"{what} passes {program}", "yes")


# -- what docker build does --------------------------------------------------------------------------------------------


def build(folder: Path, packages: Path | None) -> None:
    """Do the steps of the Dockerfile's first stage; say which of the second cannot be done here."""
    began = time.monotonic()
    built, image = steps.dockerfile()
    for base in (built.base, image.base):
        wanted = re.search(r"python:(\d+\.\d+)", base)
        if wanted and wanted[1] != f"{sys.version_info.major}.{sys.version_info.minor}":
            tell(f"FROM {base}", f"tried with Python {sys.version.split()[0]}")
    tell("the base image and its packages", "NOT TRIED: no container runtime; this machine's programs instead")
    if not (folder / "built").exists():
        for name in ("app", "data"):
            (folder / name).mkdir(parents=True)
        if packages:
            (folder / "venv").symlink_to(packages.resolve())
            tell("the packages", f"NOT TRIED: those of {packages}")
        else:
            (folder / "venv").mkdir()
        cwd = "/"
        for name, said in built.steps:
            step = time.monotonic()
            if name == "WORKDIR":
                cwd = said
            elif name == "COPY":
                copy(said, folder / "app")
            elif packages and name == "RUN" and ("-m venv" in said or f"{VENV}/lib" in said or "pip install" in said):
                continue
            elif name == "RUN":
                in_build(folder, built.env({}), cwd, said)
            else:
                continue
            tell(f"{name} {said}"[:57], "done", step)
        (folder / "built").touch()
    for name, said in image.steps:
        if name == "RUN":
            simulate(said)
    borrowed = (folder / "venv").is_symlink()
    parts = {"the lab": "app"} if borrowed else {"packages": "venv", "the lab": "app"}
    sizes = ", ".join(f"{size_mb(folder / name):,.0f} MB of {what}" for what, name in parts.items())
    tell("what the image adds to its base", sizes, began)


def copy(said: str, to: Path) -> None:
    """Copy what a COPY line names of what .dockerignore lets through."""
    *names, target = said.split()
    paths = [path for path in steps.context() if any(path == name or path.startswith(f"{name}/") for name in names)]
    if not paths:
        raise NotSo(f"COPY {said}: nothing of that goes to the build")
    for path in paths:
        place = to / (path if target == "./" else path.replace(names[0], target, 1))
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, place)


def in_build(folder: Path, env: dict[str, str], cwd: str, command: str) -> None:
    """Execute a RUN line where all of the machine is read-only but the image's own folders."""
    env = {name: value for name, value in os.environ.items() if PASSED.fullmatch(name)} | env
    env |= {"PATH": f"{sys.base_prefix}/bin:/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp"}
    mounts = (
        "import sys; sys.path.insert(0, sys.argv[1]); from deploy import check; from pathlib import Path; "
        "check.mount_root(Path(sys.argv[2]), whole=True)"
    )
    root = folder / "root"
    words = ["chroot", str(root), "/usr/bin/env", "-i", "-C", cwd, *(f"{k}={v}" for k, v in env.items()), "sh", "-c"]
    script = '"$1" -c "$2" "$3" "$4" && shift 4 && exec "$@"'
    code = apart("sh", "-c", script, "sh", sys.executable, mounts, str(ROOT), str(folder), *words, command)
    if code:
        raise NotSo(f"RUN {command} ended with {code}")


def simulate(said: str) -> None:
    """Ask apt whether the packages of a RUN line can be installed; change nothing."""
    match = re.search(r"apt-get install (.*?)(?:&&|$)", said)
    packages = [word for word in match[1].split() if not word.startswith("-")] if match else []
    if not packages or not shutil.which("apt-get"):
        tell(f"RUN {said}"[:57], "NOT TRIED")
        return
    words = ["apt-get", "install", "--simulate", "--no-install-recommends", *packages]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise NotSo(f"{' '.join(words)}: {done.stderr.strip()}")
    tell(f"apt-get install {' '.join(packages)}"[:57], "simulated alone: the root is the machine's")


def size_mb(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.resolve().rglob("*")) / 2**20


def mount_root(folder: Path, whole: bool = False) -> Path:
    """Mount a root in ``folder``, in this process's own namespace, and return it.

    Parameters
    ----------
    whole : everything of the machine is seen, and the image's folders can be written to; else the least, read-only
    """
    root = folder / "root"
    root.mkdir(exist_ok=True)
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "tmpfs", root)
    kept_out = {"proc", "dev", "sys", "tmp", "run", "opt", "data", "app", "home", "root", "mnt", "media", "lost+found"}
    names = sorted(set(os.listdir("/")) - kept_out) if whole else BARE
    for name in names:
        show(root, Path("/") / name)
    for path in Path("/opt").iterdir() if whole and Path("/opt").exists() else ():
        if path.name != "venv":
            show(root, path)
    show(root, Path(sys.base_prefix))
    for name in ("proc", "tmp", "dev", "home/lab", "root", VENV[1:], APP[1:], VOLUME[1:]):
        (root / name).mkdir(parents=True, exist_ok=True)
    mount("-t", "proc", "proc", root / "proc")
    mount("--rbind", "/dev", root / "dev")
    mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", root / "tmp")
    for name, place in (("venv", VENV), ("app", APP), ("data", VOLUME)):
        mount("--bind", (folder / name).resolve(), root / place[1:])
        if not whole and place != VOLUME:
            mount("-o", "remount,bind,ro", root / place[1:])
    if not whole:
        hosts = folder / "hosts"
        names = " ".join((os.uname().nodename, *steps.services(secret_words())))
        hosts.write_text(f"127.0.0.1 localhost {names}\n")
        mount("--bind", hosts, root / "etc" / "hosts")
        mount("-o", "remount,ro", root)
    return root


def show(root: Path, path: Path) -> None:
    """Have a part of the machine seen in a root, read-only; a link stays one."""
    place = root / str(path)[1:]
    if place.exists() or not path.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        place.symlink_to(os.readlink(path))
    elif path.is_dir():
        place.mkdir()
        mount("--rbind", path, place)
        mount("-o", "remount,bind,ro", place)


def mount(*words: object) -> None:
    subprocess.run(["mount", *map(str, words)], check=True)


# -- what docker compose up does ---------------------------------------------------------------------------------------


def secret_words() -> dict[str, str]:
    return {"LAB_SECRET": "x" * 64, "LAB_DB_PASSWORD": "password"}


def serve(folder: Path) -> None:
    """Start the services in this process's own namespaces, and hold them against what the files promise."""
    subprocess.run([sys.executable, "-c", LOOPBACK], check=True)
    mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/dev/shm")
    root = mount_root(folder)
    services = steps.services({"LAB_SECRET": secrets.token_hex(32), "LAB_DB_PASSWORD": secrets.token_hex(8)})
    image = steps.dockerfile()[-1]
    user = image.last("USER")
    os.chown(folder / "data", *map(int, user.split(":")))
    base = image.env({"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/home/lab"})
    entry = steps.words(image.last("ENTRYPOINT"))
    if entry[0] == "tini" and not shutil.which("tini"):
        tell("tini", "NOT TRIED: it is not on this machine")
        entry = entry[entry.index("--") + 1 :]

    def words(env: dict[str, str], *command: str) -> list[str]:
        inside = ["/usr/bin/env", "-i", "-C", image.last("WORKDIR"), *(f"{k}={v}" for k, v in env.items()), *command]
        return ["chroot", f"--userspec={user}", "--groups=", str(root), *inside]

    def ask(*command: str, env: dict[str, str] = base, timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words(env, *command), capture_output=True, text=True, timeout=timeout_s)

    closed(ask)
    with database(services["db"]) as found:
        if not found:
            for name in ("server", "scheduler", "worker"):
                del services[name]["environment"]["TRANSFER_LAB_DATABASE"]
        processes: dict[str, subprocess.Popen[bytes]] = {}
        began = time.monotonic()
        try:
            for name, service in (pair for pair in services.items() if pair[0] != "db"):
                env = base | {key: str(value) for key, value in service.get("environment", {}).items()}
                command = service.get("command") or steps.words(image.last("CMD"))
                for number in range(service.get("deploy", {}).get("replicas", 1)):
                    with open(folder / f"{name}-{number}.log", "wb") as log:
                        processes[f"{name}-{number}"] = subprocess.Popen(
                            words(env, *entry, *command), stdout=log, stderr=log
                        )
                if name == "server":
                    server_env = env
            until_healthy(ask, steps.words(image.last("HEALTHCHECK")), processes, folder)
            tell("server: its health check is answered", "yes", began)
            until_healthy(ask, services["scheduler"]["healthcheck"]["test"][1:], processes, folder)
            tell("scheduler: its health check is answered", "yes", began)
            tried = time.monotonic()
            done = ask("python", "-c", RUN, env=server_env, timeout_s=START_S)
            if done.returncode:
                raise NotSo(f"no run came to an end: {done.stderr[-2000:]}{logs(folder)}")
            answer = json.loads(done.stdout.splitlines()[-1])
            if any(state != "done" for state, *_ in answer["runs"]):
                raise NotSo(f"runs ended otherwise: {answer}{logs(folder)}")
            workers = {worker for _, worker, _ in answer["runs"]}
            tell("two runs on the workers, a model asked", f"done by {len(workers)}, it says {answer['label']}", tried)
        finally:
            ended(processes)


def closed(ask: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """Hold the root against being closed: another user, nothing writable but the volume, no network."""
    if ask("id", "-u").stdout.strip() in ("", "0"):
        raise NotSo("the services run as root")
    tell("the user", ask("id").stdout.strip())
    places = ("/", "/home/lab", "/etc", VENV, APP, f"{APP}/locales", VOLUME, "/tmp")
    script = 'for p in "$@"; do touch "$p/x" 2>/dev/null && rm "$p/x" && echo "$p"; done'
    writable = ask("sh", "-c", script, "sh", *places).stdout.split()
    if writable != [VOLUME, "/tmp"]:
        raise NotSo(f"these can be written to: {writable}")
    tell("nothing can be written to but the volume and /tmp", "yes")
    out = ask("python", "-c", "import socket; socket.create_connection(('192.0.2.1', 80), 5)")
    if "unreachable" not in out.stderr:
        raise NotSo(f"there is a network: {out.stderr}")
    tell("there is no network", "yes")


@contextmanager
def database(service: dict[str, Any]) -> Iterator[bool]:
    """Start the Postgres of compose.yaml where one is installed; yield whether there is one."""
    if not (binaries := postgres_server.find_binaries()):
        tell("db", "NOT TRIED: no Postgres is installed here; SQLite in the volume instead")
        yield False
        return
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        server = postgres_server.Postgres(Path(name))
        server.start("listen_addresses=127.0.0.1")
        person, database = (service["environment"][name] for name in ("POSTGRES_USER", "POSTGRES_DB"))
        try:
            subprocess.run([binaries / "createdb", "-h", server.folder, "-U", person, database], check=True)
            tell(f"db: {service['image']}", f"tried with this machine's Postgres {binaries.parent.name}")
            yield True
        finally:
            server.stop()


def until_healthy(ask, command: Sequence[str], processes: dict[str, subprocess.Popen[bytes]], folder: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        for name, process in processes.items():
            if process.poll() is not None:
                raise NotSo(f"{name} ended with {process.returncode}:{logs(folder)}")
        if ask(*command).returncode == 0:
            return
        time.sleep(0.5)  # between two looks
    raise NotSo(f"no health check was answered within {START_S:.0f} s:{logs(folder)}")


def ended(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    """Stop the services as ``docker stop`` does, and say how long the slowest took: 10 s are allowed."""
    began = time.monotonic()
    for process in processes.values():
        process.send_signal(signal.SIGTERM)
    slow = []
    for name, process in processes.items():
        try:
            process.wait(max(0.1, began + 60 - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            slow.append(name)
    tell("all stop when they are told to", "yes" if not slow else f"NOT SO: {slow}", began)


def logs(folder: Path) -> str:
    return "".join(f"\n-- {path.name}\n{path.read_text()[-1500:]}" for path in sorted(folder.glob("*.log")))


LOOPBACK = """
import fcntl, socket, struct
with socket.socket() as one:
    fcntl.ioctl(one, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up and running
"""

if __name__ == "__main__":
    sys.exit(main())
