#include "channel/sealed/profile.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/text.h"

namespace cloister::sealed {
namespace {

constexpr size_t kFieldCount = 9;

// Decimal without sign or leading zeros.
std::optional<uint64_t> decimal(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return value;
}

// The fields by name. As many names are read as there are fields, so that none is left unread and
// none is there twice.
class Fields {
 public:
  explicit Fields(const std::vector<Field>& fields) : fields_(fields) {}

  bool has(std::string_view wanted) const {
    return std::ranges::find(fields_, wanted, &Field::name) != fields_.end();
  }
  template <typename T, typename Parse>
  void read(std::string_view wanted, T& out, Parse parse) {
    const auto field = std::ranges::find(fields_, wanted, &Field::name);
    if (field != fields_.end()) {
      if (auto value = parse(field->value)) {
        out = *value;
        return;
      }
    }
    ok_ = false;
  }
  void hash(std::string_view wanted, Hash32& out) { read(wanted, out, fixed_from_hex<32>); }
  bool ok() const { return ok_; }

 private:
  const std::vector<Field>& fields_;
  bool ok_ = true;
};

std::string_view id_name(Payer payer) {
  return payer == Payer::session ? "session-id" : "job-id";
}

std::optional<std::string> chain_id(std::string_view text) {
  if (text.empty() || text.size() > kMaxChainIdBytes) return std::nullopt;
  return std::string(text);
}

std::optional<int64_t> time_ms(std::string_view text) {
  const auto value = decimal(text);
  if (!value || *value > INT64_MAX) return std::nullopt;
  return static_cast<int64_t>(*value);
}

}  // namespace

std::string_view name(Padding padding) {
  switch (padding) {
    case Padding::off:
      return "off";
    case Padding::standard:
      return "default";
    case Padding::strict:
      return "strict";
  }
  std::abort();
}

std::optional<Padding> padding_from(std::string_view text) {
  for (Padding padding : {Padding::off, Padding::standard, Padding::strict}) {
    if (name(padding) == text) return padding;
  }
  return std::nullopt;
}

std::vector<Field> encode_profile(const Profile& p) {
  return {{"chain-id", p.chain_id},
          {std::string(id_name(p.payer)), to_hex(p.id)},
          {"seq", std::to_string(p.sequence)},
          {"instance-id", to_hex(p.instance)},
          {"key-config-hash", to_hex(p.key_config_sha256)},
          {"model-root", to_hex(p.model_root)},
          {"deadline", std::to_string(p.deadline_ms)},
          {"max-units", std::to_string(p.max_units)},
          {"padding", std::string(name(p.padding))}};
}

Result<Profile> decode_profile(const std::vector<Field>& fields) {
  const auto malformed = std::unexpected(SealedError::profile_malformed);
  if (fields.size() != kFieldCount) return malformed;
  Profile out;
  Fields from(fields);
  from.read("chain-id", out.chain_id, chain_id);
  out.payer = from.has("session-id") ? Payer::session : Payer::job;
  from.hash(id_name(out.payer), out.id);
  from.read("seq", out.sequence, decimal);
  from.hash("instance-id", out.instance);
  from.hash("key-config-hash", out.key_config_sha256);
  from.hash("model-root", out.model_root);
  from.read("deadline", out.deadline_ms, time_ms);
  from.read("max-units", out.max_units, decimal);
  from.read("padding", out.padding, padding_from);
  if (!from.ok()) return malformed;
  return out;
}

}  // namespace cloister::sealed
