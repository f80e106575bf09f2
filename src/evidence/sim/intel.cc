#include "evidence/sim/intel.h"

#include "crypto/hash.h"

namespace cloister::evidence::sim {
namespace {

constexpr UnixSeconds kHour = 3'600;
constexpr UnixSeconds kDay = 24 * kHour;
constexpr UnixSeconds kRootLifetime = 25 * 365 * kDay;
constexpr UnixSeconds kLifetime = 7 * 365 * kDay;
constexpr UnixSeconds kCollateralLifetime = 30 * kDay;

constexpr std::string_view kRootFile = "intel_root";
constexpr std::string_view kPlatformCaFile = "intel_pck_platform_ca";
constexpr std::string_view kTcbSigningFile = "intel_tcb_signing";
std::string pck_file(uint32_t platform) {
  return "intel_pck_" + std::to_string(platform);
}

Buffer from_text(std::string_view text) {
  return to_buffer(as_bytes(text));
}

// Plain buffers may hold these keys: they protect nothing.
void add_files(Files& files, std::string_view holder, const IntelAuthority& authority) {
  const std::string name(holder);
  files[name + "_key.pem"] = to_buffer(authority.key.to_pem());
  files[name + ".pem"] = from_text(crypto::to_pem(authority.certificate));
}

std::optional<IntelAuthority> load_authority(const std::filesystem::path& folder,
                                             std::string_view holder) {
  const std::string name(holder);
  const auto key_pem = read_private_file(folder / (name + "_key.pem"));
  const auto certificate_pem = read_private_file(folder / (name + ".pem"));
  if (!key_pem || !certificate_pem) return std::nullopt;
  auto key = crypto::PrivateKey::from_pem(as_text(*key_pem));
  auto certificates = crypto::certificates_from_pem(as_text(*certificate_pem), 1);
  if (!key || !certificates || certificates->size() != 1) return std::nullopt;
  if (key->spki_der() != certificates->front().spki_der()) return std::nullopt;
  return IntelAuthority{std::move(*key), certificates->front()};
}

// An identifier of a platform, drawn from the hierarchy's root.
Fixed<16> identifier(std::string_view what, const Hash32& root, uint32_t index) {
  const Buffer input = ByteWriter()
                           .text("cloister development intel v1")
                           .u8(0)
                           .text(what)
                           .u8(0)
                           .bytes(root)
                           .u32_be(index)
                           .take();
  return to_fixed<16>(Bytes(crypto::sha256(input)).first(16)).value();
}

}  // namespace

IntelSimulator IntelSimulator::create(UnixSeconds now) {
  const IntelWindow root_window = {now - kDay, now + kRootLifetime};
  const IntelWindow window = {now - kDay, now + kLifetime};
  IntelAuthority root = make_intel_authority({kIntelRootName, root_window, true, 1, {}}, nullptr);
  IntelAuthority platform_ca =
      make_intel_authority({kIntelPlatformCaName, window, true, 0, {}}, &root);
  IntelAuthority tcb_signing =
      make_intel_authority({kIntelTcbSigningName, window, false, std::nullopt, {}}, &root);
  IntelSimulator out(std::move(root), std::move(platform_ca), std::move(tcb_signing));
  for (uint32_t i = 0; i < kIntelPlatforms; ++i) {
    out.pcks_.push_back(
        make_intel_authority(pck_certificate(out.platform(i), window), &out.platform_ca_));
  }
  return out;
}

std::optional<IntelSimulator> IntelSimulator::load(const std::filesystem::path& folder) {
  auto root = load_authority(folder, kRootFile);
  auto platform_ca = load_authority(folder, kPlatformCaFile);
  auto tcb_signing = load_authority(folder, kTcbSigningFile);
  if (!root || !platform_ca || !tcb_signing) return std::nullopt;
  IntelSimulator out(std::move(*root), std::move(*platform_ca), std::move(*tcb_signing));
  for (uint32_t i = 0; i < kIntelPlatforms; ++i) {
    auto pck = load_authority(folder, pck_file(i));
    if (!pck) return std::nullopt;
    out.pcks_.push_back(std::move(*pck));
  }
  if (!out.consistent()) return std::nullopt;
  return out;
}

bool IntelSimulator::consistent() const {
  if (!root_.certificate.signed_by(root_.certificate)) return false;
  if (!platform_ca_.certificate.signed_by(root_.certificate)) return false;
  if (!tcb_signing_.certificate.signed_by(root_.certificate)) return false;
  for (const IntelAuthority& pck : pcks_) {
    if (!pck.certificate.signed_by(platform_ca_.certificate)) return false;
  }
  return true;
}

bool IntelSimulator::save(const std::filesystem::path& folder) const {
  Files files;
  add_files(files, kRootFile, root_);
  add_files(files, kPlatformCaFile, platform_ca_);
  add_files(files, kTcbSigningFile, tcb_signing_);
  for (uint32_t i = 0; i < kIntelPlatforms; ++i) add_files(files, pck_file(i), pcks_[i]);
  return write_private_files(folder, files);
}

IntelPlatform IntelSimulator::platform(uint32_t index) const {
  const Hash32 root = root_spki();
  IntelPlatform out;
  out.ppid = identifier("ppid", root, index);
  out.instance_id = identifier("platform instance", root, index);
  return out;
}

Files IntelSimulator::collateral(UnixSeconds now) const {
  const IntelWindow window = {now - kHour, now + kCollateralLifetime};
  const auto list = [&](const IntelAuthority& issuer) {
    return crypto::issue_crl(issuer.certificate, issuer.key, window.from, window.until, 1, {})
        .der();
  };
  const std::string tcb_info = encode_tcb_info(default_tcb_info(window));
  const std::string qe_identity = encode_qe_identity(default_qe_identity(window));
  return {
      {"tcb_info.json", from_text(sign_document("tcbInfo", tcb_info, tcb_signing_.key))},
      {"qe_identity.json",
       from_text(sign_document("enclaveIdentity", qe_identity, tcb_signing_.key))},
      {"tcb_signing_chain.pem",
       from_text(crypto::to_pem(tcb_signing_.certificate) + crypto::to_pem(root_.certificate))},
      {"root_ca.crl", list(root_)},
      {"pck_platform_ca.crl", list(platform_ca_)},
  };
}

std::string IntelSimulator::pck_chain(uint32_t platform) const {
  return crypto::to_pem(pcks_.at(platform).certificate) + crypto::to_pem(platform_ca_.certificate) +
         crypto::to_pem(root_.certificate);
}

Buffer IntelSimulator::quote(const TdxParameters& parameters, const Fixed<64>& report_data) const {
  IntelTdReport td;
  td.mr_seam = crypto::sha384(as_bytes("cloister development tdx module"));
  td.td_attributes = parameters.td_attributes;
  td.mr_td = parameters.mrtd;
  td.mr_config_id = parameters.mrconfigid;
  td.rtmr = parameters.rtmrs;
  td.report_data = report_data;
  const auto attestation_key = crypto::PrivateKey::generate_ec(crypto::Curve::p256);
  const IntelQuotingEnclave qe = default_quoting_enclave();
  const std::string chain = pck_chain(parameters.platform);
  return encode_tdx_quote(td, {qe, attestation_key, pcks_.at(parameters.platform).key, chain});
}

}  // namespace cloister::evidence::sim
