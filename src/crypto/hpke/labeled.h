// LabeledExtract and LabeledExpand (RFC 9180, 4) over HKDF-SHA256.
#pragma once

#include "base/secret.h"

namespace cloister::crypto {

SecretBuffer labeled_extract(Bytes suite_id, Bytes salt, std::string_view label, Bytes input_key);
SecretBuffer labeled_expand(Bytes suite_id, Bytes pseudo_random_key, std::string_view label,
                            Bytes info, size_t size_bytes);

}  // namespace cloister::crypto
