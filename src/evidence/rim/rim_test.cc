#include <gmock/gmock.h>

#include <chrono>

#include "base/text.h"
#include "evidence/common/cases_testing.h"
#include "evidence/common/faults_testing.h"
#include "evidence/rim/ocsp.h"
#include "evidence/rim/scenario_testing.h"
#include "evidence/rim/swid.h"

namespace cloister::evidence::rim {
namespace {

using crypto::OcspAnswer;
using crypto::OcspStatus;

using FaultCase = FaultCaseOf<Scenario>;

void expect_refusals(const std::vector<FaultCase>& cases) {
  expect_refusals_of<Scenario>(cases);
}

void replace(std::string& text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("nothing to replace");
  text.replace(at, from.size(), to);
}
auto in_document(std::string from, std::string to) {
  return [=](Scenario& s) { s.bend_document = [=](std::string& d) { replace(d, from, to); }; };
}
auto in_body(std::string from, std::string to) {
  return [=](Scenario& s) { s.bend_body = [=](std::string& d) { replace(d, from, to); }; };
}

const Hierarchy& h() {
  return hierarchy();
}

TEST(Rim, EveryCaseHasItsAnswer) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  const std::vector<Case> cases = load_cases(*vectors, "nvidia-rim");
  EXPECT_EQ(cases.size(), 23u);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.id);
    const auto got = verify_nvidia_rim(c.evidence, *c.gathered(), c.policy, c.binding(), c.time);
    EXPECT_EQ(got.verified.has_value(), got.appraisal.accepted());
    EXPECT_THAT(differences(c, got.appraisal), testing::IsEmpty());
  }
}

TEST(Rim, TheUnbentScenarioIsAcceptedAndGivesItsGoldens) {
  const Scenario s;
  const Verification got = s.judge();
  ASSERT_TRUE(got.verified) << got.appraisal.detail;
  EXPECT_TRUE(got.verified->development());
  EXPECT_EQ(got.verified->valid_until(), kNow + kHour / 2);
  const auto rim = verify_rim(s.document(), s.collateral(), s.policy, s.now);
  ASSERT_TRUE(rim);
  EXPECT_EQ(rim->version(), "96.00.74.00.1C");
  EXPECT_EQ(rim->product(), "GH100");
  ASSERT_EQ(rim->goldens().size(), 3u);
  EXPECT_EQ(rim->goldens()[1].alternatives[1], Buffer(48, 3));
  EXPECT_FALSE(rim->goldens()[2].active);
}

TEST(Rim, ABindingThatExpectsSomethingIsRefused) {
  const Scenario s;
  const auto got = verify_nvidia_rim(as_bytes(s.document()), s.collateral(), s.policy,
                                     Binding::nonce(Buffer(32, 1)), s.now);
  EXPECT_EQ(got.appraisal.error, Error::nonce_mismatch);
}

