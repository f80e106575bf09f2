// Puts the instance on the ledger and keeps it there: bond, vendor collateral, registration with
// evidence bound to a recent block, and renewal before it expires.
#pragma once

#include "base/log.h"
#include "channel/sealed/key_epochs.h"
#include "ledger/types/genesis.h"
#include "light/account.h"
#include "node/config.h"
#include "node/identity.h"

namespace cloister::node {

enum class RegistrarError : uint8_t {
  ledger_unreachable = 1,  // no proven answer
  refused = 2,             // the ledger refused: see the code
  no_evidence = 3,         // the TEE gave none
  not_recorded = 4,        // accepted, but the proven record is another
};
std::string_view describe(RegistrarError error);

struct RegistrarFault {
  RegistrarError error;
  std::string detail;
  std::string message() const;
};

struct RegistrarParts {
  light::Client& ledger;
  light::Account& account;  // the operator's
  Tee& tee;
  const Identity& identity;
  const ledger::Claims& claims;  // but for the GPU evidence, which each registration has anew
  const ledger::Genesis& genesis;
  const NodeConfig& config;
  std::string endpoint;  // host:port, as users reach it
  const Clock& clock;
  const Log& log;
};

class Registrar {
 public:
  using Outcome = std::expected<ledger::Instance, RegistrarFault>;
  explicit Registrar(RegistrarParts parts) : parts_(std::move(parts)) {}

  // Returns the record once it is proven to be active. Its claims are what connections must show
  // from then on.
  boost::asio::awaitable<Outcome> enter();
  // New evidence for the same keys.
  boost::asio::awaitable<Outcome> renew();
  // Puts the key configuration of an epoch of sealed messages on the ledger, signed by the
  // instance.
  using Step = std::expected<void, RegistrarFault>;
  boost::asio::awaitable<Step> publish(const sealed::KeyEpoch& epoch);

 private:
  boost::asio::awaitable<Step> bond();
  boost::asio::awaitable<Step> bring_collateral();
  boost::asio::awaitable<Outcome> proven_record(int64_t height);
  struct Bound {
    ledger::Claims claims;
    std::vector<ledger::EvidenceItem> evidence;
  };
  // Claims and evidence that name each other and the block.
  std::expected<Bound, RegistrarFault> bound_to(const light::TrustRoot& block);
  const RegistrarParts parts_;
};

}  // namespace cloister::node
