"""Make Linux look like Windows or macOS to this package, and to nothing else.

What those systems lack is absent, and `sys.platform` and `os.name` are theirs, wherever a module
of the package looks. Libraries and Python itself see the real system, so that they work. On such a
Windows, a file that is open can be neither renamed nor deleted.
"""

from __future__ import annotations

import builtins
import errno
import importlib
import os
import shutil
import signal
import sys
import types
from pathlib import Path
from typing import Any

OURS = "mnist_tasks"
# Each is absent on the system, by the documentation of Python's standard library.
NOT_ON_MACOS = {
    "os": """
        O_PATH copy_file_range memfd_create pidfd_open posix_fadvise posix_fallocate
        sched_getaffinity sched_setaffinity setresgid setresuid unshare
    """,
    "signal": "pidfd_send_signal sigtimedwait sigwaitinfo",
}
NOT_ON_WINDOWS = {
    "os": """
        O_CLOEXEC O_DIRECTORY O_NOCTTY O_NOFOLLOW O_NONBLOCK O_PATH WIFSIGNALED WNOHANG chown
        copy_file_range fchmod fchown fdatasync fork forkpty getegid geteuid getgid getgroups
        getloadavg getpgid getpgrp getsid getuid killpg memfd_create mkfifo mknod nice openpty
        pidfd_open posix_fadvise posix_fallocate posix_spawn pread pwrite register_at_fork
        sched_getaffinity sched_setaffinity sendfile setgid setgroups setpgid setresgid setresuid
        setsid setuid statvfs sync sysconf tcgetpgrp ttyname uname unshare wait wait3 wait4 waitid
    """,
    "signal": """
        SIGALRM SIGBUS SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGTSTP SIGTTIN
        SIGTTOU SIGUSR1 SIGUSR2 SIGXCPU SIGXFSZ SIG_BLOCK SIG_SETMASK SIG_UNBLOCK alarm pause
        pidfd_send_signal pthread_kill pthread_sigmask setitimer siginterrupt sigpending
        sigtimedwait sigwait sigwaitinfo
    """,
}
NO_WINDOWS_MODULES = "fcntl grp posix pty pwd resource termios tty"
_KERNEL = ("/proc", "/sys/fs", "/sys/class")


class _Without(types.ModuleType):
    """A module without some of its names; what is set is set in the module itself."""

    def __init__(self, module: types.ModuleType, hidden: str, **other: object) -> None:
        super().__init__(module.__name__)
        vars(self).update(_module=module, _hidden=hidden.split(), _other=other)

    def __getattr__(self, name: str) -> Any:
        if name in self._other:
            return self._other[name]
        if name in self._hidden:
            raise AttributeError(f"this system has no {self._module.__name__}.{name}")
        return getattr(self._module, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._module, name, value)

    def __dir__(self) -> list[str]:
        return [name for name in dir(self._module) if name not in self._hidden]


def become(system: str) -> None:
    """Make this process's system ``win32`` or ``darwin`` for the modules of the package."""
    is_windows = system == "win32"
    names = NOT_ON_WINDOWS if is_windows else NOT_ON_MACOS
    missing = NO_WINDOWS_MODULES.split() if is_windows else []
    real_import, real_import_module = builtins.__import__, importlib.import_module

    def import_module(name: str, package: str | None = None) -> types.ModuleType:
        if name in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real_import_module(name, package)

    seen = {
        "sys": _Without(sys, "getwindowsversion", platform=system),
        "os": _Without(os, names["os"], name="nt" if is_windows else "posix"),
        "signal": _Without(signal, names["signal"]),
        "importlib": _Without(importlib, "", import_module=import_module),
    }

    def import_for(name: str, context: Any = None, *rest: Any, **more: Any) -> Any:
        if str((context or {}).get("__name__", "")).partition(".")[0] == OURS:
            if name in missing:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            found = real_import(name, context, *rest, **more)
            return seen.get(name, found)
        return real_import(name, context, *rest, **more)

    setattr(builtins, "__import__", import_for)  # noqa: B010 - mypy knows its exact type
    sys.addaudithook(_hide_the_kernels_files)
    if is_windows:
        # In a virtual environment of Windows, this is a launcher, which starts the real one.
        sys.executable = str(Path(sys.executable).with_name("python"))
        shutil.disk_usage = _of_a_path(shutil.disk_usage)
        os.replace = _unless_open(os.replace)
        os.unlink = _unless_open(os.unlink)
        os.remove = _unless_open(os.remove)


def _hide_the_kernels_files(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in {"open", "os.listdir", "os.scandir"} or not arguments:
        return
    path = arguments[0]
    if not isinstance(path, str | os.PathLike) or not os.fspath(path).startswith(_KERNEL):
        return
    frame: Any = sys._getframe(1)
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in {"pathlib", "glob"}:
        frame = frame.f_back
    if frame and frame.f_globals.get("__name__", "").partition(".")[0] == OURS:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(path))


def _of_a_path(function: Any) -> Any:
    def checked(path: Any) -> Any:
        return function(os.fspath(path))  # there, a descriptor of a file is none

    return checked


def _unless_open(function: Any) -> Any:
    def checked(*paths: Any, **more: Any) -> Any:
        for path in paths:
            if _is_open(path):
                raise PermissionError(errno.EACCES, "it is open in another process", path)
        return function(*paths, **more)

    return checked


def _is_open(path: Any) -> bool:
    try:
        wanted = os.lstat(path)
    except (OSError, ValueError, TypeError):
        return False
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            status = os.fstat(int(descriptor.name))
        except OSError:
            continue
        if os.path.samestat(status, wanted):
            return True
    return False


def python(folder: Path, system: str) -> Path:
    """Return a Python, in an environment in this folder, whose every process has that system."""
    import sysconfig
    import venv

    venv.create(folder, symlinks=True, with_pip=False)
    program = folder / "bin" / "python"
    if system == "win32":
        real = program.rename(folder / "bin" / "python-itself")
        program.write_text(f'#!/bin/sh\n"{real}" "$@"\nexit $?\n')
        program.chmod(0o755)
    paths = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", vars=paths))
    project = Path(__file__).parents[1]
    site.joinpath("other_system.py").write_bytes(Path(__file__).read_bytes())
    here = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), project)
    start = f"import other_system; other_system.become({system!r})"
    site.joinpath("a.pth").write_text("\n".join([*map(str, here), start]) + "\n")
    return program
