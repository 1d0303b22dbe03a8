"""Restrict this process to files that it needs, for good (Landlock, since Linux 5.13).

It may read Python, the installed libraries, and what they read of the system; it may read and write
its own folder; it may start no program. The numbers are those of linux/landlock.h, see landlock(7).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import struct
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from mnist_tasks.vetting.isolation import linux

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1

_WRITE_FILE, _READ_FILE, _READ_FOLDER = 1 << 1, 1 << 2, 1 << 3
_REMOVE_FOLDER, _REMOVE_FILE, _MAKE_FOLDER, _MAKE_FILE = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_TRUNCATE = 1 << 14
_READ = _READ_FILE | _READ_FOLDER
_OWN = _READ | _WRITE_FILE | _TRUNCATE | _REMOVE_FOLDER | _REMOVE_FILE | _MAKE_FOLDER | _MAKE_FILE
_FILE_RIGHTS = _WRITE_FILE | _READ_FILE | _TRUNCATE
# By version: the number of rights on files that the kernel knows.
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_TCP = 0b11  # bind, connect; since version 4
_SCOPES = 0b11  # abstract sockets and signals of other processes; since version 6

#: Before this version, a file that may be read can be emptied while it is opened.
COMPLETE = 3

_LIBRARY_FOLDERS = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store")
_SYSTEM = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/localtime",
    "/etc/ssl/openssl.cnf",
    "/usr/share/zoneinfo",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system",
    "/sys/fs/cgroup",
)
# A folder of the search path that has one of these is one of libraries.
_LIBRARIES = ("h5py", "keras", "msgspec", "numpy", "tensorflow", "tf_keras")


def version() -> int:
    """Return the version of Landlock's interface; raise OSError if there is none."""
    return linux.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)


def restrict(folder: Path) -> None:
    """Restrict this thread, and those that it starts, to `folder` and what Python needs.

    Raises
    ------
    OSError
        The kernel has no Landlock (see `linux.is_missing`), or refuses it; or a library is a link
        to another folder, as some package managers make them, and could not be read any more.
    """
    found = version()
    paths = list(readable())
    _require_libraries(paths)
    handled = (1 << _RIGHTS[min(found, max(_RIGHTS))]) - 1
    fields = [handled, *([_TCP] if found >= 4 else []), *([_SCOPES] if found >= 6 else [])]
    rules = ctypes.create_string_buffer(struct.pack(f"={len(fields)}Q", *fields))
    ruleset = linux.syscall(_CREATE_RULESET, rules, 8 * len(fields), 0)
    try:
        _allow(ruleset, str(folder), _OWN & handled)
        _allow(ruleset, "/dev/null", (_READ_FILE | _WRITE_FILE) & handled)
        for path in paths:
            _allow(ruleset, path, _READ)
        linux.syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def readable() -> Iterator[str]:
    """Yield the files and folders that Python and TensorFlow read, some of which may not exist.

    A folder of the search path counts only if libraries are installed in it: it may also be the
    user's home, or a project with data.
    """
    yield str(Path(__file__).resolve().parents[2])  # this package
    for prefix in {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}:
        yield from (f"{prefix}/{name}" for name in ("lib", "lib64"))
    yield str(Path(os.__file__).parent)  # the standard library
    for path in sys.path:
        if path.endswith("-packages") or any(
            map(os.path.isdir, (f"{path}/{name}" for name in _LIBRARIES))
        ):
            yield path
            yield from _links(path)
    # An import hook, as of an editable installation, may lead to a folder anywhere.
    for name in _LIBRARIES:
        spec = find_spec(name)
        yield from (spec and spec.submodule_search_locations) or ()
    yield from filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(":"))
    yield from _mapped_folders()
    yield from _LIBRARY_FOLDERS
    yield from _SYSTEM


def _links(folder: str) -> list[str]:
    """List the packages that are links, as some installers make them."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        return [entry.path for entry in entries if entry.is_symlink()]
    return []


def _mapped_folders() -> set[str]:
    """Return the folders of the shared libraries that are loaded: others may lie beside them."""
    lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    paths = [line[line.find("/") :] for line in lines if "/" in line and ".so" in line]
    return {path.rpartition("/")[0] for path in paths} - {""}


def _require_libraries(paths: list[str]) -> None:
    folders = tuple(f"{os.path.realpath(path)}/" for path in paths)
    for library in _LIBRARIES:
        files = (f"{path}/{library}/__init__.py" for path in sys.path)
        file = next(filter(os.path.isfile, files), None)
        if file and not os.path.realpath(file).startswith(folders):
            raise PermissionError(errno.EPERM, f"{library} is a link to another folder")


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not on this system
    try:
        if not os.path.isdir(path):  # noqa: PTH112 - a Path takes longer
            rights &= _FILE_RIGHTS
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, descriptor))
        linux.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
    finally:
        os.close(descriptor)
