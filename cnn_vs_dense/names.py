"""Looking things up by the names under which experiments store them."""


def look_up(kind, name, known):
    """Return ``known[name]``; ValueError says which names of that kind there are, if this is none of them."""
    if name not in known:
        raise ValueError(f"There is no {kind} {name!r}; there are {', '.join(known)}.")
    return known[name]
