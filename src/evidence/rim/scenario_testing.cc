#include "evidence/rim/scenario_testing.h"

#include <libxml/parser.h>
#include <xmlsec/crypto.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>
#include <xmlsec/xmltree.h>

#include <stdexcept>

#include "base/text.h"
#include "evidence/rim/xml_signature.h"

namespace cloister::evidence::rim {
namespace {

constexpr std::string_view kTemplate =
    R"(<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>)"
    R"(<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2006/12/xml-c14n11"/>)"
    R"(<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"/>)"
    R"(<ds:Reference URI=""><ds:Transforms>)"
    R"(<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>)"
    R"(<ds:Transform Algorithm="http://www.w3.org/2006/12/xml-c14n11"/></ds:Transforms>)"
    R"(<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#sha384"/>)"
    R"(<ds:DigestValue></ds:DigestValue></ds:Reference></ds:SignedInfo>)"
    R"(<ds:SignatureValue></ds:SignatureValue></ds:Signature>)";

void demand(bool held, const char* what) {
  if (!held) throw std::runtime_error(what);
}

Hierarchy make_hierarchy() {
  Authority root = authority_of({.name = "test RIM root", .until = kNow + 100 * kHour}, nullptr);
  Authority product = authority_of({.name = "test product"}, &root);
  Authority issuing = authority_of({.name = "test issuing", .path_length = 0}, &product);
  Authority signer = authority_of({.name = "test signer", .ca = false}, &issuing);
  Authority responder =
      authority_of({.name = "test responder", .ca = false, .extensions = {ocsp_signing()}}, &root);
  return {std::move(root), std::move(product), std::move(issuing), std::move(signer),
          std::move(responder)};
}

std::string measurement_text(const Measurement& m) {
  std::string out = R"(<n:Resource type="Measurement" index=")" + std::to_string(m.index) +
                    R"(" active=")" + (m.active ? "True" : "False") + R"(" alternatives=")" +
                    std::to_string(m.alternatives.size()) + "\"";
  for (size_t i = 0; i < m.alternatives.size(); ++i) {
    out += " h:Hash" + std::to_string(i) + "=\"" + to_hex(m.alternatives[i]) + "\"";
  }
  return out + R"( name="Measurement" size="48"/>)";
}

// The document's signature is computed by the library that others use too.
std::string signed_by_library(const std::string& text, const crypto::PrivateKey& key) {
  start_xmlsec();
  xmlDoc* document = xmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, nullptr,
                                   XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
  demand(document != nullptr, "the test's document is not well-formed");
  xmlSecDSigCtx context{};
  demand(xmlSecDSigCtxInitialize(&context, nullptr) == 0, "xmlsec");
  const SecretBuffer pem = key.to_pem();
  context.signKey = xmlSecCryptoAppKeyLoadMemory(pem.data(), static_cast<unsigned>(pem.size()),
                                                 xmlSecKeyDataFormatPem, nullptr, nullptr, nullptr);
  xmlNode* node = xmlSecFindNode(xmlDocGetRootElement(document), xmlSecNodeSignature, xmlSecDSigNs);
  demand(context.signKey != nullptr && node != nullptr, "key and template");
  demand(xmlSecDSigCtxSign(&context, node) == 0, "signing");
  xmlSecDSigCtxFinalize(&context);
  xmlChar* data = nullptr;
  int size = 0;
  xmlDocDumpMemory(document, &data, &size);
  std::string out(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
  xmlFree(data);
  xmlFreeDoc(document);
  return out;
}

}  // namespace

crypto::IssueExtension ocsp_signing() {
  // SEQUENCE { OBJECT IDENTIFIER 1.3.6.1.5.5.7.3.9 }
  return {"2.5.29.37", false, {0x30, 0x0A, 0x06, 0x08, 0x2B, 6, 1, 5, 5, 7, 3, 9}};
}

const Hierarchy& hierarchy() {
  static const Hierarchy made = make_hierarchy();
  return made;
}

Buffer ocsp_about(std::span<const crypto::Certificate> chain, crypto::OcspAnswer answer,
                  const Authority& responder) {
  std::vector<crypto::OcspIssue> issues;
  for (size_t i = 0; i + 1 < chain.size(); ++i)
    issues.push_back({&chain[i], &chain[i + 1], answer});
  return crypto::issue_ocsp_response(issues, responder.certificate, responder.key, {});
}

std::string sign_document(std::string body, const crypto::PrivateKey& key,
                          std::span<const crypto::Certificate> certificates) {
  body.insert(body.rfind("</"), kTemplate);
  std::string out = signed_by_library(body, key);
  std::string key_info = "<ds:KeyInfo><ds:X509Data>";
  for (const auto& each : certificates) {
    key_info += "<ds:X509Certificate>" + to_base64(each.der()) + "</ds:X509Certificate>";
  }
  key_info += "</ds:X509Data></ds:KeyInfo>";
  out.insert(out.find("</ds:Signature>"), key_info);
  return out;
}

Scenario::Scenario()
    : chain{hierarchy().signer.certificate, hierarchy().issuing.certificate,
            hierarchy().product.certificate, hierarchy().root.certificate},
      signer(&hierarchy().signer.key),
      answer(crypto::OcspAnswer{crypto::OcspStatus::good, kNow - kHour, kNow + kHour / 2}),
      responder(&hierarchy().responder) {
  measurements = {
      {0, {Buffer(48, 1)}}, {1, {Buffer(48, 2), Buffer(48, 3)}}, {2, {Buffer(48, 0)}, false}};
  policy.anchors.development_nvidia = {hierarchy().root.certificate.spki_sha256()};
}

std::string Scenario::document() const {
  std::string body =
      R"(<SoftwareIdentity xmlns="http://standards.iso.org/iso/19770/-2/2015/schema.xsd" )"
      R"(xmlns:n="http://standards.iso.org/iso/19770/-2/2015/schema.xsd" )"
      R"(xmlns:h="http://www.w3.org/2001/04/xmlenc#sha384" name="test" tagId="abcdef" version="1.0">)"
      "\n  <n:Entity name=\"test\" role=\"tagCreator\"/>\n  <n:Meta colloquialVersion=\"" +
      version + "\" edition=\"" + edition + "\" product=\"" + product + "\"/>\n  <n:Payload>\n";
  for (const Measurement& each : measurements) body += "    " + measurement_text(each) + "\n";
  body += "  </n:Payload>\n</SoftwareIdentity>";
  if (bend_body) bend_body(body);
  std::string out = sign_document(std::move(body), *signer, chain);
  if (bend_document) bend_document(out);
  return out;
}

Collateral Scenario::collateral() const {
  Collateral out;
  if (!answer) return out;
  Buffer response = ocsp_about(chain, *answer, *responder);
  if (bend_response) bend_response(response);
  out.ocsp_responses.push_back(std::move(response));
  return out;
}

}  // namespace cloister::evidence::rim
