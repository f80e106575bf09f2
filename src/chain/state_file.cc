#include "chain/state_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "chain/persist_points.h"

namespace cloister::chain {
namespace {

constexpr const char* kCommonSchema =
    "CREATE TABLE identity(chain_id TEXT NOT NULL, genesis_hash BLOB NOT NULL) STRICT;"
    "CREATE TABLE state(family TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY(family, key)) STRICT, WITHOUT ROWID;";

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

Status fill_new_file(const std::string& path, const FileKind& kind, const StoreIdentity& identity,
                     const std::vector<StateRow>& state, const WriteMore& more) {
  auto db = Database::open(path, true);
  if (!db) return std::unexpected(db.error());
  reach(PersistPoint::draft_begun);
  const std::string marks = fmt::format("PRAGMA application_id={}; PRAGMA user_version={};",
                                        kind.application_id, kind.format);
  for (const char* sql : {"BEGIN IMMEDIATE", marks.c_str(), kCommonSchema, kind.schema}) {
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

Status check_format(Database& db, const FileKind& kind) {
  const auto application = db.number("PRAGMA application_id");
  if (!application) return std::unexpected(application.error());
  if (*application != kind.application_id) return std::unexpected(ChainError::not_a_database);
  const auto format = db.number("PRAGMA user_version");
  if (!format) return std::unexpected(format.error());
  if (*format != kind.format) return std::unexpected(ChainError::wrong_format);
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

// Under another name first: a crash in the middle must not leave something that looks like a chain.
Status create_state_file(const std::string& path, const FileKind& kind,
                         const StoreIdentity& identity, const std::vector<StateRow>& state,
                         const WriteMore& more) {
  std::error_code failed;
  for (const char* suffix : {"", "-wal"}) {
    if (std::filesystem::exists(path + suffix, failed) || failed) {
      return std::unexpected(ChainError::exists);
    }
  }
  const std::string draft = path + ".new";
  std::error_code ignored;  // absent is fine; anything else shows when the draft is opened
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    std::filesystem::remove(draft + suffix, ignored);
  }
  const Status filled = fill_new_file(draft, kind, identity, state, more);
  if (!filled) return filled;
  reach(PersistPoint::draft_flushed);
  std::filesystem::rename(draft, path, failed);
  if (failed) return std::unexpected(ChainError::io);
  reach(PersistPoint::renamed);
  return sync_directory(path);
}

Result<Database> open_state_file(const std::string& path, const FileKind& kind,
                                 const StoreIdentity& identity, const std::vector<StateRow>& state,
                                 const WriteMore& more) {
  std::error_code failed;
  const bool exists = std::filesystem::exists(path, failed);
  if (failed) return std::unexpected(ChainError::io);
  if (!exists) {
    // The log of a database that is gone would be played into the new one.
    if (std::filesystem::exists(path + "-wal", failed)) {
      return std::unexpected(ChainError::damaged);
    }
    const Status created = create_state_file(path, kind, identity, state, more);
    if (!created) return std::unexpected(created.error());
  }
  // SQLite takes an empty file for a new database; here it is one that lost everything.
  if (std::filesystem::file_size(path, failed) == 0 || failed) {
    return std::unexpected(ChainError::not_a_database);
  }
  auto db = Database::open(path, false);
  if (!db) return std::unexpected(db.error());
  Status checked = check_format(*db, kind);
  if (checked) checked = check_identity(*db, identity);
  if (!checked) return std::unexpected(checked.error());
  return db;
}

Status StateTable::prepare(Database& db) {
  const std::pair<Statement*, const char*> all[] = {
      {&put_, "INSERT OR REPLACE INTO state VALUES(?,?,?)"},
      {&erase_, "DELETE FROM state WHERE family=? AND key=?"},
      {&read_, "SELECT family, key, value FROM state ORDER BY family, key"},
  };
  for (const auto& [statement, sql] : all) {
    auto prepared = db.prepare(sql);
    if (!prepared) return std::unexpected(prepared.error());
    *statement = std::move(*prepared);
  }
  return {};
}

Status StateTable::write(const std::vector<StateChange>& changes) {
  Status done;
  for (size_t i = 0; done && i < changes.size(); ++i) {
    if (i == changes.size() / 2) reach(PersistPoint::changes_half);
    const StateChange& c = changes[i];
    done = c.value ? put_.bind(1, c.family).bind(2, c.key).bind(3, *c.value).run()
                   : erase_.bind(1, c.family).bind(2, c.key).run();
  }
  reach(PersistPoint::changes_written);
  return done;
}

Status StateTable::each(const std::function<Status(const StateRow&)>& visit) {
  Status visited;
  Result<bool> more = read_.step();
  while (more && *more && visited) {
    visited = visit({std::string(as_text(read_.bytes(0))), to_buffer(read_.bytes(1)),
                     to_buffer(read_.bytes(2))});
    if (visited) more = read_.step();
  }
  read_.reset();
  if (!more) return std::unexpected(more.error());
  return visited;
}

Result<std::vector<StateRow>> StateTable::rows() {
  std::vector<StateRow> rows;
  const Status read = each([&](const StateRow& row) {
    rows.push_back(row);
    return Status();
  });
  if (!read) return std::unexpected(read.error());
  return rows;
}

}  // namespace cloister::chain
