"""The files of one commit, by path and content hash; contents are fetched when asked for, in batches."""

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_FEW = 32

REGULAR = ("100644", "100755")
SYMLINK = "120000"

_UNFOLLOWED = {SYMLINK: "a symbolic link, which is not followed", "160000": "a submodule, which is not read"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a tree.

    Attributes:
        path: from the root of the repository, `/`-separated; bytes that are not UTF-8 are surrogate escapes (PEP 383).
        mode: git's six octal digits (`100644` file, `100755` executable, `120000` symlink, `160000` submodule).
        oid: the object id of its content: equal ids, equal bytes.
    """

    path: str
    mode: str
    oid: str


class Tree:
    """An immutable set of files. Symlinks and submodules are listed but never followed or read."""

    def __init__(
        self,
        entries: Iterable[Entry],
        fetch: Callable[[Sequence[str]], Mapping[str, bytes]],
        earlier: Callable[[str], Iterator[bytes]] | None = None,
        ahead: Callable[[Sequence[str]], None] = lambda _: None,
    ) -> None:
        """Make one.

        Args:
            entries: its files.
            fetch: their contents, by object id.
            earlier: what a file held before, the latest first; None: nobody knows.
            ahead: is told, by object id, which contents will be fetched soon, and in which order.
        """
        self.earlier = earlier
        self._entries = {entry.path: entry for entry in entries}
        self._sorted: list[str] | None = None
        self._fetch, self._ahead = fetch, ahead

    @classmethod
    def of(cls, files: Mapping[str, str | bytes]) -> "Tree":
        """Make a tree of texts held in memory."""
        blobs = {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}
        contents = {_blob_id(data): data for data in blobs.values()}
        entries = [Entry(path, "100644", _blob_id(data)) for path, data in blobs.items()]
        return cls(entries, lambda oids: {oid: contents[oid] for oid in oids})

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths())

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, path: object) -> bool:
        return path in self._entries

    def entries(self) -> Iterable[Entry]:
        """All entries, in no order."""
        return self._entries.values()

    def entry(self, path: str) -> Entry | None:
        """The entry of that very path, if there is one."""
        return self._entries.get(path)

    def under(self, folder: str) -> list[str]:
        """The paths below a folder (`""`: all), sorted."""
        paths = self._paths()
        if not folder:
            return list(paths)
        start = folder.rstrip("/") + "/"
        first = bisect_left(paths, start)
        last = bisect_left(paths, start[:-1] + "0", lo=first)  # "0" follows "/"
        return paths[first:last]

    def elsewhere(self, path: str) -> str | None:
        """Why a commit does not show what may well be at a path, as the end of a sentence; None where nothing is."""
        if path == ".." or path.startswith(("../", "/")):
            return "leads out of the repository"
        above = path
        while above:
            entry = self._entries.get(above)
            if entry is not None and entry.mode in _UNFOLLOWED:
                kind = _UNFOLLOWED[entry.mode]
                return f"is {kind}" if above == path else f"leads through `{above}`, {kind}"
            above = above.rpartition("/")[0]
        return None

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file; None where there is none (also for symlinks and submodules)."""
        return self.read_all([path]).get(path)

    def text(self, path: str) -> str | None:
        """The file as text (UTF-8, a byte order mark dropped, bad bytes replaced); None where there is no such file."""
        data = self.read(path)
        return None if data is None else data.decode("utf-8-sig", errors="replace")

    def read_all(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The bytes of every one of `paths` that is a regular file and no larger than `fetch` allows, in one batch."""
        wanted = {p: e.oid for p in paths if (e := self._entries.get(p)) is not None and e.mode in REGULAR}
        if not wanted:
            return {}
        contents = self._fetch(list(dict.fromkeys(wanted.values())))
        return {path: contents[oid] for path, oid in wanted.items() if oid in contents}

    def read_each(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The same, a few at a time: hundreds of snapshots of some megabytes are not to be held at once."""
        left = list(paths)
        for start in range(0, len(left), _FEW):
            found = self.read_all(left[start : start + _FEW])
            self.ahead(left[start + _FEW : start + 2 * _FEW])
            yield from found.items()

    def ahead(self, paths: Iterable[str]) -> None:
        """Say which files will be read next, so that they are fetched while others are worked on."""
        wanted = [e.oid for p in paths if (e := self._entries.get(p)) is not None and e.mode in REGULAR]
        if wanted:
            self._ahead(wanted)

    def overlaid(self, files: Mapping[str, bytes]) -> "Tree":
        """The same files, some with other contents."""
        if not files:
            return self
        made = Tree.of(files)
        entries = {**self._entries, **{e.path: e for e in made.entries()}}
        own = {_blob_id(data): data for data in files.values()}

        def fetch(oids: Sequence[str]) -> Mapping[str, bytes]:
            rest = [oid for oid in oids if oid not in own]
            return {**(self._fetch(rest) if rest else {}), **{oid: own[oid] for oid in oids if oid in own}}

        return Tree(entries.values(), fetch, ahead=self._ahead)

    def _paths(self) -> list[str]:
        if self._sorted is None:
            self._sorted = sorted(self._entries)
        return self._sorted


def _blob_id(data: bytes) -> str:
    """The id that git gives a blob."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
