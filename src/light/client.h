// The ledger as a client sees it: reads that are proven, transactions whose outcome is proven, and
// hints about when to look again. Nothing that an endpoint says is believed without a header that
// the chain's validators signed; what all endpoints together can do is refuse to answer or hide the
// newest blocks for at most `max_age_ms`.
//
// One endpoint is asked, the others are its witnesses: each new header is compared with theirs. An
// endpoint that lies, lags or is silent gives way to the next. Two different headers of one height
// that both verify are an attack by the validators themselves: the client stops for good.
#pragma once

#include <boost/asio/strand.hpp>
#include <functional>
#include <map>

#include "ledger/types/genesis.h"
#include "light/endpoint.h"
#include "light/results_json.h"
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
  Millis witness_timeout{3'000};
  int64_t witness_rest_ms = 30'000;  // before a witness that did not answer is asked again
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

  // At least one endpoint; the first is asked first.
  Client(asio::any_io_executor executor, std::vector<Endpoint> endpoints, const Clock& clock,
         TrustStart start, ClientConfig config = {});
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
  // The transactions of block `height`, in order, as its verified header commits to them. Waits for
  // the block until `timeout`.
  Answer<std::vector<Buffer>> block_txs(int64_t height, Millis timeout);
  // Block `height` with its signatures as the endpoint has it, not verified: for showing others
  // what they can verify themselves.
  Answer<LightBlock> light_block(int64_t height);
  // The newest header, verified, fresh, and compared with the witnesses'.
  Answer<TrustRoot> latest();
  // What each endpoint turned out to be, in the order in which they were given.
  Answer<std::vector<EndpointReport>> endpoints();

  // The newest verified header, for the caller to keep: a later client may start from it. Nothing
  // before the first success. The bytes must be kept where only the caller can write.
  Answer<Buffer> state();
  static std::expected<TrustRoot, LightError> root_from_state(Bytes state);

 private:
  using Now = std::chrono::steady_clock::time_point;
  struct Door {
    Endpoint endpoint;
    EndpointReport report;
    UnixMillis rests_until_ms = 0;  // as a witness
  };

  // Asks one door after the other until one answers well, or the question has no answer yet.
  template <typename T>
  Answer<T> ask(std::function<Answer<T>(Door&)> question);
  // The same again while those that are there have no such state yet.
  template <typename T>
  Answer<T> ask_until(Now deadline, std::function<Answer<T>(Door&)> question);
  std::vector<Door*> in_order();
  void note(Door& door, std::optional<LightError> error);

  Answer<ProvenValue> do_read(Door& door, ledger::Family family, Buffer key, int64_t min_height,
                              Now deadline);
  Answer<TxOutcomeProof> do_wait_tx(Door& door, Hash32 tx_id, Now deadline);
  Answer<TxOutcomeProof> do_prove_tx(Door& door, Hash32 tx_id, TxPlace place, Now deadline);
  Answer<std::vector<Buffer>> do_block_txs(Door& door, int64_t height, Now deadline);
  // Of a block that the door's newest header has reached.
  Answer<std::vector<Buffer>> proven_txs(Door& door, int64_t height, Now deadline);
  Answer<BlockResults> do_watch(Door& door, int64_t height, Now deadline);
  Answer<BroadcastResult> do_broadcast(Door& door, Buffer tx);
  Answer<TrustRoot> do_latest(Door& door);
  Answer<Buffer> do_state();
  Answer<std::vector<EndpointReport>> do_endpoints();

  // The newest block of the endpoint, verified and fresh; `reach` waits for `height`.
  Answer<VerifiedBlock> refresh(Door& door);
  Answer<VerifiedBlock> reach(Door& door, int64_t height, Now deadline);
  Answer<VerifiedBlock> verified(Door& door, int64_t height);
  Answer<bool> begin(Door& door);
  // Every step is kept, unless it is a witness's way.
  Answer<VerifiedBlock> walk(Door& door, Bisection way, std::optional<LightBlock> first,
                             bool keep_steps, Millis timeout);
  // Compares `newest`, which was verified from `before`, with what the other endpoints have.
  Answer<bool> compare(Door& door, VerifiedBlock before, VerifiedBlock newest);
  Answer<bool> compare_with(Door& witness, VerifiedBlock before, VerifiedBlock newest);
  // `timeout`: of one exchange.
  Answer<LightBlock> fetch(Door& door, int64_t height, Millis timeout);
  Answer<LightBlock> complete(Door& door, SignedHeader signed_header, Millis timeout);
  Answer<ValidatorSet> fetch_validators(Door& door, int64_t height, Millis timeout);
  Answer<JsonValue> call(Door& door, std::string method, JsonValue params, Now deadline);
  asio::awaitable<void> pause();
  void keep(const VerifiedBlock& block);

  asio::strand<asio::any_io_executor> strand_;
  std::vector<Door> doors_;
  size_t current_ = 0;     // the door that last answered well
  bool conflict_ = false;  // two headers of one height were verified
  const Clock& clock_;
  TrustStart start_;
  ClientConfig config_;
  std::map<int64_t, VerifiedBlock> verified_;
};

}  // namespace cloister::light
