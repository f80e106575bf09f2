#include "cli/gateway_client.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>

#include "base/files.h"
#include "base/seams.h"
#include "http/client.h"

namespace cloister::cli {
namespace {

namespace asio = boost::asio;

constexpr http::Millis kConnectTimeout{5'000};
constexpr http::Millis kPlainTimeout{20'000};
constexpr http::Millis kAnswerTimeout{600'000};
constexpr uint32_t kMaxAnswerTokens = 256;  // a terminal is no place for more

template <typename T>
using Expected = std::expected<T, std::string>;

std::string problem_in(const http::Response& response) {
  auto body = parse_json(response.text());
  auto message = body ? (*body)["error"]["message"].string() : std::nullopt;
  return fmt::format("the gateway answered {}: {}", response.status,
                     message ? *message : std::string_view("no reason given"));
}

class Session {
 public:
  Session(http::Client client, std::string token)
      : client_(std::move(client)), token_(std::move(token)) {}

  asio::awaitable<Expected<http::Response>> call(http::Request request, http::Millis timeout) {
    request.headers.push_back({"authorization", "Bearer " + token_});
    http::RequestOptions options;
    options.timeout = timeout;
    auto response = co_await client_.request(std::move(request), options);
    if (!response)
      co_return std::unexpected(fmt::format("the gateway: {}", http::describe(response.error())));
    if (response->status != 200) co_return std::unexpected(problem_in(*response));
    co_return std::move(*response);
  }

  asio::awaitable<Expected<JsonValue>> get(std::string path) {
    auto response = co_await call(http::make_request("GET", path), kPlainTimeout);
    if (!response) co_return std::unexpected(response.error());
    auto body = parse_json(response->text(), {.max_bytes = 16 << 20, .max_values = 1'000'000});
    if (!body) co_return std::unexpected("the gateway sent something that is not JSON");
    co_return std::move(*body);
  }

 private:
  http::Client client_;
  std::string token_;
};

asio::awaitable<Expected<std::string>> first_model(Session& session) {
  auto models = co_await session.get("/v1/models");
  if (!models) co_return std::unexpected(models.error());
  auto list = (*models)["data"].array();
  auto id = list && !list->empty() ? (*list)[0]["id"].string() : std::nullopt;
  if (!id) co_return std::unexpected("the gateway serves no model");
  co_return std::string(*id);
}

asio::awaitable<Expected<AskedAnswer>> ask(asio::any_io_executor executor, GatewayAddress gateway,
                                           AskWith with, const UserText& prompt) {
  auto client =
      co_await http::Client::connect(executor, "127.0.0.1", gateway.port, kConnectTimeout);
  if (!client) {
    co_return std::unexpected(fmt::format("no gateway answers on port {}: {}", gateway.port,
                                          http::describe(client.error())));
  }
  Session session(std::move(*client), gateway.token);
  if (with.model.empty()) {
    auto first = co_await first_model(session);
    if (!first) co_return std::unexpected(first.error());
    with.model = *first;
  }
  auto message = JsonValue::object({{"role", "user"}, {"content", prompt.reveal()}});
  auto body = JsonValue::object({{"model", with.model},
                                 {"messages", JsonValue::Array{std::move(message)}},
                                 {"temperature", 0},
                                 {"max_tokens", kMaxAnswerTokens}});
  if (!with.documents.is_null()) {
    body.set("cloister", JsonValue::object({{"documents", std::move(with.documents)}}));
  }
  SystemClock clock;
  auto started_ms = clock.now_ms();
  auto request =
      http::make_request("POST", "/v1/chat/completions", body.dump(), "application/json");
  request.headers.push_back({"x-cloister-mode", with.mode});
  auto response = co_await session.call(std::move(request), kAnswerTimeout);
  if (!response) co_return std::unexpected(response.error());
  AskedAnswer out;
  out.elapsed_ms = clock.now_ms() - started_ms;
  auto parsed = parse_json(response->text());
  auto choices = parsed ? (*parsed)["choices"].array() : nullptr;
  auto text =
      choices && !choices->empty() ? (*choices)[0]["message"]["content"].string() : std::nullopt;
  if (!text) co_return std::unexpected("the gateway's answer has no text");
  out.text = UserText(*text);
  auto kept = co_await session.get("/v1/receipts/" +
                                   std::string(response->header("x-cloister-receipt-id")));
  if (!kept) co_return std::unexpected(kept.error());
  out.receipt = (*kept)["bundle"];
  out.trust = (*kept)["trust"];
  co_return out;
}

}  // namespace

std::filesystem::path running_file() {
  const char* data = std::getenv("XDG_DATA_HOME");
  const char* home = std::getenv("HOME");
  std::filesystem::path base = data && *data
                                   ? std::filesystem::path(data)
                                   : std::filesystem::path(home ? home : "/") / ".local/share";
  return base / "cloister" / "running.json";
}

std::expected<void, std::string> write_running(const RunningPorts& ports,
                                               const RunningFiles& files) {
  auto value = JsonValue::object({{"port", ports.gateway},
                                  {"token_file", files.token.string()},
                                  {"ledger", fmt::format("127.0.0.1:{}", ports.ledger)},
                                  {"blobs", fmt::format("127.0.0.1:{}", ports.blobs)},
                                  {"genesis", files.genesis.string()},
                                  {"user_key", files.user_key.string()}});
  std::error_code ec;
  std::filesystem::create_directories(running_file().parent_path(), ec);
  if (!write_file(running_file(), as_bytes(value.dump() + "\n"), FileMode::secret)) {
    return std::unexpected(running_file().string() + " cannot be written");
  }
  return {};
}

std::expected<RunningNetwork, std::string> read_running() {
  constexpr auto kNone = "no gateway runs here; start one with `cloister up`";
  auto content = read_file(running_file(), 4096);
  if (!content) return std::unexpected(kNone);
  auto value = parse_json(as_text(*content));
  auto port = value ? (*value)["port"].u64() : std::nullopt;
  auto path = value ? (*value)["token_file"].string() : std::nullopt;
  auto ledger = value ? (*value)["ledger"].string() : std::nullopt;
  auto blobs = value ? (*value)["blobs"].string() : std::nullopt;
  auto genesis = value ? (*value)["genesis"].string() : std::nullopt;
  auto user_key = value ? (*value)["user_key"].string() : std::nullopt;
  if (!port || *port == 0 || *port > UINT16_MAX || !path || !ledger || !blobs || !genesis ||
      !user_key) {
    return std::unexpected(running_file().string() + " is damaged; remove it");
  }
  auto token = read_file(std::filesystem::path(*path), 128);
  if (!token) return std::unexpected(kNone);
  RunningNetwork out{{static_cast<uint16_t>(*port), std::string(as_text(*token))},
                     std::string(*ledger),
                     std::string(*blobs),
                     std::string(*genesis),
                     std::string(*user_key)};
  while (out.gateway.token.ends_with('\n')) out.gateway.token.pop_back();
  return out;
}

std::expected<AskedAnswer, std::string> ask_gateway(const GatewayAddress& gateway, AskWith with,
                                                    const UserText& prompt) {
  asio::io_context context(1);
  std::optional<Expected<AskedAnswer>> result;
  asio::co_spawn(
      context, ask(context.get_executor(), gateway, std::move(with), prompt),
      [&](std::exception_ptr, Expected<AskedAnswer> answer) { result = std::move(answer); });
  context.run();
  if (!result) return std::unexpected("the request was cut short");
  return std::move(*result);
}

void print_answer(const AskedAnswer& answer) {
  // The one place where a user's text leaves for the user's own terminal.
  std::fwrite(answer.text.reveal().data(), 1, answer.text.size_bytes(), stdout);
  fmt::print("\n\n{}\n\n", answer.trust["statement"].string().value_or(""));
  if (auto checks = answer.trust["checks"].array()) {
    for (const JsonValue& check : *checks) {
      bool ok = check["ok"].boolean().value_or(false);
      fmt::print("  {} {:<25} {}\n", ok ? "ok  " : "FAIL", check["name"].string().value_or("?"),
                 check["found"].string().value_or(""));
    }
  }
  std::fflush(stdout);
}

JsonValue answer_json(const AskedAnswer& answer) {
  return JsonValue::object(
      {{"answer", answer.text.reveal()}, {"receipt", answer.receipt}, {"trust", answer.trust}});
}

}  // namespace cloister::cli
