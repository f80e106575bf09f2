#!/usr/bin/env python3
"""Verifies one piece of evidence through libcloister-verify.so, with nothing but ctypes.

    verify.py FORMAT EVIDENCE UNIX_SECONDS COLLATERAL...

Prints the verdict; exit status 0: accepted, 1: rejected, 2: unusable arguments. The library is found as
the system finds libraries; CLOISTER_VERIFY_LIBRARY names another file.

A program of yours expects something: fill in report_data or nonce instead of not_compared.
"""
import ctypes
import json
import os
import pathlib
import sys

ABI_VERSION = 1
ACCEPTED = 2


class Binding(ctypes.Structure):
    _fields_ = [("report_data", ctypes.c_char_p), ("report_data_size", ctypes.c_size_t),
                ("nonce", ctypes.c_char_p), ("nonce_size", ctypes.c_size_t),
                ("not_compared", ctypes.c_int32)]


def load():
    library = ctypes.CDLL(os.environ.get("CLOISTER_VERIFY_LIBRARY", "libcloister-verify.so.1"))
    library.cloister_abi_version.restype = ctypes.c_uint32
    if library.cloister_abi_version() != ABI_VERSION:
        sys.exit("the library is of another interface version")
    library.cloister_describe.restype = ctypes.c_char_p
    library.cloister_report_json.restype = ctypes.c_char_p
    library.cloister_report_json.argtypes = [ctypes.c_void_p]
    library.cloister_report_verdict.argtypes = [ctypes.c_void_p]
    library.cloister_report_free.argtypes = [ctypes.c_void_p]
    library.cloister_verifier_new.argtypes = [ctypes.POINTER(ctypes.c_void_p)]
    library.cloister_verifier_free.argtypes = [ctypes.c_void_p]
    library.cloister_verifier_add_collateral.argtypes = [ctypes.c_void_p, ctypes.c_char_p,
                                                         ctypes.c_size_t]
    library.cloister_verify.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p,
                                        ctypes.c_size_t, ctypes.POINTER(Binding), ctypes.c_int64,
                                        ctypes.POINTER(ctypes.c_void_p)]
    return library


def main(kind, evidence, unix_seconds, *collateral):
    library = load()

    def must(result):
        if result != 0:
            print(library.cloister_describe(result).decode(), file=sys.stderr)
            sys.exit(2)

    verifier = ctypes.c_void_p()
    must(library.cloister_verifier_new(ctypes.byref(verifier)))
    for path in collateral:
        data = pathlib.Path(path).read_bytes()
        must(library.cloister_verifier_add_collateral(verifier, data, len(data)))
    data = pathlib.Path(evidence).read_bytes()
    report = ctypes.c_void_p()
    must(library.cloister_verify(verifier, kind.encode(), data, len(data),
                                 ctypes.byref(Binding(not_compared=1)), int(unix_seconds),
                                 ctypes.byref(report)))
    accepted = library.cloister_report_verdict(report) == ACCEPTED
    said = json.loads(library.cloister_report_json(report))
    library.cloister_report_free(report)
    library.cloister_verifier_free(verifier)
    if "development" in said:
        print("development:", said["development"])
    if accepted:
        print("accepted, status", said["status"])
    else:
        print(f"rejected: {said['error']}: {said['detail']}")
    return 0 if accepted else 1


if __name__ == "__main__":
    if len(sys.argv) < 4:
        print("usage: verify.py FORMAT EVIDENCE UNIX_SECONDS COLLATERAL...", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(*sys.argv[1:]))
