#include "node/generation.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>

#include "crypto/hash.h"

namespace cloister::node {

namespace asio = boost::asio;

namespace {

// The client's share keeps the node from trying seeds, the node's keeps others from knowing them.
Fixed<32> seed_for(const Admitted& admitted, const Secret<32>& node_secret) {
  ByteWriter info;
  info.text("cloister seed v1").u8(0).bytes(admitted.profile.id).u64_be(admitted.profile.sequence);
  info.bytes(admitted.request.sampler.seed);
  auto seed = crypto::hkdf_expand(
      crypto::HashKind::sha256,
      crypto::hkdf_extract(crypto::HashKind::sha256, {}, node_secret.reveal()), info.view(), 32);
  return *to_fixed<32>(seed);
}

Hash32 seed_commitment(const Fixed<32>& seed) {
  return crypto::Sha256{}
      .update(std::string_view("cloister seed commitment v1\0", 28))
      .update(Bytes(seed))
      .finish();
}

wire::Refusal refusal_of(inference::EngineError error) {
  using inference::EngineError;
  switch (error) {
    case EngineError::bad_parameter:
      return wire::Refusal::bad_parameter;
    case EngineError::bad_conversation:
      return wire::Refusal::bad_parameter;
    case EngineError::context_length_exceeded:
      return wire::Refusal::context_length_exceeded;
    case EngineError::queue_full:
      return wire::Refusal::busy;
    case EngineError::stopped:
      return wire::Refusal::draining;
    default:
      return wire::Refusal::engine_failed;
  }
}

void append_frame(const wire::Frame& frame, SecretBuffer& out) {
  const auto encoded = wire::encode_frame(frame);
  out.insert(out.end(), encoded.begin(), encoded.end());
}

}  // namespace

// Pieces on their way from the engine's thread to the executor.
struct Generation::Mailbox {
  explicit Mailbox(asio::any_io_executor executor) : strand(executor), changed(executor) {}

  asio::any_io_executor strand;
  asio::steady_timer changed;  // never expires by itself; cancelling it wakes the reader
  std::deque<UserText> texts;
  std::optional<std::expected<inference::GenerateResult, inference::EngineError>> result;
};

Generation::Generation(const GenerationParts& parts, Sessions& sessions, Admitted admitted)
    : parts_(parts), sessions_(sessions), admitted_(std::move(admitted)) {
  seed_ = seed_for(admitted_, parts_.identity.sampling_secret);
  sampler_ = admitted_.request.sampler;
  sampler_.seed = seed_;
}

Generation::~Generation() {
  cancel();
}

void Generation::start(const asio::any_io_executor& executor) {
  box_ = std::make_shared<Mailbox>(executor);
  auto job = std::make_shared<inference::GenerateRequest>();
  job->messages = std::move(admitted_.request.messages);
  job->stops = std::move(admitted_.request.stops);
  job->sampler = sampler_;
  const auto units =
      static_cast<uint32_t>(std::min<uint64_t>(admitted_.grant.max_units, inference::kMaxTokens));
  const uint32_t wanted = admitted_.request.max_tokens;
  job->max_tokens = wanted == 0 ? units : std::min(units, wanted);
  job->cancel = cancel_.get_token();
  asio::post(parts_.workers, [box = box_, job, &engine = parts_.engine] {
    auto result = engine.generate(*job, [&](const UserText& delta) {
      asio::post(box->strand, [box, text = std::make_shared<UserText>(delta.clone())] {
        box->texts.push_back(std::move(*text));
        box->changed.cancel();
      });
      return true;
    });
    asio::post(box->strand, [box, result] {
      box->result = result;
      box->changed.cancel();
    });
  });
}

// What came while the caller was writing has woken nobody.
asio::awaitable<void> Generation::wait() {
  if (!box_->texts.empty() || (box_->result && !ended_)) co_return;
  box_->changed.expires_at(asio::steady_timer::time_point::max());
  boost::system::error_code woken;
  co_await box_->changed.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

SecretBuffer Generation::take_frames() {
  SecretBuffer out;
  while (!box_->texts.empty()) {
    wire::Text piece{std::move(box_->texts.front())};
    box_->texts.pop_front();
    text_.append(piece.text.reveal());
    append_frame(wire::Frame(std::move(piece)), out);
  }
  if (box_->result && !ended_) end(out);
  return out;
}

void Generation::end(SecretBuffer& out) {
  const auto& result = *box_->result;
  std::optional<ledger::SignedReceipt> receipt;
  wire::Frame frame(wire::Failed{wire::Refusal::engine_failed});
  if (result) {
    wire::Done done;
    done.result = *result;
    done.answer_salt = parts_.random.fixed<32>();
    receipt = make_receipt(*result, done.answer_salt);
    done.receipt = receipt->receipt.encode();
    done.signature = receipt->signature;
    frame = std::move(done);
  } else {
    frame = wire::Failed{refusal_of(result.error())};
  }
  append_frame(frame, out);
  sessions_.end(admitted_.profile.id, std::move(receipt));
  if (result && parts_.receipt_made) parts_.receipt_made();
  ended_ = true;
}

ledger::SignedReceipt Generation::make_receipt(const inference::GenerateResult& result,
                                               const Fixed<32>& answer_salt) const {
  const sealed::Profile& profile = admitted_.profile;
  auto used = sessions_.progress(profile.id).used_units;
  ledger::Receipt receipt;
  receipt.chain_id = profile.chain_id;
  receipt.session = profile.id;
  receipt.sequence = profile.sequence;
  receipt.instance_id = parts_.facts.instance;
  receipt.model_root = profile.model_root;
  receipt.engine_digest = parts_.engine_digest;
  receipt.request_hash = admitted_.request_hash;
  receipt.answer_hash = wire::answer_hash(text_.reveal(), answer_salt);
  receipt.prompt_units = result.prompt_tokens;
  receipt.completion_units = result.completion_tokens;
  // Never more than was granted: what the session cannot pay is not asked for.
  uint64_t units = uint64_t{result.prompt_tokens} + result.completion_tokens;
  receipt.cumulative_units = used + std::min(units, admitted_.grant.max_units);
  receipt.sampler.temperature_micro = sampler_.temperature_micro;
  receipt.sampler.top_p_micro = sampler_.top_p_micro;
  receipt.sampler.top_k = sampler_.top_k;
  receipt.sampler.max_units =
      static_cast<uint32_t>(std::min<uint64_t>(admitted_.grant.max_units, UINT32_MAX));
  receipt.sampler.seed_commitment = seed_commitment(seed_);
  receipt.time_ms = static_cast<uint64_t>(parts_.clock.now_ms());
  receipt.evidence_digest = admitted_.evidence_digest;
  return ledger::sign_receipt(receipt, parts_.identity.identity);
}

}  // namespace cloister::node
