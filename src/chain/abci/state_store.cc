#include "chain/abci/state_store.h"

#include <fmt/format.h>

#include "chain/persist_points.h"
#include "chain/state_file.h"

namespace cloister::chain::abci {
namespace {

constexpr FileKind kKind = {
    .application_id = 0x436c6f74,  // "Clot"
    .format = 1,
    .schema = "CREATE TABLE committed(height INTEGER NOT NULL, app_hash BLOB NOT NULL) STRICT;"};

}  // namespace

struct StateStore::Impl {
  Database db;
  StateTable state;
  Statement set_committed;
  Committed committed;

  Status prepare() {
    Status prepared = state.prepare(db);
    auto set = db.prepare("UPDATE committed SET height=?, app_hash=?");
    auto get = db.prepare("SELECT height, app_hash FROM committed");
    if (!prepared) return prepared;
    if (!set || !get) return std::unexpected(set ? get.error() : set.error());
    set_committed = std::move(*set);
    const auto row = get->step();
    if (!row) return std::unexpected(row.error());
    const auto root = *row ? to_fixed<32>(get->bytes(1)) : std::nullopt;
    if (!root || get->int64(0) < 0) return std::unexpected(ChainError::damaged);
    committed = {get->int64(0), *root};
    return {};
  }

  // `write` within one transaction that also says that the state is now `block`'s.
  template <typename Write>
  Status change(const Committed& block, Write write) {
    const Status begun = db.execute("BEGIN IMMEDIATE");
    if (!begun) return begun;
    reach(PersistPoint::block_begun);
    Status done = write();
    if (done) {
      done = set_committed.bind(1, block.height).bind(2, Bytes(block.app_hash)).run();
    }
    if (done) done = db.execute("COMMIT");
    if (!done) {
      // After some errors SQLite has rolled back already; then this has nothing to do.
      [[maybe_unused]] const Status rolled_back = db.execute("ROLLBACK");
      return done;
    }
    committed = block;
    reach(PersistPoint::committed);
    return done;
  }
};

StateStore::StateStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StateStore::~StateStore() = default;
StateStore::StateStore(StateStore&&) noexcept = default;
StateStore& StateStore::operator=(StateStore&&) noexcept = default;

Result<StateStore> StateStore::open(const std::string& path, const StoreIdentity& identity,
                                    const std::vector<StateRow>& genesis,
                                    const Hash32& genesis_root) {
  const auto first = [&](Database& db) -> Status {
    auto put = db.prepare("INSERT INTO committed VALUES(0,?)");
    if (!put) return std::unexpected(put.error());
    return put->bind(1, Bytes(genesis_root)).run();
  };
  auto db = open_state_file(path, kKind, identity, genesis, first);
  if (!db) return std::unexpected(db.error());
  auto impl = std::make_unique<Impl>();
  impl->db = std::move(*db);
  const Status prepared = impl->prepare();
  if (!prepared) return std::unexpected(prepared.error());
  return StateStore(std::move(impl));
}

const Committed& StateStore::committed() const {
  return impl_->committed;
}

Result<std::vector<StateRow>> StateStore::rows() const {
  return impl_->state.rows();
}

Status StateStore::commit(const Committed& block, const std::vector<StateChange>& changes) {
  return impl_->change(block, [&] { return impl_->state.write(changes); });
}

Status StateStore::replace(const Committed& block, const std::vector<StateRow>& rows) {
  return impl_->change(block, [&]() -> Status {
    const Status emptied = impl_->db.execute("DELETE FROM state");
    if (!emptied) return emptied;
    std::vector<StateChange> all;
    for (const StateRow& row : rows) all.push_back({row.family, row.key, row.value});
    return impl_->state.write(all);
  });
}

Status StateStore::limit_pages_for_testing(int64_t pages) {
  return impl_->db.execute(fmt::format("PRAGMA max_page_count={}", pages).c_str());
}

}  // namespace cloister::chain::abci
