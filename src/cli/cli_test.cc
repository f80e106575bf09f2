#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/files.h"
#include "cli/command.h"
#include "cli/local_policy.h"
#include "cli/nearest.h"
#include "cli/verdict.h"
#include "evidence/sim/intel.h"

namespace cloister::cli {
namespace {

using evidence::Appraisal;

TEST(Nearest, FewEditsAreAMistypedName) {
  const std::vector<std::string> names = {"--collateral", "--format", "--time"};
  EXPECT_EQ(nearest("--colateral", names), "--collateral");
  EXPECT_EQ(nearest("--fromat", names), "--format");
  EXPECT_EQ(nearest("--time", names), "--time");
  EXPECT_EQ(nearest("x", names), std::nullopt);
  EXPECT_EQ(nearest(std::string(1000, '-'), names), std::nullopt);
  EXPECT_EQ(nearest("--time", {}), std::nullopt);
  EXPECT_EQ(suggestion("x", names), "");
}

Appraisal refused() {
  Appraisal out;
  out.format = evidence::Format::snp_report;
  out.error = evidence::Error::wrong_chain;
  out.detail = "found \x1b[31mred";
  out.checks = {{"vendor_root", false, "a pinned key", "\x1b[31mred"}};
  return out;
}

TEST(Verdict, SimulatedTeesAreNamed) {
  Appraisal appraisal;
  appraisal.format = evidence::Format::tdx_quote;
  appraisal.development = true;
  EXPECT_NE(verdict_text(appraisal, 0).find("development: no hardware protection"),
            std::string::npos);
}

TEST(Verdict, EvidenceCannotDriveTheTerminal) {
  const std::string text = verdict_text(refused(), 0);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("?[31mred"), std::string::npos);
}

// Evidence and collateral of a simulated vendor, as files.
class VerifyCommand : public testing::Test {
 protected:
  static constexpr UnixSeconds kNow = 1'800'000'000;

  void SetUp() override {
    std::string pattern = testing::TempDir() + "cli_verify_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    const auto vendor = evidence::sim::IntelSimulator::create(kNow);
    ASSERT_TRUE(
        evidence::sim::write_private_files(folder_ / "collateral", vendor.collateral(kNow)));
    const std::string root = crypto::to_pem(vendor.root_for_testing().certificate);
    ASSERT_TRUE(evidence::sim::write_private_files(
        folder_, {{"quote.bin", vendor.quote({}, {})}, {"root.pem", to_buffer(as_bytes(root))}}));
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // What the command prints, and its exit code.
  std::pair<std::string, int> verify(const std::string& more) {
    CLI::App program;
    const Command command = add_verify(program);
    program.parse("verify " + (folder_ / "quote.bin").string() + " --format tdx-quote --time " +
                  std::to_string(kNow) + " --collateral " + (folder_ / "collateral").string() +
                  " --json " + more);
    testing::internal::CaptureStdout();
    const int code = command.run();
    return {testing::internal::GetCapturedStdout(), code};
  }

  std::filesystem::path folder_;
};

TEST_F(VerifyCommand, ASimulatedVendorIsAcceptedOnlyWhenItsRootIsNamed) {
  const auto [unnamed, refused] = verify("");
  EXPECT_EQ(refused, kExitRefused);
  EXPECT_EQ((*parse_json(unnamed))["error"].string(), "wrong_chain");

  const auto [named, accepted] = verify("--development-root " + (folder_ / "root.pem").string());
  EXPECT_EQ(accepted, kExitOk);
  EXPECT_EQ((*parse_json(named))["verdict"].string(), "accept");
  EXPECT_EQ((*parse_json(named))["development"].string(), "no hardware protection");
}

TEST_F(VerifyCommand, ReportDataIsComparedWhenItIsGiven) {
  const std::string root = "--development-root " + (folder_ / "root.pem").string();
  EXPECT_EQ(verify(root + " --report-data " + std::string(128, '0')).second, kExitOk);
  const auto [text, code] = verify(root + " --report-data " + std::string(128, '1'));
  EXPECT_EQ(code, kExitRefused);
  EXPECT_EQ((*parse_json(text))["error"].string(), "report_data_mismatch");
}

// --- policy.toml --------------------------------------------------------------------------------

std::expected<policy::LocalPolicy, std::string> local_policy_of(std::string_view text) {
  std::string pattern = (std::filesystem::temp_directory_path() / "cloister-XXXXXX").string();
  EXPECT_NE(mkdtemp(pattern.data()), nullptr);
  const auto path = std::filesystem::path(pattern) / "policy.toml";
  EXPECT_TRUE(write_file(path, as_bytes(text), FileMode::secret));
  auto out = read_local_policy(path);
  std::filesystem::remove_all(pattern);
  return out;
}

TEST(LocalPolicyFile, EveryRuleIsRead) {
  const auto empty = local_policy_of("");
  ASSERT_TRUE(empty) << empty.error();
  EXPECT_FALSE(empty->accepted_statuses);
  EXPECT_FALSE(empty->accepted_measurements);
  EXPECT_FALSE(empty->refuse_development);
  const auto full = local_policy_of(R"(
accepted_statuses = ["UpToDate"]
min_tcb_evaluation_number = 17
denied_advisories = ["INTEL-SA-00837"]
distrusted_products = ["Milan"]
accepted_measurements = []
denied_measurements = ["0102"]
refused_formats = ["snp-report"]
refuse_development = true
)");
  ASSERT_TRUE(full) << full.error();
  EXPECT_EQ(full->accepted_statuses->size(), 1u);
  EXPECT_EQ(full->min_tcb_evaluation_number, 17u);
  EXPECT_EQ(full->denied_advisories.size(), 1u);
  EXPECT_EQ(full->distrusted_products.size(), 1u);
  EXPECT_TRUE(full->accepted_measurements->empty());
  EXPECT_EQ(full->denied_measurements, (std::vector<Buffer>{{1, 2}}));
  EXPECT_EQ(full->refused_formats, std::vector{evidence::Format::snp_report});
  EXPECT_TRUE(full->refuse_development);
}

TEST(LocalPolicyFile, EachMistakeIsNamed) {
  struct Case {
    const char* text;
    const char* said;
  };
  const Case cases[] = {
      {"accepted_statuses = [\"Fine\"]", "Fine"},
      {"accepted_statuses = \"UpToDate\"", "a list"},
      {"accepted_statuses = [5]", "a list of texts"},
      {"refused_formats = [\"amd\"]", "amd"},
      {"denied_measurements = [\"xyz\"]", "not hex"},
      {"denied_measurements = [\"\"]", "not hex"},
      {"min_tcb_evaluation_number = -1", "min_tcb_evaluation_number"},
      {"refuse_development = \"yes\"", "true or false"},
      {"allow_everything = true", "unknown key allow_everything"},
      {"refuse_development = ", "policy.toml:1"},
  };
  for (const Case& c : cases) {
    const auto got = local_policy_of(c.text);
    ASSERT_FALSE(got) << c.text;
    EXPECT_NE(got.error().find(c.said), std::string::npos) << got.error();
  }
}

}  // namespace
}  // namespace cloister::cli
