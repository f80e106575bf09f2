// cloister doctor: what this machine can attest, and what to mend.
#include <fmt/core.h>

#include "cli/command.h"
#include "evidence/collect/diagnosis.h"

namespace cloister::cli {
namespace {

namespace collect = evidence::collect;

const char* word(collect::Health health) {
  switch (health) {
    case collect::Health::works:
      return "works";
    case collect::Health::absent:
      return "absent";
    case collect::Health::problem:
      return "PROBLEM";
  }
  std::abort();
}

JsonValue json_of(const collect::Diagnosis& diagnosis) {
  JsonValue findings = JsonValue::Array{};
  for (const collect::Finding& each : diagnosis.findings) {
    findings.push(JsonValue::object({{"subject", each.subject},
                                     {"health", word(each.health)},
                                     {"found", each.found},
                                     {"to_do", each.to_do}}));
  }
  JsonValue out;
  out.set("attests", diagnosis.attests);
  out.set("findings", std::move(findings));
  return out;
}

void print(const collect::Diagnosis& diagnosis) {
  for (const collect::Finding& each : diagnosis.findings) {
    fmt::print("  {:<20} {:<8} {}\n", each.subject, word(each.health), each.found);
    if (!each.to_do.empty()) fmt::print("  {:<20} {:<8} {}\n", "", "to do:", each.to_do);
  }
  fmt::print("\n{}\n",
             diagnosis.attests
                 ? "This machine attests itself. Judge its evidence: cloister collect, then "
                   "cloister verify."
                 : "This machine cannot attest itself: a node here runs with a simulated "
                   "TEE only, which protects nothing.");
}

int run(bool json) {
  const collect::Diagnosis diagnosis = collect::diagnose();
  if (json) {
    fmt::print("{}\n", json_of(diagnosis).dump());
  } else {
    print(diagnosis);
  }
  return diagnosis.attests ? kExitOk : kExitRefused;
}

}  // namespace

Command add_doctor(CLI::App& program) {
  CLI::App* app = program.add_subcommand(
      "doctor",
      "Say what this machine can attest and what to mend. Exit code 0: it attests itself, 1: it "
      "does not");
  auto json = std::make_shared<bool>(false);
  app->add_flag("--json", *json, "print one JSON object");
  return {app, [json] { return run(*json); }};
}

}  // namespace cloister::cli
