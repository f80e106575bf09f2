#include "chain/sqlite.h"

namespace cloister::chain {
namespace {

constexpr int kMaxValueBytes = 64 << 20;
constexpr int kBusyTimeoutMs = 200;

}  // namespace

ChainError sqlite_error(int code) {
  switch (code & 0xff) {
    case SQLITE_NOTADB:
      return ChainError::not_a_database;
    case SQLITE_FULL:
      return ChainError::disk_full;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ChainError::in_use;
    case SQLITE_CORRUPT:
    case SQLITE_ERROR:  // our statements are fixed: an unknown table or column is the file's fault
    case SQLITE_TOOBIG:
    case SQLITE_CONSTRAINT:
    case SQLITE_FORMAT:
    case SQLITE_MISMATCH:
      return ChainError::damaged;
    default:
      return ChainError::io;
  }
}

Statement& Statement::bind(int index, int64_t value) {
  sqlite3_bind_int64(statement_.get(), index, value);
  return *this;
}

Statement& Statement::bind(int index, Bytes value) {
  // A null pointer would bind NULL, not the empty string of bytes.
  const void* data = value.empty() ? static_cast<const void*>("") : value.data();
  sqlite3_bind_blob64(statement_.get(), index, data, value.size(), SQLITE_STATIC);
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  const char* data = text.empty() ? "" : text.data();
  sqlite3_bind_text64(statement_.get(), index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return std::unexpected(sqlite_error(code));
}

Status Statement::run() {
  Result<bool> more = true;
  while (more && *more) more = step();
  reset();
  if (!more) return std::unexpected(more.error());
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

int64_t Statement::int64(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

Bytes Statement::bytes(int column) const {
  const auto* data = static_cast<const uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data ? Bytes(data, static_cast<size_t>(size)) : Bytes();
}

Result<Database> Database::open(const std::string& path, bool create) {
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE;
  if (create) flags |= SQLITE_OPEN_CREATE;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Database out;
  out.db_.reset(raw);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(code));
  sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, kMaxValueBytes);
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  // FULL: with NORMAL a commit in WAL mode may be lost with the power.
  const Status set = out.execute(
      "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA locking_mode=EXCLUSIVE;"
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;");
  if (!set) return std::unexpected(set.error());
  return out;
}

Status Database::execute(const char* sql) {
  const int code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(code));
  return {};
}

Result<Statement> Database::prepare(const char* sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(code));
  Statement out;
  out.statement_.reset(raw);
  return out;
}

Result<int64_t> Database::number(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  const auto row = statement->step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::unexpected(ChainError::damaged);
  return statement->int64(0);
}

Result<std::string> Database::text(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  const auto row = statement->step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::unexpected(ChainError::damaged);
  return std::string(as_text(statement->bytes(0)));
}

}  // namespace cloister::chain