TEST(Rim, WhatXmlMustNotContain) {
  expect_refusals({
      {"a document type", Error::malformed,
       in_document("<SoftwareIdentity", "<!DOCTYPE x><SoftwareIdentity")},
      {"entities", Error::malformed,
       in_document("<SoftwareIdentity", "<!DOCTYPE x [<!ENTITY a \"b\">]><SoftwareIdentity")},
      {"an external entity", Error::malformed,
       in_document("<SoftwareIdentity",
                   "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><SoftwareIdentity")},
      {"an undeclared entity", Error::malformed,
       in_document("name=\"test\"", "name=\"&unknown;\"")},
      {"a comment", Error::malformed, in_document("<n:Meta", "<!-- x --><n:Meta")},
      {"a comment after the root", Error::malformed,
       [](Scenario& s) { s.bend_document = [](std::string& d) { d += "<!-- x -->"; }; }},
      {"a CDATA section", Error::malformed, in_document("<n:Meta", "<![CDATA[x]]><n:Meta")},
      {"a processing instruction", Error::malformed, in_document("<n:Meta", "<?x y?><n:Meta")},
      {"UTF-16 by its declaration", Error::malformed,
       in_document("<?xml version=\"1.0\"?>", "<?xml version=\"1.0\" encoding=\"UTF-16\"?>")},
      {"UTF-7 by its declaration", Error::malformed,
       in_document("<?xml version=\"1.0\"?>", "<?xml version=\"1.0\" encoding=\"UTF-7\"?>")},
      {"a byte order mark of UTF-16", Error::malformed,
       [](Scenario& s) { s.bend_document = [](std::string& d) { d.insert(0, "\xFF\xFE"); }; }},
      {"a zero byte", Error::malformed,
       [](Scenario& s) { s.bend_document = [](std::string& d) { d.push_back('\0'); }; }},
      {"bytes after the root", Error::malformed,
       [](Scenario& s) { s.bend_document = [](std::string& d) { d += "x"; }; }},
      {"two roots", Error::malformed,
       [](Scenario& s) { s.bend_document = [](std::string& d) { d += "<x/>"; }; }},
      {"an open tag at the end", Error::malformed,
       [](Scenario& s) { s.bend_document = [](std::string& d) { d += "<x"; }; }},
      {"not UTF-8", Error::malformed, in_document("name=\"test\"", "name=\"\xC3(\"")},
      {"an attribute twice", Error::malformed,
       in_document("name=\"test\"", "name=\"test\" name=\"test\"")},
      {"an undeclared prefix", Error::malformed, in_document("<n:Payload>", "<q:Payload>")},
      {"a tag without bound", Error::malformed,
       in_body("name=\"test\"", "name=\"" + std::string(5000, 'x') + "\"")},
      {"elements without bound", Error::malformed,
       [](Scenario& s) {
         s.bend_document = [](std::string& d) {
           std::string many;
           for (int i = 0; i < 1100; ++i) many += "<x/>";
           replace(d, "<n:Meta", many + "<n:Meta");
         };
       }},
      {"a document past its limit", Error::malformed,
       [](Scenario& s) { s.bend_document = [](std::string& d) { d.append(kMaxXmlBytes, ' '); }; }},
      {"nothing", Error::malformed,
       [](Scenario& s) { s.bend_document = [](std::string& d) { d.clear(); }; }},
  });
}

TEST(Rim, BombsAreRefusedAtOnce) {
  std::string nested = "<SoftwareIdentity>";
  for (int i = 0; i < 12000; ++i) nested += "<a>";
  std::string attributes = "<a ";
  for (int i = 0; i < 12000; ++i) attributes += "a" + std::to_string(i) + "=\">\" ";
  std::string spaces = "<a ";
  for (int i = 0; i < 5000; ++i) spaces += "xmlns:a" + std::to_string(i) + "=\"b\" ";
  std::string laughs = "<!DOCTYPE l [<!ENTITY a \"aaaaaaaaaa\">";
  for (char c = 'b'; c < 'z'; ++c) {
    laughs += std::string("<!ENTITY ") + c + " \"";
    for (int i = 0; i < 10; ++i) laughs += std::string("&") + static_cast<char>(c - 1) + ";";
    laughs += "\">";
  }
  laughs += "]><SoftwareIdentity>&y;</SoftwareIdentity>";
  for (const std::string& bomb : {nested, attributes + "/>", spaces + "/>", laughs}) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(header_of(bomb).error().error, Error::malformed);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(100));
  }
}

