// What sealing costs: set-up of a request, throughput beside the bare cipher, and what each padding
// adds to an answer in bytes and ticks. One JSON object a line.
#include <fmt/format.h>

#include <chrono>
#include <functional>

#include "channel/sealed/request.h"

namespace {

using namespace cloister;
using namespace cloister::sealed;
using Clock = std::chrono::steady_clock;
constexpr UnixMillis kNow = 1'800'000'000'000;
constexpr size_t kText = size_t{1} << 20;
constexpr int64_t kTickMs = 40;

// The least time of one call among several rounds, in microseconds: the machine is shared.
double least_us(size_t rounds, size_t calls, const std::function<void()>& body) {
  double least = 1e12;
  for (size_t round = 0; round < rounds; ++round) {
    const auto began = Clock::now();
    for (size_t i = 0; i < calls; ++i) body();
    const std::chrono::duration<double, std::micro> took = Clock::now() - began;
    least = std::min(least, took.count() / static_cast<double>(calls));
  }
  return least;
}

struct Bench {
  Bench() : keys(Hash32{7}) {
    keys.begin(random, kNow);
    config = *decode_key_config(keys.newest()->config);
    profile.chain_id = "bench";
    profile.instance = keys.instance();
    profile.key_config_sha256 = keys.newest()->config_sha256;
    profile.deadline_ms = kNow;
    profile.sequence = profile.max_units = 1;
  }
  SealedRequest seal(Bytes content, crypto::KemKind kem) {
    return *seal_request(config, kem, profile, "/bench", content, random);
  }

