#include "evidence/common/cases_testing.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "base/text.h"

namespace cloister::evidence {
namespace {

using std::filesystem::path;

[[noreturn]] void broken(const std::string& why) {
  throw std::runtime_error("cases: " + why);
}

template <typename T>
T need(std::optional<T> value, std::string_view what) {
  if (!value) broken("no " + std::string(what));
  return std::move(*value);
}

std::string text_of(const JsonValue& value, std::string_view what) {
  return std::string(need(value.string(), what));
}

size_t size_of(const JsonValue& value, std::string_view what) {
  return static_cast<size_t>(need(value.u64(), what));
}

// RFC 6901, for the short pointers in use.
const JsonValue& at_pointer(const JsonValue& document, std::string_view pointer) {
  const JsonValue* here = &document;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::string part(pointer.substr(0, pointer.find('/')));
    pointer.remove_prefix(part.size());
    if (const auto* array = here->array()) {
      here = &array->at(std::stoul(part));
    } else {
      here = &(*here)[part];
    }
  }
  return *here;
}

Buffer decode(Buffer data, std::string_view encoding) {
  if (encoding == "bin" || encoding == "json") return data;
  std::string text;
  for (uint8_t c : data) {
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') text.push_back(static_cast<char>(c));
  }
  if (encoding == "hex") return need(from_hex(text), "hex");
  if (encoding != "base64") broken("encoding");
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  while (text.size() % 4 != 0) text.push_back('=');
  return need(from_base64(text), "base64");
}

// `reference` names a file and how to get bytes out of it.
Buffer load(const path& base, const JsonValue& reference, const std::string& file) {
  Buffer data = read_file(base / file);
  if (const auto pointer = reference["pointer"].string()) {
    const auto document = parse_json(as_text(data));
    if (!document) broken(file);
    data = to_buffer(as_bytes(text_of(at_pointer(*document, *pointer), "text at pointer")));
  }
  data = decode(std::move(data), reference["encoding"].string().value_or("bin"));
  const size_t offset = std::min(data.size(), reference["offset"].u64().value_or(0));
  const size_t length =
      std::min(data.size() - offset, reference["length"].u64().value_or(data.size()));
  return to_buffer(Bytes(data).subspan(offset, length));
}

void replace_text(Buffer& data, const JsonValue& edit) {
  const std::string find = text_of(edit["find"], "find");
  std::string text(as_text(data));
  const size_t at = text.find(find);
  if (at == std::string::npos) broken("text to replace: " + find);
  text.replace(at, find.size(), text_of(edit["with"], "with"));
  data = to_buffer(as_bytes(text));
}

void drop_certificate(Buffer& pem, size_t index) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  std::string text(as_text(pem));
  size_t at = text.find(kBegin);
  for (; index > 0; --index) at = text.find(kBegin, at + 1);
  if (at == std::string::npos) broken("certificate to drop");
  const size_t next = text.find(kBegin, at + 1);
  text.erase(at, next == std::string::npos ? next : next - at);
  pem = to_buffer(as_bytes(text));
}

void apply_edit(Buffer& data, const JsonValue& edit) {
  const std::string op = text_of(edit["op"], "op");
  if (op == "replace") return replace_text(data, edit);
  if (op == "drop_cert") return drop_certificate(data, size_of(edit["index"], "index"));
  if (op == "truncate") return data.resize(size_of(edit["length"], "length"));
  const Buffer bytes = need(from_hex(text_of(edit["hex"], "hex")), "hex");
  if (op == "append") {
    data.insert(data.end(), bytes.begin(), bytes.end());
    return;
  }
  if (op != "xor" && op != "set") broken("op " + op);
  int64_t offset = need(edit["offset"].i64(), "offset");
  if (offset < 0) offset += static_cast<int64_t>(data.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    uint8_t& target = data.at(static_cast<size_t>(offset) + i);
    target = op == "xor" ? static_cast<uint8_t>(target ^ bytes[i]) : bytes[i];
  }
}

void set_policy(VerifyPolicy& policy, const JsonValue& given) {
  constexpr std::string_view kPrefix = "allow_";
  if (given.members() == nullptr) return;
  for (const auto& [key, value] : *given.members()) {
    if (!key.starts_with(kPrefix)) broken("policy " + key);
    if (!need(value.boolean(), key)) continue;
    if (!allow(policy, std::string_view(key).substr(kPrefix.size()))) broken("policy " + key);
  }
}

