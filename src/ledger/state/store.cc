#include "ledger/state/store.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>

namespace cloister::ledger {
namespace {

constexpr size_t kRowsWorthThreads = 10'000;

size_t at(Family family) {
  return static_cast<size_t>(family);
}

std::optional<Bytes> value_of(const merkle::EntryPtr& entry) {
  return entry ? std::optional<Bytes>(entry->value) : std::nullopt;
}

bool differs(const merkle::EntryPtr& a, const merkle::EntryPtr& b) {
  if (a == b) return false;
  return !a || !b || a->value != b->value;
}

bool starts_with(Bytes key, Bytes prefix) {
  return key.size() >= prefix.size() && equal(key.first(prefix.size()), prefix);
}

}  // namespace

std::optional<Buffer> Snapshot::get(Family family, Bytes key) const {
  const auto entry = trees_[at(family)].find(key);
  return entry ? std::optional<Buffer>(entry->value) : std::nullopt;
}

StoreProof Snapshot::prove(Family family, Bytes key) const {
  return make_store_proof(roots_, family, trees_[at(family)].prove(key));
}

void Snapshot::for_each(Family family,
                        const std::function<void(Bytes key, Bytes value)>& visit) const {
  trees_[at(family)].for_each([&](const merkle::Entry& entry) { visit(entry.key, entry.value); });
}

Store::Store() {
  sealed_.app_hash_ = ledger::app_hash(sealed_.roots_);
}

// Families share nothing, so each is one thread's; the largest first, lest one of them be last.
Store Store::load(std::span<const StoreChange> values) {
  std::array<std::vector<const StoreChange*>, kFamilyCount> rows;
  for (const StoreChange& change : values) {
    if (change.value) rows[at(change.family)].push_back(&change);
  }
  std::array<size_t, kFamilyCount> order;
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, std::greater(), [&](size_t i) { return rows[i].size(); });
  Store store;
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < kFamilyCount; i = next++)
      store.load_family(order[i], rows[order[i]]);
  };
  const size_t threads = values.size() < kRowsWorthThreads
                             ? 1
                             : std::min<size_t>(std::thread::hardware_concurrency(), kFamilyCount);
  std::vector<std::jthread> others;
  for (size_t i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  others.clear();  // joins
  store.sealed_.app_hash_ = ledger::app_hash(store.sealed_.roots_);
  return store;
}

void Store::load_family(size_t family, std::span<const StoreChange* const> rows) {
  std::vector<merkle::Tree::Change> leaves;
  leaves.reserve(rows.size());
  auto& values = values_[family];
  for (const StoreChange* row : rows) {
    auto entry = std::make_shared<const merkle::Entry>(merkle::Entry{row->key, *row->value});
    // Rows mostly come in order.
    values.emplace_hint(values.end(), Item{head_of(entry->key), entry})->entry = entry;
    leaves.push_back(merkle::Tree::set(std::move(entry)));
  }
  sealed_.trees_[family].update(std::move(leaves));
  sealed_.roots_[family] = sealed_.trees_[family].root();
}

uint64_t Store::head_of(Bytes key) {
  uint64_t out = 0;
  for (size_t i = 0; i < sizeof(out); ++i) out = out << 8 | (i < key.size() ? key[i] : 0);
  return out;
}

bool Store::ItemLess::operator()(const Item& a, const Item& b) const {
  return a.head != b.head ? a.head < b.head : less(a.entry->key, b.entry->key);
}
bool Store::ItemLess::operator()(const Item& a, const Sought& b) const {
  return a.head != b.head ? a.head < b.head : less(a.entry->key, b.key);
}
bool Store::ItemLess::operator()(const Sought& a, const Item& b) const {
  return a.head != b.head ? a.head < b.head : less(a.key, b.entry->key);
}

Store::EntryPtr Store::find(Family family, Bytes key) const {
  const Values& values = values_[at(family)];
  const auto found = values.find(sought(key));
  return found == values.end() ? nullptr : found->entry;
}

