"""The system call filter, run instruction by instruction for both machines, whichever this one is."""

from __future__ import annotations

import errno
import os
import re
import shutil
import struct
import subprocess

import pytest

from nestkit.sandbox.child import seccomp, syscalls

ALLOW, REFUSE, UNKNOWN, KILL, PRETEND = 0x7FFF0000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS, 0x80000000, 0x50000
MISSING = 0x50000 | errno.EOPNOTSUPP
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
OWN = 4242
"""The process' own number in these tests."""


def answer(program: bytes, machine: str, number: int, *args: int) -> int:
    """What a filter says to a call: the five instructions it is made of, as bpf(4) defines them."""
    record = struct.pack("<IIQ6Q", number, AUDIT[machine], 0, *args, *[0] * (6 - len(args)))
    lines = [struct.unpack_from("<HBBI", program, place) for place in range(0, len(program), 8)]
    place = value = 0
    while True:
        code, yes, no, operand = lines[place]
        place += 1
        if code == 0x06:
            return operand
        if code == 0x20:
            value = struct.unpack_from("<I", record, operand)[0]
        elif code == 0x54:
            value &= operand
        else:
            holds = {0x15: value == operand, 0x35: value >= operand, 0x25: value > operand}[code]
            place += yes if holds else no


def draft(machine: str, kind: str) -> bytes:
    kinds = {
        "program": {"files": False},
        "tool": {"files": True, "marks": True},
        "lite tool": {"files": True},
        "runner": {"files": True, "marks": True, "run": True},
        "keeper": {"files": True, "marks": True, "keep": True},
    }
    drafted = seccomp.draft_filter(machine, **kinds[kind])
    return drafted.replace(struct.pack("I", seccomp.PID), struct.pack("I", OWN))


