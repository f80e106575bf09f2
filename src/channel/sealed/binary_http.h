// Binary HTTP (RFC 9292), as much as a sealed message needs: requests of known length (3.1), whose
// padding is part of the format (3.8), and answers of indeterminate length (3.2). Not read: the
// other two forms, informational answers, trailers with fields.
#pragma once

#include <string>

#include "base/secret.h"
#include "channel/sealed/error.h"

namespace cloister::sealed {

constexpr size_t kMaxFields = 32;
constexpr size_t kMaxFieldBytes = 256;  // a name or a value

struct Field {
  std::string name;
  std::string value;
  bool operator==(const Field&) const = default;
};

// Always a POST to https: method and scheme are written and demanded, not carried.
struct BinaryRequest {
  std::string authority;
  std::string path;
  std::vector<Field> fields;
  Bytes content;  // lent
};

// Without padding.
SecretBuffer encode_request(const BinaryRequest& request);
// Trailing zeros are padding; anything else after the end is padding_malformed. The content stays
// in `encoded`.
Result<BinaryRequest> decode_request(Bytes encoded);

// The head of an answer with `status` and no fields; content chunks follow it.
SecretBuffer encode_answer_head(unsigned status);
// One piece of the content; not empty.
void encode_content(Bytes content, SecretBuffer& out);
// The end of the content and of the (empty) trailers; zeros may follow.
void encode_answer_end(SecretBuffer& out);

// Reads an answer that comes in parts.
class AnswerReader {
 public:
  // Appends the content in `more` to `content`. After an error the reader must not be used again.
  // A status other than 200 is answer_refused.
  Result<void> feed(Bytes more, SecretBuffer& content);
  bool ended() const { return state_ == State::padding; }

 private:
  enum class State { head, chunk_size, chunk, trailer, padding };
  Result<bool> step(SecretBuffer& content);  // false: more bytes are needed

  State state_ = State::head;
  SecretBuffer pending_;
  size_t at_ = 0;      // read so far of `pending_`
  uint64_t left_ = 0;  // of the chunk
};

}  // namespace cloister::sealed
