#include "wire/messages.h"

#include "base/cbor.h"
#include "crypto/hash.h"

namespace cloister::wire {
namespace {

using inference::ChatMessage;
using inference::FinishReason;
using inference::Role;

constexpr size_t kMaxReceiptBytes = 4096;
enum FrameKind : uint8_t { kText = 1, kDone = 2, kFailed = 3 };

// The writer's buffer is not a secret one; this copies out and wipes it.
SecretBuffer take_secret(CborWriter& w) {
  Buffer plain = w.take();
  SecretBuffer out(plain.begin(), plain.end());
  wipe(plain.data(), plain.size());
  return out;
}

void write_sampler(CborWriter& w, const inference::SamplerParams& s) {
  w.map(5).key(1).u64(s.temperature_micro).key(2).u64(s.top_k).key(3).u64(s.top_p_micro);
  w.key(4).u64(s.min_p_micro).key(5).bytes(s.seed);
}

inference::SamplerParams read_sampler(CborReader& r) {
  inference::SamplerParams s;
  r.map(5);
  r.key(1);
  s.temperature_micro = r.u32();
  r.key(2);
  s.top_k = r.u32();
  r.key(3);
  s.top_p_micro = r.u32();
  r.key(4);
  s.min_p_micro = r.u32();
  r.key(5);
  s.seed = r.fixed<32>();
  return s;
}

std::vector<ChatMessage> read_messages(CborReader& r) {
  std::vector<ChatMessage> out;
  size_t count = r.array(inference::kMaxMessages);
  for (size_t i = 0; i < count && r.ok(); ++i) {
    ChatMessage message;
    r.map(2);
    r.key(1);
    uint64_t role = r.u64(static_cast<uint64_t>(Role::assistant));
    message.role = static_cast<Role>(role);
    r.key(2);
    message.content = UserText(r.text_view(inference::kMaxConversationBytes));
    out.push_back(std::move(message));
  }
  return out;
}

void write_documents(CborWriter& w, const std::vector<Document>& documents) {
  w.key(6).array(documents.size());
  for (const Document& one : documents) {
    w.map(2).key(1).text(one.uri).key(2).bytes(one.key.reveal());
  }
}

// Not empty: a request without documents has no such member.
std::vector<Document> read_documents(CborReader& r) {
  std::vector<Document> out;
  r.key(6);
  const size_t count = r.array(kMaxDocuments);
  if (count == 0) r.fail();
  for (size_t i = 0; i < count && r.ok(); ++i) {
    r.map(2);
    r.key(1);
    std::string uri(r.text_view(kMaxUriBytes));
    r.key(2);
    out.push_back({std::move(uri), Secret<32>(r.fixed<32>())});
  }
  return out;
}

Hash32 salted(std::string_view tag, const Fixed<32>& salt, Bytes data) {
  return crypto::Sha256{}.update(tag).update(Bytes(salt)).update(data).finish();
}

std::optional<Frame> read_done(CborReader& r) {
  Done done;
  r.map(7);
  r.key(1);
  r.u64();
  r.key(2);
  uint64_t finish = r.u64(static_cast<uint64_t>(FinishReason::cancelled));
  if (finish == 0) r.fail();
  done.result.finish = static_cast<FinishReason>(finish);
  r.key(3);
  done.result.prompt_tokens = r.u32();
  r.key(4);
  done.result.completion_tokens = r.u32();
  r.key(5);
  done.receipt = to_buffer(r.bytes(kMaxReceiptBytes));
  r.key(6);
  done.signature = r.fixed<64>();
  r.key(7);
  done.answer_salt = r.fixed<32>();
  if (!r.finish()) return std::nullopt;
  return Frame(std::move(done));
}

std::optional<Frame> decode_frame(Bytes body) {
  CborReader peek(body);
  size_t entries = peek.map_up_to(7);
  peek.key(1);
  uint64_t kind = peek.u64();
  if (!peek.ok()) return std::nullopt;
  CborReader r(body);
  if (kind == kDone) return read_done(r);
  if (entries != 2) return std::nullopt;
  r.map(2);
  r.key(1);
  r.u64();
  r.key(2);
  if (kind == kText) {
    auto text = r.text_view(kMaxFrameBytes);
    if (!r.finish()) return std::nullopt;
    return Frame(Text{UserText(text)});
  }
  uint64_t refusal = r.u64(static_cast<uint64_t>(Refusal::document_unavailable));
  if (kind != kFailed || refusal == 0 || !r.finish()) return std::nullopt;
  return Frame(Failed{static_cast<Refusal>(refusal)});
}

}  // namespace

std::string_view name(Refusal refusal) {
  switch (refusal) {
    case Refusal::malformed:
      return "malformed";
    case Refusal::wrong_chain:
      return "wrong_chain";
    case Refusal::wrong_instance:
      return "wrong_instance";
    case Refusal::wrong_model:
      return "wrong_model";
    case Refusal::session_unknown:
      return "session_unknown";
    case Refusal::session_not_confirmed:
      return "session_not_confirmed";
    case Refusal::session_not_read:
      return "session_not_read";
    case Refusal::sequence_not_rising:
      return "sequence_not_rising";
    case Refusal::budget_exhausted:
      return "budget_exhausted";
    case Refusal::deadline_passed:
      return "deadline_passed";
    case Refusal::busy:
      return "busy";
    case Refusal::context_length_exceeded:
      return "context_length_exceeded";
    case Refusal::bad_parameter:
      return "bad_parameter";
    case Refusal::engine_failed:
      return "engine_failed";
    case Refusal::cancelled:
      return "cancelled";
    case Refusal::draining:
      return "draining";
    case Refusal::document_unavailable:
      return "document_unavailable";
  }
  std::abort();
}

std::string_view describe(Refusal refusal) {
  switch (refusal) {
    case Refusal::malformed:
      return "the request is not well-formed";
    case Refusal::wrong_chain:
      return "the request names another chain";
    case Refusal::wrong_instance:
      return "the request names another instance";
    case Refusal::wrong_model:
      return "the session is for another model";
    case Refusal::session_unknown:
      return "the ledger has no such session";
    case Refusal::session_not_confirmed:
      return "the session is not confirmed for this instance";
    case Refusal::session_not_read:
      return "the ledger could not be read with a proof";
    case Refusal::sequence_not_rising:
      return "this request of the session was already made";
    case Refusal::budget_exhausted:
      return "the session's units are used up";
    case Refusal::deadline_passed:
      return "the request came after its deadline";
    case Refusal::busy:
      return "the node has no room for the request now";
    case Refusal::context_length_exceeded:
      return "the conversation is longer than the model's context";
    case Refusal::bad_parameter:
      return "a parameter of the request is out of its bounds";
    case Refusal::engine_failed:
      return "the model failed";
    case Refusal::cancelled:
      return "the request was cancelled";
    case Refusal::draining:
      return "the node takes no new work";
    case Refusal::document_unavailable:
      return "a document is not where the request says, not what it says, or no text";
  }
  std::abort();
}

SecretBuffer Request::encode() const {
  CborWriter w;
  w.map(documents.empty() ? 5 : 6).key(1).array(messages.size());
  for (const auto& message : messages) {
    w.map(2).key(1).u64(static_cast<uint64_t>(message.role)).key(2).text(message.content.reveal());
  }
  w.key(2);
  write_sampler(w, sampler);
  w.key(3).u64(max_tokens).key(4).array(stops.size());
  for (const auto& stop : stops) w.text(stop.reveal());
  w.key(5).bytes(salt);
  if (!documents.empty()) write_documents(w, documents);
  return take_secret(w);
}

std::optional<Request> Request::decode(Bytes encoded) {
  if (encoded.size() > kMaxRequestBytes) return std::nullopt;
  CborReader r(encoded);
  Request out;
  const size_t members = r.map_up_to(6);
  r.key(1);
  out.messages = read_messages(r);
  r.key(2);
  out.sampler = read_sampler(r);
  r.key(3);
  out.max_tokens = r.u32();
  r.key(4);
  size_t stops = r.array(inference::kMaxStops);
  for (size_t i = 0; i < stops; ++i) out.stops.emplace_back(r.text_view(inference::kMaxStopBytes));
  r.key(5);
  out.salt = r.fixed<32>();
  if (members == 6) out.documents = read_documents(r);
  if (members < 5 || !r.finish()) return std::nullopt;
  return out;
}

Hash32 request_hash(Bytes encoded_request, const Fixed<32>& salt) {
  return salted(std::string_view("cloister request v1\0", 20), salt, encoded_request);
}

Hash32 answer_hash(std::string_view answer, const Fixed<32>& salt) {
  return salted(std::string_view("cloister answer v1\0", 19), salt, as_bytes(answer));
}

SecretBuffer encode_frame(const Frame& frame) {
  CborWriter w;
  if (auto text = std::get_if<Text>(&frame)) {
    w.map(2).key(1).u64(kText).key(2).text(text->text.reveal());
  } else if (auto done = std::get_if<Done>(&frame)) {
    w.map(7).key(1).u64(kDone).key(2).u64(static_cast<uint64_t>(done->result.finish));
    w.key(3).u64(done->result.prompt_tokens).key(4).u64(done->result.completion_tokens);
    w.key(5).bytes(done->receipt).key(6).bytes(done->signature).key(7).bytes(done->answer_salt);
  } else {
    w.map(2).key(1).u64(kFailed).key(2).u64(static_cast<uint64_t>(std::get<Failed>(frame).refusal));
  }
  SecretBuffer body = take_secret(w);
  ByteWriter head;
  head.u32_be(static_cast<uint32_t>(body.size()));
  SecretBuffer out(head.view().begin(), head.view().end());
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

bool FrameReader::feed(Bytes more) {
  if (broken_) return false;
  pending_.insert(pending_.end(), more.begin(), more.end());
  for (;;) {
    ByteReader r{Bytes(pending_)};
    auto size = r.u32_be();
    if (!size) return true;
    if (*size > kMaxFrameBytes) break;
    auto body = r.take(*size);
    if (!body) return true;
    auto frame = decode_frame(*body);
    if (!frame) break;
    frames_.push_back(std::move(*frame));
    pending_.erase(pending_.begin(), pending_.begin() + 4 + static_cast<ptrdiff_t>(*size));
  }
  broken_ = true;
  return false;
}

std::optional<Frame> FrameReader::next() {
  if (frames_.empty()) return std::nullopt;
  Frame out = std::move(frames_.front());
  frames_.erase(frames_.begin());
  return out;
}

}  // namespace cloister::wire
