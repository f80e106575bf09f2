#include "chain/abci/joining.h"

#include "chain/abci/convert.h"
#include "chain/abci/snapshots.h"
#include "crypto/hash.h"

namespace cloister::chain::abci {

ResponseOfferSnapshot::Result JoiningState::offer(const RequestOfferSnapshot& request) {
  const Snapshot& snapshot = request.snapshot();
  if (snapshot.format() != kSnapshotFormat) return ResponseOfferSnapshot::REJECT_FORMAT;
  const Bytes metadata = bytes_of(snapshot.metadata());
  auto manifest = SnapshotManifest::decode(metadata);
  const bool agrees = manifest && static_cast<uint64_t>(manifest->height) == snapshot.height() &&
                      manifest->chunks.size() == snapshot.chunks() &&
                      equal(crypto::sha256(metadata), bytes_of(snapshot.hash())) &&
                      equal(manifest->app_hash, bytes_of(request.app_hash()));
  if (!agrees) return ResponseOfferSnapshot::REJECT;
  at_ = {manifest->height, manifest->app_hash};
  reader_.emplace(std::move(*manifest));
  return ResponseOfferSnapshot::ACCEPT;
}

ResponseApplySnapshotChunk JoiningState::take(const RequestApplySnapshotChunk& request) {
  ResponseApplySnapshotChunk out;
  if (!reader_) {
    out.set_result(ResponseApplySnapshotChunk::ABORT);
  } else if (reader_->add(request.index(), bytes_of(request.chunk()))) {
    out.set_result(ResponseApplySnapshotChunk::ACCEPT);
  } else {
    out.set_result(ResponseApplySnapshotChunk::RETRY);
    out.add_refetch_chunks(request.index());
    if (!request.sender().empty()) out.add_reject_senders(request.sender());
  }
  return out;
}

Result<JoiningState::Fetched> JoiningState::finish() {
  auto reader = std::exchange(reader_, std::nullopt);
  if (!reader) return std::unexpected(ChainError::bad_snapshot);
  auto rows = reader->finish();
  if (!rows) return std::unexpected(rows.error());
  return Fetched{at_, std::move(*rows)};
}

}  // namespace cloister::chain::abci
