#include "evidence/eventlog/event_log.h"

#include <gmock/gmock.h>

#include <functional>

#include "base/text.h"
#include "evidence/common/cases_testing.h"

namespace cloister::evidence::eventlog {
namespace {

using crypto::HashKind;

constexpr uint32_t kSeparator = 4, kNoAction = 3, kIpl = 13;

// A TCG2 log from parameters of which a test bends one.
struct LogForm {
  struct Entry {
    uint32_t index, type;
    Buffer data;
    std::optional<Buffer> digest{};  // absent: that of the data
    uint32_t digests = 2;
  };
  std::string spec_id = std::string("Spec ID Event03\0", 16);
  uint32_t header_index = 0, header_type = kNoAction;
  std::vector<std::pair<uint16_t, uint16_t>> algorithms = {{0x0004, 20}, {0x000B, 32}};
  std::vector<Entry> entries = {{0, kSeparator, Buffer(4, 0)}, {4, kIpl, Buffer(9, 5)}};
  Buffer after = Buffer(16, 0xFF);

  Buffer bytes() const {
    ByteWriter spec;
    spec.text(spec_id).u32_le(0).u8(0).u8(2).u8(0).u8(2);
    spec.u32_le(static_cast<uint32_t>(algorithms.size()));
    for (const auto& [id, size] : algorithms) spec.u16_le(id).u16_le(size);
    spec.u8(0);
    ByteWriter out;
    out.u32_le(header_index).u32_le(header_type).zeros(20);
    out.u32_le(static_cast<uint32_t>(spec.size())).bytes(spec.view());
    for (const Entry& each : entries) {
      out.u32_le(each.index).u32_le(each.type).u32_le(each.digests);
      out.u16_le(0x0004).zeros(20);
      const Buffer digest = each.digest.value_or(crypto::hash(HashKind::sha256, each.data));
      out.u16_le(0x000B).bytes(digest);
      out.u32_le(static_cast<uint32_t>(each.data.size())).bytes(each.data);
    }
    return out.bytes(after).take();
  }
  Result<EventLog> parse() const { return parse_tcg2(bytes(), HashKind::sha256); }
};

Buffer extended(const Buffer& value, const Buffer& digest) {
  ByteWriter both;
  both.bytes(value).bytes(digest);
  return crypto::hash(HashKind::sha256, both.view());
}

TEST(EventLog, ReplaysToWhatExtendingGives) {
  const auto log = LogForm().parse();
  ASSERT_TRUE(log) << log.error().detail;
  ASSERT_EQ(log->events.size(), 2u);
  EXPECT_TRUE(log->events[0].proven);
  const auto registers = replay(*log);
  const Buffer separator = crypto::hash(HashKind::sha256, Buffer(4, 0));
  EXPECT_EQ(registers.at(0), extended(Buffer(32, 0), separator));
  EXPECT_TRUE(check_replay(*log, registers));
}

TEST(EventLog, StartupLocalityIsTheFirstValueOfPcr0) {
  LogForm form;
  Buffer locality = to_buffer(as_bytes(std::string_view("StartupLocality\0", 16)));
  locality.push_back(3);
  form.entries.insert(form.entries.begin(), {0, kNoAction, locality, Buffer(32, 0)});
  const auto log = form.parse();
  ASSERT_TRUE(log);
  EXPECT_EQ(log->events.size(), 2u);
  Buffer start(32, 0);
  start.back() = 3;
  EXPECT_EQ(replay(*log).at(0), extended(start, crypto::hash(HashKind::sha256, Buffer(4, 0))));
}

TEST(EventLog, RegistersOfADynamicLaunchStartFromOnes) {
  LogForm form;
  form.entries = {{17, kIpl, Buffer(1, 1)}};
  EXPECT_EQ(replay(*form.parse()).at(17),
            extended(Buffer(32, 0xFF), crypto::hash(HashKind::sha256, Buffer(1, 1))));
}

TEST(EventLog, ADigestThatIsNotOfItsDataIsRefusedWhereItMustBe) {
  LogForm form;
  form.entries[1].digest = Buffer(32, 9);  // a boot loader's own kind of digest
  ASSERT_TRUE(form.parse());
  EXPECT_FALSE(form.parse()->events[1].proven);
  form.entries[0].digest = Buffer(32, 9);
  ASSERT_FALSE(form.parse());
  EXPECT_EQ(form.parse().error().error, Error::measurement_mismatch);
}

TEST(EventLog, RegistersMustHoldWhatTheReplayGives) {
  const auto log = LogForm().parse();
  auto registers = replay(*log);
  registers[0][0] ^= 1;
  EXPECT_EQ(check_replay(*log, registers).error().error, Error::measurement_mismatch);
  registers.erase(0);
  EXPECT_EQ(check_replay(*log, registers).error().error, Error::measurement_mismatch);
}

TEST(EventLog, Form) {
  struct FaultCase {
    const char* name;
    Error want;
    std::function<void(LogForm&)> spoil;
  };
  const FaultCase cases[] = {
      {"another header", Error::malformed, [](LogForm& f) { f.spec_id[0] = 's'; }},
      {"a header for PCR 1", Error::malformed, [](LogForm& f) { f.header_index = 1; }},
      {"a header of another type", Error::malformed, [](LogForm& f) { f.header_type = 4; }},
      {"no algorithms", Error::malformed, [](LogForm& f) { f.algorithms.clear(); }},
      {"seventeen algorithms", Error::malformed,
       [](LogForm& f) { f.algorithms.assign(17, {0x000B, 32}); }},
      {"a bank that is not there", Error::unsupported,
       [](LogForm& f) { f.algorithms[1].first = 0x000C; }},
      {"SHA-256 of 20 bytes", Error::malformed, [](LogForm& f) { f.algorithms[1].second = 20; }},
      {"an algorithm twice", Error::malformed,
       [](LogForm& f) { f.algorithms = {{0x000B, 32}, {0x000B, 20}}; }},
      {"a digest of no size", Error::malformed, [](LogForm& f) { f.algorithms[0].second = 0; }},
      {"a digest too few", Error::malformed, [](LogForm& f) { f.entries[0].digests = 1; }},
      {"a digest too many", Error::malformed, [](LogForm& f) { f.entries[0].digests = 3; }},
      {"PCR 32", Error::malformed, [](LogForm& f) { f.entries[0].index = 32; }},
      {"an event of more than 64 KiB", Error::malformed,
       [](LogForm& f) { f.entries[1].data.resize(65537); }},
      {"something after the log", Error::malformed, [](LogForm& f) { f.after = {0xFF, 0xFE}; }},
      {"more than 4096 events", Error::malformed,
       [](LogForm& f) { f.entries.assign(4097, f.entries[0]); }},
      {"more than a megabyte", Error::malformed,
       [](LogForm& f) { f.after = Buffer(1 << 20, 0xFF); }},
  };
  for (const FaultCase& c : cases) {
    SCOPED_TRACE(c.name);
    LogForm form;
    c.spoil(form);
    const auto got = form.parse();
    ASSERT_FALSE(got);
    EXPECT_EQ(name(got.error().error), name(c.want)) << got.error().detail;
  }
}

TEST(EventLog, ALogThatIsCutIsMalformedOrEndsAtAnEvent) {
  LogForm form;
  form.after.clear();
  const Buffer whole = form.bytes();
  size_t parsed = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto log = parse_tcg2(Bytes(whole).first(size), HashKind::sha256);
    if (!log) continue;
    ++parsed;
    EXPECT_LT(log->events.size(), 2u);
  }
  // After the header with 0 to 4 zero bytes of the next record's register, and after one event.
  EXPECT_GE(parsed, 2u);
}

TEST(EventLog, ARecordedLogOfDstackReplaysToTheRegistersOfItsQuote) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  const Buffer json = read_file(*vectors / "tdx/v4_90c06f_dstack_eventlog.json");
  const Buffer quote = read_file(*vectors / "tdx/v4_90c06f_dstack.bin");
  std::map<uint32_t, Buffer> registers;
  for (uint32_t i = 0; i < 4; ++i) {
    registers[i] = to_buffer(Bytes(quote).subspan(48 + 328 + size_t{48} * i, 48));
  }
  const auto log = parse_dstack(json);
  ASSERT_TRUE(log) << log.error().detail;
  EXPECT_TRUE(check_replay(*log, registers));
  EXPECT_THAT(log->events, testing::Contains(testing::Field(&Event::name, "compose-hash")));

