// What TCB info and QE identity share: a JSON document {NAME: {…}, "signature": hex} whose
// signature covers the exact bytes of the member as received, and the fields that such documents
// are made of.
#pragma once

#include "base/text.h"
#include "crypto/signer_memo.h"
#include "evidence/common/fault.h"

namespace cloister::evidence::dcap {

// A document before its signature has been checked.
struct SignedJson {
  JsonValue body;
  std::string signed_text;                     // the exact bytes under the signature
  Fixed<64> signature;                         // r‖s
  std::shared_ptr<crypto::SignerMemo> signer;  // copies share what they know
};

// Exactly the members `name` and "signature"; nothing else may stand beside them unsigned.
Result<SignedJson> parse_signed_json(std::string_view document, std::string_view name);

// The signature alone, remembered once it held; whether `signer` may sign such documents is
// check_tcb_signer's question.
bool signed_by(const SignedJson& document, const crypto::Certificate& signer);

// Fields of an object: nothing when absent, of another kind, or out of range.
std::optional<UnixSeconds> time_field(const JsonValue& object, std::string_view key);  // …Z only
std::optional<uint8_t> u8_field(const JsonValue& object, std::string_view key);
std::optional<uint16_t> u16_field(const JsonValue& object, std::string_view key);

template <size_t N>
std::optional<Fixed<N>> hex_field(const JsonValue& object, std::string_view key) {
  const auto text = object[key].string();
  return text ? fixed_from_hex<N>(*text) : std::nullopt;
}

// What every TCB level carries beside the SVNs that it asks for.
struct LevelStatus {
  UnixSeconds tcb_date = 0;
  TcbStatus status{};
  std::vector<std::string> advisories;
  bool operator==(const LevelStatus&) const = default;
};
constexpr size_t kMaxAdvisoriesPerLevel = 256;
constexpr size_t kMaxAdvisoryIdBytes = 64;
std::optional<LevelStatus> level_status(const JsonValue& level);

// A level of a quoting enclave or TDX module.
struct EnclaveLevel {
  uint16_t isv_svn = 0;
  LevelStatus at;
  bool operator==(const EnclaveLevel&) const = default;
};
constexpr size_t kMaxLevels = 128;
// Sorted here, highest first: the order of the document is not relied on. Nothing for two levels
// with the same SVN, none at all, or more than kMaxLevels.
std::optional<std::vector<EnclaveLevel>> enclave_levels(const JsonValue& array);

}  // namespace cloister::evidence::dcap
