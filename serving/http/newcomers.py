"""A listening socket's last moments: who comes now is turned away, whose handshake is under way is let in.

A close resets what stands in the accept queue, and a handshake may end at any moment up to it: its client has sent its
request by then and sees a reset. So before the last look at the queue the kernel is told to drop every segment that
asks for a new connection; its client asks again a second later, and finds nobody, or another server.
"""

import contextlib
import ctypes
import socket
import struct
import sys
from typing import Final

SO_ATTACH_FILTER: Final = 26
LOAD_BYTE, AND, IS_EQUAL, RETURN = 0x30, 0x54, 0x15, 0x06
FLAGS_AT: Final = 13
"""Byte of a TCP header that holds the flags."""
SYN, ACK = 0x02, 0x10
WHOLE, NOTHING = 0xFFFF_FFFF, 0
PROGRAM: Final = (
    (LOAD_BYTE, 0, 0, FLAGS_AT),
    (AND, 0, 0, SYN | ACK),
    (IS_EQUAL, 0, 1, SYN),  # else the next instruction is left out
    (RETURN, 0, 0, NOTHING),
    (RETURN, 0, 0, WHOLE),
)
"""Classic BPF, instructions as (code, steps if true, steps if false, operand)."""


def turn_away_newcomers(listener: socket.socket) -> bool:
    """Accept no further handshake on a listening socket, of whatever process holds it; those under way go on.

    Connections that were made already are not touched. It cannot be undone but by closing the socket.

    Returns:
        False where the system has no such filter: nothing has changed.
    """
    if sys.platform != "linux":
        return False
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in PROGRAM))
    with contextlib.suppress(OSError):
        listener.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(PROGRAM), ctypes.addressof(program))
        )
        return True
    return False
