#include "node/daemon.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mutex>

#include "channel/atls/server.h"
#include "ledger/types/bodies.h"
#include "ledger/types/keys.h"
#include "node/job_runner.h"
#include "node/registrar.h"
#include "node/service.h"

namespace cloister::node {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr size_t kWorkers = 8;  // requests under way; the engine has a queue of its own
constexpr light::Millis kSettleTimeout{30'000};
constexpr std::chrono::milliseconds kRetryPause{1000};
constexpr auto kConnectionIdle =
    http::Millis(15 * 60 * 1000);  // longer than gateways keep sessions
constexpr UnixSeconds kRenewSeconds = atls::kMaxLeafLifeSeconds / 2;  // at the latest
constexpr std::chrono::seconds kRenewCheck{60};
// A request of wire::kMaxRequestBytes in its bucket, with what sealing adds.
constexpr size_t kMaxSealedRequest = wire::kMaxRequestBytes + 2 * sealed::kMaxChunkBytes;
// Half an epoch: two live at once, and whoever reads the newest has half an hour to use it.
constexpr UnixMillis kRotateMs = sealed::kEpochLifeMs / 2;
constexpr std::chrono::seconds kRotateCheck{30};

// The TEE as the channel asks it: quotes are made off the connection's strand.
class TeeSource final : public atls::EvidenceSource {
 public:
  TeeSource(Tee& tee, asio::thread_pool& workers, Buffer claims)
      : tee_(tee), workers_(workers), claims_(std::move(claims)) {}

  asio::awaitable<atls::Result<std::vector<evidence::Evidence>>> quote(
      Fixed<64> report_data) override {
    auto made = co_await asio::co_spawn(workers_, make(report_data), asio::use_awaitable);
    co_return made;
  }
  Buffer claims() override {
    const std::lock_guard lock(mutex_);
    return claims_;
  }
  // As the ledger has them now.
  void set_claims(Buffer claims) {
    const std::lock_guard lock(mutex_);
    claims_ = std::move(claims);
  }

 private:
  asio::awaitable<atls::Result<std::vector<evidence::Evidence>>> make(Fixed<64> report_data) {
    auto items = tee_.quote(report_data);
    if (!items) co_return std::unexpected(atls::AtlsError::quote_failed);
    std::vector<evidence::Evidence> out;
    for (auto& item : *items) {
      out.push_back({static_cast<evidence::Format>(item.format), std::move(item.bytes)});
    }
    co_return out;
  }

  Tee& tee_;
  asio::thread_pool& workers_;
  std::mutex mutex_;
  Buffer claims_;
};

atls::AcceptOptions accept_options(const Identity& identity) {
  atls::AcceptOptions out;
  out.instance_id = identity.instance_id();
  return out;
}

Hash32 digest_of(const std::vector<evidence::Evidence>& evidence) {
  std::vector<ledger::EvidenceItem> items;
  for (const auto& one : evidence) {
    ledger::EvidenceItem item;
    item.format = static_cast<uint8_t>(one.format);
    item.bytes = one.bytes;
    items.push_back(std::move(item));
  }
  return ledger::evidence_hash(items);
}

}  // namespace

struct Daemon::Running {
  Running(asio::io_context& io, DaemonParts given, const Clock& time, Random& chance,
          const Log& out);

  asio::awaitable<std::expected<uint16_t, std::string>> start();
  std::expected<uint16_t, std::string> listen();
  asio::awaitable<void> accept_loop();
  asio::awaitable<void> serve(tcp::socket socket);
  asio::awaitable<void> settle_loop();
  asio::awaitable<void> settle_all();
  asio::awaitable<void> renew_loop();
  asio::awaitable<void> rotate_loop();
  asio::awaitable<std::optional<std::optional<ledger::Session>>> read_session(ledger::SessionId id);
  asio::awaitable<void> wait(asio::steady_timer& timer);
  GenerationParts generation_parts(std::function<void()> receipt_made);
  void note_record(const ledger::Instance& record);

