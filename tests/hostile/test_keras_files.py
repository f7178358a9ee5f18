"""Hostile ``.keras`` files: one for each published weakness of Keras' loading, and many that nobody published."""

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from hostile import keras_files, more_keras_files
from hostile.asked import ROOT, refusal
from hostile.tried import count
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlcore import sources
from tlcore.errors import DataError
from tlcore.sources import uploads
from tlcore.sources.foreign import archive, checking, config, reading, weights
from tlcore.sources.foreign.layers import SETTINGS as LAYERS
from tlcore.sources.foreign.network import Network

IN_THE_WEIGHTS = ("CVE-2026-0897", "CVE-2026-1669")  # found by looking through the weights file, in the process
HONEST = keras_files.packed()
NAMES = list(keras_files.published(Path("canary")))


@pytest.fixture(autouse=True)
def no_process(monkeypatch, tmp_path):
    """Whatever the server refuses must be refused before any process starts, so before Keras sees a byte."""
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path / "lab"))
    monkeypatch.setattr(uploads, "_in_a_process", lambda *_: pytest.fail("a process was started"))


def refused(content: bytes, word: str = "") -> bool:
    with pytest.raises(DataError, match=re.escape(word)) as caught:
        uploads.add(content, "m.keras")
    count("model file")
    return refusal(caught.value)


def test_the_honest_file_is_not_hostile(tmp_path):
    network = archive.look_at(keras_files.HONEST.read_bytes())
    shipped = sources.info("digits")
    assert [(row.name, row.output_shape, row.n_weights) for row in network.layers] == [
        (row.name, row.output_shape, row.n_weights) for row in shipped.layers
    ]
    assert sum(row.multiply_adds for row in network.layers) == sum(row.flops for row in shipped.layers)
    archive.unpack_weights(keras_files.HONEST.read_bytes(), tmp_path / "w.h5")
    assert (tmp_path / "w.h5").read_bytes() == keras_files.member("model.weights.h5")
    assert archive.look_at(keras_files.packed()) == network


@pytest.mark.parametrize("name", [name for name in NAMES if name not in IN_THE_WEIGHTS])
def test_a_published_weakness_is_refused_before_keras_sees_it(tmp_path, name):
    content, word = keras_files.published(tmp_path / "canary")[name]
    assert refused(content, word)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("name", IN_THE_WEIGHTS)
def test_a_published_weakness_of_weights_is_refused_before_a_number_is_read(tmp_path, name):
    content, word = keras_files.published(tmp_path / "canary")[name]
    network = archive.look_at(content)
    archive.unpack_weights(content, tmp_path / "w.h5")
    with pytest.raises(DataError, match=word) as caught:
        weights.check_weights(tmp_path / "w.h5", network.n_weights)
    count("model file")
    assert refusal(caught.value)


def test_the_canary_sings_when_the_code_does_run(tmp_path):
    """The corpus is worth nothing if its code could not run: here it does, by hand."""
    import base64
    import marshal
    from types import FunctionType

    code = marshal.loads(base64.b64decode(keras_files.bytecode(tmp_path / "canary")))
    FunctionType(code, {"__builtins__": __builtins__})(0)
    assert (tmp_path / "canary").is_dir()


# Where each weakness was closed; what requirements.txt asks for must be no older.
# "3.14.0.1": after 3.14.0; the first release with the fix was not named.
FIXED = {
    "CVE-2024-3660": ("keras", "2.13"),
    "CVE-2025-1550": ("keras", "3.9"),
    "CVE-2025-8747": ("keras", "3.11"),
    "CVE-2025-9905": ("keras", "3.11.3"),
    "CVE-2025-9906": ("keras", "3.11"),
    "CVE-2025-12058": ("keras", "3.12"),
    "CVE-2025-12060": ("keras", "3.12"),
    "CVE-2025-49655": ("keras", "3.11.3"),
    "CVE-2026-0897": ("keras", "3.13.2"),
    "CVE-2026-1462": ("keras", "3.13.2"),
    "CVE-2026-1669": ("keras", "3.13.2"),
    "GHSA-hqp4-2352-xf5r": ("keras", "3.14"),
    "CVE-2026-12479": ("keras", "3.14.0.1"),
    "CVE-2026-12481": ("keras", "3.14.0.1"),
    "CVE-2025-54886": ("skops", "0.13"),
    "CVE-2025-54412": ("skops", "0.12"),
    "CVE-2025-54413": ("skops", "0.12"),
    "CVE-2024-37065": ("skops", "0.10"),
}


def numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


@pytest.mark.parametrize("name", FIXED)
def test_the_requirements_exclude_what_is_weak(name):
    package, fixed = FIXED[name]
    lines = (Path(ROOT) / "requirements.txt").read_text().splitlines()
    (asked,) = [line for line in lines if line.startswith(f"{package}>=")]
    lowest = asked.removeprefix(f"{package}>=").split(",")[0]
    assert numbers(lowest) >= numbers(fixed) and numbers(version(package)) >= numbers(lowest)


