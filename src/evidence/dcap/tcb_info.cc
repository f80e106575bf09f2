#include "evidence/dcap/tcb_info.h"

#include <algorithm>
#include <tuple>

namespace cloister::evidence::dcap {
namespace {

constexpr uint64_t kVersion = 3;
constexpr uint64_t kTcbType = 0;  // components compared one by one

std::optional<Fixed<16>> components(const JsonValue& value) {
  const auto* array = value.array();
  if (array == nullptr || array->size() != 16) return std::nullopt;
  Fixed<16> out{};
  for (size_t i = 0; i < out.size(); ++i) {
    const auto svn = u8_field((*array)[i], "svn");
    if (!svn) return std::nullopt;
    out[i] = *svn;
  }
  return out;
}

std::optional<PlatformLevel> platform_level(const JsonValue& level, Tee tee) {
  const JsonValue& tcb = level["tcb"];
  const auto sgx = components(tcb["sgxtcbcomponents"]);
  const auto pce_svn = u16_field(tcb, "pcesvn");
  const auto extra = tee == Tee::tdx ? components(tcb["tdxtcbcomponents"]) : Fixed<16>{};
  auto status = level_status(level);
  if (!sgx || !pce_svn || !extra || !status) return std::nullopt;
  return PlatformLevel{*sgx, *pce_svn, *extra, std::move(*status)};
}

auto rank(const PlatformLevel& level) {
  return std::tie(level.sgx_components, level.pce_svn, level.tdx_components);
}

std::optional<std::vector<PlatformLevel>> platform_levels(const JsonValue& array, Tee tee) {
  const auto* levels = array.array();
  if (levels == nullptr || levels->empty() || levels->size() > kMaxLevels) return std::nullopt;
  std::vector<PlatformLevel> out;
  for (const JsonValue& level : *levels) {
    auto parsed = platform_level(level, tee);
    if (!parsed) return std::nullopt;
    out.push_back(std::move(*parsed));
  }
  std::ranges::sort(out, [](const auto& a, const auto& b) { return rank(a) > rank(b); });
  const auto same = std::ranges::adjacent_find(
      out, [](const auto& a, const auto& b) { return rank(a) == rank(b); });
  if (same != out.end()) return std::nullopt;  // two statuses for one level
  return out;
}

std::optional<ModuleSigner> module_signer(const JsonValue& object) {
  const auto mr_signer = hex_field<48>(object, "mrsigner");
  const auto attributes = hex_field<8>(object, "attributes");
  const auto mask = hex_field<8>(object, "attributesMask");
  if (!mr_signer || !attributes || !mask) return std::nullopt;
  return ModuleSigner{*mr_signer, *attributes, *mask};
}

// "TDX_" and two hexadecimal digits, as Intel prints the module's version.
std::optional<uint8_t> module_version(const JsonValue& id) {
  const auto text = id.string();
  if (!text || !text->starts_with("TDX_")) return std::nullopt;
  const auto version = fixed_from_hex<1>(text->substr(4));
  if (!version || to_hex_upper(*version) != text->substr(4)) return std::nullopt;
  return version->front();
}

std::optional<ModuleIdentity> module_identity(const JsonValue& object) {
  const auto version = module_version(object["id"]);
  const auto signer = module_signer(object);
  auto levels = enclave_levels(object["tcbLevels"]);
  if (!version || !signer || !levels) return std::nullopt;
  return ModuleIdentity{*version, *signer, std::move(*levels)};
}

std::optional<std::vector<ModuleIdentity>> module_identities(const JsonValue& value) {
  std::vector<ModuleIdentity> out;
  if (value.is_null()) return out;  // before 2024 there were none
  const auto* array = value.array();
  if (array == nullptr || array->size() > kMaxModuleIdentities) return std::nullopt;
  for (const JsonValue& object : *array) {
    auto identity = module_identity(object);
    if (!identity) return std::nullopt;
    const auto same = std::ranges::find(out, identity->version, &ModuleIdentity::version);
    if (same != out.end()) return std::nullopt;
    out.push_back(std::move(*identity));
  }
  return out;
}

bool read_header(const JsonValue& body, TcbInfo& out) {
  const auto issued = time_field(body, "issueDate");
  const auto next = time_field(body, "nextUpdate");
  const auto fmspc = hex_field<6>(body, "fmspc");
  const auto pce_id = hex_field<2>(body, "pceId");
  const auto evaluation = body["tcbEvaluationDataNumber"].u64();
  if (!issued || !next || !fmspc || !pce_id || !evaluation) return false;
  out.issue_date = *issued;
  out.next_update = *next;
  out.fmspc = *fmspc;
  out.pce_id = *pce_id;
  out.evaluation_number = *evaluation;
  return true;
}

bool read_levels(const JsonValue& body, TcbInfo& out) {
  auto levels = platform_levels(body["tcbLevels"], out.tee);
  if (!levels) return false;
  out.levels = std::move(*levels);
  if (out.tee == Tee::sgx) return true;
  out.module = module_signer(body["tdxModule"]);
  auto identities = module_identities(body["tdxModuleIdentities"]);
  if (!out.module || !identities) return false;
  out.module_identities = std::move(*identities);
  return true;
}

}  // namespace

Result<TcbInfo> parse_tcb_info(std::string_view document) {
  auto parsed = parse_signed_json(document, "tcbInfo");
  if (!parsed) return std::unexpected(parsed.error());
  TcbInfo out{};
  out.document = std::move(*parsed);
  const JsonValue& body = out.document.body;
  const auto version = body["version"].u64();
  const auto type = body["tcbType"].u64();
  const auto id = body["id"].string();
  if (!version) return refuse(Error::malformed, "TCB info without version");
  if (*version != kVersion) {
    return refuse(Error::unsupported, "TCB info version " + std::to_string(*version));
  }
  if (!id || !type || (*id != "TDX" && *id != "SGX")) {
    return refuse(Error::malformed, "TCB info without id or type");
  }
  if (*type != kTcbType) return refuse(Error::unsupported, "TCB type " + std::to_string(*type));
  out.tee = *id == "TDX" ? Tee::tdx : Tee::sgx;
  if (!read_header(body, out) || !read_levels(body, out)) {
    return refuse(Error::malformed, "fields of TCB info");
  }
  return out;
}

bool judges_alike(const TcbInfo& a, const TcbInfo& b) {
  const auto judging = [](const TcbInfo& info) {
    return std::tie(info.evaluation_number, info.module, info.module_identities, info.levels);
  };
  return judging(a) == judging(b);
}

}  // namespace cloister::evidence::dcap
