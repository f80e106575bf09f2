#include "chain/rpc_call.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::chain {
namespace {

constexpr size_t kMaxArguments = 8;
constexpr size_t kMaxIdBytes = 64;
constexpr size_t kMaxTextBytes = 256;

enum class Kind { integer, boolean, hex_bytes, base64_bytes, text };

struct ArgumentRule {
  std::string_view name;
  Kind kind;
};
struct MethodRule {
  std::string_view name;
  RpcMethod method;
  std::vector<ArgumentRule> arguments;
};

const std::vector<MethodRule>& rules() {
  static const std::vector<MethodRule> kRules = {
      {"health", RpcMethod::health, {}},
      {"status", RpcMethod::status, {}},
      {"genesis", RpcMethod::genesis, {}},
      {"commit", RpcMethod::commit, {{"height", Kind::integer}}},
      {"validators",
       RpcMethod::validators,
       {{"height", Kind::integer}, {"page", Kind::integer}, {"per_page", Kind::integer}}},
      {"block", RpcMethod::block, {{"height", Kind::integer}}},
      {"block_results",
       RpcMethod::block_results,
       {{"height", Kind::integer}, {"wait", Kind::integer}}},
      {"abci_query",
       RpcMethod::abci_query,
       {{"path", Kind::text},
        {"data", Kind::hex_bytes},
        {"height", Kind::integer},
        {"prove", Kind::boolean}}},
      {"broadcast_tx_sync", RpcMethod::broadcast_tx_sync, {{"tx", Kind::base64_bytes}}},
      {"tx", RpcMethod::tx, {{"hash", Kind::base64_bytes}, {"prove", Kind::boolean}}},
  };
  return kRules;
}

const MethodRule* rule_of(std::string_view name) {
  for (const MethodRule& rule : rules()) {
    if (rule.name == name) return &rule;
  }
  return nullptr;
}

const ArgumentRule* rule_of(const MethodRule& method, std::string_view name) {
  for (const ArgumentRule& rule : method.arguments) {
    if (rule.name == name) return &rule;
  }
  return nullptr;
}

std::unexpected<RpcFault> refuse(RpcCode code, std::string_view detail) {
  return std::unexpected(RpcFault{code, std::string(detail)});
}

template <typename T>
std::optional<RpcArgument> argument(std::optional<T> value) {
  if (!value) return std::nullopt;
  return RpcArgument(std::move(*value));
}

std::string_view without_0x(std::string_view text) {
  return text.starts_with("0x") ? text.substr(2) : text;
}

std::optional<RpcArgument> from_json(Kind kind, const JsonValue& value) {
  const auto text = value.string();
  switch (kind) {
    case Kind::integer:
      return argument(value.is_number() ? value.i64() : light::int64_from(value));
    case Kind::boolean:
      return argument(value.boolean());
    case Kind::hex_bytes:
      return text ? argument(from_hex(without_0x(*text))) : std::nullopt;
    case Kind::base64_bytes:
      return text ? argument(from_base64(*text)) : std::nullopt;
    case Kind::text:
      if (!text || text->size() > kMaxTextBytes) return std::nullopt;
      return RpcArgument(std::string(*text));
  }
  return std::nullopt;
}

std::optional<std::string> percent_decoded(std::string_view in) {
  std::string out;
  for (size_t i = 0; i < in.size(); ++i) {
    if (in[i] != '%') {
      out.push_back(in[i]);
      continue;
    }
    const auto byte = from_hex(in.substr(i + 1, 2));
    if (!byte || byte->size() != 1) return std::nullopt;
    out.push_back(static_cast<char>((*byte)[0]));
    i += 2;
  }
  return out;
}

std::optional<RpcArgument> from_uri(Kind kind, std::string_view raw) {
  const auto decoded = percent_decoded(raw);
  if (!decoded) return std::nullopt;
  std::string_view text = *decoded;
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  if (quoted) text = text.substr(1, text.size() - 2);
  switch (kind) {
    case Kind::integer:
      return argument(light::int64_from(JsonValue(text)));
    case Kind::boolean:
      if (quoted || (text != "true" && text != "false")) return std::nullopt;
      return RpcArgument(text == "true");
    case Kind::hex_bytes:
    case Kind::base64_bytes:
      if (quoted || !text.starts_with("0x")) return std::nullopt;
      return argument(from_hex(text.substr(2)));
    case Kind::text:
      if (!quoted || text.size() > kMaxTextBytes) return std::nullopt;
      return RpcArgument(std::string(text));
  }
  return std::nullopt;
}

std::expected<RpcCall, RpcFault> read_get(const http::Request& request) {
  const MethodRule* rule = rule_of(std::string_view(request.path).substr(1));
  if (!rule) return refuse(RpcCode::method_not_found, "no such method");
  // A page of any site can make a browser send a GET.
  if (rule->method == RpcMethod::broadcast_tx_sync) {
    return refuse(RpcCode::invalid_request, "transactions are posted");
  }
  RpcCall call;
  call.method = rule->method;
  std::string_view rest = request.query;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos) return refuse(RpcCode::invalid_params, "no value");
    const ArgumentRule* known = rule_of(*rule, part.substr(0, equals));
    if (!known) return refuse(RpcCode::invalid_params, "unknown argument");
    auto value = from_uri(known->kind, part.substr(equals + 1));
    if (!value) return refuse(RpcCode::invalid_params, "malformed argument");
    if (!call.arguments.emplace(known->name, std::move(*value)).second) {
      return refuse(RpcCode::invalid_params, "argument given twice");
    }
  }
  return call;
}

