// The client's half of ATLS/1: connects, asks for evidence bound to this connection, has it judged,
// and only then hands out a stream.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>

#include "base/seams.h"
#include "channel/atls/connection.h"
#include "crypto/x509.h"

namespace cloister::atls {

// What the ledger says about the instance that is meant.
struct ExpectedPeer {
  Hash32 instance_id{};
  Hash32 spki_sha256{};
};

// What a verifier of evidence must judge. `expected_report_data` was computed here; comparing every
// item's report data with it is the verifier's first duty (evidence::Binding::report_data). The
// claims are covered by it too, and are the verifier's to read.
struct PeerEvidence {
  const std::vector<evidence::Evidence>& evidence;
  const Buffer& claims;
  const Fixed<64>& expected_report_data;
  const Hash32& spki_sha256;
  const Hash32& instance_id;
};

enum class Refusal : uint8_t { binding, evidence, policy, stale };
// The verdict's id on acceptance. Runs on the connection's strand and may wait, because evidence
// says what else its judge must read. It bounds its own waits: the attempt's deadline closes the
// connection under it, but nothing takes it back.
using PeerVerifier =
    std::function<http::asio::awaitable<std::expected<Hash32, Refusal>>(const PeerEvidence&)>;

struct ConnectOptions {
  std::string host;
  uint16_t port = 0;
  ExpectedPeer peer;
  Hash32 policy_hash{};
  uint32_t max_age_s = 300;
  std::vector<evidence::Format> formats;      // ascending; what the verifier can judge
  std::chrono::milliseconds timeout{20'000};  // for everything up to DONE
};

class Connector {
 public:
  // `clock` and `random` outlive every connection attempt.
  Connector(http::asio::any_io_executor executor, const Clock& clock, Random& random);
  ~Connector();

  // May be called from any coroutine, several at a time when `random` allows it.
  http::asio::awaitable<Result<std::unique_ptr<AtlsConnection>>> connect(ConnectOptions options,
                                                                         PeerVerifier verifier);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace cloister::atls
