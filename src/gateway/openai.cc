#include "gateway/openai.h"

#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "crypto/hash.h"

namespace cloister::gateway {
namespace {

using inference::FinishReason;
using inference::Role;
using Failure = std::unexpected<ApiError>;

Failure refuse(ApiCode code, std::string message, std::string param = "") {
  return Failure(ApiError{code, std::move(message), std::move(param)});
}

Failure bad(std::string_view param, std::string_view rule) {
  return refuse(ApiCode::invalid_request, fmt::format("{} {}", param, rule), std::string(param));
}

std::optional<Role> role_from(std::string_view name) {
  // Clients send `developer` to models they do not know; it means what `system` means.
  if (name == "system" || name == "developer") return Role::system;
  if (name == "user") return Role::user;
  if (name == "assistant") return Role::assistant;
  return std::nullopt;
}

// A string, or an array of text parts.
std::expected<UserText, ApiError> content_from(const JsonValue& value) {
  if (auto text = value.string()) return UserText(*text);
  auto parts = value.array();
  if (parts == nullptr) return bad("messages", "each need a content that is text or text parts");
  UserText out;
  for (const JsonValue& part : *parts) {
    auto text = part["text"].string();
    if (part["type"].string() != "text" || !text) {
      return refuse(ApiCode::unsupported_parameter, "only text parts are supported by this model",
                    "messages");
    }
    out.append(*text);
  }
  return out;
}

std::expected<std::vector<inference::ChatMessage>, ApiError> messages_from(const JsonValue& value) {
  auto list = value.array();
  if (list == nullptr || list->empty())
    return bad("messages", "must be an array that is not empty");
  if (list->size() > inference::kMaxMessages) return bad("messages", "has too many entries");
  std::vector<inference::ChatMessage> out;
  for (const JsonValue& entry : *list) {
    auto role_name = entry["role"].string();
    auto role = role_name ? role_from(*role_name) : std::nullopt;
    if (!role) {
      return refuse(ApiCode::unsupported_parameter,
                    "each message's role must be system, developer, user or assistant", "messages");
    }
    auto content = content_from(entry["content"]);
    if (!content) return Failure(content.error());
    inference::ChatMessage message;
    message.role = *role;
    message.content = std::move(*content);
    out.push_back(std::move(message));
  }
  return out;
}

// Absent and null mean the default; anything else must be a number within the bounds.
std::expected<uint32_t, ApiError> micro_from(const JsonValue& body, std::string_view name,
                                             uint32_t fallback, uint32_t min, uint32_t max) {
  const JsonValue& value = body[name];
  if (value.is_null()) return fallback;
  auto number = value.number();
  auto rule = fmt::format("must be a number from {} to {}", min / 1e6, max / 1e6);
  if (!number) return bad(name, rule);
  auto micro = inference::micro_from(*number, max);
  if (!micro || *micro < min) return bad(name, rule);
  return *micro;
}

std::expected<void, ApiError> read_sampler(const JsonValue& body, ChatRequest& out) {
  auto temperature =
      micro_from(body, "temperature", inference::kOneMicro, 0, inference::kMaxTemperatureMicro);
  if (!temperature) return Failure(temperature.error());
  // Below the engine's least temperature the likeliest token wins anyway.
  out.sampler.temperature_micro = *temperature < inference::kMinTemperatureMicro ? 0 : *temperature;
  auto top_p = micro_from(body, "top_p", inference::kOneMicro, 1, inference::kOneMicro);
  if (!top_p) return Failure(top_p.error());
  out.sampler.top_p_micro = *top_p;
  const JsonValue& seed = body["seed"];
  if (seed.is_null()) return {};
  auto number = seed.i64();
  if (!number) return bad("seed", "must be an integer");
  ByteWriter w;
  w.text("cloister openai seed v1").u8(0).u64_be(static_cast<uint64_t>(*number));
  out.sampler.seed = crypto::sha256(w.view());
  out.seed_given = true;
  return {};
}

std::expected<void, ApiError> read_limits(const JsonValue& body, ChatRequest& out) {
  for (std::string_view name : {"max_tokens", "max_completion_tokens"}) {
    const JsonValue& value = body[name];
    if (value.is_null()) continue;
    auto number = value.u64();
    if (!number || *number == 0 || *number > inference::kMaxTokens) {
      return bad(name, fmt::format("must be an integer from 1 to {}", inference::kMaxTokens));
    }
    out.max_tokens = static_cast<uint32_t>(*number);
  }
  const JsonValue& stop = body["stop"];
  if (stop.is_null()) return {};
  JsonValue::Array one;
  const JsonValue::Array* list = stop.array();
  if (auto text = stop.string()) {
    one.emplace_back(*text);
    list = &one;
  }
  if (list == nullptr || list->size() > inference::kMaxStops) {
    return bad("stop", fmt::format("must be a text or up to {} texts", inference::kMaxStops));
  }
  for (const JsonValue& entry : *list) {
    auto text = entry.string();
    if (!text || text->empty() || text->size() > inference::kMaxStopBytes) {
      return bad("stop", fmt::format("texts must have 1 to {} bytes", inference::kMaxStopBytes));
    }
    out.stops.emplace_back(*text);
  }
  return {};
}

// Fields that change the answer in a way this model or node cannot give. Their neutral values pass.
// Sealed files at a blob server, each with the key that opens it.
std::expected<void, ApiError> read_documents(const JsonValue& value, ChatRequest& out) {
  constexpr const char* kName = "cloister.documents";
  if (value.is_null()) return {};
  const auto* list = value.array();
  if (list == nullptr || list->size() > wire::kMaxDocuments) {
    return bad(kName, fmt::format("must be a list of at most {}", wire::kMaxDocuments));
  }
  for (const JsonValue& one : *list) {
    const auto uri = one["uri"].string();
    const auto key = fixed_from_hex<32>(one["key"].string().value_or(""));
    if (!uri || uri->size() > wire::kMaxUriBytes || !key) {
      return bad(kName, "each has a uri and a key of 64 hex digits");
    }
    out.documents.push_back({std::string(*uri), Secret<32>(*key)});
  }
  return {};
}

std::expected<void, ApiError> refuse_unsupported(const JsonValue& body) {
  auto unsupported = [](std::string_view name) {
    return refuse(ApiCode::unsupported_parameter,
                  fmt::format("{} is not supported yet; leave it out", name), std::string(name));
  };
  for (std::string_view name : {"tools", "functions", "logit_bias", "audio", "modalities",
                                "web_search_options", "function_call", "reasoning_effort"}) {
    const JsonValue& value = body[name];
    bool neutral = value.is_null() || (value.array() && value.array()->empty()) ||
                   (value.members() && value.members()->empty());
    if (!neutral) return unsupported(name);
  }
  for (std::string_view name : {"frequency_penalty", "presence_penalty", "top_logprobs"}) {
    auto number = body[name].number();
    if (!body[name].is_null() && (!number || *number != 0)) return unsupported(name);
  }
  if (body["logprobs"].boolean().value_or(false)) return unsupported("logprobs");
  if (!body["n"].is_null() && body["n"].u64() != 1u) return unsupported("n");
  const JsonValue& format = body["response_format"];
  if (!format.is_null() && format["type"].string() != "text") return unsupported("response_format");
  const JsonValue& choice = body["tool_choice"];
  if (!choice.is_null() && choice.string() != "none" && choice.string() != "auto") {
    return unsupported("tool_choice");
  }
  return {};
}

std::expected<bool, ApiError> flag_from(const JsonValue& value, std::string_view name) {
  if (value.is_null()) return false;
  if (auto flag = value.boolean()) return *flag;
  return bad(name, "must be true or false");
}

std::string_view finish_name(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop:
      return "stop";
    case FinishReason::length:
      return "length";
    case FinishReason::cancelled:
      return "stop";
  }
  std::abort();
}

JsonValue chunk(const AnswerHead& head) {
  return JsonValue::object({{"id", head.id},
                            {"object", "chat.completion.chunk"},
                            {"created", head.created},
                            {"model", head.model},
                            {"system_fingerprint", head.fingerprint}});
}

JsonValue delta_choice(JsonValue delta, JsonValue finish) {
  return JsonValue::Array{JsonValue::object({{"index", 0},
                                             {"delta", std::move(delta)},
                                             {"logprobs", {}},
                                             {"finish_reason", std::move(finish)}})};
}

JsonValue usage_json(const inference::GenerateResult& result) {
  return JsonValue::object(
      {{"prompt_tokens", result.prompt_tokens},
       {"completion_tokens", result.completion_tokens},
       {"total_tokens", uint64_t{result.prompt_tokens} + result.completion_tokens},
       {"prompt_tokens_details", JsonValue::object({{"cached_tokens", 0}})},
       {"completion_tokens_details", JsonValue::object({{"reasoning_tokens", 0}})}});
}

}  // namespace

