#include <dlfcn.h>
#include <gmock/gmock.h>
#include <linux/sev-guest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <set>

#include "evidence/collect/diagnosis.h"

namespace cloister::evidence::collect {
namespace {

namespace fs = std::filesystem;

// --- configfs-tsm, as the kernel's documentation describes it
// ---------------------------------------

struct FakeTsm {
  fs::path reports = "/reports";
  std::string provider = "tdx_guest\n";
  Buffer answer = Buffer(100, 7), auxiliary;
  int writes_of_others = 0;  // that still come in between
  int make_error = 0, write_error = 0, read_error = 0;

  std::set<fs::path> folders;
  uint64_t generation = 0;
  Buffer inblob;

  TsmFiles files() {
    return {[this](const fs::path& path) {
              if (make_error != 0) return make_error;
              return folders.insert(path).second ? 0 : EEXIST;
            },
            [this](const fs::path& path) { return folders.erase(path) == 1 ? 0 : ENOENT; },
            [this](const fs::path& path, Bytes bytes) {
              if (!folders.contains(path.parent_path()) || path.filename() != "inblob")
                return ENOENT;
              if (write_error != 0) return write_error;
              if (bytes.size() != 64) return EINVAL;
              inblob = to_buffer(bytes);
              ++generation;
              return 0;
            },
            [this](const fs::path& path, size_t max, Buffer& out) { return read(path, max, out); }};
  }

 private:
  int read(const fs::path& path, size_t max, Buffer& out) {
    if (!folders.contains(path.parent_path())) return ENOENT;
    const std::string name = path.filename();
    if (name == "provider") {
      out = to_buffer(as_bytes(provider));
    } else if (name == "generation") {
      out = to_buffer(as_bytes(std::to_string(generation) + "\n"));
    } else if (name == "auxblob") {
      if (auxiliary.empty()) return ENOENT;
      out = auxiliary;
    } else if (name == "outblob") {
      if (read_error != 0) return read_error;
      if (inblob.empty()) return EINVAL;
      if (writes_of_others > 0) {
        --writes_of_others;
        ++generation;
      }
      out = answer;
      if (!out.empty()) out[0] = inblob[0];
    } else {
      return ENOENT;
    }
    return out.size() > max ? EFBIG : 0;
  }
};

ReportData report_data() {
  ReportData out{};
  out[0] = 42;
  return out;
}

Collected<GuestEvidence> ask(FakeTsm& tsm) {
  return tsm_report(report_data(), tsm.reports, tsm.files());
}

TEST(TsmReport, AsksWithItsReportDataAndCleansUp) {
  FakeTsm tsm;
  const auto got = ask(tsm);
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->evidence.format, Format::tdx_quote);
  EXPECT_EQ(got->evidence.bytes[0], 42);
  EXPECT_EQ(tsm.inblob.size(), 64u);
  EXPECT_TRUE(tsm.folders.empty());
}

TEST(TsmReport, SnpComesWithWhatTheHostAdds) {
  FakeTsm tsm;
  tsm.provider = "sev_guest\n";
  tsm.auxiliary = {1, 2, 3};
  const auto got = ask(tsm);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->evidence.format, Format::snp_report);
  EXPECT_EQ(got->auxiliary, (Buffer{1, 2, 3}));
}

TEST(TsmReport, AWriteInBetweenIsAskedAgainThreeTimes) {
  FakeTsm tsm;
  tsm.writes_of_others = 2;
  EXPECT_TRUE(ask(tsm));
  tsm.writes_of_others = 3;
  EXPECT_EQ(ask(tsm).error().error, CollectError::busy);
  EXPECT_TRUE(tsm.folders.empty());
}

TEST(TsmReport, FaultsAreSaidAndNothingStays) {
  const std::tuple<const char*, CollectError, void (*)(FakeTsm&)> cases[] = {
      {"no configfs", CollectError::not_available, [](FakeTsm& t) { t.make_error = ENOENT; }},
      {"not root", CollectError::no_permission, [](FakeTsm& t) { t.make_error = EACCES; }},
      {"another provider", CollectError::bad_answer, [](FakeTsm& t) { t.provider = "arm_cca\n"; }},
      {"the write fails", CollectError::refused, [](FakeTsm& t) { t.write_error = EINVAL; }},
      {"the read fails", CollectError::refused, [](FakeTsm& t) { t.read_error = EIO; }},
      {"always out of date", CollectError::busy, [](FakeTsm& t) { t.read_error = EAGAIN; }},
      {"an empty report", CollectError::bad_answer, [](FakeTsm& t) { t.answer.clear(); }},
      {"a report past the limit", CollectError::bad_answer,
       [](FakeTsm& t) { t.answer.resize(kMaxEvidenceBytes + 1); }},
  };
  for (const auto& [name, want, spoil] : cases) {
    SCOPED_TRACE(name);
    FakeTsm tsm;
    spoil(tsm);
    const auto got = ask(tsm);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().error, want) << got.error().detail;
    EXPECT_TRUE(tsm.folders.empty());
  }
}

