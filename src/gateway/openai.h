// The OpenAI-compatible dialect: requests in, answers, chunks and errors out. Pure; no session, no
// network. Field rules are those of 60-api sections 2 to 4: what cannot be honoured is refused by
// name, never dropped silently.
#pragma once

#include <expected>

#include "base/json.h"
#include "inference/engine.h"
#include "trust/bundle.h"
#include "wire/messages.h"

namespace cloister::gateway {

constexpr size_t kMaxChatRequestBytes = 1 << 20;

// Every error that the API can answer. `code` strings are interface.
enum class ApiCode : uint8_t {
  invalid_json,
  invalid_request,
  unsupported_parameter,
  context_length_exceeded,
  invalid_api_key,
  forbidden_origin,
  model_not_found,
  receipt_not_found,
  unsupported_endpoint,
  request_too_large,
  node_busy,
  insufficient_balance,
  no_verified_node,
  attestation_failed,
  ledger_unreachable,
  node_lost,
  node_refused,
  receipt_invalid,
  internal,
};

struct ApiError {
  ApiCode code;
  std::string message;  // our words; never the user's
  std::string param;    // the field's name, empty when none
};

struct ApiStatus {
  unsigned http;
  std::string_view type;
  std::string_view code;
  bool retry;  // false: the answer carries x-should-retry: false
};
ApiStatus status_of(ApiCode code);
JsonValue error_json(const ApiError& error);  // {"error": {message, type, param, code}}

struct ChatRequest {
  trust::Mode mode =
      trust::Mode::atls;  // how it reaches a node; a header, not a member of the body
  std::string model;
  std::vector<inference::ChatMessage> messages;
  inference::SamplerParams sampler;  // seed: from `seed` when given, otherwise zero
  bool seed_given = false;
  uint32_t max_tokens = 0;
  std::vector<UserText> stops;
  std::vector<wire::Document> documents;  // "cloister": {"documents": [{"uri", "key"}]}
  bool stream = false;
  bool include_usage = false;
};
std::expected<ChatRequest, ApiError> parse_chat_request(Bytes body);

// What every chunk of one answer has in common.
struct AnswerHead {
  std::string id;  // "chatcmpl-…"
  int64_t created = 0;
  std::string model;
  std::string fingerprint;  // model digest and build
};
std::string role_chunk(const AnswerHead& head);
std::string text_chunk(const AnswerHead& head, const UserText& text);
std::string finish_chunk(const AnswerHead& head, inference::FinishReason reason);
std::string usage_chunk(const AnswerHead& head, const inference::GenerateResult& result);
std::string whole_answer(const AnswerHead& head, const UserText& text,
                         const inference::GenerateResult& result);

struct ModelEntry {
  std::string name;
  Hash32 root{};
  std::string quantization, licence;
  uint64_t context_tokens = 0;
  uint64_t price_per_million_micro = 0;
  uint64_t verified_nodes = 0;
  bool development = false;
  std::vector<std::string> platforms;
};
JsonValue model_json(const ModelEntry& entry, int64_t created);

}  // namespace cloister::gateway
