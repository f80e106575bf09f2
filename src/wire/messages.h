// What gateway and node say to each other inside a sealed message: the content of one request, then
// frames of the answer, the last of which carries the signed receipt. Deterministic CBOR
// throughout; nothing here encrypts, channel/sealed does. For whom a request is and what pays for
// it stands in the sealed message's fields (sealed::Profile).
#pragma once

#include <variant>

#include "inference/engine.h"

namespace cloister::wire {

constexpr std::string_view kSealedPath = "/cloister/v1/sealed";      // of the HTTP that carries it
constexpr std::string_view kGeneratePath = "/cloister/v1/generate";  // inside the sealed message
constexpr size_t kMaxRequestBytes = 2 << 20;
constexpr size_t kMaxFrameBytes = 64 * 1024;

// What the node refuses a request for. Numbers travel and never change.
enum class Refusal : uint8_t {
  malformed = 1,
  wrong_chain = 2,
  wrong_instance = 3,
  wrong_model = 4,
  session_unknown = 5,        // the ledger proves that there is none
  session_not_confirmed = 6,  // the ledger's record is not `confirmed` for this instance
  session_not_read = 7,       // the ledger could not be read with a proof
  sequence_not_rising = 8,
  budget_exhausted = 9,
  deadline_passed = 10,
  busy = 11,
  context_length_exceeded = 12,
  bad_parameter = 13,
  engine_failed = 14,
  cancelled = 15,
  draining = 16,
  document_unavailable = 17,  // not at this instance's blob server, not as named, or no text
};
std::string_view name(Refusal refusal);
std::string_view describe(Refusal refusal);

// A text that lies elsewhere as ciphertext (channel/sealed/file.h). The instance brings it, and
// shows the model as much of its beginning and end as the context has room for.
struct Document {
  std::string uri;  // "http://HOST:PORT/blob/{sha256 of the ciphertext}"
  Secret<32> key;   // of the file
};
constexpr size_t kMaxDocuments = 4;
constexpr size_t kMaxUriBytes = 512;

struct Request {
  std::vector<inference::ChatMessage> messages;
  inference::SamplerParams sampler;  // `seed` here is the client's share of the randomness
  uint32_t max_tokens = 0;
  std::vector<UserText> stops;
  std::vector<Document> documents;
  Fixed<32> salt{};  // keeps the receipt's request hash from testing guesses

  SecretBuffer encode() const;
  static std::optional<Request> decode(Bytes encoded);
};

// The receipt's fields 8 and 9 (30-channels section 4): nobody without the salt can test a guess.
Hash32 request_hash(Bytes encoded_request, const Fixed<32>& salt);
Hash32 answer_hash(std::string_view answer, const Fixed<32>& salt);

struct Text {
  UserText text;
};
struct Done {
  inference::GenerateResult result;
  Buffer receipt;  // CBOR, see ledger/types
  Fixed<64> signature{};
  Fixed<32> answer_salt{};
};
struct Failed {
  Refusal refusal;
};
using Frame = std::variant<Text, Done, Failed>;

// u32 big-endian length, then CBOR.
SecretBuffer encode_frame(const Frame& frame);

// Reassembles frames from a stream that cuts them anywhere.
class FrameReader {
 public:
  // False once the stream is broken for good: a frame too long or malformed.
  bool feed(Bytes more);
  std::optional<Frame> next();
  bool empty() const { return pending_.empty() && frames_.empty(); }

 private:
  SecretBuffer pending_;
  std::vector<Frame> frames_;
  bool broken_ = false;
};

}  // namespace cloister::wire
