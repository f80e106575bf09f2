#include "chain/abci/host.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "base/text.h"
#include "chain/abci/convert.h"
#include "chain/abci/joining.h"
#include "chain/abci/snapshots.h"
#include "chain/abci/state_store.h"
#include "chain/abci/views.h"
#include "chain/block.h"
#include "crypto/hash.h"

namespace cloister::chain::abci {
namespace {

constexpr const char* kAbciVersion = "2.0.0";
constexpr const char* kName = "cloister";
constexpr const char* kGenesisMember = "genesis_sha256";

// A block that was finalised and waits for its commit.
struct Candidate {
  std::string hash;
  Committed block;
  std::vector<StateChange> changes;
  ResponseFinalizeBlock answer;
};

Response exception(std::string_view why) {
  Response out;
  out.mutable_exception()->set_error(std::string(why));
  return out;
}

template <typename T>
auto by_key(const T& a, const T& b) {
  return a.public_key < b.public_key;
}

}  // namespace

JsonValue app_state(const Hash32& genesis_hash) {
  return JsonValue::object({{kGenesisMember, to_hex(genesis_hash)}});
}

class Host::Impl {
 public:
  Impl(HostConfig config, std::unique_ptr<Application> app, StateStore store)
      : config_(std::move(config)),
        app_(std::move(app)),
        store_(std::move(store)),
        snapshots_(std::filesystem::path(config_.dir) / "snapshots", config_.on_no_snapshot) {
    publish();
  }

  Response handle(const Request& request);
  int64_t height() const { return views_.height(); }
  void wait_snapshots() { snapshots_.wait(); }
  Status limit_pages(int64_t pages) { return store_.limit_pages_for_testing(pages); }

 private:
  Response info();
  Response init_chain(const RequestInitChain& request);
  Response prepare(const RequestPrepareProposal& request);
  Response process(const RequestProcessProposal& request);
  Response extend(const RequestExtendVote& request);
  Response verify(const RequestVerifyVoteExtension& request) const;
  Response finalize(const RequestFinalizeBlock& request);
  Response commit();
  Response list_snapshots() const;
  Response load_chunk(const RequestLoadSnapshotChunk& request) const;
  Response offer_snapshot(const RequestOfferSnapshot& request);
  Response apply_chunk(const RequestApplySnapshotChunk& request);

  bool may_be_proposed(const RequestProcessProposal& request) const;
  Status forget_candidate();
  Status join();
  Response fail(ChainError error);
  void publish() { views_.publish(store_.committed().height, app_->view()); }

  const HostConfig config_;

  // What the consensus connection works on; one request at a time.
  std::mutex blocks_mutex_;
  std::unique_ptr<Application> app_;
  StateStore store_;
  std::optional<Candidate> candidate_;
  JoiningState joining_;

