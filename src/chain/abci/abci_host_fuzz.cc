// Whatever an engine asks, in whatever order: one answer of the right kind or an exception, and the
// state is that of the last commit.
#include <cstdlib>
#include <filesystem>

#include "chain/abci/driver_testing.h"
#include "chain/chain_testing.h"

namespace {

using namespace cloister;
using namespace cloister::chain;

struct Subject {
  TemporaryFolder folder;
  std::unique_ptr<abci::Host> host;
  Subject() {
    const std::string dir = folder.file("ledger");
    std::filesystem::create_directories(dir);
    auto opened = abci::open_driven(dir, 0);
    if (!opened) std::abort();
    host = std::move(*opened);
  }
};

}  // namespace

// Frames, one after the other.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Subject subject;  // what one input leaves is where the next begins
  abci::FrameReader frames;
  frames.append(Bytes(data, size));
  for (;;) {
    const auto frame = frames.next();
    if (!frame || !*frame) return 0;
    abci::Request request;
    if (!request.ParseFromArray((*frame)->data(), static_cast<int>((*frame)->size()))) continue;
    const int64_t before = subject.host->height();
    const abci::Response response = subject.host->handle(request);
    const bool commits = request.has_commit() || request.has_apply_snapshot_chunk();
    if (!commits && subject.host->height() != before) std::abort();
    if (response.value_case() == abci::Response::VALUE_NOT_SET) std::abort();
    const int wanted = static_cast<int>(request.value_case()) + 1;
    if (!response.has_exception() && static_cast<int>(response.value_case()) != wanted)
      std::abort();
  }
}
