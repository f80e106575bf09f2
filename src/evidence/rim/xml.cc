#include "evidence/rim/xml.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

namespace cloister::evidence::rim {
namespace {

std::unexpected<Fault> malformed(std::string_view what) {
  return refuse(Error::malformed, "XML: " + std::string(what));
}

std::string_view text_of(const xmlChar* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

// <?xml version="1.0" …?>, at the start only. Returns what comes after it.
Result<std::string_view> after_declaration(std::string_view text) {
  constexpr std::string_view kOpen = "<?xml ", kClose = "?>";
  if (!text.starts_with(kOpen)) return text;
  const size_t end = text.find(kClose);
  if (end == std::string_view::npos || end > 100) return malformed("its declaration");
  const std::string_view declaration = text.substr(0, end);
  const size_t encoding = declaration.find("encoding");
  if (encoding != std::string_view::npos &&
      declaration.find("UTF-8", encoding) == std::string_view::npos &&
      declaration.find("utf-8", encoding) == std::string_view::npos) {
    return malformed("an encoding other than UTF-8");
  }
  return text.substr(end + kClose.size());
}

// The size of the tag that `text` starts with, up to its '>'. Nothing when it has none in bounds.
std::optional<size_t> tag_size(std::string_view text) {
  char quote = 0;
  for (size_t i = 1; i < text.size() && i < kMaxXmlTagBytes; ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      return i + 1;
    }
  }
  return std::nullopt;
}

// What libxml2 would spend time, memory or trust on is refused before it sees a byte.
Result<std::monostate> check_markup(std::string_view text) {
  if (text.size() > kMaxXmlBytes) return malformed("too large");
  if (text.find('\0') != std::string_view::npos) return malformed("a zero byte");
  auto rest = after_declaration(text);
  if (!rest) return std::unexpected(rest.error());
  size_t elements = 0;
  for (size_t at = rest->find('<'); at != std::string_view::npos; at = rest->find('<', at)) {
    const std::string_view tag = rest->substr(at);
    if (tag.starts_with("<!")) return malformed("a document type, comment or CDATA section");
    if (tag.starts_with("<?")) return malformed("a processing instruction");
    const auto size = tag_size(tag);
    if (!size) return malformed("a tag without end, or past its limit");
    if (!tag.starts_with("</") && ++elements > kMaxXmlElements) return malformed("many elements");
    at += *size;
  }
  return std::monostate();
}

xmlNode* node_of(void* handle) {
  return static_cast<xmlNode*>(handle);
}

std::string value_of(const xmlAttr* attribute) {
  xmlChar* value = xmlNodeListGetString(attribute->doc, attribute->children, 1);
  std::string out(text_of(value));
  xmlFree(value);
  return out;
}

std::string_view space_of(const xmlNs* space) {
  return space == nullptr ? std::string_view() : text_of(space->href);
}

}  // namespace

bool XmlElement::is(std::string_view space, std::string_view name) const {
  const xmlNode* node = node_of(node_);
  return space_of(node->ns) == space && text_of(node->name) == name;
}

std::vector<XmlElement> XmlElement::children() const {
  std::vector<XmlElement> out;
  for (xmlNode* child = node_of(node_)->children; child != nullptr; child = child->next) {
    if (child->type == XML_ELEMENT_NODE) out.emplace_back(child);
  }
  return out;
}

std::vector<XmlAttribute> XmlElement::attributes() const {
  std::vector<XmlAttribute> out;
  for (xmlAttr* each = node_of(node_)->properties; each != nullptr; each = each->next) {
    out.push_back(
        {std::string(space_of(each->ns)), std::string(text_of(each->name)), value_of(each)});
  }
  return out;
}

std::optional<std::string> XmlElement::attribute(std::string_view name) const {
  for (xmlAttr* each = node_of(node_)->properties; each != nullptr; each = each->next) {
    if (each->ns == nullptr && text_of(each->name) == name) return value_of(each);
  }
  return std::nullopt;
}

std::string XmlElement::text() const {
  std::string out;
  for (xmlNode* child = node_of(node_)->children; child != nullptr; child = child->next) {
    if (child->type == XML_TEXT_NODE) out += text_of(child->content);
  }
  return out;
}

Result<XmlDocument> XmlDocument::parse(std::string_view text) {
  if (auto checked = check_markup(text); !checked) return std::unexpected(checked.error());
  constexpr int kOptions = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
  xmlDoc* parsed =
      xmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, "UTF-8", kOptions);
  if (parsed == nullptr) return malformed("not well-formed");
  XmlDocument out;
  out.document_ =
      std::shared_ptr<void>(parsed, [](void* p) { xmlFreeDoc(static_cast<xmlDoc*>(p)); });
  if (parsed->intSubset != nullptr || xmlDocGetRootElement(parsed) == nullptr) {
    return malformed("a document type, or no element");
  }
  return out;
}

XmlElement XmlDocument::root() const {
  return XmlElement(xmlDocGetRootElement(static_cast<xmlDoc*>(document_.get())));
}

}  // namespace cloister::evidence::rim
