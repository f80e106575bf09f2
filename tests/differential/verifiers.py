"""The two verifiers, each as a function from (quote, collateral, time) to an answer.

An answer is ("accept", status, advisories) or ("reject", reason[, detail]). Everything that our policy refuses
and Intel's procedure does not is allowed here, so that only the procedures differ.
"""
import ctypes
import json
import re

PERMISSIONS = ["debug", "out_of_date", "service_td", "perfmon", "no_sept_ve_disable"]
ROLES = ["tcb_info", "qe_identity", "tcb_sign_chain", "root_crl", "pck_crl"]
CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.S)


class _Binding(ctypes.Structure):
    _fields_ = [("report_data", ctypes.c_char_p), ("report_data_size", ctypes.c_size_t),
                ("nonce", ctypes.c_char_p), ("nonce_size", ctypes.c_size_t),
                ("not_compared", ctypes.c_int32)]


class Ours:
    """libcloister-verify.so through its C interface."""

    def __init__(self, library):
        self._c = ctypes.CDLL(str(library))
        pointer, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
        for name, result, arguments in [
                ("cloister_verifier_new", ctypes.c_int, [ctypes.POINTER(pointer)]),
                ("cloister_verifier_free", None, [pointer]),
                ("cloister_verifier_add_collateral", ctypes.c_int, [pointer, text, size]),
                ("cloister_verifier_allow", ctypes.c_int, [pointer, text]),
                ("cloister_verify", ctypes.c_int, [pointer, text, text, size, ctypes.POINTER(_Binding),
                                                   ctypes.c_int64, ctypes.POINTER(pointer)]),
                ("cloister_report_json", text, [pointer]),
                ("cloister_report_free", None, [pointer])]:
            function = getattr(self._c, name)
            function.restype, function.argtypes = result, arguments

    def __call__(self, kind, quote, collateral, time):
        verifier = ctypes.c_void_p()
        assert self._c.cloister_verifier_new(ctypes.byref(verifier)) == 0
        try:
            for permission in PERMISSIONS:
                assert self._c.cloister_verifier_allow(verifier, permission.encode()) == 0
            for role in ROLES:
                data = collateral[role]
                if self._c.cloister_verifier_add_collateral(verifier, data, len(data)) != 0:
                    return ("reject", "malformed", role + " is no collateral")
            report = ctypes.c_void_p()
            done = self._c.cloister_verify(verifier, kind.encode(), quote, len(quote),
                                           ctypes.byref(_Binding(not_compared=1)), time,
                                           ctypes.byref(report))
            assert done == 0, done
            said = json.loads(self._c.cloister_report_json(report))
            self._c.cloister_report_free(report)
        finally:
            self._c.cloister_verifier_free(verifier)
        if said["verdict"] == "accept":
            return ("accept", said["status"], tuple(said["advisories"]))
        return ("reject", said["error"], said["detail"])


def raw_member(document, name):
    """The bytes of a member as they stand in the document, for that is what was signed."""
    text = document.decode()
    start = text.index(f'"{name}"') + len(name) + 2
    start = text.index(":", start) + 1
    while text[start].isspace():
        start += 1
    _, end = json.JSONDecoder().raw_decode(text, start)
    return text[start:end]


class Peer:
    """The Python package of the Rust crate dcap-qvl."""

    def __init__(self):
        import dcap_qvl
        self._qvl = dcap_qvl
        self.name = f"dcap-qvl {dcap_qvl.version if isinstance(dcap_qvl.version, str) else ''}".strip()

    def __call__(self, quote, collateral, pck_issuers, time):
        try:
            made = self._qvl.QuoteCollateralV3(
                pck_issuers.decode(), collateral["root_crl"], collateral["pck_crl"],
                collateral["tcb_sign_chain"].decode(),
                raw_member(collateral["tcb_info"], "tcbInfo"),
                bytes.fromhex(json.loads(collateral["tcb_info"])["signature"]),
                collateral["tcb_sign_chain"].decode(),
                raw_member(collateral["qe_identity"], "enclaveIdentity"),
                bytes.fromhex(json.loads(collateral["qe_identity"])["signature"]))
        except (ValueError, UnicodeDecodeError, KeyError) as fault:
            return ("reject", "collateral does not parse: " + type(fault).__name__)
        try:
            report = self._qvl.verify(quote, made, time)
        except ValueError as fault:
            return ("reject", str(fault))
        except BaseException as fault:  # a panic of the Rust code arrives as one
            return ("reject", "panic: " + type(fault).__name__)
        return ("accept", report.status, tuple(sorted(report.advisory_ids)))
