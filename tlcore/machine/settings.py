"""Settings that come from the environment."""

from collections.abc import Mapping

from tlcore.errors import SpecError

WORKER_NAME = "TRANSFER_LAB_WORKER_NAME"  # of a worker of a cluster; its children have it from their environment


def whole_number(name: str, default: int, environ: Mapping[str, str], most: int = 100_000) -> int:
    """Return what an environment variable says, ``default`` where it is not set.

    Raises
    ------
    SpecError
        It is no whole number from 1 to ``most``.

    Examples
    --------
    >>> whole_number("N", 20, {"N": "3"}), whole_number("N", 20, {})
    (3, 20)
    """
    text = environ.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise SpecError(
            "{name} must be a whole number from 1 to {most:,}. Received: {text!r}. Try {name}={default}.",
            name=name,
            most=most,
            text=text[:40],
            default=default,
        )
    return int(text)
