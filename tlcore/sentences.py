"""How numbers are written in sentences, the same on every page and in every command."""


def percent(share: float, digits: int = 1) -> str:
    """Return a share of one as a percentage.

    Examples
    --------
    >>> percent(0.982), percent(1, digits=0)
    ('98.2 %', '100 %')
    """
    return f"{share:.{digits}%}"[:-1] + " %"


def spread(mean: float, width: float | None) -> str:
    """Return the mean of shares with what is to either side of it, where that is known.

    Examples
    --------
    >>> spread(0.982, 0.004), spread(0.982, None)
    ('98.2 ± 0.4 %', '98.2 %')
    """
    return percent(mean) if width is None else f"{percent(mean)[:-2]} ± {percent(width)}"
