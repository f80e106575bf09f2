// The seam between the network and whatever runs a model: a conversation goes in, text comes out in
// pieces. Knows nothing of any model library.
//
// All numbers of a request are integers in millionths, so that the sealed request, the receipt and
// a verifier on another machine mean the same value to the bit.
#pragma once

#include <expected>
#include <functional>
#include <stop_token>

#include "base/secret.h"

namespace cloister::inference {

// Bounds that hold for every engine. A model's own context length is checked besides.
constexpr size_t kMaxMessages = 1024;
constexpr size_t kMaxConversationBytes = 1 << 20;
constexpr size_t kMaxStops = 4;
constexpr size_t kMaxStopBytes = 256;
constexpr uint32_t kMaxTemperatureMicro = 2'000'000;
constexpr uint32_t kMinTemperatureMicro =
    1'000;  // below it only 0, which means the likeliest token
constexpr uint32_t kOneMicro = 1'000'000;
constexpr uint32_t kMaxTopK = 1'024;
constexpr uint32_t kMaxTokens = 1 << 20;

// The numbers leave the process; they never change and are never reused.
enum class EngineError : uint8_t {
  bad_parameter = 1,
  bad_conversation = 2,
  context_length_exceeded = 3,
  queue_full = 4,
  stopped = 5,
  engine_failed = 6,
  model_missing = 7,
  model_unreadable = 8,
  model_malformed = 9,
  model_mismatch = 10,
  model_unsupported = 11,
  cpu_unsupported = 12,
};
std::string_view describe(EngineError error);  // one short sentence, never a word of the user

struct ModelInfo {
  std::string name;
  std::string licence;          // SPDX
  std::string quantization;     // as the file says: "Q4_1"
  uint32_t context_tokens = 0;  // prompt and answer of one request together
  Hash32 model_root{};          // over tensors, tokenizer and template, see model_root.h
  Hash32 file_sha256{};
};

enum class Role : uint8_t { system, user, assistant };

struct ChatMessage {
  Role role = Role::user;
  UserText content;
};

// How the next token is chosen; sampler.h says what each number means.
struct SamplerParams {
  uint32_t temperature_micro = kOneMicro;  // 0, or kMinTemperatureMicro to kMaxTemperatureMicro
  uint32_t top_k = 0;                      // 0: as many as the sampler looks at, kMaxTopK
  uint32_t top_p_micro = kOneMicro;        // 1 to one million
  uint32_t min_p_micro = 0;                // 0 to one million
  Fixed<32> seed{};                        // decides every draw
};

struct GenerateRequest {
  std::vector<ChatMessage> messages;  // not empty
  SamplerParams sampler;
  uint32_t max_tokens = 0;      // of the answer; 0: what the context has room for
  std::vector<UserText> stops;  // the answer ends before the first of these; none may be empty
  std::stop_token cancel;  // may be requested from any thread, also while the request is queued
};

enum class FinishReason : uint8_t {
  stop = 1,       // the model ended its answer, or a stop text was met
  length = 2,     // max_tokens or the context's end
  cancelled = 3,  // by the caller
};

struct GenerateResult {
  uint32_t prompt_tokens = 0;
  uint32_t completion_tokens = 0;  // tokens computed for the text that was handed over
  FinishReason finish = FinishReason::stop;
};

// Takes one piece of the answer. A piece is never empty and never splits a UTF-8 character; bytes
// of the model that are not UTF-8 arrive as U+FFFD. Returning false cancels the request.
using OnText = std::function<bool(const UserText& delta)>;

class Engine {
 public:
  virtual ~Engine() = default;

  // Blocks until the answer is complete. May be called from many threads at once; `on_text` runs on
  // the calling thread, so a slow reader delays nobody else. After an error the pieces that were
  // handed over are all there will be.
  [[nodiscard]] virtual std::expected<GenerateResult, EngineError> generate(
      const GenerateRequest& request, const OnText& on_text) = 0;

  virtual const ModelInfo& info() const = 0;
};

// Refuses what no engine may be asked: a number out of its bounds, a conversation that is empty,
// too large or not UTF-8, a stop text that is empty or too long. Every engine asks this first.
std::expected<void, EngineError> check_request(const GenerateRequest& request);

// A JSON number as millionths. Refused: not finite, negative, above `max_micro`.
std::expected<uint32_t, EngineError> micro_from(double value, uint32_t max_micro);

}  // namespace cloister::inference