bool valid_id(const JsonValue& id) {
  const auto text = id.string();
  return id.i64().has_value() || (text && text->size() <= kMaxIdBytes);
}

std::expected<RpcCall, RpcFault> read_post(const http::Request& request) {
  if (request.path != "/" || !request.query.empty()) {
    return refuse(RpcCode::invalid_request, "post to the root");
  }
  // Forms and plain text are what a page may send to another site without asking it.
  if (!request.header("Content-Type").starts_with("application/json")) {
    return refuse(RpcCode::invalid_request, "the body is application/json");
  }
  JsonLimits limits;
  limits.max_bytes = kMaxRequestBytes;
  limits.max_values = 100;
  const auto body = parse_json(request.text(), limits);
  if (!body) return refuse(RpcCode::parse_error, describe(body.error().error));
  const JsonValue& id = (*body)["id"];
  if ((*body)["jsonrpc"].string() != "2.0" || !valid_id(id)) {
    return refuse(RpcCode::invalid_request, "not a request of JSON-RPC 2.0 with an id");
  }
  const MethodRule* rule = rule_of((*body)["method"].string().value_or(""));
  if (!rule) return refuse(RpcCode::method_not_found, "no such method");
  RpcCall call;
  call.method = rule->method;
  call.id = id;
  const JsonValue& params = (*body)["params"];
  if (params.is_null()) return call;
  if (!params.is_object() || params.members()->size() > kMaxArguments) {
    return refuse(RpcCode::invalid_params, "arguments go by name");
  }
  for (const auto& [name, value] : *params.members()) {
    const ArgumentRule* known = rule_of(*rule, name);
    if (!known) return refuse(RpcCode::invalid_params, "unknown argument");
    auto read = from_json(known->kind, value);
    if (!read) return refuse(RpcCode::invalid_params, "malformed argument");
    call.arguments.emplace(known->name, std::move(*read));
  }
  return call;
}

std::string_view message_of(RpcCode code) {
  switch (code) {
    case RpcCode::parse_error:
      return "Parse error. Invalid JSON";
    case RpcCode::invalid_request:
      return "Invalid Request";
    case RpcCode::method_not_found:
      return "Method not found";
    case RpcCode::invalid_params:
      return "Invalid params";
    case RpcCode::internal:
      return "Internal error";
  }
  return "Internal error";
}

// "127.0.0.1:26657", "[::1]:1" and "localhost" without their ports.
std::string_view host_name(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, std::min(host.size(), host.find(']') + 1));
  return host.substr(0, host.find(':'));
}

bool allowed_host(std::string_view name, std::span<const std::string> hosts) {
  for (std::string_view own : {"localhost", "127.0.0.1", "[::1]"}) {
    if (http::equal_ignoring_case(name, own)) return true;
  }
  return std::any_of(hosts.begin(), hosts.end(), [&](const std::string& host) {
    return http::equal_ignoring_case(name, host);
  });
}

bool allowed_origin(std::string_view origin, std::span<const std::string> hosts) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (!origin.starts_with(scheme)) continue;
    return allowed_host(host_name(origin.substr(scheme.size())), hosts);
  }
  return false;  // "null" and everything that is no site
}

}  // namespace

std::expected<RpcCall, RpcFault> read_call(const http::Request& request) {
  if (request.method == "GET") return read_get(request);
  if (request.method == "POST") return read_post(request);
  return refuse(RpcCode::invalid_request, "only GET and POST");
}

std::string answer_json(const JsonValue& id, JsonValue result) {
  return JsonValue::object({{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}}).dump();
}

std::string fault_json(const JsonValue& id, const RpcFault& fault) {
  JsonValue error = JsonValue::object({{"code", static_cast<int>(fault.code)},
                                       {"message", message_of(fault.code)},
                                       {"data", fault.detail}});
  return JsonValue::object({{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(error)}}).dump();
}

bool from_allowed_site(const http::Request& request, std::span<const std::string> hosts,
                       std::span<const std::string> origins) {
  if (!allowed_host(host_name(request.header("Host")), hosts)) return false;
  const std::string_view origin = request.header("Origin");
  const auto listed = [&](const std::string& one) { return one == "*" || one == origin; };
  if (!origin.empty() && std::any_of(origins.begin(), origins.end(), listed)) return true;
  if (!origin.empty() && !allowed_origin(origin, hosts)) return false;
  const std::string_view site = request.header("Sec-Fetch-Site");
  return site.empty() || site == "same-origin" || site == "same-site" || site == "none";
}

void allow_reading(const http::Request& request, http::Response& response) {
  const std::string_view origin = request.header("Origin");
  if (origin.empty()) return;
  response.headers.push_back({"access-control-allow-origin", std::string(origin)});
  response.headers.push_back({"vary", "origin"});
}

http::Response answer_preflight(const http::Request& request) {
  auto out = http::make_response(204, "text/plain", "");
  out.headers = {{"access-control-allow-methods", "GET, POST"},
                 {"access-control-allow-headers", "content-type"},
                 {"access-control-max-age", "86400"}};
  allow_reading(request, out);
  return out;
}

}  // namespace cloister::chain
