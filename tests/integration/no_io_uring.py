"""Runs a command for which io_uring_setup() fails, as it does in a container or on a hardened machine.

    python3 no_io_uring.py EPERM culvert relay ...

Docker, containerd and the sysctl kernel.io_uring_disabled give EPERM; a kernel without it ENOSYS.
"""
import ctypes
import errno
import os
import sys

_LIBC = ctypes.CDLL(None, use_errno=True)


class SocketFilter(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte),
                ("k", ctypes.c_uint)]


class FilterProgram(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.POINTER(SocketFilter))]


def forbid_io_uring(error=errno.EPERM):
    """io_uring_setup() fails with this error in this process and its children from now on."""
    set_no_new_privileges, set_seccomp, filter_mode = 38, 22, 2
    io_uring_setup, fail_with = 425, 0x00050000
    program = (SocketFilter * 4)((0x20, 0, 0, 0),  # load the number of the system call
                                 (0x15, 0, 1, io_uring_setup), (0x06, 0, 0, fail_with | error),
                                 (0x06, 0, 0, 0x7fff0000))  # all others are allowed
    done = _LIBC.prctl(set_no_new_privileges, 1, 0, 0, 0) == 0 and _LIBC.prctl(
        set_seccomp, filter_mode, ctypes.byref(FilterProgram(4, program)), 0, 0) == 0
    assert done, os.strerror(ctypes.get_errno())


def without_io_uring(error):
    """What goes before a command."""
    return (sys.executable, os.path.abspath(__file__), errno.errorcode[error])


if __name__ == "__main__":
    forbid_io_uring(getattr(errno, sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