TEST(Rim, Content) {
  expect_refusals({
      {"another root", Error::malformed,
       [](Scenario& s) {
         s.bend_body = [](std::string& d) {
           replace(d, "<SoftwareIdentity", "<Softwareidentity");
           replace(d, "</SoftwareIdentity", "</Softwareidentity");
         };
       }},
      {"the root in another namespace", Error::malformed,
       in_body("xmlns=\"http://standards.iso.org/iso/19770/-2/2015/schema.xsd\"", "xmlns=\"x:y\"")},
      {"no id", Error::malformed, in_body("tagId=\"abcdef\"", "")},
      {"an empty version", Error::malformed, [](Scenario& s) { s.version.clear(); }},
      {"a version of 129 bytes", Error::malformed, [](Scenario& s) { s.version.assign(129, '1'); }},
      {"no product", Error::malformed, in_body("product=\"GH100\"", "")},
      {"no edition", Error::malformed, in_body("edition=\"GPU\"", "")},
      {"two Meta", Error::malformed,
       in_body("<n:Meta", "<n:Meta colloquialVersion=\"1\"/><n:Meta")},
      {"no payload", Error::malformed,
       [](Scenario& s) {
         s.bend_body = [](std::string& d) {
           replace(d, "<n:Payload>", "<n:Evidence>");
           replace(d, "</n:Payload>", "</n:Evidence>");
         };
       }},
      {"two payloads", Error::malformed, in_body("<n:Payload>", "<n:Payload/><n:Payload>")},
      {"an empty payload", Error::malformed, [](Scenario& s) { s.measurements.clear(); }},
      {"an index twice", Error::malformed,
       [](Scenario& s) { s.measurements.push_back(s.measurements[0]); }},
      {"an index past its bound", Error::malformed,
       [](Scenario& s) { s.measurements[0].index = 256; }},
      {"a negative index", Error::malformed, in_body("index=\"0\"", "index=\"-1\"")},
      {"an index with a leading zero", Error::malformed, in_body("index=\"0\"", "index=\"00\"")},
      {"another type", Error::malformed, in_body("type=\"Measurement\"", "type=\"Directory\"")},
      {"an active that is neither", Error::malformed,
       in_body("active=\"True\"", "active=\"true\"")},
      {"no active", Error::malformed, in_body("active=\"True\" ", "")},
      {"another element", Error::malformed, in_body("<n:Resource", "<n:Process/><n:Resource")},
      {"an element inside a measurement", Error::malformed,
       in_body("size=\"48\"/>", "size=\"48\"><n:Resource/></n:Resource>")},
      {"an unknown attribute", Error::malformed, in_body("size=\"48\"", "size=\"48\" more=\"1\"")},
      {"a hash of another namespace", Error::malformed, in_body("h:Hash0=", "n:Hash0=")},
      {"a hash without namespace", Error::malformed, in_body("h:Hash0=", "Hash0=")},
      {"a hash fewer than alternatives", Error::malformed,
       in_body("alternatives=\"1\"", "alternatives=\"2\"")},
      {"a hash more than alternatives", Error::malformed,
       in_body("alternatives=\"2\"", "alternatives=\"1\"")},
      {"hashes with a gap", Error::malformed, in_body("h:Hash1=", "h:Hash2=")},
      {"no alternatives", Error::malformed,
       in_body("alternatives=\"1\" h:Hash0=\"" + to_hex(Buffer(48, 1)) + "\"",
               "alternatives=\"0\"")},
      {"seventeen alternatives", Error::malformed,
       [](Scenario& s) { s.measurements[0].alternatives.assign(17, Buffer(48, 1)); }},
      {"a hash of 47 bytes", Error::malformed,
       [](Scenario& s) { s.measurements[0].alternatives[0].pop_back(); }},
      {"a hash that is not hex", Error::malformed, in_body("Hash0=\"01", "Hash0=\"0g")},
      {"a size of zero", Error::malformed, in_body("size=\"48\"", "size=\"0\"")},
  });
}

