// However a stream is cut into pieces, the same frames come out of it; what comes out was in it.
#include <cstdlib>

#include "chain/abci/frame.h"

namespace {

using cloister::Buffer;
using cloister::Bytes;
using cloister::chain::abci::FrameReader;

struct Frames {
  std::vector<Buffer> whole;
  bool refused = false;
  bool operator==(const Frames&) const = default;
};

Frames read(Bytes stream, size_t piece) {
  Frames out;
  FrameReader reader;
  for (size_t at = 0; at < stream.size() && !out.refused; at += piece) {
    reader.append(stream.subspan(at, std::min(piece, stream.size() - at)));
    for (;;) {
      const auto frame = reader.next();
      out.refused = !frame;
      if (!frame || !*frame) break;
      out.whole.push_back(cloister::to_buffer(**frame));
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes stream(data, size);
  const Frames once = read(stream, std::max<size_t>(size, 1));
  if (read(stream, 1) != once || read(stream, 3) != once) std::abort();
  size_t bytes = 0;
  for (const Buffer& frame : once.whole) bytes += frame.size() + 1;
  if (bytes > size) std::abort();
  return 0;
}
