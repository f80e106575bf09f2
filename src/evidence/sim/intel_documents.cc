#include <chrono>
#include <cstdio>

#include "base/json.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "evidence/sim/intel_parts.h"

namespace cloister::evidence::sim {
namespace {

std::string time_text(UnixSeconds time) {
  const std::chrono::sys_seconds point{std::chrono::seconds(time)};
  const auto day = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(point - day);
  char out[40];
  std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return out;
}

JsonValue components(const Fixed<16>& svns) {
  JsonValue out = JsonValue::Array{};
  for (uint8_t svn : svns) out.push(JsonValue::object({{"svn", svn}}));
  return out;
}

JsonValue level(JsonValue tcb, const IntelStatus& at) {
  JsonValue out = JsonValue::object(
      {{"tcb", std::move(tcb)}, {"tcbDate", at.tcb_date}, {"tcbStatus", at.status}});
  if (at.advisories.empty()) return out;
  JsonValue ids = JsonValue::Array{};
  for (const std::string& id : at.advisories) ids.push(id);
  out.set("advisoryIDs", std::move(ids));
  return out;
}

JsonValue enclave_levels(const std::vector<IntelEnclaveLevel>& levels) {
  JsonValue out = JsonValue::Array{};
  for (const IntelEnclaveLevel& each : levels) {
    out.push(level(JsonValue::object({{"isvsvn", each.isv_svn}}), each.at));
  }
  return out;
}

JsonValue platform_level(const IntelPlatformLevel& given, bool tdx) {
  JsonValue tcb =
      JsonValue::object({{"sgxtcbcomponents", components(given.sgx)}, {"pcesvn", given.pce_svn}});
  if (tdx) tcb.set("tdxtcbcomponents", components(given.tdx));
  return level(std::move(tcb), given.at);
}

void set_signer(JsonValue& object, const Fixed<48>& mr_signer) {
  object.set("mrsigner", to_hex_upper(mr_signer));
  object.set("attributes", "0000000000000000");
  object.set("attributesMask", "FFFFFFFFFFFFFFFF");
}

void set_header(JsonValue& object, const std::string& id, uint32_t version,
                const IntelWindow& window) {
  object.set("id", id);
  object.set("version", version);
  object.set("issueDate", time_text(window.from));
  object.set("nextUpdate", time_text(window.until));
}

Fixed<32> quoting_enclave_signer() {
  return crypto::sha256(as_bytes("cloister development quoting enclave signer"));
}

}  // namespace

IntelTcbInfo default_tcb_info(const IntelWindow& window) {
  const IntelStatus behind = {"OutOfDate", "2023-08-09T00:00:00Z", {"INTEL-SA-01036"}};
  IntelTcbInfo info;
  info.window = window;
  info.modules.push_back({"TDX_01", {}, {{6, {}}, {4, behind}}});
  info.levels.push_back({});
  IntelPlatformLevel old;
  old.sgx = {2, 2, 2, 2, 3, 1, 0, 5};
  old.pce_svn = 5;
  old.tdx = {5, 0, 2};
  old.at = {"OutOfDate", "2018-01-04T00:00:00Z", {"INTEL-SA-00106", "INTEL-SA-01036"}};
  info.levels.push_back(old);
  return info;
}

IntelQeIdentity default_qe_identity(const IntelWindow& window) {
  IntelQeIdentity identity;
  identity.window = window;
  identity.mr_signer = quoting_enclave_signer();
  identity.levels = {{6, {}}, {4, {"OutOfDate", "2023-08-09T00:00:00Z", {"INTEL-SA-00837"}}}};
  return identity;
}

IntelQuotingEnclave default_quoting_enclave() {
  IntelQuotingEnclave qe;
  qe.mr_signer = quoting_enclave_signer();
  return qe;
}

std::string encode_tcb_info(const IntelTcbInfo& info) {
  const bool tdx = info.id == "TDX";
  JsonValue body = JsonValue::Object{};
  set_header(body, info.id, info.version, info.window);
  body.set("fmspc", to_hex_upper(info.fmspc));
  body.set("pceId", to_hex_upper(info.pce_id));
  body.set("tcbType", 0);
  body.set("tcbEvaluationDataNumber", info.evaluation_number);
  if (tdx) {
    JsonValue module = JsonValue::Object{};
    set_signer(module, {});
    body.set("tdxModule", std::move(module));
    JsonValue identities = JsonValue::Array{};
    for (const IntelModule& each : info.modules) {
      JsonValue identity = JsonValue::object({{"id", each.id}});
      set_signer(identity, each.mr_signer);
      identity.set("tcbLevels", enclave_levels(each.levels));
      identities.push(std::move(identity));
    }
    body.set("tdxModuleIdentities", std::move(identities));
  }
  JsonValue levels = JsonValue::Array{};
  for (const IntelPlatformLevel& each : info.levels) levels.push(platform_level(each, tdx));
  body.set("tcbLevels", std::move(levels));
  return body.dump();
}

std::string encode_qe_identity(const IntelQeIdentity& identity) {
  JsonValue body = JsonValue::Object{};
  set_header(body, identity.id, identity.version, identity.window);
  body.set("tcbEvaluationDataNumber", identity.evaluation_number);
  body.set("miscselect", "00000000");
  body.set("miscselectMask", "FFFFFFFF");
  body.set("attributes", "11000000000000000000000000000000");
  body.set("attributesMask", "FBFFFFFFFFFFFFFF0000000000000000");
  body.set("mrsigner", to_hex_upper(identity.mr_signer));
  body.set("isvprodid", identity.isv_prod_id);
  body.set("tcbLevels", enclave_levels(identity.levels));
  return body.dump();
}

std::string sign_document(std::string_view name, std::string_view body,
                          const crypto::PrivateKey& key) {
  const Buffer signature = key.sign_ecdsa(as_bytes(body));
  std::string out = "{\"";
  out.append(name).append("\":").append(body);
  return out.append(",\"signature\":\"").append(to_hex(signature)).append("\"}");
}

}  // namespace cloister::evidence::sim
