#include "chain/backup.h"

#include "base/files.h"
#include "chain/snapshot.h"
#include "crypto/hash.h"

namespace cloister::chain {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTag("cloister backup v1\0", 19);
// A row that does not fit a chunk has one of its own.
constexpr size_t kMaxBlockFileBytes = 4 * kMaxBlockBytes;  // with results and events

Status put(const fs::path& path, Bytes content) {
  const auto written = write_file(path, content, FileMode::shared);
  return written ? Status() : std::unexpected(ChainError::io);
}

Result<Buffer> get(const fs::path& path, size_t max_bytes) {
  auto read = read_file(path, max_bytes);
  if (!read) return std::unexpected(ChainError::bad_snapshot);
  return std::move(*read);
}

Buffer message_of(Bytes manifest, Bytes first_block, Bytes last_block) {
  ByteWriter out;
  out.text(kTag);
  for (const Bytes part : {manifest, first_block, last_block}) out.bytes(crypto::sha256(part));
  return out.take();
}

Result<BackupFacts> fill(const fs::path& folder, LocalChain& chain, const crypto::Ed25519Key& key) {
  SnapshotMaker maker(
      [&](size_t index, Bytes chunk) { return put(folder / std::to_string(index), chunk); });
  const Status rows = chain.each_state_row([&](const StateRow& row) { return maker.add(row); });
  if (!rows) return std::unexpected(rows.error());
  const auto manifest = maker.finish(chain.height(), chain.last()->app_hash);
  if (!manifest) return std::unexpected(manifest.error());
  const auto first = chain.block(1);
  if (!first) return std::unexpected(first.error());
  const Buffer manifest_bytes = manifest->encode(), first_bytes = encode_block(*first),
               last_bytes = encode_block(*chain.last());
  const auto signature = key.sign(message_of(manifest_bytes, first_bytes, last_bytes));
  const std::pair<const char*, Bytes> files[] = {{"manifest", manifest_bytes},
                                                 {"first_block", first_bytes},
                                                 {"last_block", last_bytes},
                                                 {"signature", signature}};
  for (const auto& [name, content] : files) {
    const Status written = put(folder / name, content);
    if (!written) return std::unexpected(written.error());
  }
  return BackupFacts{chain.height(), manifest->chunks.size()};
}

// What the folder says, signed by the validator.
struct Signed {
  SnapshotManifest manifest;
  Block first, last;
};

Result<Signed> read_signed(const LocalConfig& config, const fs::path& folder) {
  const auto manifest = get(folder / "manifest", kMaxManifestBytes);
  const auto first = get(folder / "first_block", kMaxBlockFileBytes);
  const auto last = get(folder / "last_block", kMaxBlockFileBytes);
  const auto signature = get(folder / "signature", sizeof(Fixed<64>));
  for (const auto* read : {&manifest, &first, &last, &signature}) {
    if (!*read) return std::unexpected(read->error());
  }
  const auto fixed = to_fixed<64>(*signature);
  if (!fixed ||
      !crypto::verify_ed25519(config.validator, message_of(*manifest, *first, *last), *fixed)) {
    return std::unexpected(ChainError::bad_signature);
  }
  auto decoded = SnapshotManifest::decode(*manifest);
  auto first_block = decode_block(*first), last_block = decode_block(*last);
  if (!decoded || !first_block || !last_block) return std::unexpected(ChainError::bad_snapshot);
  return Signed{std::move(*decoded), std::move(*first_block), std::move(*last_block)};
}

Status check_blocks(const LocalConfig& config, const Hash32& genesis_root, const Signed& from) {
  const HeaderParts parts = header_parts(config, genesis_root);
  if (from.last.header().chain_id != config.chain_id) {
    return std::unexpected(ChainError::wrong_chain);
  }
  if (from.last.height() != from.manifest.height || from.last.app_hash != from.manifest.app_hash) {
    return std::unexpected(ChainError::bad_snapshot);
  }
  Status checked = check_successor(parts, nullptr, from.first);
  if (checked && from.last.height() > 1) checked = check_alone(parts, from.last);
  return checked ? check_signature(parts, from.last) : checked;
}

Result<std::vector<StateRow>> read_rows(const SnapshotManifest& manifest, const fs::path& folder) {
  SnapshotReader reader(manifest);
  for (size_t i = 0; i < manifest.chunks.size(); ++i) {
    const auto chunk = get(folder / std::to_string(i), kMaxChunkBytes);
    if (!chunk) return std::unexpected(chunk.error());
    const Status added = reader.add(i, *chunk);
    if (!added) return std::unexpected(added.error());
  }
  return reader.finish();
}

}  // namespace

Result<BackupFacts> write_backup(const LocalConfig& config, std::unique_ptr<Application> app,
                                 crypto::Ed25519Key key, const fs::path& folder) {
  std::error_code failed;
  if (fs::exists(folder, failed) || failed) return std::unexpected(ChainError::exists);
  if (!fs::exists(config.path, failed)) return std::unexpected(ChainError::io);
  auto signer = crypto::Ed25519Key::from_seed(key.seed());
  auto chain = LocalChain::open(config, std::move(app), std::move(key));
  if (!chain) return std::unexpected(chain.error());
  if (chain->height() == 0) return std::unexpected(ChainError::missing_block);
  const fs::path draft = folder.string() + ".new";
  fs::remove_all(draft, failed);
  if (failed || !fs::create_directories(draft, failed)) return std::unexpected(ChainError::io);
  const auto facts = fill(draft, *chain, signer);
  if (!facts) {
    fs::remove_all(draft, failed);
    return facts;
  }
  fs::rename(draft, folder, failed);
  if (failed) return std::unexpected(ChainError::io);
  return facts;
}

Result<BackupFacts> restore_backup(const LocalConfig& config, std::unique_ptr<Application> app,
                                   crypto::Ed25519Key key, const fs::path& folder) {
  if (key.public_key() != config.validator) return std::unexpected(ChainError::wrong_validator);
  const auto from = read_signed(config, folder);
  if (!from) return std::unexpected(from.error());
  const Status checked = check_blocks(config, app->view()->app_hash(), *from);
  if (!checked) return std::unexpected(checked.error());
  auto rows = read_rows(from->manifest, folder);
  if (!rows) return std::unexpected(rows.error());
  const Status restored = app->restore(*rows, from->manifest.app_hash);
  if (!restored) return std::unexpected(restored.error());
  const Status made = BlockStore::create(config.path, {config.chain_id, config.genesis_hash}, *rows,
                                         from->first, from->last);
  if (!made) return std::unexpected(made.error());
  return BackupFacts{from->manifest.height, from->manifest.chunks.size()};
}

}  // namespace cloister::chain