  asio::io_context& context;
  DaemonParts parts;
  const Clock& clock;
  Random& random;
  const Log& log;
  asio::thread_pool workers{kWorkers};
  Identity identity;
  sealed::KeyEpochs keys;
  ledger::Claims claims;
  light::Client ledger_client, block_follower;
  light::Account account;
  std::shared_ptr<TeeSource> source;
  atls::Acceptor attested;
  tcp::acceptor listener;
  Service service;
  JobRunner jobs;
  std::optional<Registrar> registrar;
  asio::steady_timer owed;  // cancelled when there is something to settle
  asio::steady_timer renewal;
  asio::steady_timer rotation;
  uint64_t published_epoch = 0;
  int64_t expires_height = 0;
  Hash32 evidence_digest{};  // of the registration, as the ledger has it
  bool stopping = false;
};

Daemon::Running::Running(asio::io_context& io, DaemonParts given, const Clock& time, Random& chance,
                         const Log& out)
    : context(io),
      parts(std::move(given)),
      clock(time),
      random(chance),
      log(out),
      identity(make_identity(chance, time.now())),
      keys(identity.instance_id()),
      claims(claims_of(identity, keys.begin(chance, time.now_ms()).config_sha256, parts.measured,
                       parts.engine->info().model_root)),
      ledger_client(io.get_executor(), light::http_endpoints(parts.config.ledger), time,
                    light::trust_of(parts.genesis)),
      block_follower(io.get_executor(), light::http_endpoints(parts.config.ledger), time,
                     light::trust_of(parts.genesis)),
      account(ledger_client, std::move(parts.operator_key), parts.genesis.chain_id,
              io.get_executor()),
      source(std::make_shared<TeeSource>(*parts.tee, workers, claims.encode())),
      attested(identity.leaf, source, accept_options(identity)),
      listener(io),
      service(ServiceParts{generation_parts([this] { owed.cancel(); }), keys,
                           [this](ledger::SessionId id) { return read_session(id); }, out}),
      jobs(io.get_executor(),
           JobParts{generation_parts(nullptr), keys, ledger_client, block_follower, account,
                    [this] { return evidence_digest; }, parts.config.capacity, out}),
      owed(io, asio::steady_timer::time_point::max()),
      renewal(io),
      rotation(io) {}

GenerationParts Daemon::Running::generation_parts(std::function<void()> receipt_made) {
  NodeFacts facts{parts.genesis.chain_id, identity.instance_id(), parts.engine->info().model_root};
  return {std::move(facts),  claims.image_digest,     identity, *parts.engine,
          workers,           std::move(receipt_made), clock,    random,
          parts.config.blobs};
}

asio::awaitable<void> Daemon::Running::wait(asio::steady_timer& timer) {
  boost::system::error_code woken;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

std::expected<uint16_t, std::string> Daemon::Running::listen() {
  const auto& config = parts.config;
  boost::system::error_code ec;
  auto address = asio::ip::make_address(config.listen_address, ec);
  if (ec) return std::unexpected(fmt::format("{} is not a numeric address", config.listen_address));
  tcp::endpoint endpoint(address, config.listen_port);
  listener.open(endpoint.protocol(), ec);
  if (!ec) listener.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) listener.bind(endpoint, ec);
  if (!ec) listener.listen(asio::socket_base::max_listen_connections, ec);
  if (ec) {
    return std::unexpected(fmt::format("cannot listen on {}:{}: {}", config.listen_address,
                                       config.listen_port, ec.message()));
  }
  return listener.local_endpoint().port();
}

asio::awaitable<std::expected<uint16_t, std::string>> Daemon::Running::start() {
  auto port = listen();
  if (!port) co_return std::unexpected(port.error());
  asio::co_spawn(context, accept_loop(), asio::detached);
  registrar.emplace(RegistrarParts{
      ledger_client, account, *parts.tee, identity, claims, parts.genesis, parts.config,
      fmt::format("{}:{}", parts.config.advertised_host, *port), clock, log});
  auto entered = co_await registrar->enter();
  if (!entered) co_return std::unexpected(entered.error().message());
  note_record(*entered);
  auto published = co_await registrar->publish(*keys.newest());
  if (!published) co_return std::unexpected(published.error().message());
  published_epoch = keys.newest()->number;
  log.info("registered",
           {{"instance", identity.instance_id()}, {"height", entered->registered_height}});
  asio::co_spawn(context, settle_loop(), asio::detached);
  asio::co_spawn(context, renew_loop(), asio::detached);
  asio::co_spawn(context, rotate_loop(), asio::detached);
  asio::co_spawn(context, jobs.follow(static_cast<int64_t>(entered->registered_height)),
                 asio::detached);
  co_return *port;
}

void Daemon::Running::note_record(const ledger::Instance& record) {
  expires_height = static_cast<int64_t>(record.expires_height);
  evidence_digest = record.evidence_sha256;
  source->set_claims(record.claims);
}

asio::awaitable<void> Daemon::Running::accept_loop() {
  while (!stopping) {
    tcp::socket socket(asio::make_strand(context));
    boost::system::error_code ec;
    co_await listener.async_accept(socket, asio::redirect_error(asio::use_awaitable, ec));
    if (ec == asio::error::operation_aborted || stopping) co_return;
    if (ec) {  // out of descriptors, say: give others time to close theirs
      asio::steady_timer pause(context, kRetryPause);
      co_await wait(pause);
      continue;
    }
    auto strand = socket.get_executor();
    asio::co_spawn(strand, serve(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> Daemon::Running::serve(tcp::socket socket) {
  auto connection = co_await attested.accept(std::move(socket));
  if (!connection) {
    log.info("connection_refused", {{"reason", LogWord::trusted(atls::name(connection.error()))}});
    co_return;
  }
  auto handler = service.handler(digest_of((*connection)->facts().attestation.evidence));
  http::ServerLimits limits;
  limits.max_body_bytes = kMaxSealedRequest;
  limits.idle_timeout = kConnectionIdle;
  co_await http::serve(std::move(*connection), limits, std::move(handler));
}

asio::awaitable<std::optional<std::optional<ledger::Session>>> Daemon::Running::read_session(
    ledger::SessionId id) {
  auto read = co_await ledger_client.read(ledger::Family::sessions, ledger::id_key(id));
  if (!read) {
    log.warning("session_not_read", {{"session", id}});
    co_return std::nullopt;
  }
  std::optional<ledger::Session> session;
  if (read->value) session = ledger::Session::decode(*read->value);
  if (read->value && !session) co_return std::nullopt;
  co_return std::make_optional(std::move(session));
}

asio::awaitable<void> Daemon::Running::settle_loop() {
  while (!stopping) {
    co_await settle_all();
    co_await wait(owed);
  }
}

asio::awaitable<void> Daemon::Running::settle_all() {
  for (auto& receipt : service.sessions().take_unsettled()) {
    ledger::Settle body;
    body.session = receipt.receipt.session;
    body.receipt = receipt.encode();
    auto sent = co_await account.send(body, kSettleTimeout);
    if (sent) continue;
    log.warning("settlement_failed", {{"session", receipt.receipt.session}});
    if (sent.error().code) continue;  // the ledger's word is final
    service.sessions().settle_again(receipt);
    asio::steady_timer pause(context, kRetryPause);
    co_await wait(pause);
  }
}

// Renews after half a day, or when a third of the record's blocks are left, whichever comes first.
asio::awaitable<void> Daemon::Running::renew_loop() {
  const int64_t lifetime = static_cast<int64_t>(parts.genesis.params.instance_lifetime_blocks);
  UnixSeconds renewed_at = clock.now();
  while (!stopping) {
    renewal.expires_after(kRenewCheck);
    co_await wait(renewal);
    if (stopping) co_return;
    auto latest = co_await ledger_client.latest();
    bool by_height = latest && latest->height > expires_height - lifetime / 3;
    if (!by_height && clock.now() - renewed_at < kRenewSeconds) continue;
    auto renewed = co_await registrar->renew();
    if (!renewed) {
      log.error("renewal_failed", {{"error", static_cast<int>(renewed.error().error)}});
      continue;
    }
    note_record(*renewed);
    renewed_at = clock.now();
    identity.leaf.certificate = atls::make_leaf_certificate(identity.leaf.key, random, clock.now());
    attested.renew(identity.leaf);
  }
}

// Makes the next epoch's keys in time, wipes what has expired, and publishes until it succeeds.
asio::awaitable<void> Daemon::Running::rotate_loop() {
  while (!stopping) {
    rotation.expires_after(kRotateCheck);
    co_await wait(rotation);
    if (stopping) co_return;
    const UnixMillis now = clock.now_ms();
    const auto* newest = keys.newest();
    if (newest == nullptr || now - newest->valid_from_ms >= kRotateMs) {
      newest = &keys.begin(random, now);
    }
    keys.expire(now);
    const sealed::KeyEpoch epoch = *newest;
    if (epoch.number == published_epoch) continue;
    auto published = co_await registrar->publish(epoch);
    if (published) {
      published_epoch = epoch.number;
      log.info("keys_published", {{"epoch", epoch.number}});
    } else {
      log.error("keys_not_published", {{"error", static_cast<int>(published.error().error)}});
    }
  }
}

Daemon::Daemon(asio::io_context& context, DaemonParts parts, const Clock& clock, Random& random,
               const Log& log)
    : running_(std::make_unique<Running>(context, std::move(parts), clock, random, log)) {}

Daemon::~Daemon() {
  running_->workers.stop();
  running_->workers.join();
}

asio::awaitable<std::expected<uint16_t, std::string>> Daemon::start() {
  co_return co_await running_->start();
}

asio::awaitable<void> Daemon::stop() {
  running_->stopping = true;
  running_->service.drain();
  boost::system::error_code ec;
  running_->listener.close(ec);
  running_->renewal.cancel();
  running_->rotation.cancel();
  co_await running_->jobs.stop();
  co_await running_->settle_all();
  running_->owed.cancel();
}

}  // namespace cloister::node