  CommittedViews views_;
  Snapshots snapshots_;
};

Response Host::Impl::handle(const Request& request) {
  switch (request.value_case()) {
    case Request::kEcho: {
      Response out;
      out.mutable_echo()->set_message(request.echo().message());
      return out;
    }
    case Request::kFlush: {
      Response out;
      out.mutable_flush();
      return out;
    }
    case Request::kInfo:
      return info();
    case Request::kInitChain:
      return init_chain(request.init_chain());
    case Request::kQuery: {
      Response out;
      *out.mutable_query() = views_.query(request.query());
      return out;
    }
    case Request::kCheckTx: {
      Response out;
      *out.mutable_check_tx() = views_.check_tx(request.check_tx());
      return out;
    }
    case Request::kCommit:
      return commit();
    case Request::kListSnapshots:
      return list_snapshots();
    case Request::kOfferSnapshot:
      return offer_snapshot(request.offer_snapshot());
    case Request::kLoadSnapshotChunk:
      return load_chunk(request.load_snapshot_chunk());
    case Request::kApplySnapshotChunk:
      return apply_chunk(request.apply_snapshot_chunk());
    case Request::kPrepareProposal:
      return prepare(request.prepare_proposal());
    case Request::kProcessProposal:
      return process(request.process_proposal());
    case Request::kExtendVote:
      return extend(request.extend_vote());
    case Request::kVerifyVoteExtension:
      return verify(request.verify_vote_extension());
    case Request::kFinalizeBlock:
      return finalize(request.finalize_block());
    case Request::VALUE_NOT_SET:
      return exception("a request of a kind that ABCI 2.0 does not have");
  }
  return exception("a request of a kind that ABCI 2.0 does not have");
}

Response Host::Impl::info() {
  const std::lock_guard lock(blocks_mutex_);
  Response out;
  ResponseInfo& info = *out.mutable_info();
  info.set_data(kName);
  info.set_version(kAbciVersion);
  info.set_app_version(kAppVersion);
  info.set_last_block_height(store_.committed().height);
  if (store_.committed().height > 0) {
    info.set_last_block_app_hash(string_of(store_.committed().app_hash));
  }
  return out;
}

// --- the beginning ------------------------------------------------------------------------------

Response Host::Impl::init_chain(const RequestInitChain& request) {
  const std::lock_guard lock(blocks_mutex_);
  if (store_.committed().height != 0) return exception("the chain has begun already");
  const Status rewound = forget_candidate();
  if (!rewound) return fail(rewound.error());
  if (request.chain_id() != config_.identity.chain_id || request.initial_height() > 1) {
    return exception("the engine's genesis is of another chain");
  }
  const auto state = parse_json(request.app_state_bytes());
  const auto hash = state ? (*state)[kGenesisMember].string() : std::nullopt;
  if (!hash || *hash != to_hex(config_.identity.genesis_hash)) {
    return exception("the engine's genesis names another one of the application");
  }
  std::vector<chain::ValidatorUpdate> theirs, ours = config_.validators;
  for (const ValidatorUpdate& each : request.validators()) {
    const auto validator = update_of(each);
    if (!validator) return exception("a validator's key is not Ed25519");
    theirs.push_back(*validator);
  }
  std::ranges::sort(theirs, by_key<chain::ValidatorUpdate>);
  std::ranges::sort(ours, by_key<chain::ValidatorUpdate>);
  if (theirs != ours) return exception("the engine's genesis has other validators");
  Response out;
  out.mutable_init_chain()->set_app_hash(string_of(store_.committed().app_hash));
  return out;
}

// --- rounds: nothing of this changes the state --------------------------------------------------

// A round can follow a block that was finalised only where the engine ended before its commit.
Status Host::Impl::forget_candidate() {
  if (!candidate_) return {};
  auto rows = store_.rows();
  if (!rows) return std::unexpected(rows.error());
  const Status restored = app_->restore(std::move(*rows), store_.committed().app_hash);
  if (restored) candidate_.reset();
  return restored;
}

Response Host::Impl::prepare(const RequestPrepareProposal& request) {
  const std::lock_guard lock(blocks_mutex_);
  const Status rewound = forget_candidate();
  if (!rewound) return fail(rewound.error());
  std::vector<Buffer> offers;
  for (const ExtendedVoteInfo& vote : request.local_last_commit().votes()) {
    if (vote.vote_extension().empty() || vote.vote_extension().size() > kMaxExtensionBytes)
      continue;
    offers.push_back(to_buffer(bytes_of(vote.vote_extension())));
  }
  Response out;
  auto& proposed = *out.mutable_prepare_proposal();
  size_t room = static_cast<size_t>(std::max<int64_t>(request.max_tx_bytes(), 0));
  std::set<Hash32> ids;
  const auto add = [&](const std::string& tx) {
    const bool full =
        static_cast<size_t>(proposed.txs_size()) == kMaxBlockTxs || proposal_size(tx.size()) > room;
    if (full) return false;
    if (!fits(tx) || !ids.insert(crypto::sha256(bytes_of(tx))).second) return true;
    room -= proposal_size(tx.size());
    proposed.add_txs(tx);
    return true;
  };
  const auto front = app_->front(request.height(), offers);
  bool more = !front || add(string_of(*front));
  for (int i = 0; more && i < request.txs_size(); ++i) more = add(request.txs(i));
  return out;
}

bool Host::Impl::may_be_proposed(const RequestProcessProposal& request) const {
  if (static_cast<size_t>(request.txs_size()) > kMaxBlockTxs) return false;
  std::set<Hash32> ids;
  for (const std::string& tx : request.txs()) {
    if (!fits(tx) || !ids.insert(crypto::sha256(bytes_of(tx))).second) return false;
  }
  return request.txs_size() == 0 || app_->may_be_front(request.height(), bytes_of(request.txs(0)));
}

Response Host::Impl::process(const RequestProcessProposal& request) {
  const std::lock_guard lock(blocks_mutex_);
  const Status rewound = forget_candidate();
  if (!rewound) return fail(rewound.error());
  Response out;
  out.mutable_process_proposal()->set_status(may_be_proposed(request) ? PROPOSAL_ACCEPT
                                                                      : PROPOSAL_REJECT);
  return out;
}

Response Host::Impl::extend(const RequestExtendVote& request) {
  const std::lock_guard lock(blocks_mutex_);
  const Status rewound = forget_candidate();
  if (!rewound) return fail(rewound.error());
  Response out;
  const Buffer offer = app_->offer(request.height());
  if (offer.size() > kMaxExtensionBytes) std::abort();  // the application is broken
  out.mutable_extend_vote()->set_vote_extension(string_of(offer));
  return out;
}

Response Host::Impl::verify(const RequestVerifyVoteExtension& request) const {
  Response out;
  const bool bounded = request.vote_extension().size() <= kMaxExtensionBytes;
  out.mutable_verify_vote_extension()->set_status(bounded ? PROPOSAL_ACCEPT : PROPOSAL_REJECT);
  return out;
}

// --- blocks -------------------------------------------------------------------------------------

Response Host::Impl::finalize(const RequestFinalizeBlock& request) {
  const std::lock_guard lock(blocks_mutex_);
  Response out;
  if (candidate_ && candidate_->hash == request.hash() &&
      candidate_->block.height == request.height()) {
    *out.mutable_finalize_block() = candidate_->answer;
    return out;
  }
  const Status rewound = forget_candidate();
  if (!rewound) return fail(rewound.error());
  const auto hash = to_fixed<32>(bytes_of(request.hash()));
  if (request.height() != store_.committed().height + 1 || !hash) {
    return exception("this is not the next block");
  }
  const std::vector<Buffer> txs = buffers_of(request.txs());
  const std::vector<chain::Misbehavior> faults = faults_of(request.misbehavior());
  BlockInput input;
  input.height = request.height();
  input.time_ms = time_ms_of(request.time());
  input.hash = *hash;
  input.txs = txs;
  input.misbehavior = faults;
  BlockOutput output = app_->apply(input);
  if (output.results.size() != txs.size()) std::abort();  // the application is broken
  Candidate candidate{
      request.hash(), {input.height, output.app_hash}, std::move(output.changes), {}};
  ResponseFinalizeBlock& answer = candidate.answer;
  for (const auto& result : output.results) write(result, *answer.add_tx_results());
  for (const auto& event : output.events) write(event, *answer.add_events());
  for (const auto& update : output.validator_updates)
    write(update, *answer.add_validator_updates());
  answer.set_app_hash(string_of(output.app_hash));
  *out.mutable_finalize_block() = answer;
  candidate_ = std::move(candidate);
  return out;
}

Response Host::Impl::commit() {
  const std::lock_guard lock(blocks_mutex_);
  if (!candidate_) return exception("there is no block to commit");
  const Status stored = store_.commit(candidate_->block, candidate_->changes);
  if (!stored) return fail(stored.error());
  candidate_.reset();
  publish();
  const int64_t height = store_.committed().height;
  if (config_.snapshot_interval > 0 && height % config_.snapshot_interval == 0) {
    snapshots_.make(height, app_->view());
  }
  if (config_.on_commit) config_.on_commit(height);
  Response out;
  const int64_t keep_from = height - config_.keep_blocks + 1;
  out.mutable_commit()->set_retain_height(config_.keep_blocks > 0 && keep_from > 0 ? keep_from : 0);
  return out;
}

Response Host::Impl::fail(ChainError error) {
  if (config_.on_failure) config_.on_failure(error);
  return exception(describe(error));
}

// --- state sync ---------------------------------------------------------------------------------

Response Host::Impl::list_snapshots() const {
  Response out;
  out.mutable_list_snapshots();
  for (const SnapshotManifest& manifest : snapshots_.list()) {
    const Buffer bytes = manifest.encode();
    Snapshot& form = *out.mutable_list_snapshots()->add_snapshots();
    form.set_height(static_cast<uint64_t>(manifest.height));
    form.set_format(kSnapshotFormat);
    form.set_chunks(static_cast<uint32_t>(manifest.chunks.size()));
    form.set_hash(string_of(crypto::sha256(bytes)));
    form.set_metadata(string_of(bytes));
  }
  return out;
}

Response Host::Impl::load_chunk(const RequestLoadSnapshotChunk& request) const {
  Response out;
  out.mutable_load_snapshot_chunk();
  if (request.format() != kSnapshotFormat || request.height() > INT64_MAX) return out;
  const auto chunk = snapshots_.chunk(static_cast<int64_t>(request.height()), request.chunk());
  if (chunk) out.mutable_load_snapshot_chunk()->set_chunk(string_of(*chunk));
  return out;
}

Response Host::Impl::offer_snapshot(const RequestOfferSnapshot& request) {
  const std::lock_guard lock(blocks_mutex_);
  Response out;
  const bool begun = store_.committed().height != 0;
  out.mutable_offer_snapshot()->set_result(begun ? ResponseOfferSnapshot::ABORT
                                                 : joining_.offer(request));
  return out;
}

Response Host::Impl::apply_chunk(const RequestApplySnapshotChunk& request) {
  const std::lock_guard lock(blocks_mutex_);
  Response out;
  auto& answer = *out.mutable_apply_snapshot_chunk();
  answer = joining_.take(request);
  if (!joining_.complete()) return out;
  const Status joined = join();
  if (joined) return out;
  const bool bad = joined.error() == ChainError::bad_snapshot ||
                   joined.error() == ChainError::root_mismatch ||
                   joined.error() == ChainError::bad_genesis;
  if (!bad) return fail(joined.error());
  answer.set_result(ResponseApplySnapshotChunk::REJECT_SNAPSHOT);
  return out;
}

Status Host::Impl::join() {
  const auto fetched = joining_.finish();
  if (!fetched) return std::unexpected(fetched.error());
  const Status restored = app_->restore(fetched->rows, fetched->at.app_hash);
  if (!restored) return restored;
  const Status stored = store_.replace(fetched->at, fetched->rows);
  if (stored) publish();
  return stored;
}

// ------------------------------------------------------------------------------------------------

Host::Host(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Host::~Host() = default;

Result<std::unique_ptr<Host>> Host::open(HostConfig config, std::unique_ptr<Application> app) {
  const auto genesis = app->view();
  auto store = StateStore::open(config.dir + "/state.db", config.identity, genesis->rows(),
                                genesis->app_hash());
  if (!store) return std::unexpected(store.error());
  auto rows = store->rows();
  if (!rows) return std::unexpected(rows.error());
  const Status restored = app->restore(std::move(*rows), store->committed().app_hash);
  if (!restored) return std::unexpected(restored.error());
  return std::unique_ptr<Host>(
      new Host(std::make_unique<Impl>(std::move(config), std::move(app), std::move(*store))));
}

Response Host::handle(const Request& request) {
  return impl_->handle(request);
}

int64_t Host::height() const {
  return impl_->height();
}

Status Host::limit_pages_for_testing(int64_t pages) {
  return impl_->limit_pages(pages);
}

void Host::wait_snapshots_for_testing() {
  impl_->wait_snapshots();
}

}  // namespace cloister::chain::abci
