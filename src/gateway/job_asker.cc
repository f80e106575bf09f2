#include "gateway/job_asker.h"

#include <fmt/format.h>

#include "base/text.h"
#include "ledger/types/binding.h"
#include "ledger/types/bodies.h"
#include "trust/report.h"

namespace cloister::gateway {
namespace {

namespace asio = boost::asio;
using Done = std::expected<void, ApiError>;

constexpr light::Millis kTxTimeout{30'000};
constexpr light::Millis kBlockTimeout{30'000};
constexpr size_t kMaxTrials = 8;
constexpr UnixMillis kMissedMs = 10 * 60 * 1000;  // for how long who let us down is passed over
constexpr std::string_view kMissed = "the node gave no result; the ledger refunded the job";

std::unexpected<ApiError> refuse(ApiError error) {
  return std::unexpected(std::move(error));
}

std::unexpected<ExchangeError> failed(ApiError error, bool may_try_other = false) {
  return std::unexpected(ExchangeError{std::move(error), false, may_try_other});
}

}  // namespace

struct JobAsker::Trial : Drawn {
  using Drawn::Drawn;
  RegisteredEvidence registered;
};

asio::awaitable<JobAsker::Outcome> JobAsker::ask(const ChatRequest& chat, SessionWish wish,
                                                 const OnPiece& on_piece) {
  auto found = co_await find_instance(wish);
  if (!found) co_return failed(found.error());
  Trial& trial = **found;
  Recipient to{
      parts_.genesis.chain_id, sealed::Payer::job, trial.session, trial.instance, trial.keys, 1, 0,
      parts_.padding};
  auto sealed = SealedChat::seal(chat, to, on_piece, parts_.clock, parts_.random);
  if (!sealed) co_return std::unexpected(sealed.error());
  auto posted = co_await post(trial, (*sealed)->message());
  if (!posted) co_return failed(posted.error());
  auto ended = co_await wait_end(trial, *posted);
  if (!ended) co_return failed(ended.error());
  if (ended->state != ledger::SessionState::closed) {
    missed_[trial.instance.id] = parts_.clock.now_ms();
    parts_.on_refused({to_hex(trial.instance.id), std::string(kMissed), parts_.clock.now()});
    co_return failed({ApiCode::node_lost, std::string(kMissed), ""}, true);
  }
  auto result = co_await result_of(trial);
  if (!result) co_return failed(result.error(), ended->cumulative_units == 0);
  auto fed = co_await (*sealed)->feed(*result);
  if (!fed) co_return std::unexpected(fed.error());
  auto complete = co_await (*sealed)->end();
  if (!complete) co_return std::unexpected(complete.error());
  auto bundle = co_await final_bundle(trial);
  if (!bundle) co_return std::unexpected(ExchangeError{bundle.error(), true, false});
  auto out = (*sealed)->finish(std::move(*bundle));
  // What the ledger paid is what the receipt says.
  if (out && out->bundle.receipt->receipt.cumulative_units != ended->cumulative_units) {
    co_return std::unexpected(ExchangeError{
        {ApiCode::receipt_invalid, "the ledger paid for another receipt", ""}, true, false});
  }
  co_return out;
}

JobAsker::Answer<std::unique_ptr<JobAsker::Trial>> JobAsker::find_instance(SessionWish wish) {
  ledger::SubmitJob body;
  body.session = open_body(wish);
  auto submitted = co_await parts_.account.send(body, kTxTimeout);
  if (!submitted) co_return refuse(ledger_fault(submitted.error()));
  auto id = to_fixed<32>(submitted->data);
  if (!id) co_return refuse(ledger_fault("it named no job"));
  int64_t height = submitted->height;
  ApiError last{ApiCode::no_verified_node, "no node passed verification", ""};
  for (size_t trials = 0; trials < kMaxTrials; ++trials) {
    auto session = co_await parts_.draws.wait_assigned(*id, height);
    if (!session) {
      const bool drawn_out = trials > 0 && session.error().code == ApiCode::no_verified_node;
      co_return refuse(drawn_out ? last : session.error());
    }
    auto trial = std::make_unique<Trial>(parts_.ledger, std::move(*session));
    auto examined = co_await examine(*trial);
    if (examined) co_return trial;
    last = examined.error();
    if (last.code == ApiCode::ledger_unreachable) co_return refuse(last);
    parts_.on_refused({to_hex(*trial->session.instance), last.message, parts_.clock.now()});
    auto redrawn = co_await report(*trial);
    if (!redrawn) co_return refuse(last);
    height = *redrawn;
  }
  co_return refuse(last);
}

bool JobAsker::missed_lately(const ledger::InstanceId& instance) {
  std::erase_if(missed_, [&](const auto& one) {
    return one.second + kMissedMs < parts_.clock.now_ms();
  });
  return missed_.contains(instance);
}

JobAsker::Answer<void> JobAsker::examine(Trial& trial) {
  if (missed_lately(*trial.session.instance)) {
    co_return refuse({ApiCode::node_lost, "the node gave no result a short while ago", ""});
  }
  auto read = co_await parts_.draws.read(trial);
  if (!read) co_return read;
  auto judged = co_await judge(trial);
  if (!judged) co_return judged;
  auto keys = co_await parts_.draws.read_keys(trial);
  if (!keys) co_return keys;
  co_return co_await evaluate_before(trial);
}

// The evidence that the ledger judged when the instance registered, judged again by today's rules.
JobAsker::Answer<void> JobAsker::judge(Trial& trial) {
  auto registered =
      co_await registered_evidence(parts_.ledger, parts_.genesis.chain_id, trial.instance);
  if (!registered) co_return refuse(registered.error());
  trial.registered = std::move(*registered);
  const auto claims = ledger::Claims::decode(trial.instance.claims);
  if (!claims) co_return refuse(untrusted("its claims are not well-formed"));
  const auto& facts = trial.registered.facts;
  const auto binding =
      ledger::registration_binding(parts_.genesis.chain_id, trial.instance.operator_account,
                                   facts.block_hash, facts.block_height, *claims);
  const auto cpus = ledger::cpu_evidence(trial.registered.items);
  auto judged = co_await parts_.draws.judge(trial, cpus, evidence::Binding::report_data(binding));
  if (!judged) co_return refuse(ledger_fault(judged.error()));
  if (auto error = trial.judgement.evidence_error()) {
    co_return refuse(untrusted(evidence::name(*error)));
  }
  if (auto reason = trial.judgement.policy_reason()) {
    co_return refuse(untrusted(policy::name(*reason)));
  }
  if (!trial.judgement.admitted()) {
    co_return refuse(untrusted(admission::name(trial.judgement.refusal)));
  }
  co_return Done{};
}

// The whole evaluation, exactly as `verify-receipt` makes it, before anything is posted.
JobAsker::Answer<void> JobAsker::evaluate_before(Trial& trial) {
  auto session = co_await trial.reader.record<ledger::Session>(ledger::Family::sessions,
                                                               ledger::id_key(trial.session.id));
  if (!session) co_return refuse(ledger_fault(session.error()));
  if (!*session) co_return refuse(ledger_fault("the job is not there"));
  auto bundle = co_await final_bundle(trial);
  if (!bundle) co_return refuse(bundle.error());
  const auto report = trust::evaluate(*bundle, {parts_.genesis.hash(), parts_.local_policy});
  if (auto failure = report.first_failure()) {
    co_return refuse(untrusted(fmt::format("{}: {}", failure->name, failure->found)));
  }
  co_return Done{};
}

// What the reader remembers by now, with the block that took the input where there is one.
JobAsker::Answer<trust::Bundle> JobAsker::final_bundle(Trial& trial) {
  std::optional<int64_t> confirmed;
  if (trial.session.confirmed_height > 0) {
    confirmed = static_cast<int64_t>(trial.session.confirmed_height);
  }
  auto bundle = co_await trial.reader.bundle(parts_.genesis, confirmed);
  if (!bundle) co_return refuse(ledger_fault(bundle.error()));
  bundle->mode = trust::Mode::chain;
  bundle->registration = trial.registered.facts;
  bundle->evidence = trial.registered.items;
  bundle->claims = trial.instance.claims;
  bundle->sealing = {parts_.padding, trial.keys.config_sha256};
  bundle->checked_at = parts_.clock.now();
  co_return std::move(*bundle);
}

// Tells the ledger, which draws again without this instance. The height of the report on success.
JobAsker::Answer<int64_t> JobAsker::report(const Trial& trial) {
  ledger::ReportAttestation body;
  body.session = trial.session.id;
  const bool judged = !trial.judgement.items.empty();
  body.reason = trial.judgement.policy_reason() ? ledger::ReportReason::local_policy
                : judged                        ? ledger::ReportReason::evidence_refused
                                                : ledger::ReportReason::unreachable;
  auto sent = co_await parts_.account.send(body, kTxTimeout);
  if (!sent) co_return refuse(ledger_fault(sent.error()));
  co_return sent->height;
}

JobAsker::Answer<int64_t> JobAsker::post(const Trial& trial, Buffer message) {
  auto payload = co_await payload::put(std::move(message), parts_.store);
  if (!payload) {
    const auto why = payload::describe(payload.error());
    co_return refuse({ApiCode::request_too_large, fmt::format("the prompt: {}", why), "messages"});
  }
  ledger::PostInput body;
  body.job = trial.session.id;
  body.instance = trial.instance.id;
  body.input = std::move(*payload);
  auto posted = co_await parts_.account.send(body, kTxTimeout);
  if (!posted) co_return refuse(ledger_fault(posted.error()));
  co_return posted->height;
}

// The ledger ends every job by itself: this ends with it.
JobAsker::Answer<ledger::Session> JobAsker::wait_end(Trial& trial, int64_t height) {
  for (;; ++height) {
    auto session = co_await trial.reader.record<ledger::Session>(
        ledger::Family::sessions, ledger::id_key(trial.session.id), height);
    if (!session) co_return refuse(ledger_fault(session.error()));
    if (!*session) co_return refuse(ledger_fault("the job is not there"));
    trial.session = std::move(**session);
    if (trial.session.state != ledger::SessionState::confirmed) co_return trial.session;
    if (trial.session.due_height < static_cast<uint64_t>(height)) {
      co_return refuse(ledger_fault("it does not end a job that is overdue"));
    }
    auto next = co_await parts_.ledger.watch(height + 1, kBlockTimeout);
    if (!next) co_return refuse(ledger_fault(next.error()));
  }
}

JobAsker::Answer<Buffer> JobAsker::result_of(const Trial& trial) {
  LedgerReader reader(parts_.ledger);  // ciphertext is no part of a bundle
  auto job =
      co_await reader.record<ledger::Job>(ledger::Family::jobs, ledger::id_key(trial.session.id));
  if (!job) co_return refuse(ledger_fault(job.error()));
  if (!*job || !(*job)->result) co_return refuse(ledger_fault("the job has no result"));
  auto bytes = co_await payload::get(std::move(*(*job)->result), sealed::kMaxMessageBytes);
  if (!bytes) {
    const auto why = payload::describe(bytes.error());
    co_return refuse({ApiCode::node_lost, fmt::format("the result: {}", why), ""});
  }
  co_return std::move(*bytes);
}

}  // namespace cloister::gateway
