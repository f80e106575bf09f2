#include "evidence/common/binding.h"

#include "base/text.h"

namespace cloister::evidence {
namespace {

Result<void> compare(std::string_view what, Error error, const std::optional<Buffer>& expected,
                     std::optional<Bytes> found) {
  if (!expected) return {};
  if (!found) return refuse(error, "this format carries no " + std::string(what));
  if (equal_constant_time(*expected, *found)) return {};
  return refuse(error, "found " + to_hex(*found) + ", expected " + to_hex(*expected));
}

}  // namespace

Binding Binding::and_report_data(Bytes expected) const {
  Binding out = *this;
  out.report_data_ = to_buffer(expected);
  return out;
}

Binding Binding::and_nonce(Bytes expected) const {
  Binding out = *this;
  out.nonce_ = to_buffer(expected);
  return out;
}

Result<std::string> check_binding(const Binding& binding, std::optional<Bytes> report_data,
                                  std::optional<Bytes> nonce) {
  const auto& data = binding.expected_report_data();
  const auto& challenge = binding.expected_nonce();
  if (const auto same = compare("report data", Error::report_data_mismatch, data, report_data);
      !same) {
    return std::unexpected(same.error());
  }
  if (const auto same = compare("nonce", Error::nonce_mismatch, challenge, nonce); !same) {
    return std::unexpected(same.error());
  }
  return std::string(data || challenge ? "as expected" : "not compared");
}

}  // namespace cloister::evidence
