// Collateral of Intel taken apart, once for many quotes. What does not depend on a quote, on policy
// or on time is kept: parsed documents, parsed PCK chains, and under which key a signature held.
#pragma once

#include <deque>
#include <memory>
#include <mutex>

#include "evidence/dcap/pck.h"
#include "evidence/dcap/qe_identity.h"
#include "evidence/dcap/tcb_info.h"

namespace cloister::evidence::dcap {

// A PCK chain and what its leaf says. Nothing here is authentic yet.
struct Platform {
  PckChain chain;
  PckExtension extension;
};

constexpr size_t kMaxRememberedChains = 64;
constexpr size_t kMaxRememberedAuthorities = 8;

// May be used by several threads.
class PckChains {
 public:
  // Parses the chain, or recalls it when the same bytes came before: its certificates then still
  // know whose signature they carry. So do those of its two authorities when they came with another
  // platform's. The oldest of too many is forgotten.
  Result<std::shared_ptr<const Platform>> platform(Bytes pck_chain_pem) const;

 private:
  struct Seen {
    Buffer pem;
    std::shared_ptr<const Platform> platform;
  };
  void remember(const crypto::Certificate& authority) const;  // under the lock

  mutable std::mutex mutex_;
  mutable std::deque<Seen> seen_;
  mutable std::vector<crypto::Certificate> authorities_;
};

// Immutable but for what it remembers; may be used by several threads.
class Prepared {
 public:
  // `collateral` is lent and outlives this. A document that does not parse refuses each quote.
  explicit Prepared(const Collateral& collateral,
                    std::shared_ptr<const PckChains> chains = std::make_shared<const PckChains>());

  const Collateral& collateral() const { return collateral_; }
  const Result<std::vector<TcbInfo>>& tcb_infos() const { return tcb_infos_; }
  const Result<std::vector<QeIdentity>>& qe_identities() const { return qe_identities_; }

  const PckChains& chains() const { return *chains_; }

 private:
  const Collateral& collateral_;
  const std::shared_ptr<const PckChains> chains_;
  Result<std::vector<TcbInfo>> tcb_infos_;
  Result<std::vector<QeIdentity>> qe_identities_;
};

}  // namespace cloister::evidence::dcap
