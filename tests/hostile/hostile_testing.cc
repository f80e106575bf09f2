#include "hostile_testing.h"

#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "ledger/admit/gpus_testing.h"
#include "ledger/admit/verifier.h"
#include "ledger/types/bodies.h"
#include "ledger/types/keys.h"
#include "ledger/types/samples_testing.h"

namespace cloister::hostile {
namespace {

constexpr uint8_t kImage = 7;  // every byte of the released measurement
constexpr size_t kUsers = 128;
constexpr light::Millis kTimeout{30'000};

void must(bool held) {
  if (!held) std::abort();  // the test's own set-up failed
}

std::string user_name(size_t index) {
  return "user " + std::to_string(index);
}

ledger::Genesis make_genesis(UnixMillis now_ms) {
  auto out = ledger::sample_network(1).genesis;
  out.time_ms = static_cast<uint64_t>(now_ms);
  out.development_intel = {intel().root_spki()};
  out.development_nvidia = {evidence::rim::hierarchy().root.certificate.spki_sha256()};
  ledger::Release gpus;
  gpus.name = "GPUs";
  gpus.format = ledger::kNvidiaGpuFormat;
  out.policy.releases.push_back(std::move(gpus));
  const auto model = inference::ScriptedEngine::scripted_model();
  out.models[0].root = model.model_root;
  out.models[0].name = model.name;
  std::vector<std::string> names{"operator", "rival"};
  for (size_t i = 0; i < kUsers; ++i) names.push_back(user_name(i));
  for (const auto& name : names) {
    ledger::GenesisAccount account;
    account.account = ledger::key_of(name).public_key();
    account.balance_micro = 1'000'000'000'000;
    out.accounts.push_back(account);
  }
  std::ranges::sort(out.accounts, {}, &ledger::GenesisAccount::account);
  return out;
}

// A machine with one GPU more.
class WithGpu final : public node::Tee {
 public:
  explicit WithGpu(std::unique_ptr<node::Tee> cpu) : cpu_(std::move(cpu)) {}
  std::expected<std::vector<ledger::EvidenceItem>, node::TeeError> quote(
      const Fixed<64>& report_data) override {
    return cpu_->quote(report_data);
  }
  std::expected<std::optional<ledger::EvidenceItem>, node::TeeError> gpus(
      const Hash32& nonce) override {
    ledger::EvidenceItem item;
    item.format = ledger::kNvidiaGpuFormat;
    item.bytes = evidence::bundle::to_cbor(ledger::collected({gpu_}, nonce));
    return item;
  }
  std::vector<std::vector<Buffer>> collateral(UnixSeconds now) override {
    auto out = cpu_->collateral(now);
    for (auto& files : gpu_.objects()) out.push_back(std::move(files));
    return out;
  }

 private:
  const std::unique_ptr<node::Tee> cpu_;
  const evidence::nvidia::Scenario gpu_;
};

}  // namespace

const evidence::sim::IntelSimulator& intel() {
  static const auto made = evidence::sim::IntelSimulator::create(SystemClock().now());
  return made;
}

// --- the world -----------------------------------------------------------------------------------

World::World(UnixMillis ahead_ms)
    : clock(ahead_ms),
      genesis(make_genesis(clock.now_ms())),
      guard_(asio::make_work_guard(context)) {
  must(intel().save(folder() / "intel"));
  auto network = ledger::sample_network(1);
  chain::LedgerConfig config;
  config.dir = folder().parent_path().string();
  config.genesis = genesis;
  config.verifier = ledger::make_verifier();
  config.validator = crypto::Ed25519Key::from_seed(network.keys[0].seed());
  config.beacon = std::move(network.secrets[0]);
  config.block_interval_ms = 20;
  config.heartbeat_ms = 200;
  auto started = chain::LedgerDaemon::start(context.get_executor(), clock, std::move(config));
  must(started.has_value());
  ledger_.emplace(std::move(*started));
  rpc_port = ledger_->port();
  thread_ = std::thread([this] { context.run(); });
}

World::~World() {
  context.stop();
  thread_.join();
  while (!kept_.empty()) kept_.pop_back();
  ledger_->stop();
  ledger_.reset();
}

std::unique_ptr<light::Client> World::client(std::unique_ptr<light::Rpc> rpc) {
  if (!rpc) rpc = std::make_unique<light::HttpRpc>("127.0.0.1", rpc_port);
  return std::make_unique<light::Client>(context.get_executor(), std::move(rpc), clock,
                                         light::trust_of(genesis));
}

node::NodeConfig node_config(const World& world, uint32_t platform) {
  node::NodeConfig config;
  config.ledger = {{"127.0.0.1", world.rpc_port}};
  config.tee_hierarchy = world.folder() / "intel";
  config.tee_platform = platform;
  config.capacity = 64;
  return config;
}

node::Measured measured(const node::NodeConfig& config) {
  node::Measured out;
  out.image.fill(kImage);
  out.config = config.digest();
  return out;
}

std::unique_ptr<node::Tee> open_tee(const World&, const node::NodeConfig& config, bool gpu) {
  node::SimulatedTeeConfig tee;
  tee.hierarchy = config.tee_hierarchy;
  tee.platform = config.tee_platform;
  tee.measured = measured(config);
  auto opened = node::open_simulated_tee(tee);
  must(opened.has_value());
  if (!gpu) return std::move(*opened);
  return std::make_unique<WithGpu>(std::move(*opened));
}

World::Honest& World::honest_node(const std::string& op, uint32_t platform, bool gpu,
                                  const std::string& advertised_host) {
  auto engine = std::make_unique<inference::ScriptedEngine>();
  engine->then_answer(std::vector<std::string>{"forty", "-two"});
  auto honest = std::make_unique<Honest>();
  honest->engine = engine.get();
  node::NodeConfig config = node_config(*this, platform);
  config.advertised_host = advertised_host;
  auto tee = open_tee(*this, config, gpu);
  auto vouched = measured(config);
  node::DaemonParts parts{std::move(config), genesis,        ledger::make_key(op),
                          std::move(engine), std::move(tee), vouched};
  honest->daemon = std::make_unique<node::Daemon>(context, std::move(parts), clock, random, log);
  auto started = await(honest->daemon->start());
  must(started.has_value());
  honest->port = *started;
  return keep(std::move(honest));
}

// --- the ledger's endpoint -----------------------------------------------------------------------

asio::awaitable<std::expected<JsonValue, light::LightError>> LyingRpc::call(std::string method,
                                                                            JsonValue params,
                                                                            light::Millis timeout) {
  const bool meant = method == "abci_query" && params["path"].string() == path_;
  if (meant && before_) {
    auto once = std::exchange(before_, nullptr);
    co_await once();
  }
  auto result = co_await truth_.call(std::move(method), std::move(params), timeout);
  if (!result || !meant || !lie_) co_return result;
  auto response = light::parse_query_response((*result)["response"]);
  must(response.has_value());
  lie_(*response);
  co_return JsonValue::object({{"response", light::to_json(*response)}});
}

// --- the gateway ---------------------------------------------------------------------------------

namespace {

std::string next_user() {
  static std::atomic<size_t> next = 0;
  must(next < kUsers);
  return user_name(next++);
}

}  // namespace

gateway::ChatRequest canary_chat() {
  gateway::ChatRequest chat;
  chat.model = "scripted";
  inference::ChatMessage message;
  message.content = UserText(kCanary);
  chat.messages.push_back(std::move(message));
  return chat;
}

Gateway::Gateway(World& world, std::unique_ptr<light::Rpc> rpc, const Clock* judges_by,
                 std::optional<policy::LocalPolicy> local_policy)
    : world_(world),
      client_(world.client(std::move(rpc))),
      account_(*client_, ledger::make_key(next_user()), world.genesis.chain_id,
               world.context.get_executor()),
      connector_(world.context.get_executor(), world.clock, world.random),
      draws_(gateway::DrawParts{*client_, world.genesis, local_policy,
                                judges_by ? *judges_by : static_cast<const Clock&>(world.clock),
                                [this](uint64_t version) { return version >= highest_policy; }}),
      opener_(gateway::OpenerParts{
          *client_, account_, connector_, world.genesis, draws_, std::move(local_policy),
          sealed::Padding::standard,
          judges_by ? *judges_by : static_cast<const Clock&>(world.clock), world.log,
          [this](gateway::RefusedNode node) { refused.push_back(node.reason); }}) {}

std::string untrusted(std::string_view why) {
  return "the node was not trusted: " + std::string(why);
}

std::string ledger_fault(light::LightError error) {
  return "the ledger: " + std::string(light::describe(error));
}

namespace {

gateway::SessionWish wish_of(const World& world) {
  gateway::SessionWish wish;
  wish.model_root = world.genesis.models[0].root;
  wish.max_units = 10'000;
  wish.price_cap_micro = 10'000'000;
  wish.lifetime_blocks = 20'000;
  return wish;
}

}  // namespace

Asked Gateway::ask() {
  return world_.await(converse());
}

asio::awaitable<Asked> Gateway::converse() {
  Asked out;
  auto opened = co_await opener_.open(wish_of(world_));
  if (!opened) {
    out.error = opened.error();
    co_return out;
  }
  session = std::move(*opened);
  co_return co_await exchange_once(canary_chat());
}

Asked Gateway::ask_again(gateway::ChatRequest chat) {
  return world_.await(exchange_once(std::move(chat)));
}

asio::awaitable<Asked> Gateway::exchange_once(gateway::ChatRequest chat) {
  Asked out;
  const gateway::OnPiece collect = [&out](const UserText& piece) -> asio::awaitable<bool> {
    out.answer += piece.reveal();
    co_return true;
  };
  auto result = co_await gateway::exchange(*session, chat, collect, world_.clock, world_.random);
  if (result) {
    out.result = std::move(*result);
  } else {
    out.error = result.error().error;
    session->http.close();
  }
  co_return out;
}

ledger::Session Gateway::drawn() {
  return world_.await(open_by_hand());
}

ledger::Session Gateway::drawn_after_report(const ledger::Session& old) {
  return world_.await(report_by_hand(old));
}

ledger::Instance Gateway::instance(const ledger::InstanceId& id) {
  return world_.await(read_instance(id));
}

ledger::Session Gateway::first_session() {
  return world_.await(read_session(ledger::session_id(world_.genesis.chain_id, account_.id(), 0)));
}

asio::awaitable<ledger::Session> Gateway::read_session(ledger::SessionId id) {
  auto read = co_await client_->read(ledger::Family::sessions, ledger::id_key(id));
  must(read && read->value);
  co_return *ledger::Session::decode(*read->value);
}

asio::awaitable<ledger::Session> Gateway::open_by_hand() {
  const auto wish = wish_of(world_);
  ledger::OpenSession body;
  body.model_root = wish.model_root;
  body.max_units = wish.max_units;
  body.price_cap_micro = wish.price_cap_micro;
  body.deposit_micro = *ledger::cost_micro(wish.max_units, wish.price_cap_micro);
  body.lifetime_blocks = wish.lifetime_blocks;
  auto opened = co_await account_.send(body, kTimeout);
  must(opened.has_value());
  co_return co_await wait_drawn(*to_fixed<32>(opened->data), opened->height);
}

asio::awaitable<ledger::Session> Gateway::report_by_hand(ledger::Session old) {
  ledger::ReportAttestation body;
  body.session = old.id;
  auto sent = co_await account_.send(body, kTimeout);
  must(sent.has_value());
  co_return co_await wait_drawn(old.id, sent->height);
}

asio::awaitable<ledger::Session> Gateway::wait_drawn(ledger::SessionId id, int64_t height) {
  for (;;) {
    auto read = co_await client_->read(ledger::Family::sessions, ledger::id_key(id), height);
    must(read && read->value);
    auto found = *ledger::Session::decode(*read->value);
    must(found.state != ledger::SessionState::refunded);
    if (found.state == ledger::SessionState::assigned) co_return found;
    auto block = co_await client_->watch(++height, kTimeout);
    must(block.has_value());
  }
}

asio::awaitable<ledger::Instance> Gateway::read_instance(ledger::InstanceId id) {
  auto read = co_await client_->read(ledger::Family::instances, ledger::id_key(id));
  must(read && read->value);
  co_return *ledger::Instance::decode(*read->value);
}

std::optional<wire::Refusal> Gateway::refusal(const ledger::Instance& to, const ledger::Session& of,
                                              const ledger::InstanceId& named,
                                              std::string_view path) {
  sealed::Profile profile;
  profile.chain_id = world_.genesis.chain_id;
  profile.id = of.id;
  profile.sequence = 1;
  profile.instance = named;
  profile.model_root = of.model_root;
  profile.max_units = 1000;
  profile.deadline_ms = world_.clock.now_ms() + 600'000;
  return world_.await(send_by_hand(to, std::move(profile), path));
}

asio::awaitable<gateway::SealingKeys> Gateway::read_keys(ledger::InstanceId id) {
  auto read = co_await client_->read(ledger::Family::keys, ledger::id_key(id));
  must(read && read->value);
  auto chosen = gateway::choose_keys(*ledger::KeySet::decode(*read->value), world_.clock.now_ms());
  must(chosen.has_value());
  co_return std::move(*chosen);
}

namespace {

asio::awaitable<std::optional<wire::Refusal>> last_frame(http::Client& client,
                                                         sealed::AnswerOpener opener) {
  SecretBuffer data;
  for (;;) {
    auto more = co_await client.next(http::Millis(30'000));
    must(more.has_value());
    const auto opened = *more ? opener.feed(**more, data) : opener.end(data);
    must(opened.has_value());
    if (!*more) break;
  }
  wire::FrameReader frames;
  must(frames.feed(data));
  std::optional<wire::Refusal> out;
  while (auto frame = frames.next()) {
    if (auto failed = std::get_if<wire::Failed>(&*frame)) out = failed->refusal;
  }
  co_return out;
}

}  // namespace

asio::awaitable<std::optional<wire::Refusal>> Gateway::send_by_hand(ledger::Instance to,
                                                                    sealed::Profile profile,
                                                                    std::string_view path) {
  const auto keys = co_await read_keys(to.id);
  profile.key_config_sha256 = keys.config_sha256;
  wire::Request request;
  request.messages = std::move(canary_chat().messages);
  atls::ConnectOptions options;
  options.host = "127.0.0.1";
  options.port = static_cast<uint16_t>(std::stoi(to.endpoint.substr(to.endpoint.rfind(':') + 1)));
  options.peer = {to.id, to.spki_sha256};
  options.formats = {evidence::Format::tdx_quote};
  atls::PeerVerifier credulous =
      [](const atls::PeerEvidence&) -> asio::awaitable<std::expected<Hash32, atls::Refusal>> {
    co_return Hash32{};
  };
  auto connection = co_await connector_.connect(std::move(options), std::move(credulous));
  must(connection.has_value());
  http::Client client(std::move(*connection), to.endpoint);
  auto sealed = sealed::seal_request(keys.config, crypto::KemKind::x_wing, profile, path,
                                     request.encode(), world_.random);
  must(sealed.has_value());
  auto post = http::make_request("POST", wire::kSealedPath, {}, sealed::kRequestMediaType);
  post.body.assign(sealed->message.begin(), sealed->message.end());
  auto head = co_await client.start(std::move(post));
  must(head.has_value());
  if (head->status != 200) co_return std::nullopt;
  co_return co_await last_frame(client, sealed::AnswerOpener(std::move(sealed->answer)));
}

}  // namespace cloister::hostile