TEST(TsmReport, TheSystemsFilesBehaveAsFilesDo) {
  const TsmFiles files = TsmFiles::of_system();
  const fs::path folder = fs::temp_directory_path() / ("collect-" + std::to_string(::getpid()));
  ASSERT_EQ(files.make_folder(folder), 0);
  EXPECT_EQ(files.make_folder(folder), EEXIST);
  EXPECT_EQ(files.write(folder / "inblob", Buffer(4)), ENOENT);  // attributes are never made
  {
    std::ofstream(folder / "attribute") << "before";
  }
  EXPECT_EQ(files.write(folder / "attribute", Buffer(6, 'x')), 0);
  Buffer out;
  EXPECT_EQ(files.read(folder / "attribute", 6, out), 0);
  EXPECT_EQ(out, Buffer(6, 'x'));
  EXPECT_EQ(files.read(folder / "attribute", 5, out), EFBIG);
  EXPECT_EQ(files.read(folder / "nothing", 5, out), ENOENT);
  fs::remove(folder / "attribute");
  EXPECT_EQ(files.remove_folder(folder), 0);
}

// --- devices
// --------------------------------------------------------------------------------------

struct FakeSevGuest {
  int error = 0;
  uint32_t status = 0, size = 1184;
  DeviceCall call() {
    return [this](const char* path, unsigned long request, void* argument) {
      if (std::string_view(path) != kSevGuest) return ENOENT;
      if (error != 0) return error;
      if (request != SNP_GET_REPORT) return ENOTTY;
      auto* message = static_cast<snp_guest_request_ioctl*>(argument);
      if (message->msg_version == 0) return EINVAL;
      const auto* asked = reinterpret_cast<const snp_report_req*>(message->req_data);
      auto* response = reinterpret_cast<snp_report_resp*>(message->resp_data);
      const Buffer head = ByteWriter().u32_le(status).u32_le(size).zeros(24).take();
      std::copy(head.begin(), head.end(), response->data);
      response->data[32] = 5;  // the report's version
      std::copy_n(asked->user_data, 64, response->data + 32 + 0x50);
      return 0;
    };
  }
};

TEST(SevGuest, GivesTheReportOfTheFirmware) {
  FakeSevGuest device;
  const auto got = sev_guest_report(report_data(), device.call());
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->evidence.bytes.size(), 1184u);
  EXPECT_EQ(got->evidence.bytes[0x50], 42);
}

TEST(SevGuest, FaultsAreSaid) {
  FakeSevGuest device;
  device.status = 0x16;
  EXPECT_EQ(sev_guest_report({}, device.call()).error().error, CollectError::refused);
  device.status = 0;
  device.size = 1185;
  EXPECT_EQ(sev_guest_report({}, device.call()).error().error, CollectError::bad_answer);
  for (const auto& [error, want] :
       {std::pair(ENOENT, CollectError::not_available),
        std::pair(EACCES, CollectError::no_permission), std::pair(EIO, CollectError::refused)}) {
    device.error = error;
    EXPECT_EQ(sev_guest_report({}, device.call()).error().error, want);
  }
}

TEST(SevGuest, AMachineWithoutTheDeviceIsNotAvailable) {
  EXPECT_EQ(call_device("/dev/no-such-device", 0, nullptr), ENOENT);
}

// --- quote generation
// -----------------------------------------------------------------------------

Buffer answer_of(uint32_t code, Bytes quote, uint32_t type = 1, uint16_t major = 1) {
  const auto body = static_cast<uint32_t>(16 + 8 + quote.size());
  ByteWriter out;
  out.u32_be(body).u16_le(major).u16_le(1).u32_le(type).u32_le(body).u32_le(code);
  return out.u32_le(0).u32_le(static_cast<uint32_t>(quote.size())).bytes(quote).take();
}

TEST(QuoteGeneration, TheRequestIsOfTheDocumentedForm) {
  const Buffer request = qgs_request(Buffer(1024, 9));
  EXPECT_EQ(Bytes(request).first(4).size() + 1048, request.size());
  EXPECT_EQ(Buffer(request.begin(), request.begin() + 28),
            (Buffer{0, 0, 4, 24, 1, 0, 0, 0, 0, 0, 0, 0, 24, 4,
                    0, 0, 0, 0,  0, 0, 0, 4, 0, 0, 0, 0, 0,  0}));
}

