"""The audit of dependencies never takes silence for safety."""

import pytest
from hostile import audit

FINE = {"name": "keras", "version": "3.15.1", "vulns": []}
WEAK = {"name": "skops", "version": "0.12", "vulns": [{"id": "CVE-2025-54886", "fix_versions": ["0.13.0"]}]}
SKIPPED = {"name": "numpy", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (None, 2, "nothing\nwas audited"),
        ({"dependencies": [SKIPPED, SKIPPED]}, 2, "nothing\nwas audited"),
        ({"dependencies": [FINE, SKIPPED]}, 0, "1 packages looked up, 1 not found, 0 with published weaknesses."),
        ({"dependencies": [FINE, WEAK]}, 1, "skops 0.12: CVE-2025-54886, fixed in 0.13.0"),
    ],
)
def test_what_could_not_be_looked_up_is_not_called_safe(capsys, answer, code, words):
    assert audit.main(lambda: answer) == code
    assert words in capsys.readouterr().out