def test_every_published_weakness_has_its_file():
    assert {name for name, (package, _) in FIXED.items() if package == "keras"} == set(NAMES)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("kind", "least"),
    [
        (more_keras_files.archives, 100),
        (more_keras_files.bad_configs, 100),
        (more_keras_files.bad_inner_configs, 75),
    ],
)
def test_a_hostile_archive_or_config_is_refused(kind, least):
    found = 0
    for name, content in kind():
        try:
            if kind is not more_keras_files.archives:
                content = keras_files.packed(content)
            archive.look_at(content)
        except DataError as error:
            assert refusal(error), name
        else:
            pytest.fail(f"taken: {name}")
        found += 1
    count("model file", found)
    assert found > least


def test_what_a_network_does_not_need_to_answer_is_never_looked_up():
    honest = archive.look_at(HONEST)
    for name, text in more_keras_files.harmless_settings():
        assert archive.look_at(keras_files.packed(text)) == honest, name


def taken(text: bytes) -> Network | None:
    """Read a config; what is taken keeps every limit."""
    try:
        network = reading.read(text)
    except DataError as error:
        assert refusal(error)
        return None
    assert 0 < network.n_weights <= checking.MOST_WEIGHTS and 2 <= network.n_classes <= 1000
    assert all(config.NAME.fullmatch(row.name) for row in network.layers)
    assert all(isinstance(v, int | float | str | tuple | None) for row in network.layers for v in row.settings.values())
    return network


@pytest.mark.slow
def test_every_place_of_a_config_may_hold_anything():
    found = dict(more_keras_files.doctored_configs())
    honest = taken(keras_files.member("config.json"))
    others = {name for name, text in found.items() if (network := taken(text)) is not None and network != honest}
    count("model config", len(found))
    assert len(found) > 1000
    # What was taken is another network only where the setting may have that value.
    assert {name.rpartition(".")[2].split(" = ")[0] for name in others} <= {
        "use_bias",
        "activation",
        "data_format",
        "strides",
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["module", "class_name", "config"]), inner)
    ),
    max_leaves=6,
)
SETTINGS = st.dictionaries(st.sampled_from(sorted({k for row in LAYERS.values() for k in row})), JSON)


@pytest.mark.slow
@given(kind=st.sampled_from(sorted(LAYERS)), setting=SETTINGS, place=st.integers(1, 7))
@settings(max_examples=200, deadline=None)
def test_any_layer_with_any_settings_is_taken_whole_or_refused(kind, setting, place):
    changed = keras_files.config()
    row = changed["config"]["layers"][place]
    row["class_name"] = kind
    row["config"].update(setting)
    count("model config")
    try:
        text = json.dumps(changed).encode()
    except (ValueError, UnicodeError):
        return
    taken(text)


@given(at=st.integers(0, 10**6), inserted=st.binary(max_size=16), dropped=st.integers(0, 16))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_archive_with_other_bytes_inside_is_taken_or_refused(at, inserted, dropped):
    honest = HONEST
    at = at % 6_000 if at % 2 else -(at % 1_000) - 1  # the head with the configs, or the directory at the end
    content = honest[:at] + inserted + honest[at:][dropped:]
    count("model file")
    try:
        archive.look_at(content)
    except DataError as error:
        assert refusal(error)


# Damaged HDF5 may end the process that reads it, so it is read in another one, as the app does; this one has no Keras.
IN_A_CHILD = """
import random, resource, sys
sys.path.insert(0, "tests")
from pathlib import Path
from hostile import keras_files, more_keras_files
from tlcore.sources.foreign import reading, weights
from tlcore.errors import DataError

network = reading.read(keras_files.member("config.json"))
cases = dict(more_keras_files.bad_weights())
draw, whole = random.Random({seed}), keras_files.member("model.weights.h5")
for i in range({n}):
    spoilt = bytearray(whole)
    for _ in range(draw.randint(1, 8)):
        spoilt[draw.randrange(4_000) if i % 2 else draw.randrange(len(spoilt))] = draw.randrange(256)
    cases[f"spoilt {{i}}"] = bytes(spoilt)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 300 * 2**20,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
path = Path(sys.argv[1]) / "w.h5"
for name, content in cases.items():
    path.write_bytes(content)
    try:
        weights.check_weights(path, network.n_weights)
        print("taken", name)
    except DataError as error:
        print("refused", name, "->", error)
"""


def look_through(folder: Path, n: int, seed: int) -> list[str]:
    line = [sys.executable, "-c", IN_A_CHILD.format(n=n, seed=seed), str(folder)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    count("weights file", len(done.stdout.splitlines()))
    return done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's limits are Linux'")
def test_a_hostile_weights_file_is_refused_before_a_number_is_read(tmp_path):
    lines = look_through(tmp_path, n=80, seed=0)
    taken = [line for line in lines if line.startswith("taken") and "spoilt" not in line]
    assert taken == ["taken with a bomb of zeros"] or taken == []
    assert sum(line.startswith("refused") for line in lines) > 40


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 11))
def test_many_spoilt_weights_files_are_looked_through(tmp_path, seed):
    look_through(tmp_path, n=2_000, seed=seed)
