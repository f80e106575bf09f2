#include "inference/gguf.h"

#include <bit>
#include <set>

#include "base/cbor.h"

namespace cloister::inference {
namespace {

constexpr uint32_t kMagic = 0x46554747;  // "GGUF", little-endian
constexpr uint32_t kVersion = 3;
constexpr uint32_t kDefaultAlignment = 32;

enum ValueType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

// Zero for what has no fixed width.
size_t width_of(uint32_t type) {
  switch (type) {
    case kU8:
    case kI8:
    case kBool:
      return 1;
    case kU16:
    case kI16:
      return 2;
    case kU32:
    case kI32:
    case kF32:
      return 4;
    case kU64:
    case kI64:
    case kF64:
      return 8;
    default:
      return 0;
  }
}

struct Block {
  uint32_t items;
  uint32_t bytes;
};

// How the library packs each tensor type; the numbers are part of the file format.
std::optional<Block> block_of(uint32_t tensor_type) {
  switch (tensor_type) {
    case 0:
      return Block{1, 4};  // F32
    case 1:
      return Block{1, 2};  // F16
    case 2:
      return Block{32, 18};  // Q4_0
    case 3:
      return Block{32, 20};  // Q4_1
    case 6:
      return Block{32, 22};  // Q5_0
    case 7:
      return Block{32, 24};  // Q5_1
    case 8:
      return Block{32, 34};  // Q8_0
    case 10:
      return Block{256, 84};  // Q2_K
    case 11:
      return Block{256, 110};  // Q3_K
    case 12:
      return Block{256, 144};  // Q4_K
    case 13:
      return Block{256, 176};  // Q5_K
    case 14:
      return Block{256, 210};  // Q6_K
    case 20:
      return Block{32, 18};  // IQ4_NL
    case 23:
      return Block{256, 136};  // IQ4_XS
    case 30:
      return Block{1, 2};  // BF16
    default:
      return std::nullopt;
  }
}

std::string_view quantization_name(uint32_t file_type) {
  switch (file_type) {
    case 0:
      return "F32";
    case 1:
      return "F16";
    case 2:
      return "Q4_0";
    case 3:
      return "Q4_1";
    case 7:
      return "Q8_0";
    case 8:
      return "Q5_0";
    case 9:
      return "Q5_1";
    case 10:
      return "Q2_K";
    case 11:
      return "Q3_K_S";
    case 12:
      return "Q3_K_M";
    case 13:
      return "Q3_K_L";
    case 14:
      return "Q4_K_S";
    case 15:
      return "Q4_K_M";
    case 16:
      return "Q5_K_S";
    case 17:
      return "Q5_K_M";
    case 18:
      return "Q6_K";
    case 25:
      return "IQ4_NL";
    case 30:
      return "IQ4_XS";
    case 32:
      return "BF16";
    default:
      return "";
  }
}

// Reads in the file's order and fails for good at the first fault.
class Parser {
 public:
  explicit Parser(Bytes file) : file_(file), in_(file) {}
  std::expected<Gguf, EngineError> run();

 private:
  struct Place {  // of a tensor's data, before the start of all data is known
    uint64_t offset;
    uint64_t size;
  };

  bool head();
  bool metadata();
  bool one_value(uint32_t type, std::string_view key);
  bool array_value();
  bool fixed_value(uint32_t type, std::string_view key);
  bool table();
  bool one_tensor(std::set<std::string, std::less<>>& names);
  bool place_data();
  bool zeros(uint64_t begin, uint64_t end) const;
  std::optional<std::string_view> string(uint64_t max_bytes);
  uint64_t at() const { return file_.size() - in_.remaining(); }
  uint64_t aligned(uint64_t offset) const {
    return (offset + alignment_ - 1) / alignment_ * alignment_;
  }
  bool fail(EngineError error) {
    error_ = error;
    return false;
  }

