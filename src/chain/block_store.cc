#include "chain/block_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "chain/persist_points.h"
#include "chain/sqlite.h"
#include "crypto/hash.h"

namespace cloister::chain {
namespace {

constexpr int64_t kApplicationId = 0x436c6f73;  // "Clos"
constexpr int64_t kFormat = 2;

constexpr const char* kSchema =
    "PRAGMA application_id=1131179891; PRAGMA user_version=2;"
    "CREATE TABLE identity(chain_id TEXT NOT NULL, genesis_hash BLOB NOT NULL) STRICT;"
    "CREATE TABLE blocks(height INTEGER PRIMARY KEY, digest BLOB NOT NULL, block BLOB NOT NULL)"
    " STRICT;"
    "CREATE TABLE pruned(earliest INTEGER NOT NULL) STRICT;"
    "INSERT INTO pruned VALUES(1);"
    "CREATE TABLE txs(id BLOB PRIMARY KEY, height INTEGER NOT NULL, place INTEGER NOT NULL,"
    " ok INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE state(family TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY(family, key)) STRICT, WITHOUT ROWID;";

// The results of the last block stand in no header yet: this is what a flipped bit there runs into.
Hash32 digest_of(Bytes block) {
  constexpr std::string_view kTag("cloister stored block v1\0", 25);
  return crypto::Sha256().update(kTag).update(block).finish();
}

Status sync_directory(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return std::unexpected(ChainError::io);
  const bool synced = ::fsync(fd) == 0;
  ::close(fd);
  return synced ? Status{} : std::unexpected(ChainError::io);
}

Status write_state(Database& db, const StoreIdentity& identity,
                   const std::vector<StateRow>& state) {
  auto named = db.prepare("INSERT INTO identity VALUES(?,?)");
  if (!named) return std::unexpected(named.error());
  const Status stored =
      named->bind(1, identity.chain_id).bind(2, Bytes(identity.genesis_hash)).run();
  if (!stored) return stored;
  auto put = db.prepare("INSERT INTO state VALUES(?,?,?)");
  if (!put) return std::unexpected(put.error());
  for (size_t i = 0; i < state.size(); ++i) {
    if (i == state.size() / 2) reach(PersistPoint::draft_half);
    const StateRow& row = state[i];
    const Status done = put->bind(1, row.family).bind(2, row.key).bind(3, row.value).run();
    if (!done) return done;
  }
  reach(PersistPoint::draft_written);
  return {};
}

using WriteMore = std::function<Status(Database&)>;

Status fill_new_file(const std::string& path, const StoreIdentity& identity,
                     const std::vector<StateRow>& state, const WriteMore& more) {
  auto db = Database::open(path, true);
  if (!db) return std::unexpected(db.error());
  reach(PersistPoint::draft_begun);
  for (const char* sql : {"BEGIN IMMEDIATE", kSchema}) {
    const Status done = db->execute(sql);
    if (!done) return done;
  }
  Status written = write_state(*db, identity, state);
  if (written) written = more(*db);
  if (!written) return written;
  const Status committed = db->execute("COMMIT");
  if (!committed) return committed;
  reach(PersistPoint::draft_committed);
  return db->execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

// Under another name first: a crash in the middle must not leave something that looks like a chain.
Status create_file(const std::string& path, const StoreIdentity& identity,
                   const std::vector<StateRow>& state, const WriteMore& more) {
  const std::string draft = path + ".new";
  std::error_code ignored;  // absent is fine; anything else shows when the draft is opened
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    std::filesystem::remove(draft + suffix, ignored);
  }
  const Status filled = fill_new_file(draft, identity, state, more);
  if (!filled) return filled;
  reach(PersistPoint::draft_flushed);
  std::error_code failed;
  std::filesystem::rename(draft, path, failed);
  if (failed) return std::unexpected(ChainError::io);
  reach(PersistPoint::renamed);
  return sync_directory(path);
}

Status check_format(Database& db) {
  const auto application = db.number("PRAGMA application_id");
  if (!application) return std::unexpected(application.error());
  if (*application != kApplicationId) return std::unexpected(ChainError::not_a_database);
  const auto format = db.number("PRAGMA user_version");
  if (!format) return std::unexpected(format.error());
  if (*format != kFormat) return std::unexpected(ChainError::wrong_format);
  const auto verdict = db.text("PRAGMA integrity_check(1)");
  if (!verdict) return std::unexpected(verdict.error());
  if (*verdict != "ok") return std::unexpected(ChainError::damaged);
  return {};
}

Status check_identity(Database& db, const StoreIdentity& identity) {
  auto read = db.prepare("SELECT chain_id, genesis_hash FROM identity");
  if (!read) return std::unexpected(read.error());
  const auto row = read->step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::unexpected(ChainError::damaged);
  if (as_text(read->bytes(0)) != identity.chain_id) {
    return std::unexpected(ChainError::wrong_chain);
  }
  if (!equal(read->bytes(1), identity.genesis_hash)) {
    return std::unexpected(ChainError::wrong_genesis);
  }
  return {};
}

}  // namespace

struct BlockStore::Impl {
  Database db;
  int64_t earliest = 1;
  Statement add_block, add_tx, put, erase, get_height, get_block, get_tx, get_rows;
  Statement prune_block, prune_tx, set_earliest;