NEWUSER, THREAD, CREATE = 0x10000000, 0x10000, os.O_CREAT | os.O_WRONLY
ROWS = [
    # call, arguments, program, tool, lite tool, runner
    ("read", (), ALLOW, ALLOW, ALLOW, ALLOW),
    ("futex", (), ALLOW, ALLOW, ALLOW, ALLOW),
    ("socket", (2,), REFUSE, REFUSE, REFUSE, REFUSE),
    ("connect", (), REFUSE, REFUSE, REFUSE, REFUSE),
    ("socketpair", (1, 1 | 0o2004000), ALLOW, ALLOW, ALLOW, ALLOW),
    ("socketpair", (1, 2), REFUSE, REFUSE, REFUSE, REFUSE),
    ("socketpair", (1, 5), REFUSE, REFUSE, REFUSE, REFUSE),
    ("socketpair", (2, 1), REFUSE, REFUSE, REFUSE, REFUSE),
    ("sendto", (3, 0, 1, 0x4000), ALLOW, ALLOW, ALLOW, ALLOW),
    ("sendto", (3, 0, 1, 0x20004000), REFUSE, REFUSE, REFUSE, REFUSE),
    ("sendmsg", (3, 0, 0), ALLOW, ALLOW, ALLOW, ALLOW),
    ("sendmsg", (3, 0, 0x20000000), REFUSE, REFUSE, REFUSE, REFUSE),
    ("fork", (), REFUSE, REFUSE, REFUSE, ALLOW),
    ("vfork", (), REFUSE, REFUSE, REFUSE, ALLOW),
    ("execve", (), REFUSE, REFUSE, REFUSE, ALLOW),
    ("clone", (17,), REFUSE, REFUSE, REFUSE, ALLOW),
    ("clone", (THREAD | 0xF00,), ALLOW, ALLOW, ALLOW, ALLOW),
    ("clone", (THREAD | NEWUSER,), REFUSE, REFUSE, REFUSE, REFUSE),
    ("clone", (NEWUSER | 17,), REFUSE, REFUSE, REFUSE, REFUSE),
    ("clone", (1 << 32 | 17,), REFUSE, REFUSE, REFUSE, ALLOW),
    ("clone3", (), UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
    ("openat2", (), UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
    ("unshare", (), REFUSE, REFUSE, REFUSE, REFUSE),
    ("setns", (), REFUSE, REFUSE, REFUSE, REFUSE),
    ("mount", (), REFUSE, REFUSE, REFUSE, REFUSE),
    ("pivot_root", (), REFUSE, REFUSE, REFUSE, REFUSE),
    ("capset", (), REFUSE, REFUSE, REFUSE, REFUSE),
    ("kill", (OWN, 9), ALLOW, ALLOW, ALLOW, ALLOW),
    ("kill", (OWN + 1, 9), REFUSE, REFUSE, REFUSE, ALLOW),
    ("kill", (0, 9), REFUSE, REFUSE, REFUSE, ALLOW),
    ("kill", (0xFFFFFFFFFFFFFFFF, 9), REFUSE, REFUSE, REFUSE, ALLOW),
    ("tgkill", (OWN, 1, 9), ALLOW, ALLOW, ALLOW, ALLOW),
    ("tgkill", (OWN + 1, 1, 9), REFUSE, REFUSE, REFUSE, ALLOW),
    ("pidfd_open", (1,), UNKNOWN, UNKNOWN, UNKNOWN, ALLOW),
    ("prctl", (15,), ALLOW, ALLOW, ALLOW, ALLOW),
    ("prctl", (1, 0), REFUSE, REFUSE, REFUSE, REFUSE),
    ("prctl", (4, 1), REFUSE, REFUSE, REFUSE, REFUSE),
    ("prlimit64", (0,), ALLOW, ALLOW, ALLOW, ALLOW),
    ("prlimit64", (OWN + 1,), REFUSE, REFUSE, REFUSE, REFUSE),
    ("fcntl", (3, 1030), ALLOW, ALLOW, ALLOW, ALLOW),
    ("fcntl", (3, 8, 1), REFUSE, REFUSE, REFUSE, REFUSE),
    ("fcntl", (3, 10, 9), REFUSE, REFUSE, REFUSE, REFUSE),
    ("fcntl", (3, 15), REFUSE, REFUSE, REFUSE, REFUSE),
    ("ioctl", (3, 0x5421), ALLOW, ALLOW, ALLOW, ALLOW),
    ("ioctl", (3, 0x5412), REFUSE, REFUSE, REFUSE, REFUSE),
    ("ioctl", (3, 0x1_0000_5412), REFUSE, REFUSE, REFUSE, REFUSE),
    ("openat", (0, 0, os.O_RDONLY | os.O_CLOEXEC), ALLOW, ALLOW, ALLOW, ALLOW),
    ("openat", (0, 0, CREATE), REFUSE, ALLOW, ALLOW, ALLOW),
    ("openat", (0, 0, os.O_RDWR), REFUSE, ALLOW, ALLOW, ALLOW),
    ("openat", (0, 0, os.O_RDONLY | os.O_TRUNC), REFUSE, REFUSE, REFUSE, REFUSE),
    ("open", (0, os.O_RDONLY), ALLOW, ALLOW, ALLOW, ALLOW),
    ("open", (0, CREATE), REFUSE, ALLOW, ALLOW, ALLOW),
    ("unlinkat", (), REFUSE, ALLOW, ALLOW, ALLOW),
    ("renameat2", (), REFUSE, ALLOW, ALLOW, ALLOW),
    ("linkat", (), REFUSE, REFUSE, REFUSE, REFUSE),
    ("symlinkat", (), REFUSE, REFUSE, REFUSE, REFUSE),
    ("mknodat", (), REFUSE, REFUSE, REFUSE, REFUSE),
    ("fchmodat", (), REFUSE, ALLOW, PRETEND, ALLOW),
    ("utimensat", (), REFUSE, ALLOW, PRETEND, ALLOW),
    ("listxattr", (), MISSING, MISSING, MISSING, MISSING),
    ("setxattr", (), MISSING, MISSING, MISSING, MISSING),
    ("truncate", (), REFUSE, ALLOW, REFUSE, ALLOW),
]


@pytest.mark.parametrize("machine", syscalls.MACHINES)
@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_a_call_is_answered_as_its_profile_says(
    row: tuple[str, tuple[int, ...], int, int, int, int], machine: str
) -> None:
    name, args, *expected = row
    number = syscalls.read_table(machine).get(name)
    if number is None:
        assert machine == "aarch64", "only arm64 lacks the old calls"
        return
    kinds = ("program", "tool", "lite tool", "runner")
    assert [answer(draft(machine, kind), machine, number, *args) for kind in kinds] == expected


@pytest.mark.parametrize("machine", syscalls.MACHINES)
def test_a_keeper_may_do_what_a_tool_may_and_fork_signal_its_forks_and_restrict_itself(machine: str) -> None:
    numbers = syscalls.read_table(machine)
    more = set()
    for name, args, *_ in [*ROWS, ("seccomp", (1, 0), 0), ("pidfd_send_signal", (1, 9), 0), ("ptrace", (), 0)]:
        if name in numbers:
            tool, keeper = (answer(draft(machine, kind), machine, numbers[name], *args) for kind in ("tool", "keeper"))
            if tool != keeper:
                assert keeper == ALLOW
                more.add(name)
    assert more == {"fork", "vfork", "clone", "kill", "tgkill", "seccomp"} & {*numbers}


@pytest.mark.parametrize("machine", syscalls.MACHINES)
@pytest.mark.parametrize("kind", ["program", "tool", "lite tool", "runner", "keeper"])
def test_what_is_not_listed_is_refused(machine: str, kind: str) -> None:
    program, listed = draft(machine, kind), set(syscalls.read_table(machine).values())
    said = {number: answer(program, machine, number) for number in range(1000) if number not in listed}
    assert set(said.values()) == {REFUSE, UNKNOWN}
    assert all((number >= 424) == (value == UNKNOWN) for number, value in said.items())


@pytest.mark.parametrize("machine", syscalls.MACHINES)
def test_another_machine_s_calls_are_deadly(machine: str) -> None:
    program = draft(machine, "program")
    other = next(name for name in syscalls.MACHINES if name != machine)
    assert answer(program, other, syscalls.read_table(machine)["read"]) == KILL
    assert answer(program, machine, 0x40000000 | syscalls.read_table(machine)["read"]) == KILL


@pytest.mark.parametrize("machine", syscalls.MACHINES)
def test_the_process_number_stands_only_where_it_is_meant(machine: str) -> None:
    drafted = seccomp.draft_filter(machine, files=True)
    mark = struct.pack("I", seccomp.PID)
    found = [place for place in range(len(drafted)) if drafted.startswith(mark, place)]
    assert len(found) == 2
    assert all(place % 8 == 4 for place in found)


HEADERS = {"x86_64": "#include <asm/unistd_64.h>", "aarch64": "#include <asm-generic/unistd.h>"}
WANTED = "NEW_STAT SET_GET_RLIMIT SYS_CLONE3 RENAMEAT"


@pytest.mark.parametrize("machine", syscalls.MACHINES)
def test_the_table_agrees_with_the_kernel_s_own_headers(machine: str) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here to read the kernel's headers with")
    wanted = "".join(f"#define __ARCH_WANT_{name}\n" for name in WANTED.split())
    source = f"{wanted}#define __BITS_PER_LONG 64\n{HEADERS[machine]}\n"
    done = subprocess.run([compiler, "-E", "-dM", "-x", "c", "-"], input=source, capture_output=True, text=True)
    defined = dict(re.findall(r"#define __NR(?:3264)?_(\w+) (\w+)", done.stdout))
    if "read" not in defined:
        pytest.skip(f"no headers here for {machine}")
    aliases = {"newfstatat": "fstatat"}
    for name, number in syscalls.read_table(machine).items():
        said = defined.get(name) or defined.get(aliases.get(name, ""))
        if said is not None and said.isdigit():  # headers older than the call do not know it
            assert int(said) == number, name
    assert sum(name in defined for name in syscalls.read_table(machine)) > 140
