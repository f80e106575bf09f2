// The verifier for C++: thin owners over cloister.h, in this header alone, so that nothing depends
// on the compiler that built the library. C++23 (std::expected).
//
//   auto verifier = cloister::attestation::Verifier::create();
//   if (!verifier || !verifier->add_collateral(file)) …
//   auto report = verifier->verify("tdx-quote", quote, Binding::report_data(expected), now);
//   if (report && report->accepted()) use(report->claim("mrtd"));
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cloister/cloister.h"

namespace cloister::attestation {

using Bytes = std::span<const std::uint8_t>;  // lent for the call
template <typename T = void>
using Result = std::expected<T, cloister_result>;  // see cloister_describe

// What the evidence must carry. The bytes are lent: they must outlive the call of `verify`.
class Binding {
 public:
  // The 64 bytes of REPORTDATA; for Nitro `user_data`.
  static Binding report_data(Bytes expected) { return Binding().and_report_data(expected); }
  // The challenge: NVIDIA, TPM, Nitro, CCA.
  static Binding nonce(Bytes expected) { return Binding().and_nonce(expected); }
  // For auditors who look at evidence of others; the checks say so.
  static Binding not_compared() {
    Binding out;
    out.raw_.not_compared = 1;
    return out;
  }
  Binding and_report_data(Bytes expected) const {
    Binding out = *this;
    out.raw_.report_data = expected.data();
    out.raw_.report_data_size = expected.size();
    return out;
  }
  Binding and_nonce(Bytes expected) const {
    Binding out = *this;
    out.raw_.nonce = expected.data();
    out.raw_.nonce_size = expected.size();
    return out;
  }

  const cloister_binding& raw() const { return raw_; }

 private:
  Binding() = default;
  cloister_binding raw_{};
};

class Report {
 public:
  bool accepted() const { return cloister_report_verdict(report_.get()) == CLOISTER_ACCEPTED; }
  // The class of the refusal, "bad_signature"; nothing when accepted.
  std::optional<std::string> error() const { return text(cloister_report_error(report_.get())); }
  std::string detail() const { return cloister_report_detail(report_.get()); }
  std::optional<std::string> status() const { return text(cloister_report_status(report_.get())); }
  // "no hardware protection" for evidence of a simulated TEE.
  std::optional<std::string> development() const {
    return text(cloister_report_development(report_.get()));
  }
  // Nothing also for every claim of rejected evidence.
  std::optional<std::string> claim(const std::string& name) const {
    return text(cloister_report_claim(report_.get(), name.c_str()));
  }
  std::string json() const { return cloister_report_json(report_.get()); }

 private:
  friend class Verifier;
  struct Free {
    void operator()(cloister_report* report) const { cloister_report_free(report); }
  };
  explicit Report(cloister_report* report) : report_(report) {}
  static std::optional<std::string> text(const char* value) {
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  }
  std::unique_ptr<cloister_report, Free> report_;
};

// Set up by one thread; afterwards any number may call `verify`.
class Verifier {
 public:
  static Result<Verifier> create() {
    cloister_verifier* made = nullptr;
    if (const auto result = cloister_verifier_new(&made); result != CLOISTER_OK) {
      return std::unexpected(result);
    }
    return Verifier(made);
  }

  [[nodiscard]] Result<> add_collateral(Bytes file) {
    return done(cloister_verifier_add_collateral(verifier_.get(), file.data(), file.size()));
  }
  [[nodiscard]] Result<> allow(const std::string& permission) {
    return done(cloister_verifier_allow(verifier_.get(), permission.c_str()));
  }
  [[nodiscard]] Result<> require(const std::string& requirement, const std::string& value) {
    return done(cloister_verifier_require(verifier_.get(), requirement.c_str(), value.c_str()));
  }
  [[nodiscard]] Result<> add_development_root(Bytes pem) {
    return done(cloister_verifier_add_development_root(verifier_.get(), pem.data(), pem.size()));
  }

  // A report for every verdict; an error only when the call could not be carried out.
  [[nodiscard]] Result<Report> verify(const std::string& format, Bytes evidence,
                                      const Binding& binding, std::int64_t unix_seconds) const {
    cloister_report* report = nullptr;
    const auto result = cloister_verify(verifier_.get(), format.c_str(), evidence.data(),
                                        evidence.size(), &binding.raw(), unix_seconds, &report);
    if (result != CLOISTER_OK) return std::unexpected(result);
    return Report(report);
  }

 private:
  struct Free {
    void operator()(cloister_verifier* verifier) const { cloister_verifier_free(verifier); }
  };
  explicit Verifier(cloister_verifier* verifier) : verifier_(verifier) {}
  static Result<> done(cloister_result result) {
    if (result != CLOISTER_OK) return std::unexpected(result);
    return {};
  }
  std::unique_ptr<cloister_verifier, Free> verifier_;
};

}  // namespace cloister::attestation
