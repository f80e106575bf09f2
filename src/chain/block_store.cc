#include "chain/block_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "chain/persist_points.h"
#include "chain/state_file.h"
#include "crypto/hash.h"

namespace cloister::chain {
namespace {

constexpr FileKind kKind = {
    .application_id = 0x436c6f73,  // "Clos"
    .format = 2,
    .schema =
        "CREATE TABLE blocks(height INTEGER PRIMARY KEY, digest BLOB NOT NULL, block BLOB NOT NULL)"
        " STRICT;"
        "CREATE TABLE pruned(earliest INTEGER NOT NULL) STRICT;"
        "INSERT INTO pruned VALUES(1);"
        "CREATE TABLE txs(id BLOB PRIMARY KEY, height INTEGER NOT NULL, place INTEGER NOT NULL,"
        " ok INTEGER NOT NULL) STRICT, WITHOUT ROWID;"};

// The results of the last block stand in no header yet: this is what a flipped bit there runs into.
Hash32 digest_of(Bytes block) {
  constexpr std::string_view kTag("cloister stored block v1\0", 25);
  return crypto::Sha256().update(kTag).update(block).finish();
}

}  // namespace

struct BlockStore::Impl {
  Database db;
  int64_t earliest = 1;
  StateTable state;
  Statement add_block, add_tx, get_height, get_block, get_tx;
  Statement prune_block, prune_tx, set_earliest;

  Status prepare() {
    const std::pair<Statement*, const char*> all[] = {
        {&add_block, "INSERT INTO blocks VALUES(?,?,?)"},
        // A refused transaction may stand in a later block again; one that succeeded stays there.
        {&add_tx,
         "INSERT INTO txs VALUES(?,?,?,?) ON CONFLICT(id) DO UPDATE SET height=excluded.height,"
         " place=excluded.place, ok=excluded.ok WHERE ok=0"},
        {&get_height, "SELECT coalesce(max(height),0), count(*) FROM blocks"},
        {&get_block, "SELECT digest, block FROM blocks WHERE height=?"},
        {&get_tx, "SELECT height, place FROM txs WHERE id=?"},
        {&prune_block, "DELETE FROM blocks WHERE height=?"},
        {&prune_tx, "DELETE FROM txs WHERE id=? AND height=?"},
        {&set_earliest, "UPDATE pruned SET earliest=?"},
    };
    for (const auto& [statement, sql] : all) {
      auto prepared = db.prepare(sql);
      if (!prepared) return std::unexpected(prepared.error());
      *statement = std::move(*prepared);
    }
    const Status table = state.prepare(db);
    if (!table) return table;
    const auto stored = db.number("SELECT earliest FROM pruned");
    if (!stored) return std::unexpected(stored.error());
    earliest = *stored;
    return {};
  }

  Result<Block> block(int64_t height) {
    const auto row = get_block.bind(1, height).step();
    std::optional<Block> found;
    if (row && *row && equal(get_block.bytes(0), digest_of(get_block.bytes(1)))) {
      found = decode_block(get_block.bytes(1));
    }
    get_block.reset();
    if (!row) return std::unexpected(row.error());
    if (!*row) return std::unexpected(ChainError::missing_block);
    if (!found || found->height() != height) return std::unexpected(ChainError::bad_block);
    return std::move(*found);
  }

  // The new earliest height, once the transaction is committed.
  Result<int64_t> prune(int64_t keep_from) {
    const int64_t until = std::min(keep_from, std::max<int64_t>(earliest, 2) + kMaxPrunedAtOnce);
    if (until <= std::max<int64_t>(earliest, 2)) return earliest;
    for (int64_t h = std::max<int64_t>(earliest, 2); h < until; ++h) {
      const auto old = block(h);
      if (!old) return std::unexpected(old.error());
      for (const Buffer& tx : old->txs) {
        const Hash32 id = light::tx_id(tx);
        const Status gone = prune_tx.bind(1, Bytes(id)).bind(2, h).run();
        if (!gone) return std::unexpected(gone.error());
      }
      const Status gone = prune_block.bind(1, h).run();
      if (!gone) return std::unexpected(gone.error());
    }
    const Status noted = set_earliest.bind(1, until).run();
    if (!noted) return std::unexpected(noted.error());
    return until;
  }

