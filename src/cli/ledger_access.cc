#include "cli/ledger_access.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <set>
#include <variant>

#include "base/text.h"
#include "cli/command.h"
#include "cli/daemons.h"
#include "cli/gateway_client.h"
#include "cli/key_file.h"
#include "light/account.h"

namespace cloister::cli {
namespace {

namespace asio = boost::asio;

constexpr light::Millis kReadTimeout{15'000};
constexpr light::Millis kSendTimeout{60'000};
constexpr int kMaxOvertaken = 20;

// Runs one conversation with the ledger to its end.
template <typename T, typename Talk>
std::expected<T, std::string> converse(const LedgerAccess& access, Talk talk,
                                       std::optional<light::TrustRoot> root = {}) {
  asio::io_context context(1);
  SystemClock clock;
  light::TrustStart start = light::trust_of(access.genesis);
  start.root = std::move(root);
  light::Client client(context.get_executor(), light::http_endpoints(access.endpoints), clock,
                       std::move(start));
  std::optional<std::expected<T, std::string>> result;
  asio::co_spawn(context, talk(client, context.get_executor()),
                 [&](std::exception_ptr, std::expected<T, std::string> answer) {
                   result = std::move(answer);
                   context.stop();
                 });
  context.run();
  if (!result) return std::unexpected("the conversation with the ledger was cut short");
  return std::move(*result);
}

std::string at(const LedgerAccess& access) {
  std::string names;
  for (const auto& endpoint : access.endpoints) {
    names += (names.empty() ? "" : ", ") + light::to_text(endpoint);
  }
  return "the ledger at " + names;
}

void add_sessions(const std::vector<light::Event>& events, std::set<ledger::SessionId>& out) {
  for (const light::Event& event : events) {
    if (!event.type.starts_with("session.") && !event.type.starts_with("job.")) continue;
    for (const auto& [key, value] : event.attributes) {
      const auto id = key == "session" ? fixed_from_hex<32>(value) : std::nullopt;
      if (id) out.insert(*id);
    }
  }
}

std::set<ledger::SessionId> sessions_in(const light::BlockResults& results) {
  std::set<ledger::SessionId> out;
  add_sessions(results.events, out);
  for (const light::TxReport& tx : results.txs) add_sessions(tx.events, out);
  return out;
}

// With the name of the code, which scripts go by.
std::string told(const light::SendError& error) {
  if (!error.code) return error.describe();
  return fmt::format("{} ({})", error.describe(), ledger::name(*error.code));
}

}  // namespace

void add_ledger_options(CLI::App& command, LedgerOptions& options, bool with_key) {
  command.add_option("--genesis", options.genesis,
                     "the network's genesis file (default: of the running `cloister up`)");
  command.add_option("--rpc", options.rpc,
                     "host:port of a ledger endpoint (default: of the running `cloister up`); "
                     "repeat for witnesses");
  if (with_key) {
    command.add_option("--key", options.key,
                       "the key file to sign with (default: the user's of `cloister up`)");
  }
  command.add_flag("--json", options.json, "print one JSON object");
}

std::expected<LedgerAccess, std::string> ledger_access(const LedgerOptions& options) {
  LedgerOptions wanted = options;
  if (wanted.genesis.empty() || wanted.rpc.empty()) {
    const auto running = read_running();
    if (!running) return std::unexpected(running.error() + ", or say --genesis and --rpc");
    if (wanted.genesis.empty()) wanted.genesis = running->genesis;
    if (wanted.rpc.empty()) wanted.rpc = {running->ledger};
    if (wanted.key.empty()) wanted.key = running->user_key;
  }
  auto genesis = read_genesis(wanted.genesis);
  if (!genesis) return std::unexpected(genesis.error());
  LedgerAccess out{std::move(*genesis), {}, wanted.key};
  for (const std::string& text : wanted.rpc) {
    auto address = light::address_from(text);
    if (!address) return std::unexpected(text + " is not host:port");
    out.endpoints.push_back(std::move(*address));
  }
  return out;
}

std::optional<payload::Store> blob_store(TomlFile& file, const std::string& key) {
  const std::string text = file.text(key, "");
  if (text.empty()) return std::nullopt;
  const auto address = light::address_from(text);
  if (!address) {
    file.refuse(key, text + " is not host:port");
    return std::nullopt;
  }
  return payload::Store{address->host, address->port};
}

std::vector<light::EndpointAddress> ledger_endpoints(TomlFile& file, const std::string& key) {
  std::vector<light::EndpointAddress> out;
  for (const std::string& text : file.texts(key, light::kMaxEndpoints)) {
    auto address = light::address_from(text);
    if (!address) {
      file.refuse(key, text + " is not host:port");
      return out;
    }
    out.push_back(std::move(*address));
  }
  if (out.empty()) file.refuse(key, "must name at least one host:port");
  return out;
}

std::expected<LedgerView, std::string> view_ledger(const LedgerAccess& access,
                                                   std::optional<light::TrustRoot> root) {
  using View = std::expected<LedgerView, std::string>;
  return converse<LedgerView>(
      access,
      [&](light::Client& client, asio::any_io_executor) -> asio::awaitable<View> {
        auto newest = co_await client.latest();
        LedgerView view;
        view.newest = std::move(newest);
        auto reports = co_await client.endpoints();
        if (reports) view.endpoints = std::move(*reports);
        co_return view;
      },
      std::move(root));
}

std::expected<void, std::string> watch_sessions(const LedgerAccess& access,
                                                std::optional<ledger::SessionId> only,
                                                const SeeSession& see) {
  using Watched = std::expected<std::monostate, std::string>;
  const auto told = [&](light::LightError error) {
    return std::unexpected(fmt::format("{}: {}", at(access), light::describe(error)));
  };
  const auto watched = converse<std::monostate>(
      access, [&](light::Client& client, asio::any_io_executor) -> asio::awaitable<Watched> {
        auto newest = co_await client.latest();
        if (!newest) co_return told(newest.error());
        std::set<ledger::SessionId> touched;
        if (only) touched.insert(*only);
        for (int64_t height = newest->height - 1;;) {
          for (const ledger::SessionId& id : touched) {
            const auto read =
                co_await client.read(ledger::Family::sessions, to_buffer(id), height, kReadTimeout);
            if (!read) co_return told(read.error());
            const auto session = read->value ? ledger::Session::decode(*read->value) : std::nullopt;
            if (!session && only) co_return std::unexpected("there is no such session");
            if (session && !see(*session, read->height)) co_return std::monostate();
          }
          const auto results = co_await client.watch(height + 1, kReadTimeout);
          touched.clear();
          if (!results && results.error() == light::LightError::not_yet) continue;
          if (!results && results.error() == light::LightError::pruned) {
            newest = co_await client.latest();
            if (!newest) co_return told(newest.error());
            fmt::print(stderr, "note: blocks {} to {} are passed over: the first of them is gone\n",
                       height + 1, newest->height - 1);
            height = newest->height - 1;
            if (only) touched.insert(*only);
            continue;
          }
          if (!results) co_return told(results.error());
          height = results->height;
          touched = sessions_in(*results);
          if (only) std::erase_if(touched, [&](const auto& id) { return id != *only; });
        }
      });
  if (!watched) return std::unexpected(watched.error());
  return {};
}

std::expected<light::ProvenValue, std::string> read_ledger(const LedgerAccess& access,
                                                           ledger::Family family, Buffer key) {
  using Read = std::expected<light::ProvenValue, std::string>;
  return converse<light::ProvenValue>(
      access, [&](light::Client& client, asio::any_io_executor) -> asio::awaitable<Read> {
        auto read = co_await client.read(family, std::move(key), 0, kReadTimeout);
        if (!read) {
          co_return std::unexpected(
              fmt::format("{}: {}", at(access), light::describe(read.error())));
        }
        co_return std::move(*read);
      });
}

std::expected<light::TxOutcomeProof, std::string> send_to_ledger(const LedgerAccess& access,
                                                                 ledger::TxKind kind, Buffer body) {
  if (access.key_file.empty()) return std::unexpected("say --key: whose transaction is it?");
  auto key = read_key_file(access.key_file);
  if (!key) return std::unexpected(access.key_file + " is not a key file");
  using Sent = std::expected<light::TxOutcomeProof, std::string>;
  return converse<light::TxOutcomeProof>(
      access, [&](light::Client& client, asio::any_io_executor executor) -> asio::awaitable<Sent> {
        light::Account account(client, std::move(*key), access.genesis.chain_id, executor);
        for (int tries = 1;; ++tries) {
          auto sent = co_await account.send_encoded(kind, body, kSendTimeout);
          if (sent) co_return std::move(*sent);
          // Another program sends for this account, such as the user's gateway, and was first: a
          // transaction with a used nonce has done nothing. The next block shows the next nonce.
          const bool overtaken = sent.error().code == ledger::Code::wrong_nonce;
          if (!overtaken || tries == kMaxOvertaken) {
            co_return std::unexpected(at(access) + ": " + told(sent.error()));
          }
          const auto newest = co_await client.latest();
          if (newest) (void)co_await client.watch(newest->height + 1, kReadTimeout);
        }
      });
}

int send_and_tell(const LedgerOptions& options, ledger::TxKind kind, Buffer body) {
  const auto access = ledger_access(options);
  if (!access) return fail(access.error());
  const auto sent = send_to_ledger(*access, kind, std::move(body));
  if (!sent) return fail(sent.error());
  const std::string made = to_hex(sent->data);
  if (options.json) {
    fmt::print("{}\n", JsonValue::object({{"kind", std::string(ledger::name(kind))},
                                          {"height", static_cast<uint64_t>(sent->height)},
                                          {"code", std::string(ledger::name(ledger::Code::ok))},
                                          {"data", made}})
                           .dump());
  } else {
    fmt::print("{} stands in block {}{}\n", ledger::name(kind), sent->height,
               made.empty() ? "" : ": " + made);
  }
  return kExitOk;
}

}  // namespace cloister::cli
