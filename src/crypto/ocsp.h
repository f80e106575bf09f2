// OCSP responses (RFC 6960).
#pragma once

#include "crypto/x509.h"

namespace cloister::crypto {

// Whether these bytes have the form of an OCSPResponse, DER, with nothing after it.
bool is_ocsp_response(Bytes der);

}  // namespace cloister::crypto
