// What an instance signs for every answer (30-channels, section 4). It verifies offline and
// settles.
#pragma once

#include "crypto/signature.h"
#include "ledger/types/params.h"

namespace cloister::ledger {

// How tokens were chosen, in integers, with a commitment to the seed fixed before generation.
struct SamplerRecord : Record<SamplerRecord> {
  uint32_t temperature_micro = 0;
  uint32_t top_p_micro = 0;
  uint32_t top_k = 0;
  uint32_t max_units = 0;
  Hash32 seed_commitment{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "temperature_micro", r.temperature_micro);
    v(2, "top_p_micro", r.top_p_micro);
    v(3, "top_k", r.top_k);
    v(4, "max_units", r.max_units);
    v(5, "seed_commitment", r.seed_commitment);
  }
  bool operator==(const SamplerRecord&) const = default;
};

struct Receipt : Record<Receipt> {
  uint8_t version = 1;
  std::string chain_id;
  SessionId session{};
  uint64_t sequence = 0;  // of the answer in its session, from 1
  InstanceId instance_id{};
  ModelRoot model_root{};
  Hash32 engine_digest{};
  Hash32 request_hash{};  // salted; the salts travel inside the encryption
  Hash32 answer_hash{};   // salted
  uint64_t prompt_units = 0;
  uint64_t completion_units = 0;
  uint64_t cumulative_units = 0;  // of the session, this answer included
  SamplerRecord sampler;
  Hash32 score_commitment{};
  uint64_t time_ms = 0;
  Hash32 evidence_digest{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "version", r.version);
    v(2, "chain_id", r.chain_id, kMaxChainIdBytes);
    v(3, "session", r.session);
    v(4, "sequence", r.sequence);
    v(5, "instance_id", r.instance_id);
    v(6, "model_root", r.model_root);
    v(7, "engine_digest", r.engine_digest);
    v(8, "request_hash", r.request_hash);
    v(9, "answer_hash", r.answer_hash);
    v(10, "prompt_units", r.prompt_units);
    v(11, "completion_units", r.completion_units);
    v(12, "cumulative_units", r.cumulative_units);
    v(13, "sampler", r.sampler);
    v(14, "score_commitment", r.score_commitment);
    v(15, "time_ms", r.time_ms);
    v(16, "evidence_digest", r.evidence_digest);
  }
  bool operator==(const Receipt&) const = default;
};

struct SignedReceipt : Record<SignedReceipt> {
  Receipt receipt;
  crypto::Ed25519Signature signature{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "receipt", r.receipt);
    v(2, "signature", r.signature);
  }
  bool operator==(const SignedReceipt&) const = default;
};

// Ed25519 over "cloister receipt v1" ‖ 00 ‖ CBOR(receipt).
SignedReceipt sign_receipt(const Receipt& receipt, const crypto::Ed25519Key& identity);
bool verify_receipt(const SignedReceipt& signed_receipt, const crypto::Ed25519Public& identity_key);

}  // namespace cloister::ledger
