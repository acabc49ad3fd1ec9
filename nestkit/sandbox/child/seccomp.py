"""Which system calls a child may make: a profile in, a BPF filter out, and its installation. *Process*.

An allow-list: what is not named is refused. Programs may compute, talk over the sockets they hold and read files;
tools may also change files (where is for mounts and Landlock to say); nobody opens a socket, signals another process,
or becomes another one. Where an argument decides, only its lower half is compared: the kernel reads no more of it.
Runs in the child: standard library only.

**Source**: seccomp(2), Linux `include/uapi/linux/{seccomp,bpf_common,audit}.h`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from . import syscalls

PID = 0x4E455354
"""Stands in a drafted filter where the process' own number will be."""

_ALWAYS = """
read write close stat fstat lstat poll lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn pread64
pwrite64 readv writev access pipe select sched_yield mremap msync mincore madvise dup dup2 pause nanosleep getitimer
alarm setitimer getpid recvfrom recvmsg shutdown getsockname getpeername getsockopt exit wait4 uname
flock fsync fdatasync getdents getcwd chdir fchdir readlink umask gettimeofday getrlimit getrusage sysinfo times
getuid getgid geteuid getegid getppid getpgrp getgroups getresuid getresgid getpgid getsid capget rt_sigpending
rt_sigtimedwait rt_sigsuspend sigaltstack statfs fstatfs getpriority sched_getparam sched_getscheduler
sched_get_priority_max sched_get_priority_min sched_rr_get_interval mlock munlock arch_prctl gettid time futex
sched_getaffinity epoll_create getdents64 set_tid_address restart_syscall fadvise64 clock_gettime clock_getres
clock_nanosleep exit_group epoll_wait epoll_ctl waitid newfstatat readlinkat faccessat pselect6 ppoll set_robust_list
get_robust_list epoll_pwait eventfd eventfd2 epoll_create1 dup3 pipe2 preadv pwritev getcpu sched_getattr getrandom
membarrier preadv2 pwritev2 statx rseq close_range faccessat2 epoll_pwait2 futex_waitv
""".split()
_FILES = """
ftruncate rename mkdir rmdir creat unlink mkdirat unlinkat renameat renameat2 fallocate copy_file_range sendfile
""".split()
_MARKS = "chmod fchmod fchmodat utime utimes futimesat utimensat".split()
"""Modes and times: Landlock has no say over these (landlock(7), "Current limitations")."""
_NOTES = """
setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr lremovexattr
fremovexattr
""".split()
"""Notes beside a file: not supported here, which whoever copies files knows to bear."""
_PROCESSES = "fork vfork execve setpgid setsid kill tgkill pidfd_open pidfd_send_signal".split()

_FORKS = "fork vfork kill tgkill seccomp".split()
"""For whoever forks and lets each fork restrict itself further; it signals none but those below it."""

_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_REFUSE = _ERRNO | errno.EPERM
_UNKNOWN = _ERRNO | errno.ENOSYS
_FIRST_NEW = 424
"""From here on an unlisted call is "not there" rather than refused: libc then falls back to one it can have."""

