// Several doors to one chain, and what each turned out to be worth.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "light/rpc.h"

namespace cloister::light {

struct EndpointAddress {
  std::string host;
  uint16_t port = 0;
  bool operator==(const EndpointAddress&) const = default;
};
// "host:port".
std::optional<EndpointAddress> address_from(std::string_view text);
std::string to_text(const EndpointAddress& address);

struct Endpoint {
  std::string name;  // for people
  std::unique_ptr<Rpc> rpc;
};
std::vector<Endpoint> http_endpoints(std::span<const EndpointAddress> addresses);
constexpr size_t kMaxEndpoints = 8;

enum class EndpointState : uint8_t {
  unasked = 1,
  agrees = 2,       // what it said last was verified, or was the same as what was
  unreachable = 3,  // it did not answer
  lagging = 4,      // it has nothing fresh, or not what another one has
  lying = 5,        // it said what no honest endpoint says
};
std::string_view name(EndpointState state);

struct EndpointReport {
  std::string name;
  EndpointState state = EndpointState::unasked;
  std::optional<LightError> error;  // the last
  int64_t height = 0;               // of the newest block in which it agreed
};

// What an error says about the endpoint whose answer caused it; nothing when the cause is our own
// or a question that may have no answer yet.
std::optional<EndpointState> blame(LightError error);

}  // namespace cloister::light
