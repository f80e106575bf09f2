#include "channel/sealed/sealed_testing.h"

#include <cstdlib>

namespace cloister::sealed {

Profile TestPeers::profile() const {
  Profile out;
  out.chain_id = "cloister-test";
  out.id = Hash32{1};
  out.sequence = 3;
  out.instance = keys.instance();
  out.key_config_sha256 = keys.newest()->config_sha256;
  out.model_root = Hash32{2};
  out.deadline_ms = kTestNow + 60'000;
  out.max_units = 4096;
  return out;
}

SealedRequest TestPeers::seal(std::string_view content, crypto::KemKind kem) {
  return seal(profile(), content, kem);
}

SealedRequest TestPeers::seal(const Profile& of, std::string_view content, crypto::KemKind kem) {
  auto made = seal_request(config(), kem, of, "/test", as_bytes(content), random);
  if (!made) std::abort();
  return std::move(*made);
}

std::vector<Buffer> seal_answer(AnswerSealer& sealer, Padding padding, std::string_view data) {
  Pacer pacer(padding);
  pacer.push(as_bytes(data));
  pacer.finish();
  std::vector<Buffer> out;
  while (auto chunk = pacer.next()) sealer.seal(*chunk, out.emplace_back());
  return out;
}

Buffer joined(const std::vector<Buffer>& chunks) {
  ByteWriter out;
  for (const Buffer& chunk : chunks) out.bytes(chunk);
  return out.take();
}

Result<std::string> open_answer(const AnswerSecret& secret, Bytes message) {
  AnswerOpener opener(secret);
  SecretBuffer data;
  if (auto fed = opener.feed(message, data); !fed) return std::unexpected(fed.error());
  if (auto ended = opener.end(data); !ended) return std::unexpected(ended.error());
  return std::string(as_text(data));
}

}  // namespace cloister::sealed
