// What a consensus engine is to an application's socket: connections that send requests and read
// answers.
#pragma once

#include <string>

#include "chain/abci/frame.h"
#include "chain/abci/messages.pb.h"

namespace cloister::chain::abci {

class TestConnection {
 public:
  explicit TestConnection(const std::string& path);  // connects, or stops the test
  ~TestConnection();
  TestConnection(TestConnection&& other) noexcept;
  TestConnection& operator=(TestConnection&& other) noexcept;

  void send(const Request& request);
  void send_bytes(Bytes bytes);
  // The next answer; nothing when the other side has closed.
  std::optional<Response> receive();
  // One request, followed by Flush as CometBFT does it. Its answer, or an exception.
  Response call(const Request& request);

 private:
  int fd_ = -1;
  FrameReader frames_;
};

Buffer framed(const Request& request);

}  // namespace cloister::chain::abci
