"""Numbers as people say them."""


def minutes(seconds: float) -> str:
    """1:05:00, 12:30, 0:07."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def about(seconds: float) -> str:
    """about a second, about 14 s, about 55 s, about 13 min, about 2.5 h: rounded as a person would say it."""
    if seconds < 1.5:
        return "about a second"
    if seconds < 20:
        return f"about {seconds:.0f} s"
    if seconds < 87.5:
        return f"about {round(seconds / 5) * 5} s"
    if seconds < 9.75 * 60:
        return f"about {round(seconds / 30) / 2:g} min"
    if seconds < 90 * 60:
        return f"about {seconds / 60:.0f} min"
    return f"about {round(seconds / 1800) / 2:g} h"