std::optional<Bytes> Store::get(Family family, Bytes key) const {
  return value_of(find(family, key));
}

void Store::note(Family family, EntryPtr before, EntryPtr after) {
  const Buffer& key = (after ? after : before)->key;
  auto& written = written_[at(family)];
  const auto known = written.find(key);
  if (known != written.end()) {
    known->second.after = after;
  } else {
    written.try_emplace(key, Written{before, after});
  }
  undo_.push_back({family, std::move(before), std::move(after)});
}

void Store::put(Family family, Buffer key, Buffer value) {
  Values& values = values_[at(family)];
  const auto held = values.find(sought(key));
  const EntryPtr before = held == values.end() ? nullptr : held->entry;
  if (before && before->value == value) return;
  const auto after =
      std::make_shared<const merkle::Entry>(merkle::Entry{std::move(key), std::move(value)});
  note(family, before, after);
  if (before) {
    held->entry = after;
  } else {
    values.insert({head_of(after->key), after});
  }
}

void Store::erase(Family family, Bytes key) {
  Values& values = values_[at(family)];
  const auto held = values.find(sought(key));
  if (held == values.end()) return;
  note(family, held->entry, nullptr);
  values.erase(held);
}

void Store::for_each(Family family, Bytes prefix,
                     const std::function<bool(Bytes key, Bytes value)>& visit) const {
  const Values& values = values_[at(family)];
  for (auto i = values.lower_bound(sought(prefix)); i != values.end(); ++i) {
    const merkle::Entry& entry = *i->entry;
    if (!starts_with(entry.key, prefix) || !visit(entry.key, entry.value)) return;
  }
}

void Store::mark() {
  undo_.clear();
}

void Store::rollback() {
  while (!undo_.empty()) {
    const Undo last = std::move(undo_.back());
    undo_.pop_back();
    const Buffer& key = (last.before ? last.before : last.after)->key;
    written_[at(last.family)].find(key)->second.after = last.before;
    Values& values = values_[at(last.family)];
    const auto held = values.find(sought(key));
    if (!last.before) {
      values.erase(held);
    } else if (held != values.end()) {
      held->entry = last.before;
    } else {
      values.insert({head_of(key), last.before});
    }
  }
}

void Store::for_each_difference(const std::function<void(const Difference&)>& visit) const {
  for (size_t i = 0; i < kFamilyCount; ++i) {
    for (const auto& [key, written] : written_[i]) {
      if (!differs(written.before, written.after)) continue;
      visit({static_cast<Family>(i), key, value_of(written.before), value_of(written.after)});
    }
  }
}

void Store::seal() {
  for (size_t i = 0; i < kFamilyCount; ++i) {
    std::vector<merkle::Tree::Change> changes;
    for (const auto& [key, written] : written_[i]) {
      const EntryPtr& after = written.after;
      if (!differs(written.before, after)) continue;
      unsaved_[i].insert_or_assign(key, after);
      changes.push_back(after ? merkle::Tree::set(after) : merkle::Tree::unset(key));
    }
    if (!changes.empty()) sealed_.trees_[i].update(std::move(changes));
    sealed_.roots_[i] = sealed_.trees_[i].root();
    written_[i].clear();
  }
  undo_.clear();
  sealed_.app_hash_ = ledger::app_hash(sealed_.roots_);
}

std::vector<StoreChange> Store::take_changes() {
  std::vector<StoreChange> out;
  for (size_t i = 0; i < kFamilyCount; ++i) {
    for (const auto& [key, entry] : unsaved_[i]) {
      StoreChange change{static_cast<Family>(i), key, std::nullopt};
      if (entry) change.value = entry->value;
      out.push_back(std::move(change));
    }
    unsaved_[i].clear();
  }
  return out;
}

}  // namespace cloister::ledger