  Status write(const Block& block, const std::vector<StateChange>& changes) {
    const Buffer bytes = encode_block(block);
    const Hash32 digest = digest_of(bytes);
    Status done = add_block.bind(1, block.height()).bind(2, Bytes(digest)).bind(3, bytes).run();
    reach(PersistPoint::block_written);
    for (size_t i = 0; done && i < block.txs.size(); ++i) {
      const Hash32 id = light::tx_id(block.txs[i]);
      add_tx.bind(1, Bytes(id)).bind(2, block.height()).bind(3, static_cast<int64_t>(i));
      done = add_tx.bind(4, block.results[i].outcome.code == 0 ? 1 : 0).run();
    }
    reach(PersistPoint::txs_written);
    return done ? state.write(changes) : done;
  }
};

BlockStore::BlockStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BlockStore::~BlockStore() = default;
BlockStore::BlockStore(BlockStore&&) noexcept = default;
BlockStore& BlockStore::operator=(BlockStore&&) noexcept = default;

Result<BlockStore> BlockStore::open(const std::string& path, const StoreIdentity& identity,
                                    const std::vector<StateRow>& genesis) {
  auto db = open_state_file(path, kKind, identity, genesis, [](Database&) { return Status(); });
  if (!db) return std::unexpected(db.error());
  auto impl = std::make_unique<Impl>();
  impl->db = std::move(*db);
  const Status prepared = impl->prepare();
  if (!prepared) return std::unexpected(prepared.error());
  return BlockStore(std::move(impl));
}

Status BlockStore::create(const std::string& path, const StoreIdentity& identity,
                          const std::vector<StateRow>& state, const Block& first,
                          const Block& last) {
  return create_state_file(path, kKind, identity, state, [&](Database& db) -> Status {
    Impl impl;
    impl.db = std::move(db);
    Status done = impl.prepare();
    if (done) done = impl.write(first, {});
    if (done && last.height() > 1) done = impl.write(last, {});
    if (done) done = impl.set_earliest.bind(1, last.height()).run();
    db = std::move(impl.db);
    return done;
  });
}

Status BlockStore::append(const Block& block, const std::vector<StateChange>& changes,
                          int64_t keep_from) {
  const Status begun = impl_->db.execute("BEGIN IMMEDIATE");
  if (!begun) return begun;
  reach(PersistPoint::block_begun);
  Status written = impl_->write(block, changes);
  Result<int64_t> earliest = impl_->earliest;
  if (written) earliest = impl_->prune(keep_from);
  if (!earliest) written = std::unexpected(earliest.error());
  reach(PersistPoint::pruned);
  const Status committed = written ? impl_->db.execute("COMMIT") : written;
  if (!committed) {
    // After some errors SQLite has rolled back already; then this has nothing to do.
    [[maybe_unused]] const Status rolled_back = impl_->db.execute("ROLLBACK");
  } else {
    impl_->earliest = *earliest;
    reach(PersistPoint::committed);
  }
  return committed;
}

Result<int64_t> BlockStore::height() const {
  Statement& read = impl_->get_height;
  const auto row = read.step();
  const int64_t height = row && *row ? read.int64(0) : 0;
  const int64_t count = row && *row ? read.int64(1) : 0;
  read.reset();
  if (!row) return std::unexpected(row.error());
  // Blocks from `earliest` on, and the first.
  const int64_t earliest = impl_->earliest;
  if (earliest < 1 || earliest > std::max<int64_t>(height, 1) ||
      count != height - std::max<int64_t>(earliest - 2, 0)) {
    return std::unexpected(ChainError::missing_block);
  }
  return height;
}

int64_t BlockStore::earliest() const {
  return impl_->earliest;
}

Result<Block> BlockStore::block(int64_t height) const {
  return impl_->block(height);
}

Result<std::optional<BlockStore::TxPlace>> BlockStore::find_tx(const Hash32& id) const {
  Statement& read = impl_->get_tx;
  const auto row = read.bind(1, Bytes(id)).step();
  std::optional<TxPlace> place;
  if (row && *row) place = TxPlace{read.int64(0), static_cast<size_t>(read.int64(1))};
  read.reset();
  if (!row) return std::unexpected(row.error());
  return place;
}

Result<std::vector<StateRow>> BlockStore::state_rows() const {
  return impl_->state.rows();
}

Status BlockStore::each_state_row(const std::function<Status(const StateRow&)>& visit) const {
  return impl_->state.each(visit);
}

Status BlockStore::limit_pages_for_testing(int64_t pages) {
  return impl_->db.execute(fmt::format("PRAGMA max_page_count={}", pages).c_str());
}

}  // namespace cloister::chain
