#include "node/documents.h"

#include "base/cbor.h"
#include "channel/sealed/file.h"

namespace cloister::node {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kOpening = "<document>\n", kClosing = "\n</document>\n\n";
constexpr std::string_view kLeftOut = "\n[…]\n";

bool is_continuation(uint8_t byte) {
  return (byte & 0xc0) == 0x80;
}

// Without the half character that a cut left at the end, or at the beginning.
Bytes whole_at_end(Bytes text) {
  size_t last = text.size();
  while (last > 0 && text.size() - last < 4 && is_continuation(text[last - 1])) --last;
  if (last == 0) return text;
  const uint8_t lead = text[last - 1];
  const size_t wanted = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  return text.size() - (last - 1) < wanted ? text.first(last - 1) : text;
}

Bytes whole_at_begin(Bytes text) {
  size_t first = 0;
  while (first < text.size() && first < 3 && is_continuation(text[first])) ++first;
  return text.subspan(first);
}

asio::awaitable<std::optional<UserText>> bring(const wire::Document& document,
                                               std::optional<payload::Store> store,
                                               size_t max_bytes) {
  const auto address = blob::HttpAddress::parse(document.uri);
  const bool ours =
      address && store && address->host == store->host && address->port == store->port;
  if (!ours) co_return std::nullopt;
  Excerpt shown(max_bytes);
  sealed::FileOpener opener(document.key);
  const auto sink = [&](Bytes more) {
    SecretBuffer data;
    const auto opened = opener.feed(more, data);
    if (opened) shown.feed(data);
    return opened.has_value();
  };
  blob::Transfer limits;
  limits.max_bytes = kMaxDocumentBytes;
  const auto got = co_await blob::get(*address, sink, limits);
  SecretBuffer rest;
  const auto ended = got ? opener.end(rest) : std::unexpected(sealed::SealedError::truncated);
  if (!ended) co_return std::nullopt;
  shown.feed(rest);
  co_return shown.take();
}

}  // namespace

void Excerpt::feed(Bytes more) {
  const size_t to_head = std::min(half_ - head_.size(), more.size());
  head_.insert(head_.end(), more.begin(), more.begin() + static_cast<std::ptrdiff_t>(to_head));
  for (const uint8_t byte : more.subspan(to_head)) {
    if (tail_.size() < half_) {
      tail_.push_back(byte);
      continue;
    }
    ++dropped_;
    if (half_ == 0) continue;
    tail_[oldest_] = byte;
    oldest_ = (oldest_ + 1) % half_;
  }
}

std::optional<UserText> Excerpt::take() const {
  SecretBuffer tail(tail_.begin() + static_cast<std::ptrdiff_t>(oldest_), tail_.end());
  tail.insert(tail.end(), tail_.begin(), tail_.begin() + static_cast<std::ptrdiff_t>(oldest_));
  SecretBuffer all;
  const auto add = [&all](Bytes part) { all.insert(all.end(), part.begin(), part.end()); };
  if (dropped_ == 0) {
    add(head_);
    add(tail);
  } else {
    add(whole_at_end(head_));
    add(as_bytes(kLeftOut));
    add(whole_at_begin(tail));
  }
  if (!valid_utf8(as_text(all))) return std::nullopt;
  return UserText(as_text(all));
}

asio::awaitable<std::expected<void, wire::Refusal>> bring_documents(
    wire::Request& request, std::optional<payload::Store> store, size_t max_bytes) {
  if (request.documents.empty()) co_return std::expected<void, wire::Refusal>{};
  if (request.messages.empty()) co_return std::unexpected(wire::Refusal::malformed);
  UserText content;
  for (const wire::Document& one : request.documents) {
    const auto text = co_await bring(one, store, max_bytes / request.documents.size());
    if (!text) co_return std::unexpected(wire::Refusal::document_unavailable);
    content.append(kOpening);
    content.append(text->reveal());
    content.append(kClosing);
  }
  UserText& last = request.messages.back().content;
  content.append(last.reveal());
  last = std::move(content);
  request.documents.clear();
  co_return std::expected<void, wire::Refusal>{};
}

}  // namespace cloister::node
