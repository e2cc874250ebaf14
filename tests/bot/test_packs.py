"""A folder as one file: what comes out is what went in, and what is not whole is no template."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.branches import files, owner, packs, templates


def told(folder: Path) -> dict[str, bytes | None]:
    """Every path below, files with what is in them."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


NAMES = st.sampled_from(["a", "b", "1259", "1259_fsm", "päth", "with space"])
SIZES = st.sampled_from([0, 1, 4095, 4096, 4097, 100_000])


@given(files=st.dictionaries(st.tuples(NAMES, NAMES), SIZES), top=st.dictionaries(NAMES, SIZES))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_comes_out_is_what_went_in(
    tmp_path_factory: pytest.TempPathFactory, files: dict[tuple[str, str], int], top: dict[str, int]
) -> None:
    """Contents and names, empty files and folders, here and by a process of its own."""
    place = tmp_path_factory.mktemp("pack")
    (place / "from" / "empty").mkdir(parents=True)
    for (folder, name), size in files.items():
        (place / "from" / f"in {folder}").mkdir(exist_ok=True)
        (place / "from" / f"in {folder}" / name).write_bytes(os.urandom(size))
    for name, size in top.items():
        (place / "from" / name).write_bytes(os.urandom(size))
    packs.pack(str(place / "from"), str(place / "file"))
    packs.unpack(str(place / "file"), str(place / "to"))
    whose = [str(os.getuid()), str(os.getgid())]
    then = ["/bin/sh", "-c", "pwd"]
    done = [sys.executable, "-I", "-S", packs.__file__, str(place / "file"), str(place / "apart"), *whose, *then]
    assert subprocess.run(done, check=True, capture_output=True, text=True).stdout.strip() == str(place / "apart")
    assert told(place / "from") == told(place / "to") == told(place / "apart")


def test_links_lead_nowhere(tmp_path: Path) -> None:
    """Whoever ran in a data directory may have put a link to somebody else's file into it."""
    (tmp_path / "secret").write_text("of root")
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "file").write_text("own")
    (tmp_path / "from" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "from" / "folder").symlink_to(tmp_path)
    packs.pack(str(tmp_path / "from"), str(tmp_path / "pack"))
    packs.unpack(str(tmp_path / "pack"), str(tmp_path / "to"))
    assert told(tmp_path / "to") == {"file": b"own"}


@pytest.mark.parametrize("left", [0, 10, 5000, -1])
def test_what_is_not_whole_is_made_anew(tmp_path: Path, left: int) -> None:
    """A machine that went down leaves half a file, under its name: there is no such template then."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file").write_bytes(os.urandom(10_000))
    kept = templates.Templates(files.make(tmp_path / "templates", mode=0o755))
    me = owner.Owner(os.geteuid(), os.getegid())
    kept.keep("one", tmp_path / "data", remark=b"said")
    pack = kept.folder / "one" / "data.pack"
    whole = pack.read_bytes()
    pack.write_bytes(whole[:left])
    with pytest.raises(packs.DamagedError):
        packs.unpack(str(pack), str(tmp_path / "to"))
    assert not kept.copy("one", tmp_path / "copy", me)
    with kept.making("one") as needed:
        assert needed
        kept.keep("one", tmp_path / "data")
    assert kept.copy("one", tmp_path / "second", me)
    assert told(tmp_path / "second") == told(tmp_path / "data")
