"""What code in a model file might attempt, each in a real process that is confined.

Run as a script, with the circumstances as JSON. It forks a process, which is confined as the
vetting process is and then attempts everything. It prints what that process reported and what came
of each attempt: ``done`` or the name of the error.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import mmap
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import traceback
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_tasks.vetting.isolation import (
    confinement,
    landlock,
    linux,
    protections,
    seccomp,
    system_calls,
)
from mnist_tasks.vetting.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOBODY = 65534
MACHINE = {"x86_64": 0, "aarch64": 1}.get(os.uname().machine, 0)
NUMBERS = {name: pair[MACHINE] for name, pair in system_calls.REFUSED.items()}
LIMITS = Limits(vet_memory_bytes=1024**3)
BASE = (1).to_bytes(8, sys.byteorder)


@dataclass(frozen=True)
class Places:
    own: Path  # the working folder
    outside: Path  # another folder of the same user
    parent: int
    port: int  # where the parent listens


def attempts(at: Places) -> dict[str, dict[str, Callable[[], object]]]:
    """Return what each protection must prevent."""
    secret, library = at.outside / "secret", at.outside / "site-packages" / "library.py"
    address = ctypes.create_string_buffer(BASE)
    vector = struct.pack("PN", ctypes.addressof(address), len(BASE))
    call = partial(_call, parent=at.parent)
    return {
        protections.LIMITS: {
            "memory": lambda: mmap.mmap(-1, 2 * LIMITS.vet_memory_bytes),
            "large file": lambda: (at.own / "large").write_bytes(bytes(2 * 1024**2)),
            "many files": _open_many,
            "core dump": lambda: resource.setrlimit(resource.RLIMIT_CORE, (1, 1)),
            "more CPU time": lambda: resource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6)),
        },
        protections.PROCESSES: {
            "fork": _fork,
            "clone": lambda: _ended(linux.syscall((56, 220)[MACHINE], signal.SIGCHLD, 0, 0, 0, 0)),
            "vfork and exec": lambda: subprocess.run(["true"], check=True),
            "posix_spawn": lambda: _ended(os.posix_spawn("/bin/true", ["true"], {})),
            # It would replace this process; a program that does not exist shows as much.
            "execve": lambda: _or(errno.ENOENT, lambda: os.execv("/no/program", ["x"])),  # noqa: S606
        },
        protections.NETWORK: {
            "TCP": lambda: _connect(socket.SOCK_STREAM, at.port),
            "UDP": lambda: _connect(socket.SOCK_DGRAM, at.port),
        },
        protections.WRITES: {
            "new file": lambda: (at.outside / "new").write_text("x"),
            "temporary file": lambda: os.open(at.outside, os.O_TMPFILE | os.O_RDWR),
            "overwrite": lambda: secret.write_text("x"),
            "append": lambda: os.open(secret, os.O_WRONLY | os.O_APPEND),
            "truncate by name": lambda: os.truncate(secret, 3),
            "truncate by open": lambda: os.open(secret, os.O_RDONLY | os.O_TRUNC),
            "overwrite a library": lambda: library.write_text("x"),
            "truncate a library": lambda: os.open(library, os.O_RDONLY | os.O_TRUNC),
            "rename": lambda: (at.outside / "old").rename(at.outside / "renamed"),
            "move in": lambda: (at.outside / "other").rename(at.own / "moved"),
            "link in": lambda: os.link(secret, at.own / "link"),
            "new folder": (at.outside / "folder").mkdir,
            "symbolic link": lambda: (at.outside / "link").symlink_to("/"),
            "FIFO": lambda: os.mkfifo(at.outside / "fifo"),
            "chmod": lambda: secret.chmod(0o666),
            "chown": lambda: os.chown(secret, os.geteuid(), os.getegid()),
            "times": lambda: os.utime(secret),
            "attribute": lambda: os.setxattr(secret, "user.x", b"x"),
            "delete": (at.outside / "deleted").unlink,
            "delete folder": (at.outside / "empty").rmdir,
        },
        protections.READS: {
            "file": secret.read_text,
            "folder": lambda: list(at.outside.iterdir()),
            "through a link": (at.own / "to-secret").read_text,
            "/etc/passwd": lambda: Path("/etc/passwd").read_text(encoding="utf-8"),
            "other processes": lambda: Path(f"/proc/{at.parent}/cmdline").read_text(),
        },
        protections.OTHERS: {
            "environment": lambda: Path(f"/proc/{at.parent}/environ").read_bytes(),
            "memory file": lambda: os.open(f"/proc/{at.parent}/mem", os.O_RDONLY),
            "read memory": lambda: call("process_vm_readv", vector, 1, vector, 1, 0),
            "write memory": lambda: call("process_vm_writev", vector, 1, vector, 1, 0),
            "trace": lambda: _trace(at.parent),
            "signal": lambda: os.kill(at.parent, 0),
            "signal a thread": lambda: linux.syscall(
                system_calls.OWN_PROCESS["tgkill"][MACHINE] or 0, at.parent, at.parent, 0
            ),
            "pidfd": lambda: os.pidfd_open(at.parent),
            "its limits": lambda: resource.prlimit(at.parent, resource.RLIMIT_CORE, (0, 0)),
            "its cores": lambda: os.sched_setaffinity(at.parent, os.sched_getaffinity(0)),
            "signal by a pipe": lambda: fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, at.parent),
            "be traced": lambda: linux.prctl(linux.PR_SET_DUMPABLE, 1),
            "its priority": lambda: os.setpriority(os.PRIO_PROCESS, at.parent, 5),
            "System V memory": lambda: linux.syscall(NUMBERS["shmget"] or 0, 0, 4096, 0o1600),
            "message queue": lambda: linux.syscall(NUMBERS["msgget"] or 0, 0, 0o1600),
        },
        protections.PARENT: {
            "outlive": _outlives,
            "ignore its end": lambda: linux.prctl(1, 0),  # PR_SET_PDEATHSIG
        },
        # More ways that the filter of system calls closes.
        "seccomp": {
            **{
                f"socket {family.name}": partial(_open_socket, family)
                for family in (
                    socket.AF_INET,
                    socket.AF_INET6,
                    socket.AF_UNIX,
                    socket.AF_NETLINK,
                    socket.AF_PACKET,
                )
            },
            **{
                name: partial(linux.syscall, NUMBERS[name] or 0, 0, 0, 0, 0)
                for name in ("io_uring_setup", "userfaultfd", "bpf", "perf_event_open", "keyctl")
            },
            "socketpair": lambda: list(socket.socketpair()),
            "other queues": lambda: linux.syscall(NUMBERS["msgrcv"] or 0, -1, 0, 0, 0, 0),
            "kernel log": lambda: linux.syscall(NUMBERS["syslog"] or 0, 10, 0, 0),
            "watch files": lambda: linux.syscall(NUMBERS["inotify_add_watch"] or 0, -1, 0, 2),
            "unshare": lambda: linux.unshare(0x200),  # CLONE_FS, which needs no privilege
            "clone3": lambda: linux.syscall(435, None, 0),
            "a newer call": lambda: linux.syscall(452, 0, 0, 0, 0),
        },
        # What must still work.
        "needed": {
            "write": lambda: (at.own / "file").write_text("x"),
            "rename": lambda: (at.own / "file").rename(at.own / "renamed"),
            "delete": (at.own / "renamed").unlink,
            "folder": (at.own / "folder").mkdir,
            "thread": _start_thread,
            "signal to itself": lambda: os.kill(os.getpid(), 0),
            "own limit": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
            "/dev/null": lambda: Path("/dev/null").write_text("x"),
            "random numbers": lambda: Path("/dev/urandom").open("rb").close(),
            "cores": lambda: list(Path("/sys/devices/system/cpu").iterdir()),
            "status": lambda: Path("/proc/self/status").read_text(),
            "libraries": lambda: list(Path("/usr/lib").iterdir()),
            "a library": library.read_text,
        },
        # The last one: without confinement, these change the process.
        protections.PRIVILEGES: {
            "chroot": lambda: os.chroot("/"),
            "hostname": lambda: socket.sethostname(socket.gethostname()),
            "a capability": _capability,
            "setuid": lambda: os.setuid(1234),
        },
    }


def _call(name: str, *arguments: bytes | int, parent: int) -> None:
    buffers = [
        ctypes.create_string_buffer(each) if isinstance(each, bytes) else each for each in arguments
    ]
    linux.syscall(NUMBERS[name] or 0, parent, *buffers)


def _fork() -> None:
    process = os.fork()
    if process == 0:
        os._exit(0)
    _ended(process)


def _ended(process: int) -> None:
    if process == 0:
        os._exit(0)
    os.waitpid(process, 0)


def _or(number: int, action: Callable[[], object]) -> None:
    try:
        action()
    except OSError as error:
        if error.errno != number:
            raise


def _open_many() -> None:
    copies: list[int] = []
    try:
        copies.extend(os.dup(0) for _ in range(500))
    finally:
        for copy in copies:
            os.close(copy)


def _open_socket(family: socket.AddressFamily) -> None:
    kind = socket.SOCK_DGRAM if family != socket.AF_NETLINK else socket.SOCK_RAW
    socket.socket(family, kind).close()


def _connect(kind: socket.SocketKind, port: int) -> None:
    with socket.socket(socket.AF_INET, kind) as connecting:
        connecting.connect(("127.0.0.1", port))


def _capability() -> None:
    if int(linux.status()["CapPrm"], 16) == 0:
        raise PermissionError(errno.EPERM, "none")


def _trace(process: int) -> None:
    attach, detach = 0x4206, 17  # PTRACE_SEIZE does not stop it
    linux.syscall(NUMBERS["ptrace"] or 0, attach, process, 0, 0)
    with contextlib.suppress(OSError):
        linux.syscall(NUMBERS["ptrace"] or 0, detach, process, 0, 0)


def _outlives() -> None:
    number = ctypes.c_int()
    ctypes.CDLL(None).prctl(2, ctypes.byref(number))  # PR_GET_PDEATHSIG
    if number.value == signal.SIGKILL:
        raise PermissionError(errno.EPERM, "it ends with its parent")


def _start_thread() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


def block(blocked: dict[str, int]) -> None:
    """Make the kernel refuse calls with an error number, as an older or stricter one would.

    This holds for this process and those that it starts.
    """
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    steps = [seccomp._step(seccomp._LOAD, seccomp._NUMBER)]
    for name, number in blocked.items():
        answer = [seccomp._step(seccomp._RETURN, seccomp._ERROR | number)]
        if name == "seccomp":  # only this use of prctl
            load = seccomp._step(seccomp._LOAD, seccomp._ARGUMENTS[0])
            answer = [load, *seccomp._returns(seccomp._EQUAL, linux.PR_SET_SECCOMP, _error(number))]
            answer.append(seccomp._step(seccomp._RETURN, seccomp._ALLOW))
        call = {"namespaces": NUMBERS["unshare"], "landlock": 444, "seccomp": (157, 167)[MACHINE]}
        steps += seccomp._block(call[name] or 0, answer)
    seccomp.install(b"".join([*steps, seccomp._step(seccomp._RETURN, seccomp._ALLOW)]))


def _error(number: int) -> int:
    return seccomp._ERROR | number


def _outcome(action: Callable[[], object]) -> str:
    try:
        action()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, repr(error))
    except ValueError as error:  # what Python makes of EPERM for some limits
        return repr(error)
    return "done"


@contextlib.contextmanager
def _places() -> Iterator[Places]:
    with contextlib.ExitStack() as stack:
        own, outside = (Path(tempfile.mkdtemp(prefix="attempts-")) for _ in range(2))
        stack.callback(shutil.rmtree, own, ignore_errors=True)
        stack.callback(shutil.rmtree, outside, ignore_errors=True)
        for name in ("secret", "old", "other", "deleted"):
            (outside / name).write_text("secret")
        (outside / "empty").mkdir()
        (outside / "site-packages").mkdir()
        (outside / "site-packages" / "library.py").write_text("x = 1")
        sys.path.append(str(outside / "site-packages"))
        (own / "to-secret").symlink_to(outside / "secret")
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        yield Places(own, outside, os.getpid(), server.getsockname()[1])


def _attempt_all(at: Places, given: dict[str, Any]) -> dict[str, Any]:
    os.chdir(at.own)
    for _ in range(given["threads"]):
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    reported = confinement.confine(LIMITS, parent=at.parent) if given["confined"] else ()
    return {
        "protections": {each.name: asdict(each) for each in reported},
        "attempts": {
            protection: {name: _outcome(action) for name, action in actions.items()}
            for protection, actions in attempts(at).items()
        },
    }


def main() -> None:
    given = json.loads(sys.argv[1])
    sys.path[:0] = given["path"]
    if given["landlock"] is not None:
        landlock.version = lambda: given["landlock"]
    if given["blocked"]:
        block(given["blocked"])
    if given["ordinary"] and os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        # The kernel hides a process that changed its user, as it does not hide a usual one.
        linux.prctl(linux.PR_SET_DUMPABLE, 1)
    with _places() as at:
        reader, writer = os.pipe()
        process = os.fork()
        if process == 0:
            try:
                found = _attempt_all(at, given)
                os.write(writer, json.dumps(found).encode() + b"\n")
                signal.pause()  # until the parent has looked at this process
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        os.close(writer)
        with os.fdopen(reader, encoding="utf-8") as results:
            found = json.loads(results.readline())
            found["traceable"] = _outcome(lambda: os.open(f"/proc/{process}/mem", os.O_RDONLY))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        print(json.dumps(found))


if __name__ == "__main__":
    main()
