"""Which sites may show the lab inside a page of theirs: a course page, a wiki."""

import os
import re
from collections.abc import Mapping

from tlcore.errors import SpecError

SETTING = "TRANSFER_LAB_EMBED"

# An origin as browsers write it: nothing of a path, no wildcard, nothing that would end a header's part.
_SITE = re.compile(r"https://[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?")


def sites(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the sites that TRANSFER_LAB_EMBED names, separated by spaces or commas; none when it is not set.

    Raises
    ------
    SpecError
        One is not the https address of a site.

    Examples
    --------
    >>> sites({"TRANSFER_LAB_EMBED": "https://moodle.example.edu, https://Wiki.example:8443/"})
    ('https://moodle.example.edu', 'https://wiki.example:8443')
    """
    named = [name.lower().removesuffix("/") for name in re.split(r"[\s,]+", environ.get(SETTING, "")) if name]
    for name in named:
        if not _SITE.fullmatch(name):
            raise SpecError(
                "{setting} names the sites that may show the lab in a page of theirs, each as https://name without a "
                "path, separated by spaces. Received: {name!r}. Try {setting}=https://moodle.example.edu.",
                setting=SETTING,
                name=name[:80],
            )
    return tuple(dict.fromkeys(named))
