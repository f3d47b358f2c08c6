"""The capabilities that a file gives the program in it, in the words of getcap(8).

Format: the extended attribute ``security.capability`` holds the kernel's ``struct vfs_cap_data`` or
``vfs_ns_cap_data`` (``include/uapi/linux/capability.h``): a revision with a flag, then pairs of permitted and
inheritable sets of 32 bits (one pair in revision 1, two after it), then from revision 3 on the user that is root in the
namespace it holds for. The text is that of cap_to_text(3), libcap 2.66.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

XATTR = "security.capability"
PAX_KEY = b"SCHILY.xattr." + XATTR.encode()
"""Where a tar has it (pax records of star, which Docker, BuildKit, buildah and GNU tar write)."""
UNREADABLE = "unreadable"
"""What stands for a value that no kernel would take either."""

NAMES = (
    "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service "
    "net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin "
    "sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override "
    "mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore"
).split()

_WORDS = {0x01000000: 1, 0x02000000: 2, 0x03000000: 2}
_ROOT_ID = 0x03000000
_REVISION, _FLAGS = 0xFF000000, 0x00FFFFFF
_EFFECTIVE, _PERMITTED, _INHERITABLE = 1, 2, 4
_BITS = 64


def capabilities(value: bytes) -> str:
    """The text for an attribute's value: ``cap_net_raw=ep``, ``=ep``; ``unreadable`` for what is none."""
    magic = int.from_bytes(value[:4], "little")
    words = _WORDS.get(magic & _REVISION, 0)
    rooted = magic & _REVISION == _ROOT_ID
    if not words or magic & _FLAGS > 1 or len(value) != 4 + 8 * words + 4 * rooted:
        return UNREADABLE
    numbers = struct.unpack(f"<{2 * words}I", value[4 : 4 + 8 * words])
    permitted = sum(number << 32 * place for place, number in enumerate(numbers[::2]))
    inheritable = sum(number << 32 * place for place, number in enumerate(numbers[1::2]))
    effective = permitted | inheritable if magic & 1 else 0
    sets = ((_EFFECTIVE, effective), (_PERMITTED, permitted), (_INHERITABLE, inheritable))
    states = [sum(mark * (bits >> bit & 1) for mark, bits in sets) for bit in range(_BITS)]
    root = int.from_bytes(value[-4:], "little") if rooted else 0
    return _text(states) + (f" [rootid={root}]" if root else "")


def _text(states: list[int]) -> str:
    """What most capabilities have in common comes first, then those that differ."""
    named = states[: len(NAMES)]
    # Of two that are as many the lesser is what is common.
    common = max(range(8), key=lambda state: (named.count(state), -state))
    parts = ["=" + _letters(common)]
    for state, names in _groups(states, 0, len(NAMES), common):
        added, removed = _letters(state & ~common), _letters(common & ~state)
        if parts == ["="]:
            parts = [f"{names}={added}"]
        else:
            parts.append(names + (f"+{added}" if added else "") + (f"-{removed}" if removed else ""))
    parts += (f"{names}+{_letters(state)}" for state, names in _groups(states, len(NAMES), _BITS, 0))
    return " ".join(parts)


def _groups(states: list[int], first: int, end: int, common: int) -> Iterator[tuple[int, str]]:
    for state in range(7, -1, -1):
        numbers = [number for number in range(first, end) if states[number] == state]
        if numbers and state != common:
            yield state, ",".join(f"cap_{NAMES[n]}" if n < len(NAMES) else str(n) for n in numbers)


def _letters(state: int) -> str:
    marks = (("e", _EFFECTIVE), ("i", _INHERITABLE), ("p", _PERMITTED))
    return "".join(letter for letter, bit in marks if state & bit)
