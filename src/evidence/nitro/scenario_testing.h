// One Nitro document under a test hierarchy, from parameters of which a test bends one: everything
// is signed as it should be, so that only the check under test can refuse.
#pragma once

#include <functional>

#include "base/cbor.h"
#include "evidence/common/authority_testing.h"
#include "evidence/nitro/verify.h"

namespace cloister::evidence::nitro {

constexpr UnixSeconds kNow = kTestNow;
constexpr UnixSeconds kHour = kTestHour;

// Root ← region ← zone ← enclave.
struct Hierarchy {
  Authority root, region, zone, leaf;
};
const Hierarchy& hierarchy();

struct Scenario {
  Scenario();

  Buffer protected_header = {0xA1, 0x01, 0x38, 0x22};  // {1: -35}
  std::optional<uint64_t> tag;
  std::string module_id = "i-0123456789abcdef0-enc0123456789abcdef";
  std::string digest = "SHA384";
  uint64_t timestamp_ms = uint64_t{kNow} * 1000;
  std::map<uint64_t, Buffer> pcrs;
  crypto::Certificate leaf;
  std::vector<crypto::Certificate> cabundle;
  std::optional<Buffer> public_key, user_data, nonce;
  std::function<void(CborWriter&)> more_fields;  // written last
  size_t more_field_count = 0;
  std::vector<std::string> leave_out;
  const crypto::PrivateKey* signer;
  std::function<void(Buffer&)> bend_payload;    // before it is signed
  std::function<void(Buffer&)> bend_signature;  // after
  std::function<void(Buffer&)> bend_document;

  VerifyPolicy policy;
  Binding binding = Binding::not_compared();
  UnixSeconds now = kNow;

  Buffer payload() const;
  Buffer document() const;
  Verification judge() const { return verify_nitro(document(), policy, binding, now); }
};

}  // namespace cloister::evidence::nitro
