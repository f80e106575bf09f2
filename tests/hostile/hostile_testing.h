// A whole network in one process: an embedded ledger with the true verifier over a simulated Intel,
// a gateway's opener and exchange, and nodes of which one thing is bent. Whatever a bent node
// decrypts is written down, the bytes of TLS and what was sealed inside them, so that a test can
// say what it never heard.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_future.hpp>

#include "chain/chain_testing.h"
#include "chain/daemon.h"
#include "channel/atls/atls_testing.h"
#include "channel/sealed/request.h"
#include "evidence/sim/intel.h"
#include "gateway/exchange.h"
#include "gateway/session_opener.h"
#include "inference/scripted_engine_testing.h"
#include "node/daemon.h"
#include "node/registrar.h"

namespace cloister::hostile {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::chrono::seconds kPatience{60};  // then the test program ends
constexpr std::string_view kCanary = "canary-4d1f0c-the-secret-of-the-prompt";

const evidence::sim::IntelSimulator& intel();

// One thread runs everything but the tests themselves. A test's deadline is `await`'s.
class ShiftedClock final : public Clock {
 public:
  explicit ShiftedClock(UnixMillis ahead_ms) : ahead_ms_(ahead_ms) {}
  UnixMillis now_ms() const override { return SystemClock().now_ms() + ahead_ms_; }

 private:
  const UnixMillis ahead_ms_;
};

class World {
 public:
  explicit World(UnixMillis ahead_ms = 0);  // of the machine's time
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  template <typename T>
  T await(asio::awaitable<T> work) {
    auto result = std::make_shared<std::optional<T>>();
    auto done = asio::co_spawn(context, store(std::move(work), result), asio::use_future);
    if (done.wait_for(kPatience) != std::future_status::ready) std::abort();
    done.get();
    return std::move(**result);
  }
  // The object lives until the thread has ended, so that nothing still running can miss it.
  template <typename T>
  T& keep(std::unique_ptr<T> object) {
    kept_.push_back(std::shared_ptr<T>(std::move(object)));
    return *static_cast<T*>(kept_.back().get());
  }
  std::unique_ptr<light::Client> client(std::unique_ptr<light::Rpc> rpc = nullptr);
  std::filesystem::path folder() const { return files_.file(""); }

  // The program as it is, with an engine that echoes a script.
  struct Honest {
    inference::ScriptedEngine* engine;
    std::unique_ptr<node::Daemon> daemon;
    uint16_t port = 0;
  };
  // `advertised_host`: where users reach it, if not where it listens.
  Honest& honest_node(const std::string& op, uint32_t platform, bool gpu = false,
                      const std::string& advertised_host = "127.0.0.1");

  asio::io_context context;
  const ShiftedClock clock;
  SystemRandom random;
  Log log{"hostile_test", LogLevel::error};
  ledger::Genesis genesis;
  uint16_t rpc_port = 0;

 private:
  template <typename T>
  static asio::awaitable<void> store(asio::awaitable<T> work,
                                     std::shared_ptr<std::optional<T>> result) {
    result->emplace(co_await std::move(work));
  }

  TemporaryFolder files_;
  std::vector<std::shared_ptr<void>> kept_;
  std::optional<chain::LedgerDaemon> ledger_;
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  std::thread thread_;
};

node::NodeConfig node_config(const World& world, uint32_t platform);
// With a GPU of the test hierarchy, whose time the world must have.
std::unique_ptr<node::Tee> open_tee(const World& world, const node::NodeConfig& config,
                                    bool gpu = false);
node::Measured measured(const node::NodeConfig& config);

// --- an endpoint of the ledger that lies ---------------------------------------------------------

class LyingRpc final : public light::Rpc {
 public:
  using Lie = std::function<void(light::QueryResponse&)>;
  // Tells `lie` instead of the truth about records of `family`; first does `before`, once.
  LyingRpc(uint16_t port, ledger::Family family, Lie lie,
           std::function<asio::awaitable<void>()> before = {})
      : truth_("127.0.0.1", port),
        path_("/store/" + std::string(ledger::name(family))),
        lie_(std::move(lie)),
        before_(std::move(before)) {}
  asio::awaitable<std::expected<JsonValue, light::LightError>> call(std::string method,
                                                                    JsonValue params,
                                                                    light::Millis timeout) override;

 private:
  light::HttpRpc truth_;
  std::string path_;
  Lie lie_;
  std::function<asio::awaitable<void>()> before_;
};

// --- the gateway ---------------------------------------------------------------------------------

struct Asked {
  std::optional<gateway::ApiError> error;
  std::string answer;
  std::optional<gateway::ExchangeResult> result;
};

class Gateway {
 public:
  explicit Gateway(World& world, std::unique_ptr<light::Rpc> rpc = nullptr,
                   const Clock* judges_by = nullptr,
                   std::optional<policy::LocalPolicy> local_policy = std::nullopt);