_LOAD, _AND, _IS, _FROM, _ABOVE, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x25, 0x06
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_THREAD = 0x00010000
_NAMESPACES = 0x7E020000
"""CLONE_NEW*: cgroup, uts, ipc, user, pid, net and mount."""
_FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1031, 1032)
"""Duplicate, flags, locks, pipe size. Not SETOWN and SETSIG: they make the kernel send any signal to any process."""
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX."""
_PRCTL = (2, 3, 15, 16, 21, 23, 38, 39, 0x53564D41)
"""Ask, name a thread, name memory. Not PDEATHSIG, DUMPABLE, SECUREBITS: they would loosen what was set."""

_LOCAL, _STREAM, _FASTOPEN = 1, 1, 0x20000000
"""A pair of local sockets is a stream: datagrams could be sent to any address. Nothing connects in passing."""

_Line = tuple[int, int, int, int]


def draft_filter(machine: str, *, files: bool, marks: bool = False, run: bool = False, keep: bool = False) -> bytes:
    """The filter for a child: of a program, or with `files` of a tool; `PID` still to be filled in.

    Without `marks`, a tool that sets a file's mode or times is told it worked and nothing happens: Landlock alone
    could not keep it to its own files. With `run` it may start other programs, with `keep` fork and restrict itself.
    """
    numbers = syscalls.read_table(machine)
    lines: list[_Line] = [
        (_LOAD, 0, 0, 4),
        (_IS, 1, 0, _AUDIT[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_FROM, 0, 1, 0x40000000),
        (_RETURN, 0, 0, _KILL),
    ]
    for name, body in _conditions(files, forks=run or keep):
        if name in numbers:
            lines += [(_IS, 0, len(body), numbers[name]), *body]
    names = _ALWAYS + (_FILES if files else []) + ([*_MARKS, "truncate"] if files and marks else [])
    lines += _answer(names + (_PROCESSES if run else []) + (_FORKS if keep else []), numbers, _ALLOW)
    if files and not marks:
        lines += _answer(_MARKS, numbers, _ERRNO)
    lines += _answer(_NOTES, numbers, _ERRNO | errno.EOPNOTSUPP)
    lines += _answer(["clone3"], numbers, _UNKNOWN)
    lines += [(_FROM, 0, 1, _FIRST_NEW), (_RETURN, 0, 0, _UNKNOWN), (_RETURN, 0, 0, _REFUSE)]
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def restrict(drafted: bytes) -> None:
    """Bind this process, for good, to a drafted filter. Raises OSError."""
    program = drafted.replace(struct.pack("I", PID), struct.pack("I", os.getpid()))
    lines = ctypes.create_string_buffer(program, len(program))
    pointer = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(lines))
    syscalls.syscall("seccomp", 1, 0, pointer)


def _conditions(files: bool, *, forks: bool) -> list[tuple[str, list[_Line]]]:
    """Calls that depend on an argument: its place, and what it may be."""
    write = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC
    rows = [
        ("fcntl", _one_of(1, _FCNTL)),
        ("ioctl", _one_of(1, _IOCTL)),
        ("prctl", _one_of(0, _PRCTL)),
        ("prlimit64", _one_of(0, (0,))),
        ("socketpair", [*_demand(0, 0xFFFFFFFF, _LOCAL), *_masked(1, 0xF, _STREAM)]),
        ("sendto", _masked(3, _FASTOPEN, 0)),
        ("sendmsg", _masked(2, _FASTOPEN, 0)),
        ("clone", _masked(0, _NAMESPACES, 0) if forks else _masked(0, _NAMESPACES | _THREAD, _THREAD)),
    ]
    if not forks:
        rows += [("kill", _one_of(0, (PID,))), ("tgkill", _one_of(0, (PID,)))]
    for name, place in (("open", 1), ("openat", 2)):
        if files:  # truncating what is opened for reading alone: Landlock sees it only since its third version
            rows.append((name, _masked(place, os.O_ACCMODE | os.O_TRUNC, os.O_TRUNC, _REFUSE, _ALLOW)))
        else:
            rows.append((name, _masked(place, write, 0)))
    return rows


def _one_of(place: int, values: tuple[int, ...]) -> list[_Line]:
    lines: list[_Line] = [(_LOAD, 0, 0, 16 + 8 * place)]
    for value in values:
        lines += [(_IS, 0, 1, value), (_RETURN, 0, 0, _ALLOW)]
    return [*lines, (_RETURN, 0, 0, _REFUSE)]


def _demand(place: int, mask: int, wanted: int) -> list[_Line]:
    """Refuse where an argument is not this; else go on with the next lines."""
    return [(_LOAD, 0, 0, 16 + 8 * place), (_AND, 0, 0, mask), (_IS, 1, 0, wanted), (_RETURN, 0, 0, _REFUSE)]


def _masked(place: int, mask: int, wanted: int, then: int = _ALLOW, other: int = _REFUSE) -> list[_Line]:
    return [
        (_LOAD, 0, 0, 16 + 8 * place),
        (_AND, 0, 0, mask),
        (_IS, 0, 1, wanted),
        (_RETURN, 0, 0, then),
        (_RETURN, 0, 0, other),
    ]


def _answer(names: list[str], numbers: dict[str, int], answer: int) -> list[_Line]:
    """One answer for all these calls; neighbours in the table share a comparison."""
    lines: list[_Line] = []
    wanted = sorted(numbers[name] for name in names if name in numbers)
    while wanted:
        first = last = wanted.pop(0)
        while wanted and wanted[0] == last + 1:
            last = wanted.pop(0)
        if first == last:
            lines += [(_IS, 0, 1, first), (_RETURN, 0, 0, answer)]
        else:
            lines += [(_FROM, 0, 2, first), (_ABOVE, 1, 0, last), (_RETURN, 0, 0, answer)]
    return lines
