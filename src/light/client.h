// The ledger as a client sees it: reads that are proven, transactions whose outcome is proven, and
// hints about when to look again. Nothing that an endpoint says is believed without a header that
// the chain's validators signed; what an endpoint can do is refuse to answer or hide the newest
// blocks for at most `max_age_ms`.
#pragma once

#include <boost/asio/strand.hpp>
#include <map>

#include "ledger/types/genesis.h"
#include "light/results_json.h"
#include "light/rpc.h"
#include "light/sync.h"

namespace cloister::light {

// Where trust starts. With a root, the block of that hash; without one, block 1 signed by exactly
// the genesis' validators: for development networks, and for chains younger than the trusting
// period.
struct TrustStart {
  std::string chain_id;
  ValidatorSet genesis_validators;
  std::optional<TrustRoot> root;
  // The genesis' validators are the only ones there will ever be (one embedded sequencer): they
  // cannot have left, so a start of any age is as good as a fresh one.
  bool fixed_validators = false;
};

TrustStart trust_of(const ledger::Genesis& genesis);

struct ClientConfig {
  TrustOptions trust;
  int64_t max_age_ms = 60'000;  // of the newest header, for a read to be fresh
  Millis call_timeout{10'000};  // of one exchange with the endpoint
  Millis poll_interval{50};     // between questions to an endpoint that cannot wait for us
};

struct ProvenValue {
  std::optional<Buffer> value;   // nothing: proven to be absent
  int64_t height = 0;            // of the state
  UnixMillis block_time_ms = 0;  // of the header that proves it
  std::vector<ProofOp> proof;    // checked already; for whoever wants to check it again
};

// A transaction in a block, with the code that the next header commits to.
struct TxOutcomeProof {
  int64_t height = 0;
  uint32_t code = 0;
  Buffer data;
  std::string log;  // a hint
};

// All members may be called from any coroutine; the work happens on a strand of the client's own.
// The client outlives its calls.
class Client {
 public:
  template <typename T>
  using Answer = asio::awaitable<std::expected<T, LightError>>;

  Client(asio::any_io_executor executor, std::unique_ptr<Rpc> rpc, const Clock& clock,
         TrustStart start, ClientConfig config = {});

  // The state's value at `key`, at the newest height whose header is there, or, with `min_height`,
  // not before that height: what a transaction of block h wrote is seen with min_height = h. Waits
  // for the height until `timeout`.
  Answer<ProvenValue> read(ledger::Family family, Buffer key, int64_t min_height = 0,
                           Millis timeout = Millis(15'000));
  // What the endpoint's mempool says: code 0 is a promise of nothing.
  Answer<BroadcastResult> broadcast(Buffer tx);
  // Waits until the transaction stands in a block and its outcome is proven by the next header.
  Answer<TxOutcomeProof> wait_tx(Hash32 tx_id, Millis timeout);
  // Waits for block `height` and tells what it did. A hint: read with proof before acting on it.
  Answer<BlockResults> watch(int64_t height, Millis timeout);
  // Block `height` with its signatures as the endpoint has it, not verified: for showing others
  // what they can verify themselves.
  Answer<LightBlock> light_block(int64_t height);
  // The newest header, verified and fresh.
  Answer<TrustRoot> latest();

  // The newest verified header, for the caller to keep: a later client may start from it. Nothing
  // before the first success. The bytes must be kept where only the caller can write.
  Answer<Buffer> state();
  static std::expected<TrustRoot, LightError> root_from_state(Bytes state);

 private:
  using Now = std::chrono::steady_clock::time_point;
  Answer<ProvenValue> do_read(ledger::Family family, Buffer key, int64_t min_height, Now deadline);
  Answer<TxOutcomeProof> do_wait_tx(Hash32 tx_id, Now deadline);
  Answer<TxOutcomeProof> do_prove_tx(Hash32 tx_id, TxPlace place, Now deadline);
  Answer<BlockResults> do_watch(int64_t height, Now deadline);
  Answer<BroadcastResult> do_broadcast(Buffer tx);
  Answer<TrustRoot> do_latest();
  Answer<Buffer> do_state();

  // The newest block of the endpoint, verified and fresh; `reach` waits for `height`.
  Answer<VerifiedBlock> refresh();
  Answer<VerifiedBlock> reach(int64_t height, Now deadline);
  Answer<VerifiedBlock> verified(int64_t height);
  Answer<bool> begin();
  Answer<VerifiedBlock> walk(Bisection way, std::optional<LightBlock> first);
  Answer<LightBlock> fetch(int64_t height);
  Answer<LightBlock> complete(SignedHeader signed_header);
  Answer<ValidatorSet> fetch_validators(int64_t height);
  Answer<JsonValue> call(std::string method, JsonValue params, Now deadline);
  Answer<JsonValue> call(std::string method, JsonValue params);
  asio::awaitable<void> pause();
  void keep(const VerifiedBlock& block);

  asio::strand<asio::any_io_executor> strand_;
  std::unique_ptr<Rpc> rpc_;
  const Clock& clock_;
  TrustStart start_;
  ClientConfig config_;
  std::map<int64_t, VerifiedBlock> verified_;
};

}  // namespace cloister::light
