// The cases of vectors/cases.json, made ready to run: evidence decoded, cut and edited, collateral
// by role, the expected answer. A broken cases.json throws: it is a fault of the test, not of the
// subject.
#pragma once

#include <filesystem>

#include "base/vectors_testing.h"
#include "evidence/common/evidence.h"

namespace cloister::evidence {

struct Case {
  std::string id;
  std::string format;  // with its version, as in cases.json: "tdx-quote-v4"
  Buffer evidence;
  std::map<std::string, Buffer> collateral;  // role -> file
  std::optional<Buffer> report_data;         // absent: not compared
  std::optional<Buffer> nonce;               // absent: not compared
  UnixSeconds time = 0;
  VerifyPolicy policy;

  bool accept = false;
  std::vector<std::string> errors;  // any of these; empty when accepted
  std::optional<std::string> status;
  std::optional<std::vector<std::string>> advisories;
  JsonValue claims;

  Format kind() const;  // of `format`
  Binding binding() const;
  // Nothing when a file is of no kind that Collateral knows, which a caller reports as `malformed`.
  std::optional<Collateral> gathered() const;
};

Buffer read_file(const std::filesystem::path& path);

// The cases whose format starts with `format_prefix`, in the order of the file.
std::vector<Case> load_cases(const std::filesystem::path& vectors, std::string_view format_prefix);

// What differs between the answer and the expectation, a line each; empty when the case passes.
std::vector<std::string> differences(const Case& expected, const Appraisal& answer);

// An answer for evidence whose collateral could not be gathered.
Appraisal malformed_collateral(Format format);

}  // namespace cloister::evidence
