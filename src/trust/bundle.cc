#include "trust/bundle.h"

#include "base/text.h"

namespace cloister::trust {
namespace {

// Reads members of one JSON object; the first failure sticks, and `finish` also refuses members
// that nobody asked for.
class Shape {
 public:
  explicit Shape(const JsonValue& value) : value_(value), ok_(value.is_object()) {}

  const JsonValue& member(std::string_view name) {
    auto found = value_.find(name);
    ++asked_;
    if (found == nullptr) ok_ = false;
    return value_[name];
  }
  Buffer hex(std::string_view name, size_t max_bytes) {
    auto text = member(name).string();
    auto bytes = text && text->size() <= 2 * max_bytes ? from_hex(*text) : std::nullopt;
    return take(std::move(bytes));
  }
  Buffer base64(std::string_view name, size_t max_bytes) {
    auto text = member(name).string();
    auto bytes = text && text->size() <= 2 * max_bytes ? from_base64(*text) : std::nullopt;
    return take(std::move(bytes));
  }
  template <size_t N>
  Fixed<N> fixed(std::string_view name) {
    return take(to_fixed<N>(hex(name, N)));
  }
  int64_t integer(std::string_view name) { return take(member(name).i64()); }
  std::string text(std::string_view name) { return std::string(take(member(name).string())); }
  const JsonValue::Array& array(std::string_view name, size_t max_count) {
    static const JsonValue::Array kNone;
    auto list = member(name).array();
    if (list == nullptr || list->size() > max_count) return ok_ = false, kNone;
    return *list;
  }
  template <typename T>
  T take(std::optional<T> value) {
    if (!value) ok_ = false;
    return value ? std::move(*value) : T{};
  }
  template <typename T>
  T take(light::Parsed<T> value) {
    if (!value) ok_ = false;
    return value ? std::move(*value) : T{};
  }
  bool finish() const { return ok_ && value_.members()->size() == asked_; }

