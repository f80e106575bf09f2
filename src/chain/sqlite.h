// SQLite 3, owned. Private to this folder; every result code becomes a ChainError in one place.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>

#include "base/bytes.h"
#include "chain/error.h"

namespace cloister::chain {

ChainError sqlite_error(int code);

// One prepared statement, used over and over. Bound bytes must live until `step` or `run` returns.
class Statement {
 public:
  Statement& bind(int index, int64_t value);
  Statement& bind(int index, Bytes value);
  Statement& bind(int index, std::string_view text);
  // True: a row is there. False: the end. Columns are valid until the next call.
  Result<bool> step();
  Status run();  // step to the end and reset
  void reset();

  int64_t int64(int column) const;
  Bytes bytes(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  // `create` makes the file; without it an absent file is an error. The connection locks out
  // others.
  static Result<Database> open(const std::string& path, bool create);

  Status execute(const char* sql);
  Result<Statement> prepare(const char* sql);
  Result<int64_t> number(const char* sql);  // the one number that a query answers
  Result<std::string> text(const char* sql);

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, Close> db_;
};

}  // namespace cloister::chain