  SystemRandom random;
  KeyEpochs keys;
  KeyConfig config;
  Profile profile;
};

void measure_setup(Bench& b) {
  for (const auto kem : {crypto::KemKind::x25519, crypto::KemKind::x_wing}) {
    const double seal_us = least_us(20, 50, [&] { (void)b.seal({}, kem); });
    std::vector<Buffer> messages;
    for (size_t i = 0; i < 1000; ++i) messages.push_back(b.seal({}, kem).message);
    size_t next = 0;
    const double open_us = least_us(20, 50, [&] {
      if (!open_request(b.keys, messages[next++], Carrier::attested_tls, kNow, b.random)) {
        std::abort();
      }
    });
    fmt::print(R"({{"what":"setup","kem":"{}","seal_us":{:.1f},"open_us":{:.1f}}})"
               "\n",
               kem == crypto::KemKind::x_wing ? "X-Wing" : "X25519", seal_us, open_us);
  }
}

double time_us(const std::function<void()>& body) {
  const auto began = Clock::now();
  body();
  return std::chrono::duration<double, std::micro>(Clock::now() - began).count();
}

// A mebibyte in chunks of 64 KiB through the contexts of a request, beside one call of the cipher
// over the same buffers; in turn, and the least of many rounds.
void measure_throughput(Bench& b) {
  constexpr size_t kChunks = kText / kMaxChunkBytes;
  constexpr size_t kSealedChunk = kMaxChunkBytes + crypto::kAeadTagBytes;
  const Buffer text(kText, 'x'), raw_key(32, 1);
  Buffer sealed(kChunks * kSealedChunk), opened(kText);
  crypto::AeadSealer raw(kAead, raw_key);
  crypto::AeadOpener raw_opener(kAead, raw_key);
  const auto key = crypto::KemKey::generate(crypto::KemKind::x25519, b.random);
  auto sender = *crypto::HpkeSender::setup(key.kind(), kAead, key.public_key(), {}, b.random);
  auto recipient = *crypto::HpkeRecipient::setup(key, kAead, sender.encapsulated(), {});
  const auto whole = std::span(sealed).first(kText + crypto::kAeadTagBytes);
  double raw_seal = 1e12, raw_open = 1e12, seal = 1e12, open = 1e12;
  for (size_t round = 0; round < 200; ++round) {
    raw_seal = std::min(raw_seal, time_us([&] { raw.seal({}, {}, text, whole); }));
    raw_open = std::min(raw_open, time_us([&] {
                          if (!raw_opener.open({}, {}, whole, opened)) std::abort();
                        }));
    seal = std::min(seal, time_us([&] {
                      for (size_t i = 0; i < kChunks; ++i) {
                        sender.seal({}, Bytes(text).subspan(i * kMaxChunkBytes, kMaxChunkBytes),
                                    std::span(sealed).subspan(i * kSealedChunk, kSealedChunk));
                      }
                    }));
    open = std::min(
        open, time_us([&] {
          for (size_t i = 0; i < kChunks; ++i) {
            const auto chunk = std::span(sealed).subspan(i * kSealedChunk, kSealedChunk);
            const auto room = std::span(opened).subspan(i * kMaxChunkBytes, kMaxChunkBytes);
            if (!recipient.open({}, chunk, room)) std::abort();
          }
        }));
  }
  fmt::print(R"({{"what":"throughput","raw_seal_us":{:.1f},"seal_us":{:.1f},)"
             R"("raw_open_us":{:.1f},"open_us":{:.1f}}})"
             "\n",
             raw_seal, seal, raw_open, open);
}

// A whole request of a mebibyte: its set-up, copies, padding and memory as well.
void measure_whole(Bench& b) {
  const Buffer text(kText, 'x');
  double seal = 1e12, open = 1e12;
  for (size_t round = 0; round < 100; ++round) {
    std::optional<SealedRequest> made;
    seal = std::min(seal, time_us([&] { made = b.seal(text, crypto::KemKind::x_wing); }));
    open = std::min(open, time_us([&] {
                      if (!open_request(b.keys, made->message, Carrier::open, kNow, b.random))
                        std::abort();
                    }));
  }
  fmt::print(R"({{"what":"whole","seal_us":{:.1f},"open_us":{:.1f}}})"
             "\n",
             seal, open);
}

// An answer of `pieces` at `piece_ms` each after a prefill, by the pacer's own rules on a clock of
// its own: bytes on the wire beside those of the text, and what the ticks add at both ends.
void measure_padding(Padding mode, int64_t pieces, int64_t piece_ms) {
  constexpr int64_t kPrefillMs = 300;
  constexpr size_t kPieceBytes = 13, kTextBytes = 4, kEndBytes = 700;  // frames of src/wire
  constexpr size_t kPhases = kTickMs;  // of the first piece against the clock
  double bytes = 0, first_ms = 0, last_ms = 0;
  for (int64_t phase = 0; phase < kTickMs; ++phase) {
    Pacer pacer(mode);
    int64_t made = 0, first_at = -1;
    const int64_t end_at = kPrefillMs + phase + pieces * piece_ms;
    for (int64_t now = 0; !pacer.done(); ++now) {
      for (; made < pieces && now >= kPrefillMs + phase + made * piece_ms; ++made) {
        pacer.push(Buffer(kPieceBytes));
      }
      if (now == end_at) {
        pacer.push(Buffer(kEndBytes));
        pacer.finish();
      }
      if (pacer.clocked() && now % kTickMs != 0) continue;
      while (auto chunk = pacer.next()) {
        bytes += static_cast<double>(chunk->plaintext.size() + crypto::kAeadTagBytes + 2);
        if (first_at < 0 && made > 0) first_at = now;
        if (chunk->last) last_ms += static_cast<double>(now - end_at);
        if (pacer.clocked()) break;
      }
    }
    first_ms += static_cast<double>(first_at - kPrefillMs - phase);
  }
  const double text = static_cast<double>(pieces) * kTextBytes;
  fmt::print(R"({{"what":"padding","mode":"{}","pieces":{},"piece_ms":{},"bytes":{:.0f},)"
             R"("ratio":{:.1f},"first_ms":{:.1f},"last_ms":{:.1f}}})"
             "\n",
             name(mode), pieces, piece_ms, bytes / kPhases, bytes / kPhases / text,
             first_ms / kPhases, last_ms / kPhases);
}

}  // namespace

int main() {
  Bench b;
  measure_setup(b);
  measure_throughput(b);
  measure_whole(b);
  for (const auto mode : {Padding::off, Padding::standard, Padding::strict}) {
    for (const int64_t pieces : {10, 100, 500}) measure_padding(mode, pieces, 25);
  }
  return 0;
}
