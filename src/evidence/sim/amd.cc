#include "evidence/sim/amd.h"

#include <fmt/core.h>

#include "crypto/hash.h"

namespace cloister::evidence::sim {
namespace {

using crypto::Certificate;
using crypto::PrivateKey;

constexpr int kRsaBits = 4096;
constexpr UnixSeconds kDay = 86'400;
constexpr UnixSeconds kRootLifetime = 25 * 365 * kDay;
constexpr UnixSeconds kVcekLifetime = 7 * 365 * kDay;
constexpr UnixSeconds kCrlLifetime = 30 * kDay;
constexpr const char* kOrganization = "Cloister development, no hardware protection";
constexpr const char* kAmdArc = "1.3.6.1.4.1.3704.1.";

crypto::IssueRequest authority_request(std::string common_name, Buffer serial,
                                       const AmdWindow& window) {
  crypto::IssueRequest request;
  request.subject_cn = std::move(common_name);
  request.organization = kOrganization;
  request.serial = std::move(serial);
  request.not_before = window.not_before;
  request.not_after = window.not_after;
  request.ca = true;
  return request;
}

Buffer der_integer(uint8_t value) {
  return value < 0x80 ? Buffer{0x02, 1, value} : Buffer{0x02, 2, 0, value};
}

Buffer der_ia5_string(std::string_view text) {
  return ByteWriter().u8(0x16).u8(static_cast<uint8_t>(text.size())).text(text).take();
}

std::vector<crypto::IssueExtension> vcek_extensions(const VcekParameters& parameters) {
  std::vector<crypto::IssueExtension> out;
  auto add = [&](const std::string& arc, Buffer value) {
    out.push_back({kAmdArc + arc, false, std::move(value)});
  };
  add("1", der_integer(0));
  add("2", der_ia5_string(parameters.product_name));
  constexpr Fixed<8> kTcbArcs = {1, 2, 4, 5, 6, 7, 3, 8};  // the arc that counts each byte
  for (size_t i = 0; i < kTcbArcs.size(); ++i) {
    add(fmt::format("3.{}", kTcbArcs[i]), der_integer(parameters.tcb[i]));
  }
  add("4", to_buffer(parameters.chip_id));
  return out;
}

Buffer from_text(std::string_view text) {
  return to_buffer(as_bytes(text));
}

std::string key_file(std::string_view holder) {
  return fmt::format("{}_key.pem", holder);
}
std::string certificate_file(std::string_view holder) {
  return fmt::format("{}.pem", holder);
}
std::string chip_name(uint32_t chip) {
  return fmt::format("vcek_{}", chip);
}

// Plain buffers may hold these keys: they protect nothing.
void add_files(Files& files, std::string_view holder, const AmdAuthority& authority) {
  files[key_file(holder)] = to_buffer(authority.key.to_pem());
  files[certificate_file(holder)] = from_text(crypto::to_pem(authority.certificate));
}

std::optional<AmdAuthority> load_authority(const std::filesystem::path& folder,
                                           std::string_view holder) {
  const auto key_pem = read_private_file(folder / key_file(holder));
  const auto certificate_pem = read_private_file(folder / certificate_file(holder));
  if (!key_pem || !certificate_pem) return std::nullopt;
  auto key = PrivateKey::from_pem(as_text(*key_pem));
  auto certificates = crypto::certificates_from_pem(as_text(*certificate_pem), 1);
  if (!key || !certificates || certificates->size() != 1) return std::nullopt;
  if (key->spki_der() != certificates->front().spki_der()) return std::nullopt;
  return AmdAuthority{std::move(*key), certificates->front()};
}

std::optional<AmdProduct> product_of(const Certificate& ark) {
  for (AmdProduct product : {AmdProduct::milan, AmdProduct::genoa}) {
    if (ark.subject_common_name() == "ARK-" + std::string(name(product))) return product;
  }
  return std::nullopt;
}

}  // namespace

std::string_view name(AmdProduct product) {
  return product == AmdProduct::milan ? "Milan" : "Genoa";
}

AmdAuthority make_ark(AmdProduct product, const AmdWindow& window) {
  PrivateKey key = PrivateKey::generate_rsa(kRsaBits);
  const auto request =
      authority_request("ARK-" + std::string(name(product)), {0x01, 0x00, 0x00}, window);
  Certificate certificate = crypto::issue_certificate(request, key, nullptr, key);
  return {std::move(key), std::move(certificate)};
}

Certificate issue_ask(AmdProduct product, const AmdAuthority& ark, const PrivateKey& ask_key,
                      const AmdWindow& window) {
  auto request = authority_request("SEV-" + std::string(name(product)), {0x01, 0x00, 0x01}, window);
  request.path_length = 0;
  return crypto::issue_certificate(request, ask_key, &ark.certificate, ark.key);
}

AmdAuthority make_ask(AmdProduct product, const AmdAuthority& ark, const AmdWindow& window) {
  PrivateKey key = PrivateKey::generate_rsa(kRsaBits);
  Certificate certificate = issue_ask(product, ark, key, window);
  return {std::move(key), std::move(certificate)};
}

Certificate issue_vcek(const AmdAuthority& ask, const PrivateKey& vcek_key,
                       const VcekParameters& parameters) {
  auto request = authority_request("SEV-VCEK", parameters.serial, parameters.window);
  request.ca = false;
  request.extensions = vcek_extensions(parameters);
  return crypto::issue_certificate(request, vcek_key, &ask.certificate, ask.key);
}

AmdSimulator AmdSimulator::create(AmdProduct product, UnixSeconds now) {
  const AmdWindow roots{now - kDay, now + kRootLifetime};
  AmdAuthority ark = make_ark(product, roots);
  AmdAuthority ask = make_ask(product, ark, roots);
  AmdSimulator out(product, std::move(ark), std::move(ask));
  for (uint32_t chip = 0; chip < kAmdChips; ++chip) {
    VcekParameters parameters;
    parameters.tcb = amd_tcb(product);
    parameters.chip_id = out.chip_id(chip);
    parameters.window = {now - kDay, now + kVcekLifetime};
    parameters.product_name = name(product);
    PrivateKey key = PrivateKey::generate_ec(crypto::Curve::p384);
    Certificate certificate = issue_vcek(out.ask_, key, parameters);
    out.chips_.push_back({std::move(key), std::move(certificate)});
  }
  return out;
}

bool AmdSimulator::save(const std::filesystem::path& folder) const {
  Files files;
  add_files(files, "ark", ark_);
  add_files(files, "ask", ask_);
  for (uint32_t chip = 0; chip < kAmdChips; ++chip) {
    add_files(files, chip_name(chip), chips_[chip]);
  }
  return write_private_files(folder, files);
}

bool AmdSimulator::consistent() const {
  if (!ask_.certificate.signed_by(ark_.certificate)) return false;
  for (const AmdAuthority& chip : chips_) {
    if (!chip.certificate.signed_by(ask_.certificate)) return false;
  }
  return true;
}

std::optional<AmdSimulator> AmdSimulator::load(const std::filesystem::path& folder) {
  auto ark = load_authority(folder, "ark");
  auto ask = load_authority(folder, "ask");
  if (!ark || !ask) return std::nullopt;
  const auto product = product_of(ark->certificate);
  if (!product) return std::nullopt;
  AmdSimulator out(*product, std::move(*ark), std::move(*ask));
  for (uint32_t chip = 0; chip < kAmdChips; ++chip) {
    auto loaded = load_authority(folder, chip_name(chip));
    if (!loaded) return std::nullopt;
    out.chips_.push_back(std::move(*loaded));
  }
  if (!out.consistent()) return std::nullopt;
  return out;
}

Fixed<64> AmdSimulator::chip_id(uint32_t chip) const {
  ByteWriter input;
  input.text("cloister/sim/amd chip/v1").bytes(ark_spki()).u32_le(chip);
  return crypto::sha512(input.view());
}

Files AmdSimulator::collateral(uint32_t chip, UnixSeconds now) const {
  const auto number = static_cast<uint64_t>(now);  // rises with each list
  const crypto::Crl crl =
      crypto::issue_crl(ark_.certificate, ark_.key, now - kDay, now + kCrlLifetime, number, {});
  return {{"amd_chain.pem",
           from_text(crypto::to_pem(ask_.certificate) + crypto::to_pem(ark_.certificate))},
          {"vcek.der", chips_.at(chip).certificate.der()},
          {"amd.crl", crl.der()}};
}

Buffer AmdSimulator::report(const SnpParameters& parameters, const Fixed<64>& report_data) const {
  Buffer out = encode_report(product_, parameters, chip_id(parameters.chip), report_data);
  sign_report(out, chips_.at(parameters.chip).key);
  return out;
}

}  // namespace cloister::evidence::sim
