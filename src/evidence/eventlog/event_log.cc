#include "evidence/eventlog/event_log.h"

#include <algorithm>

#include "base/text.h"

namespace cloister::evidence::eventlog {
namespace {

using crypto::HashKind;

// Event types (TCG PC Client Platform Firmware Profile, 10.4.1).
constexpr uint32_t kNoAction = 0x00000003, kSeparator = 0x00000004, kAction = 0x00000005;
constexpr uint32_t kCrtmVersion = 0x00000008;
constexpr uint32_t kVariableDriverConfig = 0x80000001, kGptEvent = 0x80000006;
constexpr uint32_t kEfiAction = 0x80000007, kVariableBoot2 = 0x8000000C;
constexpr uint32_t kVariableAuthority = 0x800000E0;
constexpr uint32_t kDstackRuntime = 0x08000001;

constexpr std::string_view kSpecId("Spec ID Event03\0", 16);
constexpr std::string_view kLocality("StartupLocality\0", 16);
constexpr uint32_t kMaxAlgorithms = 16;
constexpr uint32_t kMaxRegisters = 32;

std::unexpected<Fault> malformed(std::string_view what) {
  return refuse(Error::malformed, "event log: " + std::string(what));
}

// Types whose digest is by definition that of the event's data.
bool digests_its_data(uint32_t type) {
  switch (type) {
    case kSeparator:
    case kAction:
    case kCrtmVersion:
    case kVariableDriverConfig:
    case kGptEvent:
    case kEfiAction:
    case kVariableBoot2:
    case kVariableAuthority:
      return true;
    default:
      return false;
  }
}

uint16_t algorithm_of(HashKind bank) {
  switch (bank) {
    case HashKind::sha256:
      return 0x000B;
    case HashKind::sha384:
      return 0x000C;
    case HashKind::sha512:
      return 0x000D;
  }
  std::abort();
}

Result<std::monostate> prove(Event& event, HashKind bank) {
  event.proven = equal(crypto::hash(bank, event.data), event.digest);
  if (event.proven || !digests_its_data(event.type)) return std::monostate();
  return refuse(Error::measurement_mismatch, "event log: a digest that is not of its data");
}

// --- TCG2 ---------------------------------------------------------------------------------------

struct Algorithm {
  uint16_t id;
  uint16_t size_bytes;
};

// TCG_EfiSpecIDEventStruct: which digests every later event carries.
std::optional<std::vector<Algorithm>> read_spec_id(Bytes event) {
  ByteReader in(event);
  const auto signature = in.take(kSpecId.size());
  if (!signature || !equal(*signature, as_bytes(kSpecId)) || !in.take(8)) return std::nullopt;
  const auto count = in.u32_le();
  if (!count || *count == 0 || *count > kMaxAlgorithms) return std::nullopt;
  std::vector<Algorithm> out;
  for (uint32_t i = 0; i < *count; ++i) {
    const auto id = in.u16_le(), size = in.u16_le();
    if (!size || *size == 0 || *size > 64) return std::nullopt;
    if (std::ranges::find(out, *id, &Algorithm::id) != out.end()) return std::nullopt;
    out.push_back({*id, *size});
  }
  const auto vendor = in.u8();
  if (!vendor || !in.take(*vendor) || !in.done()) return std::nullopt;
  return out;
}

// The first record has the older form, with one SHA-1 digest of zeros.
std::optional<std::vector<Algorithm>> read_header(ByteReader& in) {
  const auto index = in.u32_le(), type = in.u32_le();
  const auto digest = in.take(20);
  const auto size = digest ? in.u32_le() : std::nullopt;
  if (index != 0u || type != kNoAction || !size || *size > kMaxEventBytes) return std::nullopt;
  const auto event = in.take(*size);
  return event ? read_spec_id(*event) : std::nullopt;
}

// TPML_DIGEST_VALUES: the digest of the wanted bank.
std::optional<Bytes> read_digests(ByteReader& in, const std::vector<Algorithm>& algorithms,
                                  uint16_t wanted) {
  const auto count = in.u32_le();
  if (count != algorithms.size()) return std::nullopt;
  std::optional<Bytes> out;
  for (const Algorithm& expected : algorithms) {
    const auto id = in.u16_le();
    const auto digest = id == expected.id ? in.take(expected.size_bytes) : std::nullopt;
    if (!digest) return std::nullopt;
    if (*id == wanted) out = digest;
  }
  return out;
}

std::optional<Event> read_event(ByteReader& in, const std::vector<Algorithm>& algorithms,
                                uint16_t wanted) {
  const auto index = in.u32_le(), type = in.u32_le();
  if (!type || *index >= kMaxRegisters) return std::nullopt;
  const auto digest = read_digests(in, algorithms, wanted);
  const auto size = digest ? in.u32_le() : std::nullopt;
  if (!size || *size > kMaxEventBytes) return std::nullopt;
  const auto data = in.take(*size);
  if (!data) return std::nullopt;
  return Event{*index, *type, "", to_buffer(*digest), to_buffer(*data), false};
}

// An ACPI table's log area is larger than its log.
bool is_filling(Bytes rest) {
  return all_zero(rest) || std::ranges::all_of(rest, [](uint8_t b) { return b == 0xFF; });
}

void read_no_action(const Event& event, EventLog& log) {
  const Bytes data(event.data);
  const size_t head = kLocality.size();
  if (data.size() == head + 1 && equal(data.first(head), as_bytes(kLocality))) {
    log.startup_locality = data[head];
  }
}

// --- dstack -------------------------------------------------------------------------------------

std::optional<Event> read_dstack_event(const JsonValue& value) {
  const auto imr = value["imr"].u64(), type = value["event_type"].u64();
  const auto digest = value["digest"].string(), name = value["event"].string(),
             payload = value["event_payload"].string();
  if (!imr || *imr > 3 || !type || *type > UINT32_MAX || !digest || !name || !payload) {
    return std::nullopt;
  }
  const auto digest_bytes = fixed_from_hex<48>(*digest);
  auto data = from_hex(*payload);
  if (!digest_bytes || !data || data->size() > kMaxEventBytes) return std::nullopt;
  return Event{static_cast<uint32_t>(*imr),
               static_cast<uint32_t>(*type),
               std::string(*name),
               to_buffer(*digest_bytes),
               std::move(*data),
               false};
}

// dstack's own events: SHA-384(type, little-endian ‖ ":" ‖ name ‖ ":" ‖ payload). A colon in the
// name could be shifted between name and payload under the same digest.
Result<std::monostate> prove_dstack(Event& event) {
  if (event.type != kDstackRuntime) return prove(event, HashKind::sha384);
  if (event.name.find(':') != std::string::npos) return malformed("a colon in a name");
  ByteWriter measured;
  measured.u32_le(event.type).text(":").text(event.name).text(":").bytes(event.data);
  event.proven = equal(crypto::sha384(measured.view()), event.digest);
  if (event.proven) return std::monostate();
  return refuse(Error::measurement_mismatch, "event log: a digest that is not of its event");
}

}  // namespace

Result<EventLog> parse_tcg2(Bytes bytes, HashKind bank) {
  if (bytes.size() > kMaxLogBytes) return malformed("too large");
  ByteReader in(bytes);
  const auto algorithms = read_header(in);
  if (!algorithms) return malformed("its first record");
  const uint16_t wanted = algorithm_of(bank);
  const auto found = std::ranges::find(*algorithms, wanted, &Algorithm::id);
  if (found == algorithms->end()) return refuse(Error::unsupported, "event log: no such bank");
  if (found->size_bytes != crypto::size_bytes(bank)) return malformed("the size of a digest");
  EventLog log{bank, {}, 0};
  while (!is_filling(in.rest())) {
    auto event = read_event(in, *algorithms, wanted);
    if (!event || log.events.size() == kMaxEvents) {
      return malformed("event " + std::to_string(log.events.size()));
    }
    if (event->type == kNoAction) {
      read_no_action(*event, log);
      continue;
    }
    if (auto proved = prove(*event, bank); !proved) return std::unexpected(proved.error());
    log.events.push_back(std::move(*event));
  }
  return log;
}

Result<EventLog> parse_dstack(Bytes json) {
  const auto parsed = parse_json(as_text(json), {.max_bytes = kMaxLogBytes});
  const auto* array = parsed ? parsed->array() : nullptr;
  if (array == nullptr || array->size() > kMaxEvents) return malformed("not an array of events");
  EventLog log{HashKind::sha384, {}, 0};
  for (const JsonValue& each : *array) {
    auto event = read_dstack_event(each);
    if (!event) return malformed("event " + std::to_string(log.events.size()));
    if (auto proved = prove_dstack(*event); !proved) return std::unexpected(proved.error());
    log.events.push_back(std::move(*event));
  }
  return log;
}

std::map<uint32_t, Buffer> replay(const EventLog& log) {
  const size_t size = crypto::size_bytes(log.bank);
  std::map<uint32_t, Buffer> registers;
  for (const Event& event : log.events) {
    const bool dynamic = event.register_index >= 17 && event.register_index <= 22;
    const auto [at, first] = registers.try_emplace(event.register_index, size, dynamic ? 0xFF : 0);
    if (first && event.register_index == 0) at->second.back() = log.startup_locality;
    ByteWriter extended;
    extended.bytes(at->second).bytes(event.digest);
    at->second = crypto::hash(log.bank, extended.view());
  }
  return registers;
}

Result<std::monostate> check_replay(const EventLog& log,
                                    const std::map<uint32_t, Buffer>& registers) {
  for (const auto& [index, value] : replay(log)) {
    const auto held = registers.find(index);
    if (held == registers.end() || held->second != value) {
      return refuse(Error::measurement_mismatch,
                    "event log: register " + std::to_string(index) + " holds another value");
    }
  }
  return std::monostate();
}

}  // namespace cloister::evidence::eventlog
