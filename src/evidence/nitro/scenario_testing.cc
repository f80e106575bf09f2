#include "evidence/nitro/scenario_testing.h"

#include <algorithm>

#include "evidence/cose/sign1.h"

namespace cloister::evidence::nitro {
namespace {

Hierarchy make_hierarchy() {
  Authority root = authority_of({.name = "root", .path_length = 3}, nullptr);
  Authority region = authority_of({.name = "region", .path_length = 2}, &root);
  Authority zone = authority_of({.name = "zone", .path_length = 0}, &region);
  Authority leaf = authority_of({.name = "enclave", .ca = false}, &zone);
  return {std::move(root), std::move(region), std::move(zone), std::move(leaf)};
}

void optional_bytes(CborWriter& out, const std::optional<Buffer>& bytes) {
  if (bytes) {
    out.bytes(*bytes);
  } else {
    const Buffer null = {0xF6};
    out.raw(null);
  }
}

}  // namespace

const Hierarchy& hierarchy() {
  static const Hierarchy made = make_hierarchy();
  return made;
}

Scenario::Scenario()
    : leaf(hierarchy().leaf.certificate),
      cabundle{hierarchy().root.certificate, hierarchy().region.certificate,
               hierarchy().zone.certificate},
      signer(&hierarchy().leaf.key) {
  for (uint64_t i = 0; i < 16; ++i) pcrs[i] = Buffer(48, static_cast<uint8_t>(i + 1));
  policy.anchors.development_nitro = {hierarchy().root.certificate.spki_sha256()};
}

Buffer Scenario::payload() const {
  CborWriter out;
  const auto wanted = [&](std::string_view name) {
    if (std::ranges::find(leave_out, name) != leave_out.end()) return false;
    out.text(name);
    return true;
  };
  out.map(9 - leave_out.size() + more_field_count);
  if (wanted("module_id")) out.text(module_id);
  if (wanted("digest")) out.text(digest);
  if (wanted("timestamp")) out.u64(timestamp_ms);
  if (wanted("pcrs")) {
    out.map(pcrs.size());
    for (const auto& [index, value] : pcrs) out.u64(index).bytes(value);
  }
  if (wanted("certificate")) out.bytes(leaf.der());
  if (wanted("cabundle")) {
    out.array(cabundle.size());
    for (const auto& certificate : cabundle) out.bytes(certificate.der());
  }
  if (wanted("public_key")) optional_bytes(out, public_key);
  if (wanted("user_data")) optional_bytes(out, user_data);
  if (wanted("nonce")) optional_bytes(out, nonce);
  if (more_fields) more_fields(out);
  Buffer bytes = to_buffer(out.view());
  if (bend_payload) bend_payload(bytes);
  return bytes;
}

Buffer Scenario::document() const {
  const Buffer content = payload();
  Buffer signature = signer->sign_ecdsa(cose::sig_structure(protected_header, content));
  if (bend_signature) bend_signature(signature);
  CborWriter out;
  out.array(4).bytes(protected_header).map(0).bytes(content).bytes(signature);
  Buffer bytes = to_buffer(out.view());
  if (tag) {
    CborWriter tagged;
    tagged.u64(*tag);
    Buffer head = to_buffer(tagged.view());
    head[0] |= 0xC0;  // an unsigned integer's head with the major type of a tag
    bytes.insert(bytes.begin(), head.begin(), head.end());
  }
  if (bend_document) bend_document(bytes);
  return bytes;
}

}  // namespace cloister::evidence::nitro
