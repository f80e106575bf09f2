// The part of XML that reference manifests use, parsed by libxml2 after what could do harm has been
// refused on the bytes: document types, entities, comments, CDATA, processing instructions, other
// encodings than UTF-8, elements without bound. All that is left is elements, attributes and text.
#pragma once

#include <memory>

#include "evidence/common/fault.h"

namespace cloister::evidence::rim {

constexpr size_t kMaxXmlBytes = 128 * 1024;
constexpr size_t kMaxXmlTagBytes = 4096;
constexpr size_t kMaxXmlElements = 1024;

struct XmlAttribute {
  std::string space, name, value;
};

// A view into an XmlDocument, which must outlive it.
class XmlElement {
 public:
  explicit XmlElement(void* node) : node_(node) {}

  bool is(std::string_view space, std::string_view name) const;
  std::vector<XmlElement> children() const;  // elements, in order
  std::vector<XmlAttribute> attributes() const;
  // Of no namespace; nothing when absent.
  std::optional<std::string> attribute(std::string_view name) const;
  std::string text() const;  // directly inside, concatenated

  void* handle() const { return node_; }  // xmlNode*, lent

 private:
  void* node_;
};

class XmlDocument {
 public:
  // `malformed`: not well-formed, or outside the part of XML described above.
  static Result<XmlDocument> parse(std::string_view text);
  XmlElement root() const;

 private:
  std::shared_ptr<void> document_;  // xmlDoc
};

}  // namespace cloister::evidence::rim
