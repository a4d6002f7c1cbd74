"""Numbers as people say them."""


def minutes(seconds: float) -> str:
    """1:05:00, 12:30, 0:07."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
