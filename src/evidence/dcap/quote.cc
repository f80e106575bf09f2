#include "evidence/dcap/quote.h"

#include "base/text.h"

namespace cloister::evidence::dcap {
namespace {

constexpr uint16_t kEcdsaP256 = 2;
constexpr uint32_t kTeeSgx = 0x00;
constexpr uint32_t kTeeTdx = 0x81;
// 939A7233-F79C-4CA9-940A-0DB3957F0607, in the order of the bytes.
constexpr Fixed<16> kIntelVendorId = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                      0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
constexpr size_t kHeaderBytes = 48;
constexpr size_t kDescriptorBytes = 6;
constexpr size_t kTdReport10Bytes = 584;
constexpr size_t kTdReport15Bytes = 648;
constexpr size_t kEnclaveReportBytes = 384;
constexpr size_t kP256Bytes = 64;
constexpr uint16_t kBodySgx = 1, kBodyTd10 = 2, kBodyTd15 = 3;
constexpr uint16_t kPckChainPem = 5;
constexpr uint16_t kQeReportCertificationData = 6;

template <size_t N>
void read(ByteReader& in, Fixed<N>& out) {
  out = in.fixed<N>().value();  // the caller has taken the exact size
}

TdReport read_td_report(Bytes body) {
  ByteReader in(body);
  TdReport td;
  read(in, td.tee_tcb_svn);
  read(in, td.mr_seam);
  read(in, td.mr_signer_seam);
  read(in, td.seam_attributes);
  read(in, td.td_attributes);
  read(in, td.xfam);
  read(in, td.mr_td);
  read(in, td.mr_config_id);
  read(in, td.mr_owner);
  read(in, td.mr_owner_config);
  for (Fixed<48>& rtmr : td.rtmr) read(in, rtmr);
  read(in, td.report_data);
  if (body.size() == kTdReport15Bytes) {
    td.v1_5.emplace();
    read(in, td.v1_5->tee_tcb_svn_2);
    read(in, td.v1_5->mr_service_td);
  }
  return td;
}

EnclaveReport read_enclave_report(Bytes body) {
  return {.cpu_svn = to_fixed<16>(body.first(16)).value(),
          .misc_select = to_fixed<4>(body.subspan(16, 4)).value(),
          .attributes = to_fixed<16>(body.subspan(48, 16)).value(),
          .mr_enclave = to_fixed<32>(body.subspan(64, 32)).value(),
          .mr_signer = to_fixed<32>(body.subspan(128, 32)).value(),
          .isv_prod_id = ByteReader(body.subspan(256, 2)).u16_le().value(),
          .isv_svn = ByteReader(body.subspan(258, 2)).u16_le().value(),
          .report_data = to_fixed<64>(body.subspan(320, 64)).value()};
}

bool known_version(uint16_t version, Tee tee) {
  return version == 4 || version == 5 || (version == 3 && tee == Tee::sgx);
}

// The TEE stands in a field that version 3, which knows SGX only, reserves.
Result<void> check_tee(uint16_t version, uint32_t found, Tee expected) {
  if (version == 3) {
    if (found == 0) return {};
    return refuse(Error::malformed, "the reserved field of a version 3 header is not zero");
  }
  if (found != kTeeSgx && found != kTeeTdx) {
    return refuse(Error::unsupported, "TEE type " + std::to_string(found));
  }
  const Tee tee = found == kTeeTdx ? Tee::tdx : Tee::sgx;
  if (tee == expected) return {};
  return refuse(Error::unsupported, std::string(word(tee)) + " quote where " +
                                        std::string(word(expected)) + " is verified");
}

Result<void> check_header(Bytes bytes, Tee tee) {
  ByteReader in(bytes);
  if (in.remaining() < kHeaderBytes) return refuse(Error::malformed, "quote header is cut off");
  const uint16_t version = in.u16_le().value();
  const uint16_t key_type = in.u16_le().value();
  const uint32_t tee_type = in.u32_le().value();
  in.take(4);  // SVNs in version 3, reserved since; nothing is decided with them
  if (!known_version(version, tee)) {
    return refuse(Error::unsupported,
                  std::string(word(tee)) + " quote version " + std::to_string(version));
  }
  if (key_type != kEcdsaP256) {
    return refuse(Error::unsupported, "attestation key type " + std::to_string(key_type));
  }
  if (const auto right = check_tee(version, tee_type, tee); !right) return right;
  const Bytes vendor = in.take(16).value();
  if (!equal(vendor, kIntelVendorId)) {
    return refuse(Error::unsupported, "quoting enclave vendor " + to_hex(vendor));
  }
  return {};
}

std::optional<size_t> size_of_body_type(uint16_t type) {
  switch (type) {
    case kBodySgx:
      return kEnclaveReportBytes;
    case kBodyTd10:
      return kTdReport10Bytes;
    case kBodyTd15:
      return kTdReport15Bytes;
    default:
      return std::nullopt;
  }
}

// The size of the body, after the descriptor of version 5 has been read from `in`.
Result<size_t> body_size(uint16_t version, Tee tee, ByteReader& in) {
  if (version < 5) return tee == Tee::tdx ? kTdReport10Bytes : kEnclaveReportBytes;
  const auto type = in.u16_le();
  const auto size = in.u32_le();
  if (!type || !size) return refuse(Error::malformed, "body descriptor is cut off");
  const auto expected = size_of_body_type(*type);
  if (!expected) return refuse(Error::unsupported, "body type " + std::to_string(*type));
  if ((*type == kBodySgx) != (tee == Tee::sgx)) {
    return refuse(Error::malformed, "the body is of another TEE than the header says");
  }
  if (*size != *expected) {
    return refuse(Error::malformed,
                  "body size " + std::to_string(*size) + ", expected " + std::to_string(*expected));
  }
  return *expected;
}

// Type and size; the size must be exactly what remains.
Result<Bytes> take_certification_data(ByteReader& in, uint16_t expected_type) {
  const auto type = in.u16_le();
  const auto size = in.u32_le();
  if (!type || !size) return refuse(Error::malformed, "certification data is cut off");
  if (*size != in.remaining()) {
    return refuse(Error::malformed, "certification data of " + std::to_string(*size) +
                                        " bytes where " + std::to_string(in.remaining()) +
                                        " remain");
  }
  if (*type != expected_type) {
    return refuse(Error::unsupported, "certification data type " + std::to_string(*type));
  }
  return in.take(*size).value();
}

Result<void> read_qe_certification_data(ByteReader& in, Quote& quote) {
  const auto report = in.take(kEnclaveReportBytes);
  const auto signature = in.take(kP256Bytes);
  const auto size = in.u16_le();
  if (!report || !signature || !size) return refuse(Error::malformed, "QE report is cut off");
  const auto data = *size <= kMaxQeAuthenticationBytes ? in.take(*size) : std::nullopt;
  if (!data) {
    return refuse(Error::malformed, "QE authentication data of size " + std::to_string(*size));
  }
  const auto chain = take_certification_data(in, kPckChainPem);
  if (!chain) return std::unexpected(chain.error());
  quote.qe_report_bytes = *report;
  quote.qe_report = read_enclave_report(*report);
  quote.qe_report_signature = *signature;
  quote.qe_authentication_data = *data;
  quote.pck_chain_pem = *chain;
  return {};
}

Result<void> read_authentication_data(Bytes data, Quote& quote) {
  ByteReader in(data);
  const auto signature = in.take(kP256Bytes);
  const auto key = in.take(kP256Bytes);
  if (!signature || !key) return refuse(Error::malformed, "quote signature is cut off");
  quote.signature = *signature;
  quote.attestation_key = *key;
  if (quote.version == 3) return read_qe_certification_data(in, quote);  // without a wrapping
  const auto outer = take_certification_data(in, kQeReportCertificationData);
  if (!outer) return std::unexpected(outer.error());
  ByteReader inner(*outer);
  return read_qe_certification_data(inner, quote);
}

}  // namespace

Result<Quote> parse_quote(Bytes bytes, Tee tee) {
  if (bytes.size() > kMaxQuoteBytes) return refuse(Error::malformed, "quote is too large");
  if (const auto header = check_header(bytes, tee); !header) {
    return std::unexpected(header.error());
  }
  ByteReader in(bytes);
  Quote quote{};
  quote.version = in.u16_le().value();
  in.take(kHeaderBytes - 2);
  const auto size = body_size(quote.version, tee, in);
  if (!size) return std::unexpected(size.error());
  const auto body = in.take(*size);
  if (!body) return refuse(Error::malformed, "report body is cut off");
  if (tee == Tee::tdx) {
    quote.body = read_td_report(*body);
  } else {
    quote.body = read_enclave_report(*body);
  }
  const size_t descriptor = quote.version < 5 ? 0 : kDescriptorBytes;
  quote.signed_part = bytes.first(kHeaderBytes + descriptor + *size);

  const auto length = in.u32_le();
  const auto data = length ? in.take(*length) : std::nullopt;
  if (!data) return refuse(Error::malformed, "authentication data is cut off");
  if (const auto read = read_authentication_data(*data, quote); !read) {
    return std::unexpected(read.error());
  }
  quote.trailing_bytes = in.remaining();
  return quote;
}

}  // namespace cloister::evidence::dcap
