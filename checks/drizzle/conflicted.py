"""Files into which git's conflict markers were committed: what each of the two sides had."""


def sides(text: str) -> tuple[str, str] | None:
    """Both sides of a text with markers; None where they cannot be told apart (nested, unbalanced) or there are none."""
    ours: list[str] = []
    theirs: list[str] = []
    state = "both"
    seen = False
    for line in text.splitlines(keepends=True):
        mark = line[:7]
        if mark == "<<<<<<<":
            if state != "both":
                return None
            state, seen = "ours", True
        elif mark == "|||||||" and state == "ours":
            state = "before"
        elif line.rstrip("\r\n") == "=======" and state in {"ours", "before"}:
            state = "theirs"
        elif mark == ">>>>>>>":
            if state != "theirs":
                return None
            state = "both"
        else:
            if state in {"both", "ours"}:
                ours.append(line)
            if state in {"both", "theirs"}:
                theirs.append(line)
    return ("".join(ours), "".join(theirs)) if seen and state == "both" else None
