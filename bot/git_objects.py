"""Git's objects without a process for each: read through one `git cat-file`, and written as git's own loose files."""

import hashlib
import os
import stat
import tempfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.git import MAX_BLOB, Repository
from checks.errors import UserError
from checks.tree import Entry

TREE = "040000"
_AT_ONCE = 200
"""Names that are asked for before answers are read: more could fill both pipes, and each side would wait for the other."""


class Objects:
    """One `git cat-file --batch`, kept open. Use it in `with`."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._process = repository.start("cat-file", "--batch", "-z")
        self._trees: dict[str, tuple[Entry, ...]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._process as process:
            process.kill()

    def trees(self, names: Sequence[str]) -> list[tuple[Entry, ...] | None]:
        """The direct members of folders, each named as `REVISION:FOLDER` or by its id; None: there is no such folder."""
        asked = [name for name in dict.fromkeys(names) if name not in self._trees]
        for name, found in zip(asked, self._read(asked), strict=True):
            if found is not None and found[0] == b"tree":
                self._trees[name] = tuple(_members(found[1], len(found[2]) // 2))
        return [self._trees.get(name) for name in names]

    def below(self, names: Sequence[str]) -> list[list[Entry]]:
        """All files below folders, by their paths inside; a folder that two have in common is read once."""
        found: list[list[Entry]] = [[] for _ in names]
        open_: list[tuple[int, str, str]] = [(n, name, "") for n, name in enumerate(names)]
        while open_:
            members = self.trees([name for _, name, _ in open_])
            deeper: list[tuple[int, str, str]] = []
            for (number, _, prefix), entries in zip(open_, members, strict=True):
                for entry in entries or ():
                    path = f"{prefix}{entry.path}"
                    if entry.mode == TREE:
                        deeper.append((number, entry.oid, f"{path}/"))
                    else:
                        found[number].append(Entry(path, entry.mode, entry.oid))
            open_ = deeper
        return found

    def blobs(self, oids: Sequence[str]) -> Mapping[str, bytes]:
        """The contents of files; those over `MAX_BLOB` bytes are left out.

        Raises:
            UserError: one is not here, and cannot be fetched.
        """
        if self._repository.partial:  # it asks for all that are missing at once; cat-file would for each alone
            return self._repository.blobs(oids)
        found: dict[str, bytes] = {}
        for oid, one in zip(oids, self._read(oids), strict=True):
            if one is None:
                raise UserError(f"{oid[:12]} is missing from {self._repository.path}. Run `git fetch` first.")
            if len(one[1]) <= MAX_BLOB:
                found[oid] = one[1]
        return found

    def _read(self, names: Sequence[str]) -> Iterable[tuple[bytes, bytes, bytes] | None]:
        """Kind, content and id of objects, in order."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 - Popen gives what was asked for
        assert stdout is not None  # noqa: S101
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            try:
                stdin.write(b"".join(os.fsencode(name) + b"\0" for name in some))
                stdin.flush()
            except BrokenPipeError:
                raise UserError(f"git cat-file ended early in {self._repository.path}.") from None
            for name in some:
                words = self._header(name)
                if words is None:
                    yield None
                    continue
                content = stdout.read(int(words[2]))
                stdout.read(1)
                yield words[1], content, words[0]

    def _header(self, name: str) -> list[bytes] | None:
        """Id, kind and size of what comes next; None where git has no such thing."""
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101
        line = stdout.readline()
        for _ in range(name.count("\n")):  # it says the name again, with the line ends in it
            if line.split(b" ")[1:2] in ([b"blob"], [b"tree"], [b"commit"]):
                break
            line += stdout.readline()
        words = line.split()
        if not words:
            raise UserError(f"git cat-file ended early in {self._repository.path}.")
        return words if len(words) == 3 and words[1] in {b"blob", b"tree", b"commit", b"tag"} else None


def name_of(kind: str, content: bytes, width: int) -> str:
    """The id of an object; `width` is that of the repository's ids."""
    algorithm = "sha1" if width == 40 else "sha256"
    return hashlib.new(algorithm, _framed(kind, content), usedforsecurity=False).hexdigest()


def store(repository: Repository, objects: Mapping[str, tuple[str, bytes]]) -> None:
    """Write objects, given by their ids, with their kinds: each as a loose file, as `git hash-object -w` does.

    Raises:
        UserError: they cannot be written.
    """
    home = repository.objects
    try:
        mode = stat.S_IMODE(home.stat().st_mode)
        for oid, (kind, content) in objects.items():
            _loose(home / oid[:2], oid[2:], _framed(kind, content), mode)
    except OSError as error:
        raise UserError(f"{error.filename or home} cannot be written: {error.strerror}.") from None


def _loose(folder: Path, name: str, framed: bytes, mode: int) -> None:
    if (folder / name).exists():
        return
    if not folder.is_dir():
        folder.mkdir(exist_ok=True)
        folder.chmod(mode)  # in a shared repository others write here, too
    handle, made = tempfile.mkstemp(prefix="tmp_obj_", dir=folder)
    with os.fdopen(handle, "wb") as file:
        file.write(zlib.compress(framed, 1))
        os.fchmod(handle, 0o444)
    Path(made).replace(folder / name)


def _framed(kind: str, content: bytes) -> bytes:
    return b"%s %d\0" % (kind.encode(), len(content)) + content


def _members(content: bytes, width: int) -> Iterable[Entry]:
    """The members of a tree object (gitformat-tree)."""
    position = 0
    while position < len(content):
        end = content.index(b"\0", position)
        mode, _, name = content[position:end].partition(b" ")
        position = end + 1 + width
        yield Entry(os.fsdecode(name), mode.decode().zfill(6), content[end + 1 : position].hex())