TEST(QuoteGeneration, AnswersAreReadStrictly) {
  EXPECT_EQ(quote_from_qgs(answer_of(0, Buffer(10, 3))).value(), Buffer(10, 3));
  EXPECT_EQ(quote_from_qgs(answer_of(0x12001, Buffer(10, 3))).error().error, CollectError::refused);
  for (Buffer bad : {answer_of(0, {}), answer_of(0, Buffer(4), 0), answer_of(0, Buffer(4), 1, 2)}) {
    EXPECT_EQ(quote_from_qgs(bad).error().error, CollectError::bad_answer);
  }
  const Buffer good = answer_of(0, Buffer(10, 3));
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(quote_from_qgs(Bytes(good).first(size)).error().error, CollectError::bad_answer);
  }
  Buffer longer = good;
  longer.push_back(0);
  EXPECT_EQ(quote_from_qgs(longer).error().error, CollectError::bad_answer);
}

// --- which interface
// ------------------------------------------------------------------------------

struct FakeGuest {
  FakeTsm tsm;
  FakeSevGuest sev;
  bool tdx_device = true;
  GuestInterfaces interfaces() {
    return {tsm.reports, tsm.files(),
            [this, sev_call = sev.call()](const char* path, unsigned long request, void* argument) {
              if (std::string_view(path) != kTdxGuest) return sev_call(path, request, argument);
              if (!tdx_device) return ENOENT;
              static_cast<uint8_t*>(argument)[64] = 0x81;  // the report's type
              return 0;
            },
            [](Bytes message) -> Collected<Buffer> {
              if (message[28] != 0x81) return fault(CollectError::refused, "not the report");
              return answer_of(0, Buffer(20, 4));
            }};
  }
};

TEST(Guest, TheFirstInterfaceThatIsThereAnswers) {
  FakeGuest guest;
  EXPECT_EQ(guest_evidence({}, guest.interfaces())->evidence.bytes.size(), 100u);
  guest.tsm.make_error = ENOENT;
  EXPECT_EQ(guest_evidence({}, guest.interfaces())->evidence.format, Format::snp_report);
  guest.sev.error = ENOENT;
  const auto quote = guest_evidence({}, guest.interfaces());
  ASSERT_TRUE(quote) << quote.error().detail;
  EXPECT_EQ(quote->evidence.format, Format::tdx_quote);
  EXPECT_EQ(quote->evidence.bytes, Buffer(20, 4));
  guest.tdx_device = false;
  EXPECT_EQ(guest_evidence({}, guest.interfaces()).error().error, CollectError::not_available);
}

TEST(Guest, AnInterfaceThatRefusesIsNotPassedOver) {
  FakeGuest guest;
  guest.tsm.make_error = EACCES;
  EXPECT_EQ(guest_evidence({}, guest.interfaces()).error().error, CollectError::no_permission);
}

// --- NVML
// -----------------------------------------------------------------------------------------

class Nvml : public testing::Test {
 protected:
  void SetUp() override {
    library_ = ::dlopen(CLOISTER_FAKE_NVML, RTLD_NOW);
    ASSERT_NE(library_, nullptr) << ::dlerror();
  }
  void TearDown() override {
    EXPECT_EQ(variable<int>("fake_initialised"), 0);
    ::dlclose(library_);
  }
  template <typename T>
  T& variable(const char* name) {
    return *static_cast<T*>(::dlsym(library_, name));
  }
  void* library_ = nullptr;
};

TEST_F(Nvml, EveryGpuIsAskedWithTheNonceAndItsAnswerCut) {
  variable<unsigned>("fake_count") = 3;
  const auto got = gpu_evidence(Fixed<32>{9}, CLOISTER_FAKE_NVML);
  ASSERT_TRUE(got) << got.error().detail;
  ASSERT_EQ(got->size(), 3u);
  for (uint8_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*got)[i].evidence.bytes.size(), 64u);
    EXPECT_EQ((*got)[i].evidence.bytes[0], 9);
    EXPECT_EQ((*got)[i].evidence.bytes[32], i);
    EXPECT_EQ((*got)[i].device_chain.size(), 32u);
  }
  variable<unsigned>("fake_count") = 1;
}

TEST_F(Nvml, OneGpuThatFailsFailsAll) {
  variable<unsigned>("fake_count") = 2;
  variable<unsigned>("fake_failing_device") = 1;
  EXPECT_EQ(gpu_evidence({}, CLOISTER_FAKE_NVML).error().error, CollectError::refused);
  variable<unsigned>("fake_failing_device") = 99;
  variable<unsigned>("fake_count") = 1;
}

