// One sealed answer on its way out: paces the frames of a generation as the request asked, seals
// them, and writes each chunk on its tick.
#pragma once

#include <functional>

#include "channel/sealed/answer.h"
#include "node/generation.h"

namespace cloister::node {

constexpr std::chrono::milliseconds kTick{40};

// False when the user has left; nothing more is written then.
using WriteChunk = std::function<boost::asio::awaitable<bool>(Bytes)>;

class AnswerStream {
 public:
  AnswerStream(sealed::AnswerSealer sealer, sealed::Padding padding, WriteChunk write)
      : sealer_(std::move(sealer)), pacer_(padding), write_(std::move(write)) {}

  // Runs the generation to its end, also for a user who has left: it is cancelled then, and what
  // was computed is settled. True when the whole answer went out.
  boost::asio::awaitable<bool> run(Generation& generation);
  // An answer that is one refusal, paced like any other.
  boost::asio::awaitable<bool> refuse(wire::Refusal refusal);

 private:
  boost::asio::awaitable<bool> write_due();
  boost::asio::awaitable<void> tick();

  sealed::AnswerSealer sealer_;
  sealed::Pacer pacer_;
  WriteChunk write_;
  std::chrono::steady_clock::time_point next_tick_ = std::chrono::steady_clock::now();
};

}  // namespace cloister::node
