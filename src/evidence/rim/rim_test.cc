#include <gmock/gmock.h>

#include <chrono>

#include "base/text.h"
#include "evidence/common/cases_testing.h"
#include "evidence/common/faults_testing.h"
#include "evidence/rim/scenario_testing.h"
#include "evidence/rim/swid.h"

namespace cloister::evidence::rim {
namespace {

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
  expect_refusals_of<Scenario>({
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
  expect_refusals_of<Scenario>({
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
  expect_refusals_of<Scenario>({
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

TEST(Rim, Signature) {
  expect_refusals_of<Scenario>({
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
