"""Hostile words: for a command line, an address or an environment variable."""

WORDS = (
    "", " ", "\t", "-", "--", "---", "-1", "0", "00", "1e999", "nan", "inf", "-inf", "٣", "²", "1_000", "0x10", "1.5",
    "9" * 30, "9" * 5_000, "0" * 4_000 + "1", str(2**31), str(2**63), str(2**64), "1" + "0" * 400, "1e-400", "1,2", ",",
    "../../../etc/passwd", "..\\..\\windows", "/dev/zero", "/proc/self/mem", "/etc/passwd", "~root/x", "~nobody-here/x",
    "file:///etc/passwd", "http://127.0.0.1:1/x", "a" * 300, "a/" * 3_000, "x\ny", "x\r\ny: z", "\x1b[2J\x1b]0;x\x07",
    "{0}", "{home}", "{0.__class__.__mro__}", "%s%s%n", "%(x)s", "$(id)", "`id`", "; rm -rf x", "| cat", "&& id", "*",
    "' OR 1=1 --", "'; DROP TABLE runs; --", '" OR ""="', "%' OR '1'='1", "_" * 8, "%" * 8, "<script>alert(1)</script>",
    "[x](javascript:alert(1))", "![x](http://127.0.0.1:1/x.png)", ":material/delete:", "$$x$$", "__import__('os')",
    "\u202e", "\u200b", "\ufeff", "é" * 100, "💥", "ﷺ" * 50, "\ud83d", "\udcff\udcfe", "İ", "ß", "null", "None", "true",
    "[]", "{}", "[[[[", '{"a":', "__proto__", "constructor", "model.keras", "heads/../../lab.db", "lab.db",
    "source:digits", "run:../../x",
    "head:x/../../y", "source:../../etc/passwd", "head:/", "run:", ":", "::", "digits.keras", "random ",
    "Digits", "DIGITS", "digits\x00", "aux", "CON", "conv_1", "conv_1,conv_1", "conv_1,,", "all", "5e-324", "1e308",
)  # fmt: skip
