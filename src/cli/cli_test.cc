#include <gtest/gtest.h>

#include "cli/nearest.h"
#include "cli/verdict.h"

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

TEST(Verdict, JsonHasTheFiveMembersOfTheInterface) {
  EXPECT_EQ(
      verdict_json(refused()).dump(),
      R"({"verdict":"reject","error":"wrong_chain","status":null,"advisories":[],"claims":{}})");
  Appraisal accepted;
  accepted.status = evidence::TcbStatus::up_to_date;
  accepted.advisories = {"INTEL-SA-1"};
  accepted.claims.set("vmpl", 0);
  EXPECT_EQ(
      verdict_json(accepted).dump(),
      R"({"verdict":"accept","error":null,"status":"UpToDate","advisories":["INTEL-SA-1"],"claims":{"vmpl":0}})");
}

TEST(Verdict, SimulatedTeesAreNamedInBothForms) {
  Appraisal appraisal;
  appraisal.format = evidence::Format::tdx_quote;
  appraisal.development = true;
  EXPECT_EQ(verdict_json(appraisal)["development"].string(), "no hardware protection");
  EXPECT_NE(verdict_text(appraisal, 0).find("development: no hardware protection"),
            std::string::npos);
}

TEST(Verdict, EvidenceCannotDriveTheTerminal) {
  const std::string text = verdict_text(refused(), 0);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("?[31mred"), std::string::npos);
}

}  // namespace
}  // namespace cloister::cli