ApiStatus status_of(ApiCode code) {
  switch (code) {
    case ApiCode::invalid_json:
      return {400, "invalid_request_error", "invalid_json", false};
    case ApiCode::invalid_request:
      return {400, "invalid_request_error", "invalid_request", false};
    case ApiCode::unsupported_parameter:
      return {400, "invalid_request_error", "unsupported_parameter", false};
    case ApiCode::context_length_exceeded:
      return {400, "invalid_request_error", "context_length_exceeded", false};
    case ApiCode::invalid_api_key:
      return {401, "authentication_error", "invalid_api_key", false};
    case ApiCode::forbidden_origin:
      return {403, "permission_error", "forbidden_origin", false};
    case ApiCode::model_not_found:
      return {404, "invalid_request_error", "model_not_found", false};
    case ApiCode::receipt_not_found:
      return {404, "invalid_request_error", "receipt_not_found", false};
    case ApiCode::unsupported_endpoint:
      return {404, "invalid_request_error", "unsupported_endpoint", false};
    case ApiCode::request_too_large:
      return {413, "invalid_request_error", "request_too_large", false};
    case ApiCode::node_busy:
      return {429, "rate_limit_error", "node_busy", true};
    case ApiCode::insufficient_balance:
      return {402, "billing_error", "insufficient_balance", false};
    case ApiCode::no_verified_node:
      return {503, "server_error", "no_verified_node", true};
    case ApiCode::attestation_failed:
      return {503, "server_error", "attestation_failed", false};
    case ApiCode::ledger_unreachable:
      return {503, "server_error", "ledger_unreachable", true};
    case ApiCode::node_lost:
      return {502, "server_error", "node_lost", false};
    case ApiCode::node_refused:
      return {502, "server_error", "node_refused", false};
    case ApiCode::receipt_invalid:
      return {502, "server_error", "receipt_invalid", false};
    case ApiCode::internal:
      return {500, "server_error", "internal", false};
  }
  std::abort();
}

