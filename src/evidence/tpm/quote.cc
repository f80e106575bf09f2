#include "evidence/tpm/quote.h"

#include "base/text.h"

namespace cloister::evidence::tpm {
namespace {

using crypto::HashKind;
using crypto::KeyKind;
using crypto::SignatureScheme;

constexpr uint32_t kGenerated = 0xFF544347;  // TPM_GENERATED_VALUE
constexpr uint16_t kAttestQuote = 0x8018;    // TPM_ST_ATTEST_QUOTE
constexpr uint16_t kRsassa = 0x0014, kEcdsa = 0x0018;
constexpr uint16_t kSha256 = 0x000B, kSha384 = 0x000C, kSha512 = 0x000D;
constexpr uint32_t kMaxBanks = 16;  // TPM_NUM_PCR_BANKS of no TPM is larger

std::unexpected<Fault> malformed(std::string_view what) {
  return refuse(Error::malformed, "TPM quote: " + std::string(what));
}
std::unexpected<Fault> unsupported(std::string_view what) {
  return refuse(Error::unsupported, "TPM quote: " + std::string(what));
}

std::optional<HashKind> hash_from(uint16_t algorithm) {
  switch (algorithm) {
    case kSha256:
      return HashKind::sha256;
    case kSha384:
      return HashKind::sha384;
    case kSha512:
      return HashKind::sha512;
    default:
      return std::nullopt;
  }
}

// A TPM2B: its size in two bytes, then that many.
std::optional<Bytes> sized(ByteReader& in, size_t max_bytes) {
  const auto size = in.u16_be();
  if (!size || *size > max_bytes) return std::nullopt;
  return in.take(*size);
}

std::optional<Buffer> hex_member(const JsonValue& envelope, std::string_view name,
                                 size_t max_bytes) {
  const auto text = envelope[name].string();
  if (!text || text->size() > 2 * max_bytes) return std::nullopt;
  return from_hex(*text);
}

Result<Signature> rsa_signature(ByteReader& in, HashKind hash) {
  const auto value = sized(in, 512);
  if (!value || !in.done()) return malformed("an RSA signature");
  return Signature{hash == HashKind::sha256 ? SignatureScheme::rsassa_pkcs1_sha256
                                            : SignatureScheme::rsassa_pkcs1_sha384,
                   to_buffer(*value)};
}

// r and s are numbers, so a TPM may leave leading zeros out.
Result<Signature> ecdsa_signature(ByteReader& in, HashKind hash) {
  const size_t width = crypto::size_bytes(hash);
  const auto r = sized(in, width), s = r ? sized(in, width) : std::nullopt;
  if (!s || !in.done()) return malformed("an ECDSA signature");
  ByteWriter raw;
  raw.zeros(width - r->size()).bytes(*r).zeros(width - s->size()).bytes(*s);
  return Signature{hash == HashKind::sha256 ? SignatureScheme::ecdsa_p256_sha256
                                            : SignatureScheme::ecdsa_p384_sha384,
                   raw.take()};
}

bool is_bare(size_t size) {
  return size == 64 || size == 96 || size == 256 || size == 384 || size == 512;
}

Result<Signature> read_signature(Bytes bytes) {
  if (is_bare(bytes.size())) return Signature{std::nullopt, to_buffer(bytes)};
  ByteReader in(bytes);
  const auto algorithm = in.u16_be(), hash_algorithm = in.u16_be();
  if (!algorithm || !hash_algorithm) return malformed("a signature");
  if (*algorithm != kRsassa && *algorithm != kEcdsa) return unsupported("a signature scheme");
  const auto hash = hash_from(*hash_algorithm);
  if (!hash || *hash == HashKind::sha512) return unsupported("a hash in the signature");
  return *algorithm == kRsassa ? rsa_signature(in, *hash) : ecdsa_signature(in, *hash);
}

// TPML_PCR_SELECTION of one bank.
Result<std::monostate> read_selection(ByteReader& in, Quote& quote) {
  const auto banks = in.u32_be();
  if (!banks || *banks > kMaxBanks) return malformed("the PCR selection");
  if (*banks != 1) return unsupported("PCRs of " + std::to_string(*banks) + " banks");
  const auto algorithm = in.u16_be();
  const auto size = in.u8();
  const auto bitmap = size ? in.take(*size) : std::nullopt;
  if (!algorithm || !bitmap || *size != kPcrCount / 8) return malformed("the PCR selection");
  const auto bank = hash_from(*algorithm);
  if (!bank) return unsupported("a PCR bank of another hash");
  quote.bank = *bank;
  for (uint8_t i = 0; i < kPcrCount; ++i) {
    if (((*bitmap)[i / 8] >> (i % 8) & 1) != 0) quote.selected.push_back(i);
  }
  return std::monostate();
}

// TPMS_CLOCK_INFO and the firmware's version.
bool read_clock(ByteReader& in, Quote& quote) {
  const auto clock = in.u64_be();
  const auto resets = in.u32_be(), restarts = in.u32_be();
  const auto safe = in.u8();
  const auto firmware = in.u64_be();
  if (!clock || !resets || !restarts || !safe || *safe > 1 || !firmware) return false;
  quote.clock_ms = *clock;
  quote.reset_count = *resets;
  quote.restart_count = *restarts;
  quote.clock_safe = *safe == 1;
  quote.firmware_version = *firmware;
  return true;
}

Result<std::monostate> read_attest(Quote& quote) {
  ByteReader in(quote.message);
  if (in.u32_be() != kGenerated) return malformed("not made by a TPM");
  const auto type = in.u16_be();
  if (!type) return malformed("cut short");
  if (*type != kAttestQuote) return unsupported("an attestation that is no quote");
  const auto signer = sized(in, 2 + 64);  // an algorithm and a digest
  const auto extra = signer ? sized(in, kMaxNonceBytes) : std::nullopt;
  if (!extra || !read_clock(in, quote)) return malformed("cut short");
  quote.qualified_signer = to_buffer(*signer);
  quote.extra_data = to_buffer(*extra);
  if (auto read = read_selection(in, quote); !read) return read;
  const auto digest = sized(in, 64);
  if (!digest || !in.done()) return malformed("the PCR digest, and nothing after it");
  quote.pcr_digest = to_buffer(*digest);
  return std::monostate();
}

bool read_pcrs(const JsonValue& values, Quote& quote) {
  const auto* array = values.array();
  if (array == nullptr || array->size() != quote.selected.size()) return false;
  for (const JsonValue& each : *array) {
    const auto text = each.string();
    auto value = text ? from_hex(*text) : std::nullopt;
    if (!value || value->size() != crypto::size_bytes(quote.bank)) return false;
    quote.pcrs.push_back(std::move(*value));
  }
  return true;
}

}  // namespace

std::optional<SignatureScheme> Signature::scheme_for(KeyKind kind) const {
  const auto with = [&](SignatureScheme suits) { return scheme.value_or(suits); };
  switch (kind) {
    case KeyKind::ec_p256:
      return with(SignatureScheme::ecdsa_p256_sha256);
    case KeyKind::ec_p384:
      return with(SignatureScheme::ecdsa_p384_sha384);
    case KeyKind::rsa:
      return with(SignatureScheme::rsassa_pkcs1_sha256);
    default:
      return std::nullopt;
  }
}

HashKind hash_of(SignatureScheme scheme) {
  const bool sha256 = scheme == SignatureScheme::ecdsa_p256_sha256 ||
                      scheme == SignatureScheme::rsassa_pkcs1_sha256;
  return sha256 ? HashKind::sha256 : HashKind::sha384;
}

Result<Quote> parse_quote(Bytes envelope) {
  const auto json = parse_json(as_text(envelope), {.max_bytes = 32 * 1024, .max_values = 64});
  if (!json || json->members() == nullptr) return malformed("not its envelope");
  if (json->members()->size() != 3) return malformed("message, signature and pcrs");
  Quote quote;
  auto message = hex_member(*json, "message", kMaxMessageBytes);
  const auto signature = hex_member(*json, "signature", kMaxSignatureBytes);
  if (!message || !signature) return malformed("message and signature");
  quote.message = std::move(*message);
  if (auto read = read_attest(quote); !read) return std::unexpected(read.error());
  auto read = read_signature(*signature);
  if (!read) return std::unexpected(read.error());
  quote.signature = std::move(*read);
  if (!read_pcrs((*json)["pcrs"], quote)) return malformed("one value for each selected PCR");
  return quote;
}

}  // namespace cloister::evidence::tpm
