#include "node/job_runner.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "channel/sealed/padding.h"
#include "ledger/types/bodies.h"
#include "ledger/types/keys.h"
#include "node/documents.h"

namespace cloister::node {
namespace {

namespace asio = boost::asio;

constexpr light::Millis kTimeout{30'000};
constexpr std::chrono::milliseconds kRetryPause{1000};
// What stands where no answer can be sealed, because nothing opened.
constexpr std::string_view kUnopened = "cloister: the input did not open";

// Nobody waits at the other end of a job: its frames are sealed all at once, as many as its padding
// asks for.
Buffer seal_all(sealed::AnswerSealer& sealer, sealed::Padding padding, Bytes frames) {
  sealed::Pacer pacer(padding);
  pacer.push(frames);
  pacer.finish();
  Buffer out;
  while (!pacer.done()) {
    if (const auto chunk = pacer.next()) sealer.seal(*chunk, out);
  }
  return out;
}

}  // namespace

JobRunner::JobRunner(asio::any_io_executor executor, JobParts parts)
    : executor_(executor), parts_(std::move(parts)), changed_(executor) {}

asio::awaitable<void> JobRunner::pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(executor_, time);
  boost::system::error_code woken;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

asio::awaitable<void> JobRunner::follow(int64_t height) {
  while (!stopping_) {
    const auto block = co_await parts_.follower.watch(height, kTimeout);
    if (!block) {
      if (block.error() != light::LightError::not_yet) co_await pause(kRetryPause);
      continue;
    }
    const auto inputs = co_await inputs_of(height);
    for (const auto& id : inputs) {
      ++started_;
      asio::co_spawn(executor_, run(id, height), asio::detached);
    }
    cancel_overdue(height);
    ++height;
  }
}

// The jobs of this instance whose input stands in block `height`. Asks until the ledger answers: a
// block that was passed over is a job that was missed.
asio::awaitable<std::vector<ledger::SessionId>> JobRunner::inputs_of(int64_t height) {
  std::vector<ledger::SessionId> out;
  while (!stopping_) {
    const auto txs = co_await parts_.follower.block_txs(height, kTimeout);
    if (!txs) {
      parts_.log.warning("block_not_read", {{"height", height}});
      co_await pause(kRetryPause);
      continue;
    }
    for (const Buffer& bytes : *txs) {
      const auto tx = ledger::open_tx(bytes, parts_.generation.facts.chain_id);
      if (!tx || tx->kind != ledger::TxKind::post_input) continue;
      const auto body = ledger::PostInput::decode(tx->body);
      if (body && body->instance == parts_.generation.facts.instance) out.push_back(body->job);
    }
    break;
  }
  co_return out;
}

// What the ledger will not pay any more is not computed to its end.
void JobRunner::cancel_overdue(int64_t height) {
  for (auto& [id, running] : running_) {
    if (running.due_height <= static_cast<uint64_t>(height)) running.cancel.request_stop();
  }
}

asio::awaitable<void> JobRunner::wait_turn() {
  while (computing_ >= parts_.most_at_once) {
    changed_.expires_at(asio::steady_timer::time_point::max());
    boost::system::error_code woken;
    co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  ++computing_;
}

asio::awaitable<void> JobRunner::run(ledger::SessionId id, int64_t height) {
  const auto job = co_await read(id, height);
  // An input counts once, in whatever block it stands: posting it again was refused by the ledger.
  if (job && running_.try_emplace(id, Running{job->session.due_height, {}}).second) {
    co_await wait_turn();
    auto made = co_await answer(*job);
    --computing_;
    changed_.cancel();
    co_await post(*job, std::move(made));
    running_.erase(id);
  }
  --started_;
  changed_.cancel();
}

// Nothing when the proven record says that there is no work: the transaction was refused, or the
// job has ended.
asio::awaitable<std::optional<JobRunner::Job>> JobRunner::read(ledger::SessionId id,
                                                               int64_t height) {
  for (;;) {
    const auto session =
        co_await parts_.ledger.read(ledger::Family::sessions, ledger::id_key(id), height, kTimeout);
    const auto record =
        co_await parts_.ledger.read(ledger::Family::jobs, ledger::id_key(id), height, kTimeout);
    if (!session || !record) {
      if (stopping_) co_return std::nullopt;
      parts_.log.warning("job_not_read", {{"job", id}});
      co_await pause(kRetryPause);
      continue;
    }
    auto paying = session->value ? ledger::Session::decode(*session->value) : std::nullopt;
    auto stored = record->value ? ledger::Job::decode(*record->value) : std::nullopt;
    const bool work = paying && stored && stored->input && paying->on_ledger &&
                      paying->state == ledger::SessionState::confirmed &&
                      paying->instance == parts_.generation.facts.instance;
    if (!work) co_return std::nullopt;
    co_return Job{std::move(*paying), std::move(*stored->input)};
  }
}

asio::awaitable<JobRunner::Answer> JobRunner::answer(const Job& job) {
  auto opened = co_await open(job);
  if (!opened) co_return refusal(job);
  auto admitted = co_await admit_job(job, *opened);
  if (!admitted) {
    parts_.log.info("job_refused", {{"reason", LogWord::trusted(wire::name(admitted.error()))}});
    co_return co_await sealed_refusal(job, std::move(*opened), admitted.error());
  }
  co_return co_await compute(job, std::move(*opened), std::move(*admitted));
}

JobRunner::Step<sealed::OpenedRequest> JobRunner::open(const Job& job) {
  const auto& reference = job.input.reference;
  if (reference) {
    const auto address = blob::HttpAddress::parse(reference->uri);
    const bool ours = address && parts_.generation.store &&
                      address->host == parts_.generation.store->host &&
                      address->port == parts_.generation.store->port;
    if (!ours) co_return std::unexpected(wire::Refusal::malformed);  // nobody sends us anywhere
  }
  auto message = co_await payload::get(job.input, sealed::kMaxMessageBytes);
  if (!message) {
    parts_.log.info("input_not_there", {{"job", job.session.id}});
    co_return std::unexpected(wire::Refusal::malformed);
  }
  const auto& generation = parts_.generation;
  auto opened = sealed::open_request(parts_.keys, *message, sealed::Carrier::ledger,
                                     generation.clock.now_ms(), generation.random);
  if (!opened) {
    parts_.log.info("message_refused", {{"reason", LogWord::trusted(name(opened.error()))}});
    co_return std::unexpected(wire::Refusal::malformed);
  }
  co_return std::move(*opened);
}

JobRunner::Step<Admitted> JobRunner::admit_job(const Job& job,
                                               const sealed::OpenedRequest& opened) {
  const auto& generation = parts_.generation;
  auto request = wire::Request::decode(opened.content);
  if (!request || opened.path != wire::kGeneratePath) {
    co_return std::unexpected(wire::Refusal::malformed);
  }
  const auto grant = admit(opened.profile, sealed::Payer::job, generation.facts, job.session,
                           Progress(), generation.clock.now_ms());
  if (!grant) co_return std::unexpected(grant.error());
  const auto hash = wire::request_hash(opened.content, request->salt);
  const auto brought =
      co_await bring_documents(*request, generation.store, generation.document_bytes());
  if (!brought) co_return std::unexpected(brought.error());
  co_return Admitted{opened.profile, std::move(*request), *grant, hash, parts_.evidence_digest()};
}

asio::awaitable<JobRunner::Answer> JobRunner::compute(const Job& job, sealed::OpenedRequest opened,
                                                      Admitted admitted) {
  Sessions accounts;  // of this job alone: what it earned is posted, not settled
  [[maybe_unused]] const bool begun = accounts.begin(job.session.id, admitted.profile.sequence);
  Generation generation(parts_.generation, accounts, std::move(admitted));
  running_.at(job.session.id).cancel = generation.canceller();
  generation.start(executor_);
  SecretBuffer frames;
  while (!generation.ended()) {
    co_await generation.wait();
    const auto more = generation.take_frames();
    frames.insert(frames.end(), more.begin(), more.end());
  }
  auto earned = accounts.take_unsettled();
  std::optional<ledger::SignedReceipt> receipt;
  if (!earned.empty()) receipt = std::move(earned.front());
  Buffer sealed = seal_all(opened.answer, opened.profile.padding, frames);
  co_return co_await stored(job, std::move(sealed), std::move(receipt));
}

asio::awaitable<JobRunner::Answer> JobRunner::sealed_refusal(const Job& job,
                                                             sealed::OpenedRequest opened,
                                                             wire::Refusal refusal) {
  const auto frame = wire::encode_frame(wire::Failed{refusal});
  Buffer sealed = seal_all(opened.answer, opened.profile.padding, frame);
  co_return co_await stored(job, std::move(sealed), std::nullopt);
}

// An answer that nobody can store is none, and costs nothing.
asio::awaitable<JobRunner::Answer> JobRunner::stored(const Job& job, Buffer sealed,
                                                     std::optional<ledger::SignedReceipt> receipt) {
  auto result = co_await payload::put(std::move(sealed), parts_.generation.store);
  if (!result) {
    parts_.log.warning("result_not_stored", {{"job", job.session.id}});
    co_return refusal(job);
  }
  if (!receipt) receipt = receipt_for_nothing(job);
  co_return Answer{std::move(*result), std::move(*receipt)};
}

JobRunner::Answer JobRunner::refusal(const Job& job) const {
  ledger::Payload nothing;
  nothing.inline_bytes = to_buffer(as_bytes(kUnopened));
  return {std::move(nothing), receipt_for_nothing(job)};
}

ledger::SignedReceipt JobRunner::receipt_for_nothing(const Job& job) const {
  const auto& generation = parts_.generation;
  ledger::Receipt receipt;
  receipt.chain_id = generation.facts.chain_id;
  receipt.session = job.session.id;
  receipt.sequence = 1;
  receipt.instance_id = generation.facts.instance;
  receipt.model_root = job.session.model_root;
  receipt.engine_digest = generation.engine_digest;
  receipt.time_ms = static_cast<uint64_t>(generation.clock.now_ms());
  receipt.evidence_digest = parts_.evidence_digest();
  return ledger::sign_receipt(receipt, generation.identity.identity);
}

// Until the ledger has it, or has said its last word.
asio::awaitable<void> JobRunner::post(const Job& job, Answer answer) {
  ledger::PostResult body;
  body.job = job.session.id;
  body.result = std::move(answer.result);
  body.receipt = answer.receipt.encode();
  for (;;) {
    const auto sent = co_await parts_.account.send(body, kTimeout);
    if (sent) {
      parts_.log.info("job_answered", {{"job", job.session.id},
                                       {"units", answer.receipt.receipt.cumulative_units}});
      co_return;
    }
    parts_.log.warning("result_not_posted", {{"job", job.session.id}});
    if (sent.error().code || stopping_) co_return;
    co_await pause(kRetryPause);
  }
}

asio::awaitable<void> JobRunner::stop() {
  stopping_ = true;
  while (started_ > 0) {
    changed_.expires_at(asio::steady_timer::time_point::max());
    boost::system::error_code woken;
    co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
}

}  // namespace cloister::node
