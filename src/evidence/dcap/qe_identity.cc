#include "evidence/dcap/qe_identity.h"

#include <algorithm>
#include <tuple>

namespace cloister::evidence::dcap {
namespace {

constexpr uint64_t kVersion = 2;
constexpr uint8_t kAttributeDebug = 0x02;

template <size_t N>
bool equal_under(const Fixed<N>& mask, const Fixed<N>& found, const Fixed<N>& expected) {
  for (size_t i = 0; i < N; ++i) {
    if ((found[i] & mask[i]) != expected[i]) return false;
  }
  return true;
}

// MISCSELECT is printed as a number, most significant digit first; reports hold it little-endian.
std::optional<Fixed<4>> misc_select_field(const JsonValue& body, std::string_view key) {
  auto value = hex_field<4>(body, key);
  if (value) std::ranges::reverse(*value);
  return value;
}

bool read_header(const JsonValue& body, QeIdentity& out) {
  const auto issued = time_field(body, "issueDate");
  const auto next = time_field(body, "nextUpdate");
  const auto evaluation = body["tcbEvaluationDataNumber"].u64();
  if (!issued || !next || !evaluation) return false;
  out.issue_date = *issued;
  out.next_update = *next;
  out.evaluation_number = *evaluation;
  return true;
}

bool read_enclave(const JsonValue& body, QeIdentity& out) {
  const auto misc_select = misc_select_field(body, "miscselect");
  const auto misc_select_mask = misc_select_field(body, "miscselectMask");
  const auto attributes = hex_field<16>(body, "attributes");
  const auto attributes_mask = hex_field<16>(body, "attributesMask");
  const auto mr_signer = hex_field<32>(body, "mrsigner");
  const auto isv_prod_id = u16_field(body, "isvprodid");
  auto levels = enclave_levels(body["tcbLevels"]);
  if (!misc_select || !misc_select_mask || !attributes || !attributes_mask) return false;
  if (!mr_signer || !isv_prod_id || !levels) return false;
  out.misc_select = *misc_select;
  out.misc_select_mask = *misc_select_mask;
  out.attributes = *attributes;
  out.attributes_mask = *attributes_mask;
  out.mr_signer = *mr_signer;
  out.isv_prod_id = *isv_prod_id;
  out.levels = std::move(*levels);
  return true;
}

}  // namespace

Result<QeIdentity> parse_qe_identity(std::string_view document) {
  auto parsed = parse_signed_json(document, "enclaveIdentity");
  if (!parsed) return std::unexpected(parsed.error());
  QeIdentity out{};
  out.document = std::move(*parsed);
  const JsonValue& body = out.document.body;
  const auto version = body["version"].u64();
  const auto id = body["id"].string();
  if (!version || !id) return refuse(Error::malformed, "enclave identity without version or id");
  if (*version != kVersion) {
    return refuse(Error::unsupported, "enclave identity version " + std::to_string(*version));
  }
  if (*id != "QE" && *id != "TD_QE") {
    return refuse(Error::unsupported, "identity of an enclave that signs no quotes");
  }
  out.tee = *id == "TD_QE" ? Tee::tdx : Tee::sgx;
  if (!read_header(body, out) || !read_enclave(body, out)) {
    return refuse(Error::malformed, "fields of the enclave identity");
  }
  return out;
}

bool matches(const QeIdentity& identity, const QuotingEnclaveFacts& qe) {
  return qe.mr_signer == identity.mr_signer && qe.isv_prod_id == identity.isv_prod_id &&
         equal_under(identity.misc_select_mask, qe.misc_select, identity.misc_select) &&
         equal_under(identity.attributes_mask, qe.attributes, identity.attributes) &&
         (qe.attributes[0] & kAttributeDebug) == 0;
}

bool judges_alike(const QeIdentity& a, const QeIdentity& b) {
  const auto judging = [](const QeIdentity& qe) {
    return std::tie(qe.misc_select, qe.misc_select_mask, qe.attributes, qe.attributes_mask,
                    qe.mr_signer, qe.isv_prod_id, qe.levels);
  };
  return judging(a) == judging(b);
}

}  // namespace cloister::evidence::dcap
