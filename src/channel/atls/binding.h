// What the evidence of a connection is bound to (30-channels, section 2). Pure.
//
//   bind = Hash_suite(SPKI of the leaf ‖ E)                     E = TLS-Exporter("Attestation",
//   context, 32) RD   = SHA-512("cloister atls v1" ‖ 00 ‖ role ‖ u8 len(bind) ‖ bind ‖
//   SHA-256(SPKI) ‖ instance_id
//                  ‖ SHA-256(ATT_REQUEST) ‖ SHA-256(claims))
//
// Each side computes RD from what it saw itself; a verifier never takes it from its peer.
#pragma once

#include "crypto/hash.h"

namespace cloister::atls {

enum class Role : uint8_t { server = 1, client = 2 };  // whose evidence it is

struct BindingInputs {
  Role role = Role::server;
  Buffer bind;  // 32 or 48 bytes, by the suite's hash
  Hash32 spki_sha256{};
  Hash32 instance_id{};
  Hash32 request_sha256{};  // of the ATT_REQUEST frame's body
  Hash32 claims_sha256{};
};

Buffer bind_of(crypto::HashKind suite_hash, Bytes spki_der, const Fixed<32>& exported);

// The 64 bytes of report data.
Fixed<64> report_data(const BindingInputs& inputs);

}  // namespace cloister::atls
