#include "evidence/common/appraisal_json.h"

namespace cloister::evidence {
namespace {

JsonValue check_json(const Check& check) {
  return JsonValue::object({{"name", check.name},
                            {"ok", check.ok},
                            {"expected", check.expected},
                            {"found", check.found}});
}

}  // namespace

JsonValue to_json(const Appraisal& appraisal) {
  JsonValue::Array advisories, checks;
  for (const std::string& id : appraisal.advisories) advisories.push_back(id);
  for (const Check& check : appraisal.checks) checks.push_back(check_json(check));
  JsonValue out;
  out.set("format", name(appraisal.format));
  out.set("verdict", appraisal.accepted() ? "accept" : "reject");
  out.set("error", appraisal.error ? JsonValue(name(*appraisal.error)) : JsonValue());
  out.set("detail", appraisal.detail);
  out.set("status", appraisal.status ? JsonValue(name(*appraisal.status)) : JsonValue());
  out.set("advisories", std::move(advisories));
  out.set("claims", appraisal.claims);
  out.set("checks", std::move(checks));
  if (appraisal.development) out.set("development", kNoProtection);
  return out;
}

}  // namespace cloister::evidence