void set_expectation(Case& out, const JsonValue& expect) {
  out.accept = text_of(expect["verdict"], "verdict") == "accept";
  if (const auto error = expect["error"].string()) out.errors.emplace_back(*error);
  if (const auto* any = expect["error_any_of"].array()) {
    for (const JsonValue& error : *any) out.errors.push_back(text_of(error, "error"));
  }
  if (const auto status = expect["status"].string()) out.status = *status;
  if (const auto* advisories = expect["advisories"].array()) {
    out.advisories.emplace();
    for (const JsonValue& id : *advisories) out.advisories->push_back(text_of(id, "advisory"));
    std::sort(out.advisories->begin(), out.advisories->end());
  }
  out.claims = expect["claims"];
}

Case make_case(const path& base, const JsonValue& given) {
  Case out;
  out.id = text_of(given["id"], "id");
  out.format = text_of(given["format"], "format");
  out.evidence = load(base, given, text_of(given["evidence"], "evidence"));
  if (const auto* roles = given["collateral"].members()) {
    for (const auto& [role, reference] : *roles) {
      const JsonValue& file = reference.is_string() ? reference : reference["file"];
      out.collateral[role] = load(base, reference, text_of(file, "collateral file"));
    }
  }
  if (const auto* edits = given["edits"].array()) {
    for (const JsonValue& edit : *edits) {
      const auto target = edit["target"].string().value_or("evidence");
      apply_edit(target == "evidence" ? out.evidence : out.collateral.at(std::string(target)),
                 edit);
    }
  }
  if (const auto hex = given["report_data"].string()) {
    out.report_data = need(from_hex(*hex), "report data");
  }
  if (const auto hex = given["nonce"].string()) out.nonce = need(from_hex(*hex), "nonce");
  out.time = need(given["time"].i64(), "time");
  set_policy(out.policy, given["policy"]);
  set_expectation(out, given["expect"]);
  return out;
}

bool same_claim(const JsonValue& claims, std::string_view name, const JsonValue& want) {
  constexpr std::string_view kPrefix = "_prefix";
  if (name.ends_with(kPrefix)) {
    const auto got = claims[name.substr(0, name.size() - kPrefix.size())].string();
    return got && want.string() && got->starts_with(*want.string());
  }
  const JsonValue* got = claims.find(name);
  return got != nullptr && got->dump() == want.dump();
}

}  // namespace

Binding Case::binding() const {
  Binding out = Binding::not_compared();
  if (report_data) out = out.and_report_data(*report_data);
  if (nonce) out = out.and_nonce(*nonce);
  return out;
}

std::optional<Collateral> Case::gathered() const {
  Collateral out;
  for (const auto& [role, file] : collateral) {
    if (!out.add(file)) return std::nullopt;
  }
  return out;
}

Buffer read_file(const path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) broken("no file " + file.filename().string());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<Case> load_cases(const path& vectors, std::string_view format_prefix) {
  const Buffer file = read_file(vectors / "cases.json");
  const auto document = parse_json(as_text(file));
  if (!document || document->array() == nullptr) broken("cases.json");
  std::vector<Case> out;
  for (const JsonValue& given : *document->array()) {
    if (!text_of(given["format"], "format").starts_with(format_prefix)) continue;
    out.push_back(make_case(vectors, given));
  }
  return out;
}

std::vector<std::string> differences(const Case& expected, const Appraisal& answer) {
  std::vector<std::string> out;
  const std::string error = answer.error ? std::string(name(*answer.error)) : "none";
  if (answer.accepted() != expected.accept) {
    out.push_back("verdict, error " + error + ": " + answer.detail);
  } else if (!expected.accept && std::find(expected.errors.begin(), expected.errors.end(), error) ==
                                     expected.errors.end()) {
    out.push_back("error " + error + ", want " + expected.errors.at(0) + ": " + answer.detail);
  }
  const std::string status = answer.status ? std::string(name(*answer.status)) : "none";
  if (expected.status && *expected.status != status) {
    out.push_back("status " + status + ", want " + *expected.status);
  }
  if (expected.advisories && *expected.advisories != answer.advisories) {
    out.push_back("advisories: " + std::to_string(answer.advisories.size()) + ", want " +
                  std::to_string(expected.advisories->size()));
  }
  if (expected.claims.members() != nullptr) {
    for (const auto& [claim, want] : *expected.claims.members()) {
      if (same_claim(answer.claims, claim, want)) continue;
      out.push_back("claim " + claim + " " + answer.claims[claim].dump() + ", want " + want.dump());
    }
  }
  return out;
}

Format Case::kind() const {
  const size_t version = format.rfind("-v");
  const auto found = format_from(std::string_view(format).substr(0, version));
  if (!found) throw std::runtime_error("cases.json: no format " + format);
  return *found;
}

Appraisal malformed_collateral(Format format) {
  Appraisal out;
  out.format = format;
  out.error = Error::malformed;
  out.detail = "a collateral file has no known kind";
  return out;
}

}  // namespace cloister::evidence