  // One digit of a name, a payload, a digest: refused by the event or by the replay.
  std::string text(as_text(json));
  for (const char* part : {"compose-hash", "\"digest\":\"", "\"event_payload\":\"00"}) {
    std::string changed = text;
    const size_t at = changed.find(part) + std::string_view(part).size() - 1;
    const size_t digit = part[1] == 'c' || part[1] == 'o' ? at : at + (part[1] == 'd' ? 1 : 0);
    changed[digit] = changed[digit] == '1' ? '2' : '1';
    const auto got = parse_dstack(as_bytes(changed));
    const auto outcome =
        got ? check_replay(*got, registers) : Result<std::monostate>(std::unexpected(got.error()));
    ASSERT_FALSE(outcome) << part;
    EXPECT_EQ(outcome.error().error, Error::measurement_mismatch) << part;
  }
}

// The same bytes are hashed whether the colon ends the name or begins the payload.
TEST(EventLog, AColonCannotBeShiftedBetweenNameAndPayload) {
  const Buffer digest = to_buffer(
      crypto::sha384(ByteWriter().u32_le(0x08000001).text(":app:id:").bytes(Buffer{7}).view()));
  const auto log = [&](std::string_view name, std::string_view payload) {
    return parse_dstack(as_bytes(R"([{"imr":3,"event_type":134217729,"digest":")" + to_hex(digest) +
                                 R"(","event":")" + std::string(name) + R"(","event_payload":")" +
                                 std::string(payload) + R"("}])"));
  };
  EXPECT_TRUE(log("app", to_hex(as_bytes("id:")) + "07"));
  ASSERT_FALSE(log("app:id", "07"));
  EXPECT_EQ(log("app:id", "07").error().error, Error::malformed);
}

TEST(EventLog, DstackForm) {
  const char* good = R"([{"imr":3,"event_type":1,"digest":"%","event":"","event_payload":"00"}])";
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text(good);
    text.replace(text.find('%'), 1, std::string(96, 'a'));
    if (!from.empty()) text.replace(text.find(from), from.size(), to);
    return parse_dstack(as_bytes(text));
  };
  ASSERT_TRUE(with("", ""));
  for (const auto& [from, to] : std::vector<std::pair<const char*, const char*>>{
           {"\"imr\":3", "\"imr\":4"},
           {"\"imr\":3", "\"imr\":-1"},
           {"\"event_type\":1", "\"event_type\":4294967296"},
           {"aaaa", "aaa"},
           {"\"event\":\"\"", "\"event\":0"},
           {"\"00\"", "\"0\""},
           {"[{", "{\"a\":{"},
       }) {
    const auto got = with(from, to);
    ASSERT_FALSE(got) << to;
    EXPECT_EQ(got.error().error, Error::malformed) << to;
  }
}

}  // namespace
}  // namespace cloister::evidence::eventlog
