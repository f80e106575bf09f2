#include "light/endpoint.h"

#include <fmt/format.h>

#include <charconv>

namespace cloister::light {

std::optional<EndpointAddress> address_from(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const std::string_view digits = text.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0) {
    return std::nullopt;
  }
  return EndpointAddress{std::string(text.substr(0, colon)), port};
}

std::string to_text(const EndpointAddress& address) {
  return fmt::format("{}:{}", address.host, address.port);
}

std::vector<Endpoint> http_endpoints(std::span<const EndpointAddress> addresses) {
  std::vector<Endpoint> out;
  for (const EndpointAddress& address : addresses) {
    out.push_back({to_text(address), std::make_unique<HttpRpc>(address.host, address.port)});
  }
  return out;
}

std::string_view name(EndpointState state) {
  switch (state) {
    case EndpointState::unasked:
      return "unasked";
    case EndpointState::agrees:
      return "agrees";
    case EndpointState::unreachable:
      return "unreachable";
    case EndpointState::lagging:
      return "lagging";
    case EndpointState::lying:
      return "lying";
  }
  return "unknown";
}

std::optional<EndpointState> blame(LightError error) {
  switch (error) {
    case LightError::bad_options:
    case LightError::bad_state:
    case LightError::trust_expired:
    case LightError::before_trust:
    case LightError::not_yet:
    case LightError::conflicting_headers:
      return std::nullopt;
    case LightError::unreachable:
    case LightError::deadline_passed:
      return EndpointState::unreachable;
    case LightError::stale:
    case LightError::remote_refused:
    case LightError::pruned:
      return EndpointState::lagging;
    case LightError::wrong_protocol_version:
    case LightError::wrong_chain:
    case LightError::bad_field:
    case LightError::wrong_commit_height:
    case LightError::wrong_header_hash:
    case LightError::wrong_signature_count:
    case LightError::bad_signature_entry:
    case LightError::height_not_newer:
    case LightError::not_adjacent:
    case LightError::time_not_newer:
    case LightError::from_the_future:
    case LightError::wrong_trust_root:
    case LightError::wrong_last_block:
    case LightError::too_many_validators:
    case LightError::bad_power:
    case LightError::duplicate_validator:
    case LightError::wrong_validators_hash:
    case LightError::wrong_next_validators:
    case LightError::wrong_validator_address:
    case LightError::not_enough_trusted_power:
    case LightError::not_enough_power:
    case LightError::too_many_steps:
    case LightError::bad_proof:
    case LightError::wrong_proof_key:
    case LightError::wrong_proof_family:
    case LightError::wrong_proof_value:
    case LightError::wrong_root:
    case LightError::bad_json:
    case LightError::wrong_height:
      return EndpointState::lying;
  }
  return EndpointState::lying;
}

}  // namespace cloister::light
