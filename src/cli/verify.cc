// cloister verify: evidence of any format, judged offline at a time that the caller names.
#include "evidence/verify.h"

#include <fmt/core.h>

#include "cli/command.h"
#include "cli/verdict.h"
#include "cli/verify_request.h"
#include "evidence/bundle/ear.h"
#include "evidence/bundle/verify.h"
#include "evidence/common/appraisal_json.h"

namespace cloister::cli {
namespace {

using evidence::Appraisal;
using evidence::Error;
using evidence::bundle::EarItem;

// One piece of evidence, or all of a bundle.
struct Judgement {
  struct Item {
    std::string label;
    Appraisal appraisal;
  };
  std::vector<Item> items;
  std::optional<Error> error;
  std::string detail;
};

Judgement refused(const VerifyRequest& request, Error error, std::string detail) {
  Judgement out;
  out.error = error;
  out.detail = detail;
  if (!request.format) return out;
  Appraisal appraisal;
  appraisal.format = *request.format;
  appraisal.error = error;
  appraisal.detail = detail;
  appraisal.checks = {{"collateral_form", false, "signed JSON, certificates or a CRL", detail}};
  out.items = {{"evidence", std::move(appraisal)}};
  return out;
}

Judgement judge_bundle(const VerifyRequest& request, const evidence::Collateral& collateral) {
  Judgement out;
  const auto bundle = evidence::bundle::read_bundle(request.bytes);
  if (!bundle) return {{}, bundle.error().error, bundle.error().detail};
  auto judged = evidence::bundle::verify_bundle(*bundle, collateral, request.policy,
                                                request.binding, request.time);
  for (auto& each : judged.items) {
    out.items.push_back({each.label, std::move(each.verification.appraisal)});
  }
  out.error = judged.error;
  out.detail = judged.detail;
  return out;
}

// A collateral file that is there and unreadable is a refusal, not a file left out.
Judgement judge(const VerifyRequest& request) {
  evidence::Collateral collateral;
  for (const NamedFile& file : request.collateral) {
    if (collateral.add(file.content)) continue;
    return refused(request, Error::malformed,
                   file.path + ": not collateral of a known kind, or too much of it");
  }
  if (!request.format) return judge_bundle(request, collateral);
  Appraisal appraisal = evidence::verify({*request.format, request.bytes}, collateral,
                                         request.policy, request.binding, request.time)
                            .appraisal;
  Judgement out{{}, appraisal.error, appraisal.detail};
  out.items.push_back({"evidence", std::move(appraisal)});
  return out;
}

JsonValue bundle_json(const Judgement& judgement) {
  JsonValue items = JsonValue::Array{};
  for (const auto& each : judgement.items) {
    JsonValue item = JsonValue::object({{"label", each.label}});
    const JsonValue appraisal = evidence::to_json(each.appraisal);
    for (const auto& [name, value] : *appraisal.members()) item.set(name, value);
    items.push(std::move(item));
  }
  JsonValue out;
  out.set("format", "bundle");
  out.set("verdict", judgement.error ? "reject" : "accept");
  out.set("error", judgement.error ? JsonValue(name(*judgement.error)) : JsonValue());
  out.set("detail", judgement.detail);
  out.set("items", std::move(items));
  return out;
}

std::string ear_of(const Judgement& judgement, const VerifyRequest& request) {
  std::vector<EarItem> items;
  for (const auto& each : judgement.items) items.push_back({each.label, &each.appraisal});
  evidence::bundle::EarContext context;
  context.issued_at = request.time;
  context.verifier_build = "cloister " CLOISTER_VERSION;
  context.verifier_developer = "cloister";
  if (request.binding.expected_nonce()) context.nonce = *request.binding.expected_nonce();
  return evidence::bundle::sign_ear(evidence::bundle::ear_claims(items, context), *request.ear_key);
}

void print_text(const Judgement& judgement, const VerifyRequest& request) {
  if (!request.format) fmt::print("{}", bundle_text(judgement.error, judgement.detail));
  for (const auto& each : judgement.items) {
    if (!request.format) fmt::print("\n== {}\n", printable(each.label));
    fmt::print("{}", verdict_text(each.appraisal, request.time));
  }
}

int run(const VerifyOptions& options) {
  const auto request = request_from(options);
  if (!request) {
    fmt::print(stderr, "cloister verify: {}\nTry `cloister verify --help`.\n", request.error());
    return kExitUsage;
  }
  const Judgement judgement = judge(*request);
  if (request->ear_key && judgement.items.empty()) {
    fmt::print(stderr, "cloister verify: {}: {}\n", name(*judgement.error), judgement.detail);
  } else if (request->ear_key) {
    fmt::print("{}\n", ear_of(judgement, *request));
  } else if (options.json) {
    const JsonValue said =
        request->format ? evidence::to_json(judgement.items[0].appraisal) : bundle_json(judgement);
    fmt::print("{}\n", said.dump());
  } else {
    print_text(judgement, *request);
  }
  return judgement.error ? kExitRefused : kExitOk;
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

Command add_verify(CLI::App& program) {
  CLI::App* app = program.add_subcommand(
      "verify",
      "Verify evidence offline. Exit code 0: accepted, 1: rejected, 2: unusable arguments");
  auto options = std::make_shared<VerifyOptions>();
  app->add_option("EVIDENCE", options->evidence, "file as the device gave it")->required();
  app->add_option("--format", options->format, "one of " + listed(format_names()))->required();
  app->add_option("--collateral", options->collateral,
                  "vendor-signed files, or folders of them; what each is, is found by content");
  app->add_option("--time", options->time, "judge at this Unix time, in seconds")->required();
  app->add_option("--report-data", options->report_data,
                  "what the evidence must carry, in hex (64 bytes; nitro: user_data); not compared "
                  "when absent");
  app->add_option("--nonce", options->nonce, "the nonce that the evidence must carry, in hex");
  app->add_option("--allow", options->allow,
                  "waive what is refused by default: " + listed(permission_names()));
  app->add_option("--development-root", options->development_roots,
                  "PEM certificate of a simulated vendor; gives no protection");
  app->add_flag("--json", options->json, "print one JSON object");
  app->add_option("--ear", options->ear_key,
                  "PEM private key (P-256, P-384): print the verdict as an EAR, a signed JWT");
  return {app, [options] { return run(*options); }};
}

}  // namespace cloister::cli
