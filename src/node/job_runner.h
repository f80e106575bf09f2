// The node as the ledger's co-processor (paper, Figure 2): finds its jobs in the blocks themselves,
// answers each once, and posts the sealed result with the receipt that is paid.
//
// Every block from the registration on is looked at, in order and verified; after a time without
// the ledger all that were missed. What a job is, its proven record says. A job whose input does
// not open, or that the gate refuses, is answered with a receipt for nothing: the user is refunded
// and the node is not slashed. A restart makes new keys, so no job of an earlier life can be
// opened.
#pragma once

#include <map>

#include "base/log.h"
#include "channel/sealed/request.h"
#include "ledger/types/jobs.h"
#include "light/account.h"
#include "node/generation.h"
#include "payload/payload.h"

namespace cloister::node {

struct JobParts {
  GenerationParts generation;
  sealed::KeyEpochs& keys;
  light::Client& ledger;    // for records
  light::Client& follower;  // for blocks, and nothing else: it keeps its place in the chain
  light::Account& account;  // the operator's
  std::function<Hash32()> evidence_digest;  // of the evidence that the instance is registered with
  size_t most_at_once = 0;                  // the others wait
  const Log& log;
};

// Used on one executor.
class JobRunner {
 public:
  JobRunner(boost::asio::any_io_executor executor, JobParts parts);

  // Follows the chain from block `height` on until `stop`.
  boost::asio::awaitable<void> follow(int64_t height);
  // Takes no new jobs; ends when those that run have been posted.
  boost::asio::awaitable<void> stop();

 private:
  struct Job {  // as the ledger proves it
    ledger::Session session;
    ledger::Payload input;
  };
  struct Answer {
    ledger::Payload result;
    ledger::SignedReceipt receipt;
  };
  template <typename T>
  using Step = boost::asio::awaitable<std::expected<T, wire::Refusal>>;

  boost::asio::awaitable<std::vector<ledger::SessionId>> inputs_of(int64_t height);
  void cancel_overdue(int64_t height);
  boost::asio::awaitable<void> run(ledger::SessionId id, int64_t height);
  boost::asio::awaitable<std::optional<Job>> read(ledger::SessionId id, int64_t height);
  boost::asio::awaitable<Answer> answer(const Job& job);
  Step<sealed::OpenedRequest> open(const Job& job);
  Step<Admitted> admit_job(const Job& job, const sealed::OpenedRequest& opened);
  boost::asio::awaitable<Answer> compute(const Job& job, sealed::OpenedRequest opened,
                                         Admitted admitted);
  boost::asio::awaitable<Answer> sealed_refusal(const Job& job, sealed::OpenedRequest opened,
                                                wire::Refusal refusal);
  boost::asio::awaitable<Answer> stored(const Job& job, Buffer sealed,
                                        std::optional<ledger::SignedReceipt> receipt);
  Answer refusal(const Job& job) const;
  ledger::SignedReceipt receipt_for_nothing(const Job& job) const;
  boost::asio::awaitable<void> post(const Job& job, Answer answer);
  boost::asio::awaitable<void> pause(std::chrono::milliseconds time);
  boost::asio::awaitable<void> wait_turn();

  struct Running {
    uint64_t due_height = 0;
    std::stop_source cancel;
  };
  const boost::asio::any_io_executor executor_;
  const JobParts parts_;
  std::map<ledger::SessionId, Running> running_;  // read, and not yet posted
  size_t started_ = 0;                            // coroutines
  size_t computing_ = 0;
  boost::asio::steady_timer changed_;  // cancelled when a job has ended
  bool stopping_ = false;
};

}  // namespace cloister::node
