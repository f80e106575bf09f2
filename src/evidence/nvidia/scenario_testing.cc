#include "evidence/nvidia/scenario_testing.h"

#include <stdexcept>

namespace cloister::evidence::nvidia {
namespace {

Buffer der(uint8_t tag, Bytes contents) {
  ByteWriter out;
  out.u8(tag);
  if (contents.size() >= 0x100) {
    out.u8(0x82).u16_be(static_cast<uint16_t>(contents.size()));
  } else if (contents.size() >= 0x80) {
    out.u8(0x81).u8(static_cast<uint8_t>(contents.size()));
  } else {
    out.u8(static_cast<uint8_t>(contents.size()));
  }
  return out.bytes(contents).take();
}

Buffer fwid_der(const Fixed<48>& fwid) {
  const Buffer oid = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02};
  ByteWriter out;
  out.bytes(der(0x06, oid)).bytes(der(0x04, fwid));
  return der(0x30, out.view());
}

Buffer text_field(std::string_view text) {
  Buffer out = to_buffer(as_bytes(text));
  out.push_back(0);
  return out;
}

std::shared_ptr<const Device> default_device() {
  static const auto made = std::make_shared<const Device>(make_device({}));
  return made;
}

}  // namespace

crypto::IssueExtension fwid_extension(const Fixed<48>& fwid, bool tcb_info) {
  ByteWriter out;
  if (tcb_info) {
    out.bytes(der(0x80, as_bytes("NVIDIA"))).bytes(der(0x83, Buffer{1}));
    out.bytes(der(0xA6, fwid_der(fwid))).bytes(der(0x87, Buffer{0, 0x80}));
    return {"2.23.133.5.4.1.1", false, der(0x30, out.view())};
  }
  out.bytes(der(0x02, Buffer{1})).bytes(der(0x30, Buffer(20))).bytes(fwid_der(fwid));
  return {"2.23.133.5.4.1", false, der(0x30, out.view())};
}

Device make_device(const DeviceForm& form) {
  const Authority& root = rim::hierarchy().root;
  const std::string model = form.chip + " A01 " + form.processor;
  Authority identity = authority_of({.name = "NVIDIA test Identity"}, &root);
  Authority provisioner =
      authority_of({.name = "NVIDIA " + form.chip + " Provisioner ICA 1"}, &identity);
  Authority device = authority_of({.name = model + " BROM", .serial = form.serial}, &provisioner);
  Authority leaf = authority_of({.name = model + " FMC LF",
                                 .ca = false,
                                 .extensions = {fwid_extension(form.fwid, form.tcb_info)}},
                                &device);
  return {std::move(identity), std::move(provisioner), std::move(device), std::move(leaf)};
}

OpaqueFields gpu_fields(const Fixed<48>& fwid) {
  return {{6, {0x1C, 0x00, 0x74, 0x96, 0x00, 0, 0, 0}},
          {15, text_field("885")},
          {17, text_field("G520")},
          {18, text_field("0200")},
          {3, text_field("550.90.07")},
          {11, {0x55}},
          {20, to_buffer(fwid)},
          {21, {0x55}},
          {34, {1, 0}},
          {36, {0, 0}}};
}

OpaqueFields switch_fields() {
  return {{6, to_buffer(as_bytes("96.10.55.00.01"))}, {24, {0, 0}}};
}

Buffer& field(OpaqueFields& fields, uint16_t type) {
  for (auto& [each, value] : fields) {
    if (each == type) return value;
  }
  fields.emplace_back(type, Buffer());
  return fields.back().second;
}

void remove(OpaqueFields& fields, uint16_t type) {
  if (std::erase_if(fields, [&](const auto& each) { return each.first == type; }) == 0) {
    throw std::runtime_error("no such field");
  }
}