TEST(Rim, SignatureShape) {
  const std::string dsig = "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"";
  expect_refusals({
      {"no signature", Error::malformed,
       [](Scenario& s) {
         s.bend_document = [](std::string& d) {
           const size_t from = d.find("<ds:Signature "), to = d.find("</ds:Signature>") + 15;
           d.erase(from, to - from);
         };
       }},
      {"two signatures", Error::malformed,
       [](Scenario& s) {
         s.bend_document = [](std::string& d) {
           const size_t from = d.find("<ds:Signature "), to = d.find("</ds:Signature>") + 15;
           d.insert(to, d.substr(from, to - from));
         };
       }},
      {"a second signature deep inside", Error::malformed,
       in_document("<n:Entity name=\"test\" role=\"tagCreator\"/>",
                   "<n:Entity name=\"test\" role=\"tagCreator\"><n:Meta><ds:Signature " + dsig +
                       "/></n:Meta></n:Entity>")},
      {"the signature below the payload", Error::malformed,
       [](Scenario& s) {
         s.bend_document = [](std::string& d) {
           const size_t from = d.find("<ds:Signature "), to = d.find("</ds:Signature>") + 15;
           const std::string signature = d.substr(from, to - from);
           d.erase(from, to - from);
           replace(d, "</n:Payload>", signature + "</n:Payload>");
         };
       }},
      {"an Object", Error::malformed,
       in_document("</ds:Signature>", "<ds:Object><x/></ds:Object></ds:Signature>")},
      {"two references", Error::malformed,
       [](Scenario& s) {
         s.bend_document = [](std::string& d) {
           const size_t from = d.find("<ds:Reference"), to = d.find("</ds:Reference>") + 15;
           d.insert(to, d.substr(from, to - from));
         };
       }},
      {"a reference to a part", Error::malformed, in_document("URI=\"\"", "URI=\"#part\"")},
      {"a reference with a type", Error::malformed, in_document("URI=\"\"", "URI=\"\" Type=\"x\"")},
      {"a reference without URI", Error::malformed, in_document(" URI=\"\"", "")},
      {"one transform", Error::malformed,
       in_document("<ds:Transform Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\"/>", "")},
      {"an XPath transform", Error::unsupported,
       in_document("<ds:Transform Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\"/>",
                   "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"/>")},
      {"an XSLT transform with its content", Error::malformed,
       in_document("<ds:Transform Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\"/>",
                   "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"><x/>"
                   "</ds:Transform>")},
      {"C14N 1.0", Error::unsupported,
       in_document(
           "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\"/>",
           "<ds:CanonicalizationMethod "
           "Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"/>")},
      {"ECDSA with SHA-1", Error::unsupported,
       in_document("xmldsig-more#ecdsa-sha384", "xmldsig-more#ecdsa-sha1")},
      {"an HMAC", Error::unsupported,
       in_document("xmldsig-more#ecdsa-sha384", "xmldsig-more#hmac-sha384")},
      {"a digest of SHA-1", Error::unsupported,
       in_document("http://www.w3.org/2001/04/xmldsig-more#sha384",
                   "http://www.w3.org/2000/09/xmldsig#sha1")},
      {"no key", Error::malformed,
       [](Scenario& s) {
         s.bend_document = [](std::string& d) {
           const size_t from = d.find("<ds:KeyInfo>"), to = d.find("</ds:KeyInfo>") + 13;
           d.erase(from, to - from);
         };
       }},
      {"a key by its value", Error::malformed,
       in_document("<ds:X509Data>", "<ds:KeyValue/><ds:X509Data>")},
      {"a broken certificate", Error::malformed,
       in_document("<ds:X509Certificate>M", "<ds:X509Certificate>N")},
      {"a CRL among the certificates", Error::malformed,
       in_document("<ds:X509Data>", "<ds:X509Data><ds:X509CRL/>")},
      {"no certificates", Error::malformed,
       [](Scenario& s) {
         s.chain.clear();
         s.answer.reset();
       }},
      {"nine certificates", Error::malformed,
       [](Scenario& s) {
         s.chain.assign(9, h().root.certificate);
         s.answer.reset();
       }},
  });
}

TEST(Rim, ChainAndWindows) {
  static const Authority stranger = authority_of({.name = "stranger"}, nullptr);
  static const Authority p256 =
      authority_of({.name = "p256", .ca = false}, &h().issuing, crypto::Curve::p256);
  const auto chain_with = [](size_t place, CertificateForm form, const Authority* issuer) {
    return [=](Scenario& s) {
      const Authority& was = place == 0 ? h().signer : place == 1 ? h().issuing : h().product;
      s.chain[place] = certificate_of(form, was.key, issuer);
      s.policy.allow_no_revocation = true;
      s.answer.reset();
    };
  };
  const auto without_answers = [](Scenario& s) {
    s.answer.reset();
    s.policy.allow_no_revocation = true;
  };
  expect_refusals({
      {"three certificates", Error::wrong_chain,
       [=](Scenario& s) {
         without_answers(s);
         s.chain.erase(s.chain.begin() + 1);
       }},
      {"five certificates", Error::wrong_chain,
       [=](Scenario& s) {
         without_answers(s);
         s.chain.push_back(h().root.certificate);
       }},
      {"in another order", Error::wrong_chain,
       [=](Scenario& s) {
         without_answers(s);
         std::swap(s.chain[1], s.chain[2]);
       }},
      {"the root is not pinned", Error::wrong_chain,
       [=](Scenario& s) { s.policy.anchors.development_nvidia.clear(); }},
      {"the root of devices instead", Error::wrong_chain,
       [=](Scenario& s) {
         s.policy.anchors.nvidia_device_root = s.policy.anchors.development_nvidia;
         s.policy.anchors.development_nvidia.clear();
       }},
      {"another root", Error::wrong_chain,
       [=](Scenario& s) {
         without_answers(s);
         s.chain[3] = stranger.certificate;
       }},
      {"the signer is a CA", Error::wrong_chain,
       chain_with(0, {.name = "test signer", .ca = true}, &h().issuing)},
      {"the issuing CA is none", Error::wrong_chain,
       chain_with(1, {.name = "test issuing", .ca = false}, &h().product)},
      {"a path length too short", Error::wrong_chain,
       chain_with(2, {.name = "test product", .path_length = 0}, &h().root)},
      {"another issuer's signature", Error::wrong_chain,
       chain_with(1, {.name = "test issuing"}, &stranger)},
      {"a critical extension", Error::wrong_chain,
       chain_with(0,
                  {.name = "test signer", .ca = false, .extensions = {{"1.2.3.4", true, {5, 0}}}},
                  &h().issuing)},
      {"a signer of P-256", Error::wrong_chain,
       [=](Scenario& s) {
         without_answers(s);
         s.chain[0] = p256.certificate;
       }},
      {"the signer has ended", Error::expired,
       chain_with(0, {.name = "test signer", .until = kNow - 1, .ca = false}, &h().issuing)},
      {"the signer has not begun", Error::not_yet_valid,
       chain_with(0, {.name = "test signer", .from = kNow + 1, .ca = false}, &h().issuing)},
      {"the product's CA has ended", Error::expired,
       chain_with(2, {.name = "test product", .until = kNow - 1}, &h().root)},
      {"a certificate has ended and another not begun", Error::not_yet_valid,
       [=](Scenario& s) {
         chain_with(0, {.name = "test signer", .from = kNow + 1, .ca = false}, &h().issuing)(s);
         s.chain[2] = certificate_of({.name = "test product", .until = kNow - 1}, h().product.key,
                                     &h().root);
       }},
  });
}

TEST(Rim, Signature) {
  expect_refusals({
      {"the version changed", Error::bad_signature, in_document("96.00.74", "96.00.75")},
      {"a measurement changed", Error::bad_signature, in_document("Hash0=\"01", "Hash0=\"02")},
      {"a measurement made inactive", Error::bad_signature, in_document("\"True\"", "\"False\"")},
      {"a space more", Error::bad_signature, in_document("<n:Meta", " <n:Meta")},
      {"the signature value changed", Error::bad_signature,
       [](Scenario& s) {
         s.bend_document = [](std::string& d) {
           char& c = d[d.find("<ds:SignatureValue>") + 25];
           c = c == 'A' ? 'B' : 'A';
         };
       }},
      {"the digest changed", Error::bad_signature,
       [](Scenario& s) {
         s.bend_document = [](std::string& d) {
           char& c = d[d.find("<ds:DigestValue>") + 20];
           c = c == 'A' ? 'B' : 'A';
         };
       }},
      {"an empty signature value", Error::bad_signature,
       [](Scenario& s) {
         s.bend_document = [](std::string& d) {
           const size_t from = d.find("<ds:SignatureValue>") + 19;
           d.erase(from, d.find("</ds:SignatureValue>") - from);
         };
       }},
      {"signed with another key", Error::bad_signature,
       [](Scenario& s) { s.signer = &h().issuing.key; }},
  });
}

TEST(Rim, OrderOfAttributesDoesNotCount) {
  Scenario s;
  s.bend_document = [](std::string& d) {
    replace(d, "type=\"Measurement\" index=\"0\"", "index=\"0\"  type='Measurement'");
  };
  EXPECT_TRUE(s.judge().verified) << s.judge().appraisal.detail;
}

TEST(Rim, Revocation) {
  static const Authority plain = authority_of({.name = "no responder", .ca = false}, &h().root);
  static const Authority foreign_root = authority_of({.name = "foreign root"}, nullptr);
  static const Authority foreign =
      authority_of({.name = "foreign", .ca = false, .extensions = {ocsp_signing()}}, &foreign_root);
  static const Authority ended = authority_of(
      {.name = "ended", .until = kNow - 1, .ca = false, .extensions = {ocsp_signing()}}, &h().root);
  const auto answers = [](OcspStatus status, UnixSeconds from, std::optional<UnixSeconds> until) {
    return [=](Scenario& s) { s.answer = OcspAnswer{status, from, until}; };
  };
  expect_refusals({
      {"no answers", Error::collateral_missing, [](Scenario& s) { s.answer.reset(); }},
      {"not an OCSP response", Error::malformed,
       [](Scenario& s) { s.bend_response = [](Buffer& r) { r.pop_back(); }; }},
      {"an unsuccessful response", Error::malformed,
       [](Scenario& s) {
         s.bend_response = [](Buffer& r) { r = {0x30, 3, 0x0A, 1, 6}; };  // unauthorized
       }},
      {"revoked", Error::revoked, answers(OcspStatus::revoked, kNow - 1, kNow + 1)},
      {"on hold", Error::revoked, answers(OcspStatus::on_hold, kNow - 1, kNow + 1)},
      {"unknown", Error::revoked, answers(OcspStatus::unknown, kNow - 1, kNow + 1)},
      {"not yet", Error::not_yet_valid, answers(OcspStatus::good, kNow + 1, kNow + 2)},
      {"past", Error::expired, answers(OcspStatus::good, kNow - 2, kNow - 1)},
      {"without end", Error::expired, answers(OcspStatus::good, kNow - 1, std::nullopt)},
      {"a responder without its role", Error::wrong_chain,
       [](Scenario& s) { s.responder = &plain; }},
      {"a responder of a stranger", Error::wrong_chain,
       [](Scenario& s) { s.responder = &foreign; }},
      {"a responder that has ended", Error::expired, [](Scenario& s) { s.responder = &ended; }},
      {"a signature changed", Error::bad_signature,
       [](Scenario& s) {
         s.bend_response = [](Buffer& r) {
           const Buffer der = h().responder.certificate.der();
           const auto at = std::ranges::search(r, Bytes(der).first(16)).begin();
           *(at - 12) ^= 1;  // the last bytes of the signature before the certificates
         };
       }},
  });
  Scenario waived;
  waived.answer.reset();
  waived.policy.allow_no_revocation = true;
  EXPECT_TRUE(waived.judge().verified);
  waived.answer = OcspAnswer{OcspStatus::revoked, kNow - 1, kNow + 1};  // supplied and bad
  EXPECT_EQ(waived.judge().appraisal.error, Error::revoked);
}

TEST(Rim, TheNewestAnswerCountsAndAnIssuerMayAnswerItself) {
  Scenario s;
  Collateral collateral = s.collateral();
  const auto judge = [&] {
    return verify_nvidia_rim(as_bytes(s.document()), collateral, s.policy, Binding::not_compared(),
                             s.now)
        .appraisal.error;
  };
  collateral.ocsp_responses.push_back(
      ocsp_about(s.chain, {OcspStatus::revoked, kNow - 1, kNow + 1}, h().responder));
  EXPECT_EQ(judge(), Error::revoked);
  collateral.ocsp_responses = {};
  const Authority* issuers[] = {&h().issuing, &h().product, &h().root};
  for (size_t i = 0; i < 3; ++i) {
    collateral.ocsp_responses.push_back(ocsp_about(
        std::span(s.chain).subspan(i, 2), {OcspStatus::good, kNow - 1, kNow + 1}, *issuers[i]));
  }
  EXPECT_EQ(judge(), std::nullopt);
  collateral.ocsp_responses.pop_back();
  EXPECT_EQ(judge(), Error::collateral_missing);
}

// Canonicalisation leaves room for equal documents, so a changed byte must be refused or leave what
// the manifest says as it was. Every byte of one manifest, every 61st of the others.
TEST(Rim, FlippedAndCutBytesOfRealManifestsAreRefusedOrSayTheSame) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  for (const Case& c : load_cases(*vectors, "nvidia-rim")) {
    if (!c.accept || c.id == "rim-vbios-edit-attr-order") continue;
    SCOPED_TRACE(c.id);
    const size_t step = c.id == "rim-vbios-1010-0200-882-96005e0001" ? 1 : 61;
    const Collateral collateral = *c.gathered();
    const auto before = verify_rim(as_text(c.evidence), collateral, c.policy, c.time);
    ASSERT_TRUE(before);
    Buffer changed = c.evidence;
    size_t same = 0;
    for (size_t at = 0; at < changed.size(); at += step) {
      const auto bit = static_cast<uint8_t>(1u << (at % 7));
      changed[at] ^= bit;
      if (const auto got = verify_rim(as_text(changed), collateral, c.policy, c.time)) {
        ++same;
        ASSERT_EQ(got->version(), before->version());
        ASSERT_EQ(got->goldens(), before->goldens());
      }
      changed[at] ^= bit;
    }
    // White space in tags and in base64, and what stands for it.
    EXPECT_LT(same * step, changed.size() / 25);
    for (size_t size = 0; size < changed.size() - 2; size += step) {
      ASSERT_EQ(header_of(as_text(changed).substr(0, size)).error().error, Error::malformed);
    }
  }
}

}  // namespace
}  // namespace cloister::evidence::rim