  Bytes file_;
  ByteReader in_;
  Gguf out_;
  uint64_t tensor_count_ = 0;
  uint32_t alignment_ = kDefaultAlignment;
  std::vector<Place> places_;
  EngineError error_ = EngineError::model_malformed;
};

std::expected<Gguf, EngineError> Parser::run() {
  if (!head() || !metadata() || !table() || !place_data()) return std::unexpected(error_);
  return std::move(out_);
}

bool Parser::head() {
  if (in_.u32_le() != kMagic || in_.u32_le() != kVersion) return false;
  const auto tensors = in_.u64_le();
  const auto keys = in_.u64_le();
  if (!tensors || !keys || *tensors > kMaxTensors || *keys > kMaxMetadataKeys) return false;
  tensor_count_ = *tensors;
  out_.metadata_keys = *keys;
  return true;
}

std::optional<std::string_view> Parser::string(uint64_t max_bytes) {
  const auto size = in_.u64_le();
  if (!size || *size > max_bytes) return std::nullopt;
  const auto bytes = in_.take(*size);
  if (!bytes) return std::nullopt;
  return as_text(*bytes);
}

bool Parser::metadata() {
  const uint64_t begin = at();
  std::set<std::string, std::less<>> keys;
  for (uint64_t i = 0; i < out_.metadata_keys; ++i) {
    const auto key = string(kMaxKeyBytes);
    if (!key || key->empty() || !valid_utf8(*key) || !keys.emplace(*key).second) return false;
    const auto type = in_.u32_le();
    if (!type || !one_value(*type, *key)) return false;
  }
  out_.metadata = file_.subspan(begin, at() - begin);
  return true;
}

bool Parser::one_value(uint32_t type, std::string_view key) {
  if (key == "general.alignment" && type != kU32) return false;
  if (type == kArray) return array_value();
  if (type != kString) return fixed_value(type, key);
  const auto text = string(kMaxStringBytes);
  if (!text) return false;
  if (key == "general.name" && valid_utf8(*text)) out_.name = *text;
  if (key == "general.license" && valid_utf8(*text)) out_.licence = *text;
  if (key == "tokenizer.chat_template") out_.has_chat_template = true;
  return true;
}

bool Parser::fixed_value(uint32_t type, std::string_view key) {
  const auto raw = in_.take(width_of(type));
  if (!raw || raw->empty()) return false;
  if (type == kBool && (*raw)[0] > 1) return false;
  const auto number = type == kU32 ? ByteReader(*raw).u32_le() : std::nullopt;
  if (key == "general.alignment") {
    if (!std::has_single_bit(*number) || *number < 8 || *number > kMaxAlignment) return false;
    alignment_ = *number;
  }
  if (key == "general.file_type" && number) out_.quantization = quantization_name(*number);
  if (key.ends_with(".context_length") && number) out_.context_tokens = *number;
  return true;
}

bool Parser::array_value() {
  const auto type = in_.u32_le();
  const auto count = in_.u64_le();
  if (!type || !count || *count > kMaxArrayItems) return false;
  if (const size_t width = width_of(*type); width != 0) {
    return in_.take(width * *count).has_value();
  }
  if (*type != kString) return false;
  for (uint64_t i = 0; i < *count; ++i) {
    if (!string(kMaxStringBytes)) return false;
  }
  return true;
}

bool Parser::table() {
  std::set<std::string, std::less<>> names;
  for (uint64_t i = 0; i < tensor_count_; ++i) {
    if (!one_tensor(names)) return false;
  }
  return true;
}

bool Parser::one_tensor(std::set<std::string, std::less<>>& names) {
  const auto name = string(kMaxTensorNameBytes);
  const auto dimensions = in_.u32_le();
  if (!name || name->empty() || !valid_utf8(*name) || !names.emplace(*name).second) return false;
  if (!dimensions || *dimensions < 1 || *dimensions > kMaxDimensions) return false;
  GgufTensor tensor;
  tensor.name = *name;
  uint64_t elements = 1;
  for (uint32_t d = 0; d < *dimensions; ++d) {
    const auto size = in_.u64_le();
    if (!size || *size == 0 || *size > kMaxElements / elements) return false;
    elements *= *size;
    tensor.shape.push_back(*size);
  }
  const auto type = in_.u32_le();
  const auto offset = in_.u64_le();
  if (!type || !offset) return false;
  const auto block = block_of(*type);
  if (!block) return fail(EngineError::model_unsupported);
  if (tensor.shape[0] % block->items != 0) return false;
  tensor.type = *type;
  places_.push_back({*offset, elements / block->items * block->bytes});
  out_.tensors.push_back(std::move(tensor));
  return true;
}

// Each tensor begins where the padding after the one before it ends, as every writer lays them out.
bool Parser::place_data() {
  uint64_t end = at();
  const uint64_t start = aligned(end);
  for (size_t i = 0; i < places_.size(); ++i) {
    const uint64_t begin = aligned(end);
    if (begin > file_.size() || places_[i].offset != begin - start || !zeros(end, begin))
      return false;
    if (places_[i].size > file_.size() - begin) return false;
    out_.tensors[i].data = file_.subspan(begin, places_[i].size);
    end = begin + places_[i].size;
  }
  const bool whole = file_.size() == end || file_.size() == aligned(end);
  return whole && zeros(end, file_.size());
}

bool Parser::zeros(uint64_t begin, uint64_t end) const {
  return all_zero(file_.subspan(begin, end - begin));
}

}  // namespace

std::expected<Gguf, EngineError> parse_gguf(Bytes file) {
  return Parser(file).run();
}

}  // namespace cloister::inference
