"""Which browser somebody signs in with, for people: a name from our own list, never a word of what was sent."""

MOST_READ = 1000
"""Characters of the User-Agent that are looked at."""

# in this order: nearly every browser also claims to be another that is older
_FAMILIES = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python-", "Python"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


def browser_name(user_agent: str) -> str:
    """Such as `Firefox on Linux`, from a `User-Agent` header; empty for one that is not known. It is what the browser says, no proof."""
    said = user_agent[:MOST_READ]
    family = next((name for mark, name in _FAMILIES if mark in said), "")
    system = next((name for mark, name in _SYSTEMS if mark in said), "")
    return f"{family} on {system}" if family and system else family