Scenario::Scenario()
    : device(default_device()),
      blocks(64),
      opaque(gpu_fields(Fixed<48>{7})),
      signer(&device->leaf.key),
      chain{device->leaf.certificate, device->device.certificate, device->provisioner.certificate,
            device->identity.certificate, rim::hierarchy().root.certificate},
      answer(crypto::OcspAnswer{crypto::OcspStatus::good, kNow - kHour, kNow + kHour / 2}) {
  for (size_t i = 0; i < blocks.size(); ++i) blocks[i].value = Buffer(48, static_cast<uint8_t>(i));
  vbios.version = "96.74.00.1C.00";
  vbios.measurements = {{0, {blocks[0].value}},
                        {1, {Buffer(48, 0xEE), blocks[1].value}},
                        {2, {Buffer(48, 0xEE)}, false}};
  driver.version = "550.90.07";
  driver.measurements = {{3, {blocks[3].value}}, {35, {Buffer(48, 0xEE)}}};
  policy.anchors.development_nvidia = {rim::hierarchy().root.certificate.spki_sha256()};
}

Buffer Scenario::report() const {
  ByteWriter record;
  uint8_t index = 0;
  for (const Block& each : blocks) {
    ++index;
    record.u8(keep_indices ? each.index : index).u8(each.specification).u16_le(each.size);
    record.u8(each.kind).u16_le(each.value_size).bytes(each.value);
  }
  ByteWriter fields;
  for (const auto& [type, value] : opaque) {
    fields.u16_le(type).u16_le(static_cast<uint16_t>(value.size())).bytes(value);
  }
  ByteWriter out;
  out.u8(request_version).u8(request_code).u8(request_attributes).u8(operation).bytes(nonce).u8(0);
  out.u8(response_version).u8(response_code).u8(0).u8(0);
  out.u8(count.value_or(static_cast<uint8_t>(blocks.size())));
  const auto record_size = record_bytes.value_or(static_cast<uint32_t>(record.size()));
  out.u16_le(static_cast<uint16_t>(record_size)).u8(static_cast<uint8_t>(record_size >> 16));
  out.bytes(record.view()).bytes(Buffer(32, 0x22));
  out.u16_le(opaque_bytes.value_or(static_cast<uint16_t>(fields.size()))).bytes(fields.view());
  const Buffer signature = signer->sign_ecdsa(out.view());
  Buffer bytes = out.bytes(signature).take();
  if (bend_report) bend_report(bytes);
  return bytes;
}

Collateral Scenario::collateral() const {
  Collateral out;
  out.certificates = chain;
  if (with_driver) out.rims.push_back(driver.document());
  if (with_vbios) out.rims.push_back(vbios.document());
  if (answer) {
    const Authority& responder = rim::hierarchy().responder;
    if (chain.size() > 2) {
      out.ocsp_responses.push_back(
          rim::ocsp_about(std::span(chain).subspan(1), *answer, responder));
    }
    const crypto::OcspAnswer good{crypto::OcspStatus::good, kNow - kHour, kNow + kHour};
    for (const auto* each : {&driver, &vbios}) {
      if (!each->chain.empty()) {
        out.ocsp_responses.push_back(rim::ocsp_about(each->chain, good, responder));
      }
    }
  }
  if (bend_collateral) bend_collateral(out);
  return out;
}

std::vector<Buffer> answer_object(std::span<const crypto::Certificate> chain,
                                  crypto::OcspAnswer answer) {
  std::string pem;
  for (const crypto::Certificate& each : chain) pem += crypto::to_pem(each);
  return {rim::ocsp_about(chain.first(2), answer, rim::hierarchy().responder),
          to_buffer(as_bytes(pem))};
}

std::vector<std::vector<Buffer>> Scenario::objects() const {
  std::vector<std::vector<Buffer>> out;
  const auto add_answers = [&](std::span<const crypto::Certificate> about) {
    for (size_t i = 0; i + 1 < about.size(); ++i) {
      out.push_back(answer_object(about.subspan(i), *answer));
    }
  };
  add_answers(std::span(chain).subspan(1));
  for (const rim::Scenario* manifest : {&driver, &vbios}) {
    out.push_back({to_buffer(as_bytes(manifest->document()))});
    add_answers(manifest->chain);
  }
  return out;
}

}  // namespace cloister::evidence::nvidia