JsonValue error_json(const ApiError& error) {
  auto status = status_of(error.code);
  JsonValue param = error.param.empty() ? JsonValue{} : JsonValue(error.param);
  return JsonValue::object({{"error", JsonValue::object({{"message", error.message},
                                                         {"type", status.type},
                                                         {"param", std::move(param)},
                                                         {"code", status.code}})}});
}

std::expected<ChatRequest, ApiError> parse_chat_request(Bytes body) {
  auto parsed = parse_json(as_text(body), {.max_bytes = kMaxChatRequestBytes});
  if (!parsed) {
    auto fault = parsed.error();
    return refuse(ApiCode::invalid_json,
                  fmt::format("{} (near byte {})", describe(fault.error), fault.offset));
  }
  if (!parsed->is_object()) return refuse(ApiCode::invalid_request, "the body must be an object");
  ChatRequest out;
  auto model = (*parsed)["model"].string();
  if (!model || model->empty()) return bad("model", "must name a model");
  out.model = *model;
  auto messages = messages_from((*parsed)["messages"]);
  if (!messages) return Failure(messages.error());
  out.messages = std::move(*messages);
  if (auto ok = refuse_unsupported(*parsed); !ok) return Failure(ok.error());
  if (auto ok = read_sampler(*parsed, out); !ok) return Failure(ok.error());
  if (auto ok = read_limits(*parsed, out); !ok) return Failure(ok.error());
  if (auto ok = read_documents((*parsed)["cloister"]["documents"], out); !ok) {
    return Failure(ok.error());
  }
  auto stream = flag_from((*parsed)["stream"], "stream");
  if (!stream) return Failure(stream.error());
  out.stream = *stream;
  auto usage = flag_from((*parsed)["stream_options"]["include_usage"], "stream_options");
  if (!usage) return Failure(usage.error());
  out.include_usage = *usage;
  return out;
}

