#include "crypto/hash.h"
#include "evidence/sim/intel_parts.h"

namespace cloister::evidence::sim {
namespace {

using crypto::Certificate;
using crypto::PrivateKey;

constexpr const char* kSgxExtension = "1.2.840.113741.1.13.1";
constexpr Fixed<9> kSgxArcs = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

Buffer tagged(uint8_t tag, Bytes contents) {
  ByteWriter out;
  out.u8(tag);
  if (contents.size() < 0x80) {
    out.u8(static_cast<uint8_t>(contents.size()));
  } else if (contents.size() < 0x100) {
    out.u8(0x81).u8(static_cast<uint8_t>(contents.size()));
  } else {
    out.u8(0x82).u16_be(static_cast<uint16_t>(contents.size()));
  }
  return out.bytes(contents).take();
}

Buffer sequence(std::initializer_list<Buffer> items) {
  ByteWriter out;
  for (const Buffer& item : items) out.bytes(item);
  return tagged(0x30, out.view());
}

Buffer octets(Bytes bytes) {
  return tagged(0x04, bytes);
}
Buffer boolean(bool value) {
  return Buffer{0x01, 1, static_cast<uint8_t>(value ? 0xff : 0)};
}

Buffer integer(uint16_t value) {
  Buffer magnitude;
  if (value > 0xff) magnitude.push_back(static_cast<uint8_t>(value >> 8));
  magnitude.push_back(static_cast<uint8_t>(value));
  if (magnitude.front() >= 0x80) magnitude.insert(magnitude.begin(), 0);
  return tagged(0x02, magnitude);
}

// {OID below the SGX extension, value}
Buffer member(std::initializer_list<uint8_t> arcs, const Buffer& value) {
  ByteWriter oid;
  oid.bytes(kSgxArcs);
  for (uint8_t arc : arcs) oid.u8(arc);
  return sequence({tagged(0x06, oid.view()), value});
}

Buffer tcb(const IntelPlatform& platform) {
  ByteWriter out;
  for (uint8_t i = 0; i < 16; ++i) {
    out.bytes(member({2, static_cast<uint8_t>(i + 1)}, integer(platform.cpu_svn[i])));
  }
  out.bytes(member({2, 17}, integer(platform.pce_svn)));
  out.bytes(member({2, 18}, octets(platform.cpu_svn)));
  return tagged(0x30, out.view());
}

Buffer serial_of(const PrivateKey& key) {
  const Hash32 hash = crypto::sha256(key.spki_der());
  Buffer serial(hash.begin(), hash.begin() + 20);
  serial[0] = static_cast<uint8_t>((serial[0] & 0x7f) | 0x40);  // positive, always 20 bytes
  return serial;
}

}  // namespace

Certificate issue_intel(const IntelCertificate& parameters, const PrivateKey& subject_key,
                        const IntelAuthority* issuer) {
  crypto::IssueRequest request;
  request.subject_cn = parameters.common_name;
  request.organization = kDevelopmentOrganization;
  request.serial = serial_of(subject_key);
  request.not_before = parameters.window.from;
  request.not_after = parameters.window.until;
  request.ca = parameters.ca;
  request.path_length = parameters.path_length;
  request.extensions = parameters.extensions;
  return crypto::issue_certificate(request, subject_key,
                                   issuer == nullptr ? nullptr : &issuer->certificate,
                                   issuer == nullptr ? subject_key : issuer->key);
}

IntelAuthority make_intel_authority(const IntelCertificate& parameters,
                                    const IntelAuthority* issuer) {
  PrivateKey key = PrivateKey::generate_ec(crypto::Curve::p256);
  Certificate certificate = issue_intel(parameters, key, issuer);
  return {std::move(key), std::move(certificate)};
}

Buffer encode_pck_extension(const IntelPlatform& platform) {
  const Buffer scalable = {0x0a, 1, 1};
  const Buffer configuration =
      sequence({member({7, 1}, boolean(true)), member({7, 2}, boolean(true)),
                member({7, 3}, boolean(true))});
  return sequence({member({1}, octets(platform.ppid)), member({2}, tcb(platform)),
                   member({3}, octets(platform.pce_id)), member({4}, octets(platform.fmspc)),
                   member({5}, scalable), member({6}, octets(platform.instance_id)),
                   member({7}, configuration)});
}

IntelCertificate pck_certificate(const IntelPlatform& platform, const IntelWindow& window) {
  return {kIntelPckName,
          window,
          false,
          std::nullopt,
          {{kSgxExtension, false, encode_pck_extension(platform)}}};
}

}  // namespace cloister::evidence::sim