  // Opens a session, and only then sends the canary.
  Asked ask();
  // Over the session that stands.
  Asked ask_again(gateway::ChatRequest chat);
  // Opens a session up to the draw, by hand and without looking at the instance.
  ledger::Session drawn();
  // Has the ledger draw again.
  ledger::Session drawn_after_report(const ledger::Session& session);
  ledger::Instance instance(const ledger::InstanceId& id);
  ledger::Session first_session();  // of this gateway's user, who asked nothing before
  // What the instance says, inside the answer, to a request for `session` as the gateway writes
  // them; nothing when it refuses the message itself.
  std::optional<wire::Refusal> refusal(const ledger::Instance& to, const ledger::Session& session,
                                       const ledger::InstanceId& named,
                                       std::string_view path = wire::kGeneratePath);

  std::vector<std::string> refused;  // reasons, in their order
  uint64_t highest_policy = 0;       // version that its user has seen before
  std::unique_ptr<gateway::ReadySession> session;

 private:
  asio::awaitable<Asked> converse();
  asio::awaitable<Asked> exchange_once(gateway::ChatRequest chat);
  asio::awaitable<ledger::Session> open_by_hand();
  asio::awaitable<ledger::Session> report_by_hand(ledger::Session session);
  asio::awaitable<ledger::Session> wait_drawn(ledger::SessionId id, int64_t height);
  asio::awaitable<ledger::Instance> read_instance(ledger::InstanceId id);
  asio::awaitable<ledger::Session> read_session(ledger::SessionId id);
  asio::awaitable<std::optional<wire::Refusal>> send_by_hand(ledger::Instance to,
                                                             sealed::Profile profile,
                                                             std::string_view path);
  asio::awaitable<gateway::SealingKeys> read_keys(ledger::InstanceId id);

  World& world_;
  std::unique_ptr<light::Client> client_;
  light::Account account_;
  atls::Connector connector_;
  gateway::Draws draws_;
  gateway::SessionOpener opener_;
};

gateway::ChatRequest canary_chat();
std::string untrusted(std::string_view why);  // the gateway's words for it
std::string ledger_fault(light::LightError error);

// --- a node of which one thing is bent -----------------------------------------------------------

// A connection as the hostile server has it once the client's ATT_REQUEST came.
struct Meeting {
  std::shared_ptr<atls::TlsLink> link;
  Buffer request_bytes;
  atls::AttestationRequest request;
  atls::Exported exported;
  atls::BindingInputs inputs;  // as an honest server computes them
};

using Items = std::vector<ledger::EvidenceItem>;
struct Bends {
  const atls::Leaf* leaf = nullptr;    // another one than was registered
  atls::Flaw flaw = atls::Flaw::none;  // of its TLS settings
  std::function<void(atls::BindingInputs&)> binding;
  std::function<Items(const Fixed<64>& report_data)> quote;  // instead of the TEE
  std::function<void(Items&)> evidence;
  std::function<asio::awaitable<Buffer>(Meeting&)> authenticator;
  std::string instead_of_authenticator;  // raw bytes inside TLS
  std::string instead_of_done;
  // What it answers to a request; without one it listens for ever.
  std::function<std::vector<wire::Frame>(const sealed::Profile&, const Hash32& request_hash,
                                         const Hash32& evidence_digest)>
      answer;
  std::function<void(std::vector<Buffer>& chunks)> sealed_answer;  // as they go out
};

// Registered honestly; serves as `bends` says, and whatever the verdict is, says DONE and goes on
// listening.
class HostileNode {
 public:
  explicit HostileNode(World& world, const std::string& op = "operator", uint32_t platform = 0,
                       bool gpu = false);

  Bends bends;  // changed only while no connection is under way

  // Everything that was decrypted since the last call once the evidence was sent, verdicts aside.
  // Waits until no connection is left.
  std::string heard();
  size_t connections();  // since the last call
  Items quote(const Fixed<64>& report_data);
  // An authenticator of this very connection around `items`.
  Buffer authenticator(const Meeting& meeting, const Items& items) const;
  ledger::Receipt honest_receipt(const sealed::Profile& profile, const Hash32& request_hash,
                                 const Hash32& evidence_digest) const;

  World& world;
  node::NodeConfig config;
  std::unique_ptr<node::Tee> tee;
  node::Identity identity;
  sealed::KeyEpochs keys;
  ledger::Claims claims;  // as registered

 private:
  std::optional<sealed::OpenedRequest> open(Bytes message);
  asio::awaitable<void> run();
  asio::awaitable<void> talk(tcp::socket socket);
  asio::awaitable<void> converse(Meeting& meeting);
  asio::awaitable<void> prove(Meeting& meeting);
  asio::awaitable<bool> hear_verdict(Meeting& meeting);
  asio::awaitable<void> listen_on(Meeting& meeting);
  asio::awaitable<void> serve(Meeting& meeting);
  asio::awaitable<bool> enter(uint16_t port);
  void note(Bytes bytes);

  std::unique_ptr<light::Client> client_;
  light::Account account_;
  tcp::acceptor listener_;
  Hash32 evidence_digest_{};
  std::mutex mutex_;
  std::condition_variable idle_;
  std::string heard_;
  size_t open_ = 0, connections_ = 0;
};

constexpr std::string_view kAnswer = "forty-two";
// Frames of a whole answer with this receipt, signed by `key`.
std::vector<wire::Frame> answer_with(const ledger::Receipt& receipt, const crypto::Ed25519Key& key,
                                     const Fixed<32>& answer_salt);

}  // namespace cloister::hostile
