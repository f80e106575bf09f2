#include "crypto/ocsp.h"

#include <openssl/ocsp.h>

#include "crypto/x509_internal.h"

namespace cloister::crypto {

bool is_ocsp_response(Bytes der) {
  ClearErrors clear;
  const uint8_t* cursor = der.data();
  const Owned<OCSP_RESPONSE> response{
      d2i_OCSP_RESPONSE(nullptr, &cursor, static_cast<long>(der.size()))};
  return response && equal(der_of(response.get(), i2d_OCSP_RESPONSE), der);
}

}  // namespace cloister::crypto
