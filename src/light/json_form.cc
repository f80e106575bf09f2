#include "light/json_form.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>

#include "light/encoding.h"
#include "light/field_reader.h"

namespace cloister::light {
namespace {

constexpr std::string_view kEd25519Type = "tendermint/PubKeyEd25519";

std::unexpected<LightError> malformed() {
  return std::unexpected(LightError::bad_json);
}

BlockId read_block_id(FieldReader& r, const JsonValue& value) {
  BlockId out;
  out.hash = r.hex(value["hash"], 32);
  out.parts_total = static_cast<uint32_t>(r.number(value["parts"]["total"], UINT32_MAX));
  out.parts_hash = r.hex(value["parts"]["hash"], 32);
  return out;
}

Header read_header(FieldReader& r, const JsonValue& v) {
  Header h;
  const JsonValue& version = v["version"];
  h.block_version = static_cast<uint64_t>(r.int64(version["block"]));
  // Go leaves a zero application version out.
  if (version.find("app")) h.app_version = static_cast<uint64_t>(r.int64(version["app"]));
  r.demand(h.block_version <= INT64_MAX && h.app_version <= INT64_MAX);
  h.chain_id = r.text(v["chain_id"], kMaxChainIdBytes);
  h.height = r.int64(v["height"]);
  h.time = r.time(v["time"]);
  h.last_block_id = read_block_id(r, v["last_block_id"]);
  h.last_commit_hash = r.hex(v["last_commit_hash"], 32);
  h.data_hash = r.hex(v["data_hash"], 32);
  h.validators_hash = r.hex(v["validators_hash"], 32);
  h.next_validators_hash = r.hex(v["next_validators_hash"], 32);
  h.consensus_hash = r.hex(v["consensus_hash"], 32);
  h.app_hash = r.hex(v["app_hash"], kMaxAppHashBytes);
  h.last_results_hash = r.hex(v["last_results_hash"], 32);
  h.evidence_hash = r.hex(v["evidence_hash"], 32);
  h.proposer_address = r.hex(v["proposer_address"], 20);
  return h;
}

CommitSig read_signature(FieldReader& r, const JsonValue& v) {
  CommitSig sig;
  const int64_t flag = r.number(v["block_id_flag"], 3);
  r.demand(flag >= 1);
  sig.flag = static_cast<BlockIdFlag>(flag);
  sig.validator_address = r.hex(v["validator_address"], 20);
  sig.timestamp = r.time(v["timestamp"]);
  sig.signature = r.base64_or_null(v["signature"], 64);
  return sig;
}

Commit read_commit(FieldReader& r, const JsonValue& v) {
  Commit commit;
  commit.height = r.int64(v["height"]);
  commit.round = static_cast<int32_t>(r.number(v["round"], INT32_MAX));
  commit.block_id = read_block_id(r, v["block_id"]);
  for (const JsonValue& s : r.list(v["signatures"], kMaxValidators)) {
    commit.signatures.push_back(read_signature(r, s));
  }
  return commit;
}

Validator read_validator(FieldReader& r, const JsonValue& v) {
  Validator out;
  r.demand(v["pub_key"]["type"].string() == kEd25519Type);
  const auto key = to_fixed<32>(r.base64(v["pub_key"]["value"], 32));
  r.demand(key.has_value());
  out.public_key = key.value_or(crypto::Ed25519Public{});
  out.power = r.int64(v["voting_power"]);
  return out;
}

// "2019-10-13T16:14:44" to seconds; every position is fixed.
std::optional<int64_t> whole_seconds(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  if (text.size() != kShape.size()) return std::nullopt;
  for (size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == '0' ? !digit : text[i] != kShape[i]) return std::nullopt;
  }
  const auto part = [&](size_t at, size_t count) {
    int out = 0;
    for (char c : text.substr(at, count)) out = out * 10 + (c - '0');
    return out;
  };
  const std::chrono::year_month_day day{std::chrono::year(part(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(part(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(part(8, 2)))};
  if (!day.ok() || part(0, 4) == 0 || part(11, 2) > 23 || part(14, 2) > 59 || part(17, 2) > 59) {
    return std::nullopt;
  }
  const int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  return days * 86400 + part(11, 2) * 3600 + part(14, 2) * 60 + part(17, 2);
}

// ".5" to nanoseconds: one to nine digits, the last not zero, as Go writes them.
std::optional<int32_t> fraction_nanos(std::string_view text) {
  if (text.empty()) return 0;
  if (text.size() < 2 || text.size() > 10 || text[0] != '.' || text.back() == '0') {
    return std::nullopt;
  }
  int32_t nanos = 0;
  for (size_t i = 1; i <= 9; ++i) {
    const char c = i < text.size() ? text[i] : '0';
    if (c < '0' || c > '9') return std::nullopt;
    nanos = nanos * 10 + (c - '0');
  }
  return nanos;
}

JsonValue base64_json(Bytes bytes) {
  return to_base64(bytes);
}

}  // namespace

std::string time_text(const Timestamp& time) {
  const std::chrono::sys_seconds point{std::chrono::seconds(time.seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{point - day};
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int{date.year()},
                                unsigned{date.month()}, unsigned{date.day()}, clock.hours().count(),
                                clock.minutes().count(), clock.seconds().count());
  if (time.nanos != 0) {
    out += fmt::format(".{:09}", time.nanos);
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out + "Z";
}

std::optional<Timestamp> time_from(std::string_view text) {
  if (text.size() < 20 || text.back() != 'Z') return std::nullopt;
  const auto seconds = whole_seconds(text.substr(0, 19));
  const auto nanos = fraction_nanos(text.substr(19, text.size() - 20));
  if (!seconds || !nanos) return std::nullopt;
  return Timestamp{*seconds, *nanos};
}

std::string decimal(int64_t value) {
  return fmt::format("{}", value);
}

std::optional<int64_t> int64_from(const JsonValue& value) {
  const auto text = value.string();
  if (!text || text->empty() || text->size() > 20) return std::nullopt;
  int64_t out = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), out);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  if (decimal(out) != *text) return std::nullopt;  // leading zeros, "-0"
  return out;
}

JsonValue to_json(const BlockId& id) {
  return JsonValue::object({{"hash", to_hex_upper(id.hash)},
                            {"parts", JsonValue::object({{"total", id.parts_total},
                                                         {"hash", to_hex_upper(id.parts_hash)}})}});
}

JsonValue to_json(const Header& h) {
  JsonValue version = JsonValue::object({{"block", fmt::format("{}", h.block_version)}});
  if (h.app_version != 0) version.set("app", fmt::format("{}", h.app_version));
  return JsonValue::object({{"version", version},
                            {"chain_id", h.chain_id},
                            {"height", decimal(h.height)},
                            {"time", time_text(h.time)},
                            {"last_block_id", to_json(h.last_block_id)},
                            {"last_commit_hash", to_hex_upper(h.last_commit_hash)},
                            {"data_hash", to_hex_upper(h.data_hash)},
                            {"validators_hash", to_hex_upper(h.validators_hash)},
                            {"next_validators_hash", to_hex_upper(h.next_validators_hash)},
                            {"consensus_hash", to_hex_upper(h.consensus_hash)},
                            {"app_hash", to_hex_upper(h.app_hash)},
                            {"last_results_hash", to_hex_upper(h.last_results_hash)},
                            {"evidence_hash", to_hex_upper(h.evidence_hash)},
                            {"proposer_address", to_hex_upper(h.proposer_address)}});
}

JsonValue to_json(const Commit& commit) {
  JsonValue signatures = JsonValue::Array();
  for (const CommitSig& sig : commit.signatures) {
    JsonValue signature = base64_json(sig.signature);
    if (sig.signature.empty()) signature = JsonValue();
    signatures.push(JsonValue::object({{"block_id_flag", static_cast<int>(sig.flag)},
                                       {"validator_address", to_hex_upper(sig.validator_address)},
                                       {"timestamp", time_text(sig.timestamp)},
                                       {"signature", signature}}));
  }
  return JsonValue::object({{"height", decimal(commit.height)},
                            {"round", commit.round},
                            {"block_id", to_json(commit.block_id)},
                            {"signatures", signatures}});
}

JsonValue to_json(const SignedHeader& s) {
  return JsonValue::object({{"header", to_json(s.header)}, {"commit", to_json(s.commit)}});
}

Parsed<SignedHeader> parse_signed_header(const JsonValue& value) {
  FieldReader reader;
  SignedHeader out;
  out.header = read_header(reader, value["header"]);
  out.commit = read_commit(reader, value["commit"]);
  if (!reader.ok()) return malformed();
  return out;
}

JsonValue to_json(const Validator& v) {
  return JsonValue::object(
      {{"address", to_hex_upper(address_of(v.public_key))},
       {"pub_key", JsonValue::object({{"type", kEd25519Type}, {"value", to_base64(v.public_key)}})},
       {"voting_power", decimal(v.power)},
       {"proposer_priority", "0"}});
}

JsonValue to_json(const ValidatorsPage& page) {
  JsonValue list = JsonValue::Array();
  for (const Validator& v : page.validators) list.push(to_json(v));
  return JsonValue::object({{"block_height", decimal(page.height)},
                            {"validators", list},
                            {"count", decimal(static_cast<int64_t>(page.validators.size()))},
                            {"total", decimal(static_cast<int64_t>(page.total))}});
}

Parsed<ValidatorsPage> parse_validators_page(const JsonValue& value) {
  FieldReader reader;
  ValidatorsPage out;
  out.height = reader.int64(value["block_height"]);
  const int64_t total = reader.int64(value["total"]);
  reader.demand(total >= 0 && total <= static_cast<int64_t>(kMaxValidators));
  for (const JsonValue& v : reader.list(value["validators"], kValidatorsPerPage)) {
    out.validators.push_back(read_validator(reader, v));
  }
  reader.demand(reader.int64(value["count"]) == static_cast<int64_t>(out.validators.size()));
  if (!reader.ok()) return malformed();
  out.total = static_cast<size_t>(total);
  return out;
}

JsonValue to_json(const QueryResponse& r) {
  JsonValue ops = JsonValue::Array();
  for (const ProofOp& op : r.proof) {
    ops.push(JsonValue::object(
        {{"type", op.type}, {"key", to_base64(op.key)}, {"data", to_base64(op.data)}}));
  }
  JsonValue proof;
  if (!r.proof.empty()) proof = JsonValue::object({{"ops", ops}});
  JsonValue value;
  if (r.value) value = base64_json(*r.value);
  return JsonValue::object({{"code", r.code},
                            {"log", r.log},
                            {"info", ""},
                            {"index", "0"},
                            {"key", to_base64(r.key)},
                            {"value", value},
                            {"proofOps", proof},
                            {"height", decimal(r.height)},
                            {"codespace", ""}});
}

Parsed<QueryResponse> parse_query_response(const JsonValue& value) {
  constexpr size_t kMaxTypeBytes = 32;
  constexpr size_t kMaxLogBytes = 4096;
  FieldReader reader;
  QueryResponse out;
  out.code = static_cast<uint32_t>(reader.number(value["code"], UINT32_MAX));
  out.log = reader.text(value["log"], kMaxLogBytes);
  out.key = reader.base64_or_null(value["key"], kMaxProofOpBytes);
  if (!value["value"].is_null()) out.value = reader.base64(value["value"], kMaxProofOpBytes);
  out.height = reader.int64(value["height"]);
  if (!value["proofOps"].is_null()) {
    for (const JsonValue& op : reader.list(value["proofOps"]["ops"], kMaxProofOps)) {
      ProofOp parsed;
      parsed.type = reader.text(op["type"], kMaxTypeBytes);
      parsed.key = reader.base64_or_null(op["key"], kMaxProofOpBytes);
      parsed.data = reader.base64_or_null(op["data"], kMaxProofOpBytes);
      out.proof.push_back(std::move(parsed));
    }
  }
  if (!reader.ok()) return malformed();
  return out;
}

}  // namespace cloister::light
