#include "channel/sealed/request.h"

#include <algorithm>

#include "base/text.h"
#include "channel/sealed/varint.h"
#include "crypto/hash.h"

namespace cloister::sealed {
namespace {

using crypto::KemKind;

constexpr size_t kHeaderBytes = 7;
constexpr std::string_view kRequestLabel = "message/bhttp chunked request";
constexpr std::string_view kAnswerLabel = "message/bhttp chunked response";

Buffer encode_header(uint8_t key_id, KemKind kem) {
  ByteWriter out;
  out.u8(key_id).u16_be(static_cast<uint16_t>(kem)).u16_be(crypto::kHpkeKdfSha256);
  return out.u16_be(static_cast<uint16_t>(kAead)).take();
}

Buffer info_of(Bytes header) {
  return ByteWriter().text(kRequestLabel).u8(0).bytes(header).take();
}

void seal_chunk(crypto::HpkeSender& sender, Bytes plaintext, bool last, Buffer& out) {
  const size_t sealed_bytes = plaintext.size() + crypto::kAeadTagBytes;
  write_varint(out, last ? 0 : sealed_bytes);
  out.resize(out.size() + sealed_bytes);
  sender.seal(chunk_mark(last), plaintext, std::span(out).last(sealed_bytes));
}

// All but the last chunk are full, so that lengths tell no more than the bucket.
void seal_chunks(crypto::HpkeSender& sender, Bytes plaintext, Buffer& out) {
  while (plaintext.size() > kMaxChunkBytes) {
    seal_chunk(sender, plaintext.first(kMaxChunkBytes), false, out);
    plaintext = plaintext.subspan(kMaxChunkBytes);
  }
  seal_chunk(sender, plaintext, true, out);
}

Result<SecretBuffer> open_chunks(crypto::HpkeRecipient& recipient, ByteReader& r) {
  SecretBuffer out(r.remaining());  // more than what is inside
  size_t opened_bytes = 0;
  for (size_t count = 0;; ++count) {
    if (count == kMaxRequestChunks) return std::unexpected(SealedError::too_many_chunks);
    const auto size = read_varint(r);
    if (!size) return std::unexpected(SealedError::truncated);
    const bool last = *size == 0;
    if (*size > kMaxSealedChunkBytes || (last && r.remaining() > kMaxSealedChunkBytes)) {
      return std::unexpected(SealedError::too_large);
    }
    const auto sealed = r.take(last ? r.remaining() : static_cast<size_t>(*size));
    if (!sealed) return std::unexpected(SealedError::truncated);
    if (sealed->size() < crypto::kAeadTagBytes) {
      return std::unexpected(SealedError::not_authentic);
    }
    const auto room = std::span(out).subspan(opened_bytes, sealed->size() - crypto::kAeadTagBytes);
    auto opened = recipient.open(chunk_mark(last), *sealed, room);
    if (!opened) return std::unexpected(SealedError::not_authentic);
    opened_bytes += room.size();
    if (!last) continue;
    out.resize(opened_bytes);
    return out;
  }
}

AnswerSecret answer_secret(const auto& context, Bytes encapsulated) {
  return {to_buffer(encapsulated), context.export_secret(kAnswerLabel, kResponseNonceBytes)};
}

struct Content {
  Profile profile;
  BinaryRequest http;
};

Result<Content> read_content(Bytes plaintext, const KeyEpoch& epoch, const Hash32& instance) {
  auto http = decode_request(plaintext);
  if (!http) return std::unexpected(http.error());
  auto profile = decode_profile(http->fields);
  if (!profile) return std::unexpected(profile.error());
  if (profile->key_config_sha256 != epoch.config_sha256) {
    return std::unexpected(SealedError::wrong_key_config);
  }
  if (profile->instance != instance || http->authority != to_hex(instance)) {
    return std::unexpected(SealedError::wrong_instance);
  }
  return Content{std::move(*profile), std::move(*http)};
}

}  // namespace

Result<SealedRequest> seal_request(const KeyConfig& to, KemKind kem, const Profile& profile,
                                   std::string_view path, Bytes content, Random& random) {
  const BinaryRequest http{to_hex(profile.instance), std::string(path), encode_profile(profile),
                           content};
  SecretBuffer plaintext = encode_request(http);
  if (plaintext.size() > kMaxMessageBytes) return std::unexpected(SealedError::too_large);
  plaintext.resize(request_bucket(plaintext.size()));
  Buffer message = encode_header(to.id(kem), kem);
  auto sender = crypto::HpkeSender::setup(kem, kAead, to.public_key(kem), info_of(message), random);
  if (!sender) return std::unexpected(SealedError::bad_encapsulated);
  const Bytes encapsulated = sender->encapsulated();
  const size_t chunks = plaintext.size() / kMaxChunkBytes + 1;
  message.reserve(kHeaderBytes + encapsulated.size() + plaintext.size() +
                  chunks * (crypto::kAeadTagBytes + varint_size(kMaxSealedChunkBytes)));
  message.insert(message.end(), encapsulated.begin(), encapsulated.end());
  seal_chunks(*sender, plaintext, message);
  if (message.size() > kMaxMessageBytes) return std::unexpected(SealedError::too_large);
  return SealedRequest{std::move(message), answer_secret(*sender, encapsulated)};
}

Result<OpenedRequest> open_request(KeyEpochs& keys, Bytes message, Carrier carrier,
                                   UnixMillis now_ms, Random& random) {
  if (message.size() > kMaxMessageBytes) return std::unexpected(SealedError::too_large);
  ByteReader r(message);
  const auto header = r.take(kHeaderBytes);
  if (!header) return std::unexpected(SealedError::malformed);
  const auto found = keys.find(header->front(), now_ms);
  if (!found) return std::unexpected(SealedError::unknown_key);
  const KemKind kem = found->key.kind();
  if (!equal(*header, encode_header(header->front(), kem))) {
    return std::unexpected(SealedError::suite_mismatch);
  }
  if (carrier != Carrier::attested_tls && kem != KemKind::x_wing) {
    return std::unexpected(SealedError::kem_not_allowed);
  }
  const auto encapsulated = r.take(crypto::kem_encapsulated_size(kem));
  if (!encapsulated) return std::unexpected(SealedError::malformed);
  const Hash32 identity = crypto::sha256(*encapsulated);
  const bool once = carrier != Carrier::ledger;
  if (once && found->opened.contains(identity)) return std::unexpected(SealedError::replayed);
  if (once && found->opened.size() >= kMaxRemembered) {
    return std::unexpected(SealedError::replay_set_full);
  }
  auto recipient = crypto::HpkeRecipient::setup(found->key, kAead, *encapsulated, info_of(*header));
  if (!recipient) return std::unexpected(SealedError::bad_encapsulated);
  auto plaintext = open_chunks(*recipient, r);
  if (!plaintext) return std::unexpected(plaintext.error());
  if (once) found->opened.insert(identity);
  auto content = read_content(*plaintext, found->epoch, keys.instance());
  if (!content) return std::unexpected(content.error());
  const Bytes text = content->http.content;
  return OpenedRequest{std::move(content->profile), std::move(content->http.path),
                       SecretBuffer(text.begin(), text.end()),
                       AnswerSealer(answer_secret(*recipient, *encapsulated), random)};
}

}  // namespace cloister::sealed