 private:
  const JsonValue& value_;
  bool ok_;
  size_t asked_ = 0;
};

JsonValue block_json(const light::LightBlock& block) {
  light::ValidatorsPage page{block.signed_header.header.height, block.validators.size(),
                             block.validators};
  return JsonValue::object({{"signed_header", light::to_json(block.signed_header)},
                            {"validators", light::to_json(page)}});
}

std::optional<light::LightBlock> block_from(const JsonValue& value) {
  Shape shape(value);
  light::LightBlock out;
  out.signed_header = shape.take(light::parse_signed_header(shape.member("signed_header")));
  auto page = shape.take(light::parse_validators_page(shape.member("validators")));
  out.validators = std::move(page.validators);
  if (!shape.finish()) return std::nullopt;
  return out;
}

JsonValue read_json(const ProvenRead& read) {
  JsonValue::Array ops;
  for (const auto& op : read.proof) {
    ops.push_back(JsonValue::object(
        {{"type", op.type}, {"key", to_base64(op.key)}, {"data", to_base64(op.data)}}));
  }
  JsonValue value = read.value ? JsonValue(to_base64(*read.value)) : JsonValue{};
  return JsonValue::object({{"family", ledger::name(read.family)},
                            {"key", to_hex(read.key)},
                            {"value", std::move(value)},
                            {"height", read.height},
                            {"proof", std::move(ops)}});
}

std::optional<ProvenRead> read_from(const JsonValue& value) {
  Shape shape(value);
  ProvenRead out;
  out.family = shape.take(ledger::family_from(shape.text("family")));
  out.key = shape.hex("key", 256);
  if (!shape.member("value").is_null()) {
    auto text = value["value"].string();
    out.value = shape.take(text ? from_base64(*text) : std::nullopt);
  }
  out.height = shape.integer("height");
  for (const JsonValue& entry : shape.array("proof", light::kMaxProofOps)) {
    Shape op(entry);
    light::ProofOp parsed;
    parsed.type = op.text("type");
    parsed.key = op.base64("key", 256);
    parsed.data = op.base64("data", light::kMaxProofOpBytes);
    if (!op.finish()) return std::nullopt;
    out.proof.push_back(std::move(parsed));
  }
  if (!shape.finish()) return std::nullopt;
  return out;
}

std::optional<ledger::EvidenceItem> evidence_from(const JsonValue& value) {
  Shape shape(value);
  ledger::EvidenceItem out;
  out.format = static_cast<uint8_t>(shape.integer("format"));
  out.bytes = shape.base64("bytes", ledger::kMaxEvidenceItemBytes);
  if (!shape.finish()) return std::nullopt;
  return out;
}

JsonValue channel_json(const Bundle& bundle) {
  const std::string_view mode = name(bundle.mode);
  if (bundle.mode != Mode::atls) {
    const RegistrationFacts& facts = bundle.registration;
    return JsonValue::object({{"mode", mode},
                              {"block_height", facts.block_height},
                              {"block_hash", to_hex(facts.block_hash)}});
  }
  const ChannelFacts& facts = bundle.channel;
  return JsonValue::object({{"mode", mode},
                            {"bind", to_hex(facts.bind)},
                            {"spki_sha256", to_hex(facts.spki_sha256)},
                            {"request_sha256", to_hex(facts.request_sha256)}});
}

bool take_channel(const JsonValue& value, Bundle& out) {
  Shape shape(value);
  out.mode = shape.take(mode_from(shape.text("mode")));
  if (out.mode == Mode::atls) {
    out.channel.bind = shape.hex("bind", 64);
    out.channel.spki_sha256 = shape.fixed<32>("spki_sha256");
    out.channel.request_sha256 = shape.fixed<32>("request_sha256");
  } else {
    out.registration.block_height = shape.take(shape.member("block_height").u64());
    out.registration.block_hash = shape.fixed<32>("block_hash");
  }
  return shape.finish();
}

constexpr std::string_view kKemName = "X-Wing";

JsonValue sealing_json(const SealingFacts& facts) {
  return JsonValue::object({{"kem", kKemName},
                            {"padding", sealed::name(facts.padding)},
                            {"key_config_sha256", to_hex(facts.key_config_sha256)}});
}

std::optional<SealingFacts> sealing_from(const JsonValue& value) {
  Shape shape(value);
  SealingFacts out;
  if (shape.text("kem") != kKemName) return std::nullopt;
  out.padding = shape.take(sealed::padding_from(shape.text("padding")));
  out.key_config_sha256 = shape.fixed<32>("key_config_sha256");
  if (!shape.finish()) return std::nullopt;
  return out;
}

template <typename T, typename From>
void read_list(Shape& shape, std::string_view name, size_t max_count, From from,
               std::vector<T>& out) {
  for (const JsonValue& entry : shape.array(name, max_count))
    out.push_back(shape.take(from(entry)));
}

}  // namespace

std::string_view name(Mode mode) {
  switch (mode) {
    case Mode::atls:
      return "atls";
    case Mode::chain:
      return "chain";
    case Mode::relay:
      return "relay";
  }
  std::abort();
}

std::optional<Mode> mode_from(std::string_view text) {
  for (const Mode mode : {Mode::atls, Mode::chain, Mode::relay}) {
    if (text == name(mode)) return mode;
  }
  return std::nullopt;
}

std::string_view describe(BundleError error) {
  switch (error) {
    case BundleError::not_json:
      return "the file is not strict JSON";
    case BundleError::wrong_shape:
      return "the file is not a Cloister receipt bundle of version 1";
    case BundleError::genesis:
      return "the bundle's genesis is not well-formed";
  }
  std::abort();
}

JsonValue to_json(const Bundle& bundle) {
  JsonValue::Array blocks, reads, evidence;
  for (const auto& block : bundle.blocks) blocks.push_back(block_json(block));
  for (const auto& read : bundle.reads) reads.push_back(read_json(read));
  for (const auto& item : bundle.evidence) {
    evidence.push_back(
        JsonValue::object({{"format", item.format}, {"bytes", to_base64(item.bytes)}}));
  }
  JsonValue receipt = bundle.receipt ? JsonValue(to_base64(bundle.receipt->encode())) : JsonValue{};
  return JsonValue::object({{"version", 1},
                            {"receipt_id", bundle.receipt_id},
                            {"receipt", std::move(receipt)},
                            {"request_salt", to_hex(bundle.request_salt)},
                            {"answer_salt", to_hex(bundle.answer_salt)},
                            {"checked_at", bundle.checked_at},
                            {"genesis", bundle.genesis.to_json()},
                            {"blocks", std::move(blocks)},
                            {"reads", std::move(reads)},
                            {"evidence", std::move(evidence)},
                            {"claims", to_hex(bundle.claims)},
                            {"channel", channel_json(bundle)},
                            {"sealing", sealing_json(bundle.sealing)}});
}

std::expected<Bundle, BundleError> bundle_from_json(std::string_view text) {
  auto parsed = parse_json(text, {.max_bytes = kMaxBundleBytes});
  if (!parsed) return std::unexpected(BundleError::not_json);
  Shape shape(*parsed);
  Bundle out;
  if (shape.integer("version") != 1) return std::unexpected(BundleError::wrong_shape);
  out.receipt_id = shape.text("receipt_id");
  if (!shape.member("receipt").is_null()) {
    auto raw = from_base64((*parsed)["receipt"].string().value_or("?"));
    out.receipt = shape.take(raw ? ledger::SignedReceipt::decode(*raw) : std::nullopt);
  }
  out.request_salt = shape.fixed<32>("request_salt");
  out.answer_salt = shape.fixed<32>("answer_salt");
  out.checked_at = shape.integer("checked_at");
  auto genesis = ledger::Genesis::from_json(shape.member("genesis"));
  if (!genesis) return std::unexpected(BundleError::genesis);
  out.genesis = std::move(*genesis);
  read_list(shape, "blocks", kMaxBlocks, block_from, out.blocks);
  read_list(shape, "reads", kMaxReads, read_from, out.reads);
  read_list(shape, "evidence", ledger::kMaxEvidenceItems, evidence_from, out.evidence);
  out.claims = shape.hex("claims", ledger::kMaxClaimsBytes);
  const bool channel_holds = take_channel(shape.member("channel"), out);
  out.sealing = shape.take(sealing_from(shape.member("sealing")));
  if (!shape.finish() || !channel_holds) return std::unexpected(BundleError::wrong_shape);
  return out;
}

}  // namespace cloister::trust
