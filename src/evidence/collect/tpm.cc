#include "evidence/collect/tpm.h"

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include <algorithm>
#include <map>
#include <memory>

#include "base/text.h"

namespace cloister::evidence::collect {
namespace {

constexpr uint8_t kPcrCount = 24;
constexpr size_t kMaxNonceBytes = 32;
constexpr int kMaxReads = 2 * kPcrCount;  // each read gives at least one value

std::unexpected<CollectFault> failure(const char* call, TSS2_RC code) {
  return fault(CollectError::refused, std::string(call) + ": " + Tss2_RC_Decode(code));
}

struct EsysFree {
  void operator()(void* memory) const { Esys_Free(memory); }
};
template <typename T>
using EsysOwned = std::unique_ptr<T, EsysFree>;

// A connection to a TPM and the attestation key loaded into it.
class Session {
 public:
  Session() = default;
  ~Session() {
    if (key_ != ESYS_TR_NONE) Esys_FlushContext(esys_, key_);
    if (esys_ != nullptr) Esys_Finalize(&esys_);
    if (tcti_ != nullptr) Tss2_TctiLdr_Finalize(&tcti_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Collected<std::monostate> open(const char* tcti) {
    // Of what the library says, only that it failed: absence and permission look alike.
    if (Tss2_TctiLdr_Initialize(tcti, &tcti_) != TSS2_RC_SUCCESS) {
      return fault(CollectError::not_available, std::string("no TPM at ") + tcti);
    }
    if (const TSS2_RC code = Esys_Initialize(&esys_, tcti_, nullptr); code != TSS2_RC_SUCCESS) {
      return failure("Esys_Initialize", code);
    }
    return std::monostate();
  }

  Collected<crypto::PublicKey> load_key();
  Collected<std::monostate> quote(Bytes nonce, const TPML_PCR_SELECTION& selection);
  Collected<std::map<uint8_t, Buffer>> read_pcrs(TPML_PCR_SELECTION selection);

  Buffer message, signature;  // after `quote`

 private:
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  ESYS_CONTEXT* esys_ = nullptr;
  ESYS_TR key_ = ESYS_TR_NONE;
};

// Restricted to sign what the TPM itself made, and fixed in it: an attestation key (TPM 2.0
// Library, part 1, 36.5).
TPM2B_PUBLIC key_template() {
  TPM2B_PUBLIC out{};
  TPMT_PUBLIC& area = out.publicArea;
  area.type = TPM2_ALG_ECC;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_FIXEDTPM |
                          TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
                          TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA;
  area.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
  area.parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
  area.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  area.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
  area.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
  return out;
}

// A coordinate comes without leading zeros.
std::optional<crypto::PublicKey> public_key_of(const TPMS_ECC_POINT& point) {
  constexpr size_t kWidth = 32;
  if (point.x.size > kWidth || point.y.size > kWidth) return std::nullopt;
  ByteWriter xy;
  xy.zeros(kWidth - point.x.size).bytes({point.x.buffer, point.x.size});
  xy.zeros(kWidth - point.y.size).bytes({point.y.buffer, point.y.size});
  return crypto::PublicKey::from_ec_point(crypto::Curve::p256, xy.view());
}

Collected<crypto::PublicKey> Session::load_key() {
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_PUBLIC wanted = key_template();
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION creation{};
  TPM2B_PUBLIC* made = nullptr;
  const TSS2_RC code = Esys_CreatePrimary(esys_, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                          ESYS_TR_NONE, &sensitive, &wanted, &outside, &creation,
                                          &key_, &made, nullptr, nullptr, nullptr);
  const EsysOwned<TPM2B_PUBLIC> owned(made);
  if (code != TSS2_RC_SUCCESS) return failure("TPM2_CreatePrimary", code);
  auto key = public_key_of(made->publicArea.unique.ecc);
  if (!key) return fault(CollectError::bad_answer, "the TPM's key is no point of P-256");
  return std::move(*key);
}

Collected<std::monostate> Session::quote(Bytes nonce, const TPML_PCR_SELECTION& selection) {
  TPM2B_DATA qualifying{};
  qualifying.size = static_cast<uint16_t>(nonce.size());
  std::ranges::copy(nonce, qualifying.buffer);
  TPMT_SIG_SCHEME scheme{};
  scheme.scheme = TPM2_ALG_NULL;  // the key's own
  TPM2B_ATTEST* attest = nullptr;
  TPMT_SIGNATURE* made = nullptr;
  const TSS2_RC code = Esys_Quote(esys_, key_, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                  &qualifying, &scheme, &selection, &attest, &made);
  const EsysOwned<TPM2B_ATTEST> owned_attest(attest);
  const EsysOwned<TPMT_SIGNATURE> owned_signature(made);
  if (code != TSS2_RC_SUCCESS) return failure("TPM2_Quote", code);
  message.assign(attest->attestationData, attest->attestationData + attest->size);
  signature.resize(sizeof *made);
  size_t size = 0;
  const TSS2_RC marshalled =
      Tss2_MU_TPMT_SIGNATURE_Marshal(made, signature.data(), signature.size(), &size);
  if (marshalled != TSS2_RC_SUCCESS) return failure("Tss2_MU_TPMT_SIGNATURE_Marshal", marshalled);
  signature.resize(size);
  return std::monostate();
}

bool selects(const TPML_PCR_SELECTION& selection, uint8_t index) {
  return (selection.pcrSelections[0].pcrSelect[index / 8] >> (index % 8) & 1) != 0;
}
void take_out(TPML_PCR_SELECTION& selection, uint8_t index) {
  selection.pcrSelections[0].pcrSelect[index / 8] &= static_cast<uint8_t>(~(1u << (index % 8)));
}
bool is_empty(const TPML_PCR_SELECTION& selection) {
  return all_zero({selection.pcrSelections[0].pcrSelect, kPcrCount / 8});
}

// A TPM gives a few values at a time and says which; the rest is asked for again.
Collected<std::map<uint8_t, Buffer>> Session::read_pcrs(TPML_PCR_SELECTION left) {
  std::map<uint8_t, Buffer> out;
  for (int reads = 0; !is_empty(left); ++reads) {
    TPML_PCR_SELECTION* given = nullptr;
    TPML_DIGEST* values = nullptr;
    const TSS2_RC code = Esys_PCR_Read(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &left,
                                       nullptr, &given, &values);
    const EsysOwned<TPML_PCR_SELECTION> owned_given(given);
    const EsysOwned<TPML_DIGEST> owned_values(values);
    if (code != TSS2_RC_SUCCESS) return failure("TPM2_PCR_Read", code);
    if (reads == kMaxReads || given->count != 1 || values->count == 0) {
      return fault(CollectError::bad_answer, "the TPM has not all of these PCRs in this bank");
    }
    uint32_t at = 0;
    for (uint8_t index = 0; index < kPcrCount && at < values->count; ++index) {
      if (!selects(*given, index)) continue;
      const TPM2B_DIGEST& value = values->digests[at++];
      out[index] = Buffer(value.buffer, value.buffer + value.size);
      take_out(left, index);
    }
  }
  return out;
}

std::optional<TPML_PCR_SELECTION> selection_of(const PcrSelection& wanted) {
  TPML_PCR_SELECTION out{};
  out.count = 1;
  TPMS_PCR_SELECTION& one = out.pcrSelections[0];
  one.hash = wanted.bank == crypto::HashKind::sha256 ? TPM2_ALG_SHA256 : TPM2_ALG_SHA384;
  one.sizeofSelect = kPcrCount / 8;
  for (const uint8_t index : wanted.indices) {
    if (index >= kPcrCount) return std::nullopt;
    one.pcrSelect[index / 8] |= static_cast<uint8_t>(1u << (index % 8));
  }
  if (is_empty(out) || wanted.bank == crypto::HashKind::sha512) return std::nullopt;
  return out;
}

Evidence envelope_of(const Session& session, const std::map<uint8_t, Buffer>& pcrs) {
  JsonValue values = JsonValue::Array{};
  for (const auto& [index, value] : pcrs) values.push(to_hex(value));
  JsonValue out;
  out.set("message", to_hex(session.message));
  out.set("signature", to_hex(session.signature));
  out.set("pcrs", std::move(values));
  return {Format::tpm_quote, to_buffer(as_bytes(out.dump()))};
}

}  // namespace

Collected<TpmEvidence> tpm_quote(Bytes nonce, const PcrSelection& wanted, const char* tcti) {
  const auto selection = selection_of(wanted);
  if (!selection || nonce.size() > kMaxNonceBytes) {
    return fault(CollectError::refused,
                 "PCRs 0 to 23 of SHA-256 or SHA-384, and 32 bytes of nonce");
  }
  Session session;
  if (auto opened = session.open(tcti); !opened) return std::unexpected(opened.error());
  auto key = session.load_key();
  if (!key) return std::unexpected(key.error());
  if (auto quoted = session.quote(nonce, *selection); !quoted) {
    return std::unexpected(quoted.error());
  }
  const auto pcrs = session.read_pcrs(*selection);
  if (!pcrs) return std::unexpected(pcrs.error());
  return TpmEvidence{envelope_of(session, *pcrs), std::move(*key)};
}

}  // namespace cloister::evidence::collect
