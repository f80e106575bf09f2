// What the ledger says about the instance that it drew for this user, each piece with its proof,
// and the judgement of evidence under the rules in force. Sends nothing to anybody but the ledger.
#pragma once

#include "admission/admission.h"
#include "gateway/faults.h"
#include "gateway/ledger_reader.h"
#include "gateway/sealing_keys.h"
#include "ledger/types/session.h"
#include "policy/local.h"

namespace cloister::gateway {

struct DrawParts {
  light::Client& ledger;
  const ledger::Genesis& genesis;
  std::optional<policy::LocalPolicy> local_policy;
  const Clock& clock;
  std::function<bool(uint64_t version)> admits_policy;  // false: an older one than was seen
};

// One drawn instance under examination; its reader remembers what the verdict rests on.
struct Drawn {
  Drawn(light::Client& client, ledger::Session assigned)
      : reader(client), session(std::move(assigned)) {}
  LedgerReader reader;
  ledger::Session session;
  ledger::Instance instance;
  ledger::NetworkPolicy policy;
  policy::LayeredRules rules;
  int64_t height = 0;
  SealingKeys keys;
  admission::Judgement judgement;
};

class Draws {
 public:
  template <typename T>
  using Answer = boost::asio::awaitable<std::expected<T, ApiError>>;
  explicit Draws(DrawParts parts) : parts_(std::move(parts)) {}

  // Waits for the draw, from block `height` on, and computes it again: whoever keeps the ledger may
  // not choose who serves whom.
  Answer<ledger::Session> wait_assigned(ledger::SessionId id, int64_t height) const;
  // Instance, policy and model.
  Answer<void> read(Drawn& drawn) const;
  // The keys that requests are sealed to; a few blocks of patience for an instance that just came.
  Answer<void> read_keys(Drawn& drawn) const;
  // Judges the CPUs' evidence by the vendors' objects that it names. The verdict is in
  // `drawn.judgement`; an error says that they could not be read.
  boost::asio::awaitable<std::expected<void, light::LightError>> judge(
      Drawn& drawn, std::span<const ledger::EvidenceItem> cpus, evidence::Binding binding) const;

 private:
  Answer<void> check_draw(const ledger::Session& session) const;
  const DrawParts parts_;
};

}  // namespace cloister::gateway