TEST_F(Nvml, FaultsAreSaid) {
  for (const auto& [code, want] :
       {std::pair(3, CollectError::not_available), std::pair(4, CollectError::no_permission),
        std::pair(999, CollectError::refused)}) {
    variable<int>("fake_report_result") = code;
    EXPECT_EQ(gpu_evidence({}, CLOISTER_FAKE_NVML).error().error, want);
  }
  variable<int>("fake_report_result") = 0;
  for (const unsigned size : {0u, 0x2001u, ~0u}) {
    variable<unsigned>("fake_report_size") = size;
    EXPECT_EQ(gpu_evidence({}, CLOISTER_FAKE_NVML).error().error, CollectError::bad_answer);
  }
  variable<unsigned>("fake_report_size") = 64;
  variable<unsigned>("fake_chain_size") = 0x1401;
  EXPECT_EQ(gpu_evidence({}, CLOISTER_FAKE_NVML).error().error, CollectError::bad_answer);
  variable<unsigned>("fake_chain_size") = 32;
}

TEST_F(Nvml, StateIsToldForTheDoctor) {
  auto state = gpu_state(CLOISTER_FAKE_NVML);
  ASSERT_TRUE(state);
  EXPECT_TRUE(state->confidential);
  EXPECT_FALSE(state->developer_tools);
  variable<unsigned>("fake_devtools") = 1;
  EXPECT_TRUE(gpu_state(CLOISTER_FAKE_NVML)->developer_tools);
  variable<unsigned>("fake_devtools") = 0;
}

TEST(NvmlAbsent, NoDriverIsNotAvailable) {
  EXPECT_EQ(gpu_evidence({}, "libno-such-nvml.so").error().error, CollectError::not_available);
  EXPECT_EQ(gpu_state("libm.so.6").error().error, CollectError::not_available);
}

// --- the doctor
// -----------------------------------------------------------------------------------

DiagnosisOptions of(FakeGuest& guest, const char* nvml = "libno-such-nvml.so") {
  return {guest.interfaces(), nvml, "/dev/no-such-tpm"};
}

TEST(Diagnosis, AGuestThatAttestsIsHealthy) {
  FakeGuest guest;
  const Diagnosis got = diagnose(of(guest));
  EXPECT_TRUE(got.attests);
  ASSERT_EQ(got.findings.size(), 3u);
  EXPECT_EQ(got.findings[0].health, Health::works);
  EXPECT_EQ(got.findings[0].found, "tdx-quote of 100 bytes");
  EXPECT_EQ(got.findings[1].health, Health::absent);
  EXPECT_EQ(got.findings[2].health, Health::absent);
}

TEST(Diagnosis, WhatMustBeMendedIsSaid) {
  FakeGuest guest;
  guest.tsm.make_error = EACCES;
  const Diagnosis denied = diagnose(of(guest));
  EXPECT_FALSE(denied.attests);
  EXPECT_EQ(denied.findings[0].health, Health::problem);
  EXPECT_THAT(denied.findings[0].to_do, testing::HasSubstr("root"));
  guest.tsm.make_error = guest.sev.error = ENOENT;
  guest.tdx_device = false;
  const Diagnosis none = diagnose(of(guest));
  EXPECT_EQ(none.findings[0].health, Health::absent);
  EXPECT_THAT(none.findings[0].to_do, testing::HasSubstr("SEV-SNP"));
}

TEST_F(Nvml, TheDoctorLooksAtModesAndReports) {
  FakeGuest guest;
  const auto gpus = [&] { return diagnose(of(guest, CLOISTER_FAKE_NVML)).findings[1]; };
  EXPECT_EQ(gpus().health, Health::works);
  variable<unsigned>("fake_devtools") = 1;
  EXPECT_EQ(gpus().health, Health::problem);
  EXPECT_THAT(gpus().found, testing::HasSubstr("developer"));
  variable<unsigned>("fake_devtools") = 0;
  variable<unsigned>("fake_cc") = 0;
  EXPECT_EQ(gpus().health, Health::problem);
  variable<unsigned>("fake_cc") = 1;
  variable<int>("fake_report_result") = 4;
  EXPECT_EQ(gpus().health, Health::problem);
  EXPECT_THAT(gpus().to_do, testing::HasSubstr("root"));
  variable<int>("fake_report_result") = 0;
  variable<unsigned>("fake_count") = 0;
  EXPECT_EQ(gpus().health, Health::absent);
  variable<unsigned>("fake_count") = 1;
}

}  // namespace
}  // namespace cloister::evidence::collect
