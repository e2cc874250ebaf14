"""Names for migrations that nobody named."""

import hashlib

_ADJECTIVES = (
    "amber", "brave", "calm", "clever", "cosmic", "crisp", "dapper", "eager", "early", "faint", "fancy", "fresh", "gentle", "glossy", "golden", "grand",
    "happy", "hidden", "humble", "jolly", "keen", "kind", "lively", "lucky", "mellow", "misty", "modest", "neat", "noble", "odd", "patient", "plain",
    "polite", "proud", "quick", "quiet", "rapid", "round", "rustic", "sharp", "shiny", "silent", "sleepy", "smooth", "snowy", "solid", "spry", "stark",
    "steady", "sunny", "swift", "tidy", "tiny", "vivid", "warm", "wild", "wise", "witty", "young", "zesty", "bold", "bright", "civil", "curious",
)  # fmt: skip
_NOUNS = (
    "acorn", "anchor", "badger", "beacon", "birch", "bison", "brook", "canyon", "cedar", "clover", "comet", "coral", "crane", "delta", "dune", "falcon",
    "fern", "finch", "fjord", "forge", "garnet", "glacier", "grove", "harbor", "hazel", "heron", "island", "ivy", "jasper", "juniper", "kestrel", "lagoon",
    "lantern", "larch", "lichen", "lynx", "maple", "marsh", "meadow", "moss", "orchid", "osprey", "otter", "pebble", "pine", "plover", "quartz", "raven",
    "reef", "ridge", "river", "robin", "sable", "sparrow", "spruce", "summit", "thistle", "tundra", "valley", "walnut", "willow", "wren", "yarrow", "zephyr",
)  # fmt: skip


def of(sql: str) -> str:
    """Two words, the same for the same statements: doing it twice gives one name."""
    digest = hashlib.sha256(sql.encode()).digest()
    return f"{_ADJECTIVES[digest[0] % len(_ADJECTIVES)]}_{_NOUNS[digest[1] % len(_NOUNS)]}"