std::string role_chunk(const AnswerHead& head) {
  auto delta = JsonValue::object({{"role", "assistant"}, {"content", ""}, {"refusal", {}}});
  return chunk(head).set("choices", delta_choice(std::move(delta), {})).dump();
}

std::string text_chunk(const AnswerHead& head, const UserText& text) {
  auto delta = JsonValue::object({{"content", text.reveal()}});
  return chunk(head).set("choices", delta_choice(std::move(delta), {})).dump();
}

std::string finish_chunk(const AnswerHead& head, FinishReason reason) {
  auto choice = delta_choice(JsonValue::Object{}, finish_name(reason));
  return chunk(head).set("choices", std::move(choice)).dump();
}

std::string usage_chunk(const AnswerHead& head, const inference::GenerateResult& result) {
  return chunk(head).set("choices", JsonValue::Array{}).set("usage", usage_json(result)).dump();
}

std::string whole_answer(const AnswerHead& head, const UserText& text,
                         const inference::GenerateResult& result) {
  auto message =
      JsonValue::object({{"role", "assistant"}, {"content", text.reveal()}, {"refusal", {}}});
  auto choice = JsonValue::object({{"index", 0},
                                   {"message", std::move(message)},
                                   {"logprobs", {}},
                                   {"finish_reason", finish_name(result.finish)}});
  return JsonValue::object({{"id", head.id},
                            {"object", "chat.completion"},
                            {"created", head.created},
                            {"model", head.model},
                            {"system_fingerprint", head.fingerprint},
                            {"choices", JsonValue::Array{std::move(choice)}},
                            {"usage", usage_json(result)}})
      .dump();
}

JsonValue model_json(const ModelEntry& entry, int64_t created) {
  JsonValue::Array platforms;
  for (const auto& platform : entry.platforms) platforms.emplace_back(platform);
  // Clients read different names for the same numbers; 60-api section 5.
  JsonValue out = JsonValue::object(
      {{"id", entry.name}, {"object", "model"}, {"created", created}, {"owned_by", "cloister"}});
  for (std::string_view name : {"context_length", "context_window", "max_model_len"}) {
    out.set(name, entry.context_tokens);
  }
  double price = static_cast<double>(entry.price_per_million_micro) / 1e12;
  out.set("max_output_tokens", entry.context_tokens)
      .set("input_modalities", JsonValue::Array{"text"})
      .set("supports_tools", false)
      .set("pricing",
           JsonValue::object({{"prompt", price}, {"completion", price}, {"unit", "token"}}))
      .set("is_tee", !entry.development && entry.verified_nodes > 0)
      .set("tee_platforms", std::move(platforms))
      .set("verified_nodes", entry.verified_nodes)
      .set("model_digest", to_hex(entry.root))
      .set("quantization", entry.quantization)
      .set("license", entry.licence);
  if (entry.development) out.set("level", "development: no hardware protection");
  return out;
}

}  // namespace cloister::gateway
