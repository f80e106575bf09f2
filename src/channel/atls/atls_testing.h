// For tests of ATLS/1: peers whose evidence is the report data itself, and peers that misbehave.
#pragma once

#include <boost/asio/strand.hpp>

#include "channel/atls/client.h"
#include "channel/atls/server.h"
#include "channel/atls/tls_link.h"
#include "http/http_testing.h"

namespace cloister::atls {

using asio::ip::tcp;
using Conversation = std::function<asio::awaitable<void>(tcp::socket)>;
using Connected = Result<std::unique_ptr<AtlsConnection>>;

// "Evidence" that is nothing but its report data, after `tamper` had its way with it.
class ScriptedSource final : public EvidenceSource {
 public:
  std::function<Fixed<64>(Fixed<64>)> tamper = [](Fixed<64> report_data) { return report_data; };
  Buffer claims_bytes = to_buffer(as_bytes("claims"));
  bool fails = false;
  std::atomic<int> quotes = 0;

  asio::awaitable<Result<std::vector<evidence::Evidence>>> quote(Fixed<64> report_data) override;
  Buffer claims() override { return claims_bytes; }
};

// Accepts what carries the expected report data and says `binding` to everything else.
PeerVerifier report_data_verifier();
Hash32 scripted_verdict();

// Accepts TCP connections and has `conversation` with each.
class Listener {
 public:
  Listener(http::TestContext& context, Conversation conversation);
  ~Listener();
  uint16_t port() const { return port_; }

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
  uint16_t port_ = 0;
};

// One instance, and what a client must know to reach it.
struct World {
  http::TestContext context{2};
  SystemRandom random;
  SystemClock clock;
  Leaf leaf = make_leaf(random, clock.now());
  Hash32 instance_id = crypto::sha256(as_bytes("instance"));
  std::shared_ptr<ScriptedSource> source = std::make_shared<ScriptedSource>();

  Acceptor acceptor(std::chrono::milliseconds timeout = std::chrono::seconds(10));
  ConnectOptions options(uint16_t port) const;
  Connected connect(ConnectOptions options, PeerVerifier verifier = report_data_verifier());
};

// The server that ends every conversation by recording how `accept` ended.
struct HonestServer {
  explicit HonestServer(World& world, Acceptor made);
  explicit HonestServer(World& world) : HonestServer(world, world.acceptor()) {}
  std::optional<AtlsError> outcome();  // of the next connection; nothing: it succeeded

  std::shared_ptr<Acceptor> acceptor;
  std::shared_ptr<std::promise<std::optional<AtlsError>>> ended;
  Listener listener;
};

// TLS settings that ours would refuse to make.
enum class Flaw { none, tickets, no_alpn, tls_1_2 };
std::shared_ptr<SslContext> flawed_server_context(const Leaf& leaf, Flaw flaw);

// --- a server that speaks by hand
// -------------------------------------------------------------------

// What a scripted server may use once TLS stands and the request has come.
struct Scene {
  std::shared_ptr<TlsLink> link;
  Buffer request_bytes;
  AttestationRequest request;
  Exported exported;
  Buffer good_authenticator;
};
using Script = std::function<asio::awaitable<void>(Scene&)>;

BindingInputs inputs_of(World& world, const Scene& scene);  // as an honest server computes them
// What an honest server would send, but with evidence for `inputs`.
Buffer authenticator_for(World& world, const Scene& scene, const BindingInputs& inputs);

struct ScriptedServer {
  ScriptedServer(World& world, Script script, Flaw flaw = Flaw::none);
  std::shared_ptr<SslContext> context;
  Listener listener;
};

asio::awaitable<void> say(TlsLink& link, std::string_view raw);
asio::awaitable<size_t> drain(TlsLink& link);  // until the peer closes; how many bytes came
asio::awaitable<void> full_handshake(Scene& scene);

// A client up to the end of the TLS handshake.
asio::awaitable<Result<std::shared_ptr<TlsLink>>> reach_instance(World& world, uint16_t port);

std::optional<AtlsError> error_of(const Connected& connected);

}  // namespace cloister::atls
