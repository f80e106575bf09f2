// An attested connection: a stream for HTTP that exists only after the client accepted the evidence
// and the server said DONE. There is no other way to it, so nothing can be sent to what was not
// verified.
#pragma once

#include <memory>

#include "channel/atls/binding.h"
#include "channel/atls/cmw.h"
#include "channel/atls/error.h"
#include "channel/atls/frames.h"
#include "http/stream.h"

namespace cloister::atls {

class TlsLink;

// What was agreed, each part as this side computed it. `evidence` and `claims` are those of the
// server.
struct ConnectionFacts {
  Buffer bind;
  Hash32 spki_sha256{};
  Hash32 request_sha256{};
  Fixed<64> report_data{};
  Attestation attestation;
  Hash32 verdict_id{};
};

class AtlsConnection final : public http::Stream {
 public:
  ~AtlsConnection() override;
  const ConnectionFacts& facts() const { return facts_; }

  http::asio::any_io_executor executor() override;
  http::asio::awaitable<std::expected<size_t, http::Error>> read_some(
      std::span<uint8_t> out) override;
  http::asio::awaitable<http::Status> write_all(Bytes bytes) override;
  void close_write() override;
  void close() override;

 private:
  friend class ClientHandshake;
  friend class ServerHandshake;
  AtlsConnection(std::shared_ptr<TlsLink> link, ConnectionFacts facts);

  std::shared_ptr<TlsLink> link_;
  ConnectionFacts facts_;
};

}  // namespace cloister::atls
