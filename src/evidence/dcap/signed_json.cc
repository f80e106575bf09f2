#include "evidence/dcap/signed_json.h"

#include <algorithm>
#include <chrono>

namespace cloister::evidence::dcap {
namespace {

// Decimal digits of a fixed width.
std::optional<int> digits(std::string_view text, size_t at, size_t width) {
  int value = 0;
  for (char c : text.substr(at, width)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

// "2025-06-19T10:16:03Z" and no other form of RFC 3339.
std::optional<UnixSeconds> parse_time(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00Z";
  if (text.size() != kShape.size()) return std::nullopt;
  for (size_t at : {4u, 7u, 10u, 13u, 16u, 19u}) {
    if (text[at] != kShape[at]) return std::nullopt;
  }
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return UnixSeconds{days} * 86400 + *hour * 3600 + *minute * 60 + *second;
}

// Relaunch advice is concluded by the verifier; no level may claim it.
bool may_be_published(TcbStatus status) {
  return status != TcbStatus::td_relaunch_advised &&
         status != TcbStatus::td_relaunch_advised_configuration_needed;
}

std::optional<std::vector<std::string>> advisory_ids(const JsonValue& value) {
  std::vector<std::string> out;
  if (value.is_null()) return out;
  const auto* array = value.array();
  if (array == nullptr || array->size() > kMaxAdvisoriesPerLevel) return std::nullopt;
  for (const JsonValue& id : *array) {
    const auto text = id.string();
    if (!text || text->empty() || text->size() > kMaxAdvisoryIdBytes) return std::nullopt;
    out.emplace_back(*text);
  }
  return out;
}

}  // namespace

Result<SignedJson> parse_signed_json(std::string_view document, std::string_view name) {
  const std::string what(name);
  const auto parsed = parse_json(document, {.max_bytes = kMaxCollateralFileBytes});
  if (!parsed) {
    return refuse(Error::malformed, what + ": " + std::string(describe(parsed.error().error)));
  }
  const auto* members = parsed->members();
  const auto signature = hex_field<64>(*parsed, "signature");
  const auto text = members ? raw_member(document, name) : std::nullopt;
  if (!text || !signature || members->size() != 2 || !(*parsed)[name].is_object()) {
    return refuse(Error::malformed, what + " and its signature are not the two members");
  }
  return SignedJson{(*parsed)[name], std::string(*text), *signature,
                    std::make_shared<crypto::SignerMemo>()};
}

bool signed_by(const SignedJson& document, const crypto::Certificate& signer) {
  if (document.signer->holds(signer.spki_der())) return true;
  if (signer.key_kind() != crypto::KeyKind::ec_p256) return false;
  if (!signer.signed_message(as_bytes(document.signed_text), document.signature)) return false;
  document.signer->remember(signer.spki_der());
  return true;
}

std::optional<UnixSeconds> time_field(const JsonValue& object, std::string_view key) {
  const auto text = object[key].string();
  return text ? parse_time(*text) : std::nullopt;
}

std::optional<uint8_t> u8_field(const JsonValue& object, std::string_view key) {
  const auto value = object[key].u64();
  if (!value || *value > UINT8_MAX) return std::nullopt;
  return static_cast<uint8_t>(*value);
}

std::optional<uint16_t> u16_field(const JsonValue& object, std::string_view key) {
  const auto value = object[key].u64();
  if (!value || *value > UINT16_MAX) return std::nullopt;
  return static_cast<uint16_t>(*value);
}

std::optional<LevelStatus> level_status(const JsonValue& level) {
  const auto date = time_field(level, "tcbDate");
  const auto word = level["tcbStatus"].string();
  const auto status = word ? tcb_status_from(*word) : std::nullopt;
  auto advisories = advisory_ids(level["advisoryIDs"]);
  if (!date || !status || !may_be_published(*status) || !advisories) return std::nullopt;
  return LevelStatus{*date, *status, std::move(*advisories)};
}

std::optional<std::vector<EnclaveLevel>> enclave_levels(const JsonValue& array) {
  const auto* levels = array.array();
  if (levels == nullptr || levels->empty() || levels->size() > kMaxLevels) return std::nullopt;
  std::vector<EnclaveLevel> out;
  for (const JsonValue& level : *levels) {
    const auto isv_svn = u16_field(level["tcb"], "isvsvn");
    auto status = level_status(level);
    if (!isv_svn || !status) return std::nullopt;
    out.push_back({*isv_svn, std::move(*status)});
  }
  std::ranges::sort(out, std::ranges::greater{}, &EnclaveLevel::isv_svn);
  const auto same = std::ranges::adjacent_find(out, {}, &EnclaveLevel::isv_svn);
  if (same != out.end()) return std::nullopt;
  return out;
}

}  // namespace cloister::evidence::dcap
