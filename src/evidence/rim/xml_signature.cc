#include "evidence/rim/xml_signature.h"

#include <libxml/xmlerror.h>
#include <xmlsec/crypto.h>
#include <xmlsec/errors.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.h"

namespace cloister::evidence::rim {
namespace {

constexpr std::string_view kDsig = "http://www.w3.org/2000/09/xmldsig#";
constexpr std::string_view kC14n11 = "http://www.w3.org/2006/12/xml-c14n11";
constexpr std::string_view kEnveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
constexpr std::string_view kEcdsaSha384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384";
constexpr std::string_view kSha384 = "http://www.w3.org/2001/04/xmldsig-more#sha384";

std::unexpected<Fault> malformed(std::string_view what) {
  return refuse(Error::malformed, "XML signature: " + std::string(what));
}

// --- shape
// ----------------------------------------------------------------------------------------

// Exactly these children of the signature's namespace, in this order.
bool has_children(const std::vector<XmlElement>& children,
                  std::initializer_list<std::string_view> names) {
  return std::ranges::equal(children, names, [](const XmlElement& child, std::string_view name) {
    return child.is(kDsig, name);
  });
}

Result<std::monostate> algorithm_is(const XmlElement& element, std::string_view wanted) {
  const auto algorithm = element.attribute("Algorithm");
  if (!algorithm || !element.children().empty()) return malformed("an algorithm");
  if (*algorithm != wanted) {
    return refuse(Error::unsupported, "XML signature: an algorithm other than NVIDIA's");
  }
  return std::monostate();
}

Result<std::monostate> check_reference(const XmlElement& reference) {
  const auto parts = reference.children();
  if (!has_children(parts, {"Transforms", "DigestMethod", "DigestValue"})) {
    return malformed("its reference");
  }
  const auto attributes = reference.attributes();
  if (attributes.size() != 1 || reference.attribute("URI") != "") {
    return malformed("a reference to anything but the whole document");
  }
  const auto transforms = parts[0].children();
  if (!has_children(transforms, {"Transform", "Transform"})) return malformed("its transforms");
  if (auto ok = algorithm_is(transforms[0], kEnveloped); !ok) return ok;
  if (auto ok = algorithm_is(transforms[1], kC14n11); !ok) return ok;
  return algorithm_is(parts[1], kSha384);
}

Result<std::monostate> check_signed_info(const XmlElement& info) {
  const auto parts = info.children();
  if (!has_children(parts, {"CanonicalizationMethod", "SignatureMethod", "Reference"})) {
    return malformed("not one reference");
  }
  if (auto ok = algorithm_is(parts[0], kC14n11); !ok) return ok;
  if (auto ok = algorithm_is(parts[1], kEcdsaSha384); !ok) return ok;
  return check_reference(parts[2]);
}

std::optional<crypto::Certificate> certificate_from(const XmlElement& element) {
  std::string text = element.text();
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; });
  const auto der = from_base64(text);
  return der ? crypto::Certificate::from_der(*der) : std::nullopt;
}

Result<std::vector<crypto::Certificate>> read_key_info(const XmlElement& key_info) {
  const auto data = key_info.children();
  if (!has_children(data, {"X509Data"})) return malformed("its key");
  std::vector<crypto::Certificate> out;
  for (const XmlElement& each : data[0].children()) {
    auto certificate = each.is(kDsig, "X509Certificate") ? certificate_from(each) : std::nullopt;
    if (!certificate || out.size() == 2 * kRimChainCertificates) return malformed("a certificate");
    out.push_back(std::move(*certificate));
  }
  if (out.empty()) return malformed("no certificate");
  return out;
}

// The parser bounds the depth of what it accepts.
size_t count_signatures(const XmlElement& element) {
  size_t count = element.is(kDsig, "Signature") ? 1 : 0;
  for (const XmlElement& child : element.children()) count += count_signatures(child);
  return count;
}

// --- verification
// ---------------------------------------------------------------------------------

void require(bool held) {
  if (!held) std::abort();
}

// libxml2 writes what it thinks of a document to stderr, unless this thread has another handler.
class Silence {
 public:
  Silence() : was_(xmlStructuredError), context_(xmlStructuredErrorContext) {
    xmlSetStructuredErrorFunc(nullptr, [](void*, xmlError*) {});
  }
  ~Silence() { xmlSetStructuredErrorFunc(context_, was_); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  xmlStructuredErrorFunc was_;
  void* context_;
};

class SignatureContext {
 public:
  SignatureContext() {
    require(xmlSecDSigCtxInitialize(&context_, nullptr) == 0);
    context_.enabledReferenceUris = xmlSecTransformUriTypeEmpty;
    for (auto id :
         {xmlSecTransformEnvelopedId, xmlSecTransformInclC14N11Id, xmlSecTransformSha384Id}) {
      require(xmlSecDSigCtxEnableReferenceTransform(&context_, id) == 0);
    }
    for (auto id : {xmlSecTransformInclC14N11Id, xmlSecTransformEcdsaSha384Id}) {
      require(xmlSecDSigCtxEnableSignatureTransform(&context_, id) == 0);
    }
  }
  ~SignatureContext() { xmlSecDSigCtxFinalize(&context_); }
  SignatureContext(const SignatureContext&) = delete;
  SignatureContext& operator=(const SignatureContext&) = delete;

  bool verify(const XmlElement& signature, const crypto::Certificate& signer) {
    const Buffer& der = signer.der();
    context_.signKey =
        xmlSecCryptoAppKeyLoadMemory(der.data(), static_cast<unsigned>(der.size()),
                                     xmlSecKeyDataFormatCertDer, nullptr, nullptr, nullptr);
    if (context_.signKey == nullptr) return false;
    return xmlSecDSigCtxVerify(&context_, static_cast<xmlNode*>(signature.handle())) == 0 &&
           context_.status == xmlSecDSigStatusSucceeded &&
           xmlSecPtrListGetSize(&context_.signedInfoReferences) == 1;
  }

 private:
  xmlSecDSigCtx context_{};
};

}  // namespace

Result<XmlSignature> find_signature(const XmlDocument& document) {
  const XmlElement root = document.root();
  const auto children = root.children();
  const auto found = std::ranges::find_if(
      children, [](const XmlElement& child) { return child.is(kDsig, "Signature"); });
  if (found == children.end() || count_signatures(root) != 1) {
    return malformed("not exactly one, below the root");
  }
  const auto parts = found->children();
  if (!has_children(parts, {"SignedInfo", "SignatureValue", "KeyInfo"}))
    return malformed("its parts");
  if (auto ok = check_signed_info(parts[0]); !ok) return std::unexpected(ok.error());
  auto certificates = read_key_info(parts[2]);
  if (!certificates) return std::unexpected(certificates.error());
  return XmlSignature{*found, std::move(*certificates)};
}

void start_xmlsec() {
  static const bool started = [] {
    xmlSecErrorsDefaultCallbackEnableOutput(0);
    require(xmlSecInit() == 0 && xmlSecCryptoAppInit(nullptr) == 0 && xmlSecCryptoInit() == 0);
    return true;
  }();
  require(started);
}

bool signature_holds(const XmlSignature& signature, const crypto::Certificate& signer) {
  start_xmlsec();
  const Silence silence;
  return SignatureContext().verify(signature.element, signer);
}

}  // namespace cloister::evidence::rim