  Status prepare() {
    const std::pair<Statement*, const char*> all[] = {
        {&add_block, "INSERT INTO blocks VALUES(?,?,?)"},
        // A refused transaction may stand in a later block again; one that succeeded stays there.
        {&add_tx,
         "INSERT INTO txs VALUES(?,?,?,?) ON CONFLICT(id) DO UPDATE SET height=excluded.height,"
         " place=excluded.place, ok=excluded.ok WHERE ok=0"},
        {&put, "INSERT OR REPLACE INTO state VALUES(?,?,?)"},
        {&erase, "DELETE FROM state WHERE family=? AND key=?"},
        {&get_height, "SELECT coalesce(max(height),0), count(*) FROM blocks"},
        {&get_block, "SELECT digest, block FROM blocks WHERE height=?"},
        {&get_tx, "SELECT height, place FROM txs WHERE id=?"},
        {&get_rows, "SELECT family, key, value FROM state ORDER BY family, key"},
        {&prune_block, "DELETE FROM blocks WHERE height=?"},
        {&prune_tx, "DELETE FROM txs WHERE id=? AND height=?"},
        {&set_earliest, "UPDATE pruned SET earliest=?"},
    };
    for (const auto& [statement, sql] : all) {
      auto prepared = db.prepare(sql);
      if (!prepared) return std::unexpected(prepared.error());
      *statement = std::move(*prepared);
    }
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
    for (size_t i = 0; done && i < changes.size(); ++i) {
      if (i == changes.size() / 2) reach(PersistPoint::changes_half);
      const StateChange& c = changes[i];
      done = c.value ? put.bind(1, c.family).bind(2, c.key).bind(3, *c.value).run()
                     : erase.bind(1, c.family).bind(2, c.key).run();
    }
    reach(PersistPoint::changes_written);
    return done;
  }
};

BlockStore::BlockStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BlockStore::~BlockStore() = default;
BlockStore::BlockStore(BlockStore&&) noexcept = default;
BlockStore& BlockStore::operator=(BlockStore&&) noexcept = default;

Result<BlockStore> BlockStore::open(const std::string& path, const StoreIdentity& identity,
                                    const std::vector<StateRow>& genesis) {
  std::error_code failed;
  const bool exists = std::filesystem::exists(path, failed);
  if (failed) return std::unexpected(ChainError::io);
  if (!exists) {
    // The log of a database that is gone would be played into the new one.
    if (std::filesystem::exists(path + "-wal", failed)) {
      return std::unexpected(ChainError::damaged);
    }
    const Status created = create_file(path, identity, genesis, [](Database&) { return Status(); });
    if (!created) return std::unexpected(created.error());
  }
  // SQLite takes an empty file for a new database; here it is one that lost everything.
  if (std::filesystem::file_size(path, failed) == 0 || failed) {
    return std::unexpected(ChainError::not_a_database);
  }
  auto db = Database::open(path, false);
  if (!db) return std::unexpected(db.error());
  Status checked = check_format(*db);
  if (checked) checked = check_identity(*db, identity);
  if (!checked) return std::unexpected(checked.error());
  auto impl = std::make_unique<Impl>();
  impl->db = std::move(*db);
  const Status prepared = impl->prepare();
  if (!prepared) return std::unexpected(prepared.error());
  return BlockStore(std::move(impl));
}

Status BlockStore::create(const std::string& path, const StoreIdentity& identity,
                          const std::vector<StateRow>& state, const Block& first,
                          const Block& last) {
  std::error_code failed;
  for (const char* suffix : {"", "-wal"}) {
    if (std::filesystem::exists(path + suffix, failed) || failed) {
      return std::unexpected(ChainError::exists);
    }
  }
  return create_file(path, identity, state, [&](Database& db) -> Status {
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
  std::vector<StateRow> rows;
  const Status read = each_state_row([&](const StateRow& row) {
    rows.push_back(row);
    return Status();
  });
  if (!read) return std::unexpected(read.error());
  return rows;
}

Status BlockStore::each_state_row(const std::function<Status(const StateRow&)>& visit) const {
  Statement& read = impl_->get_rows;
  Status visited;
  Result<bool> more = read.step();
  while (more && *more && visited) {
    visited = visit(
        {std::string(as_text(read.bytes(0))), to_buffer(read.bytes(1)), to_buffer(read.bytes(2))});
    if (visited) more = read.step();
  }
  read.reset();
  if (!more) return std::unexpected(more.error());
  return visited;
}

Status BlockStore::limit_pages_for_testing(int64_t pages) {
  return impl_->db.execute(fmt::format("PRAGMA max_page_count={}", pages).c_str());
}

}  // namespace cloister::chain
