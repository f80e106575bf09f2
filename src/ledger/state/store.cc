#include "ledger/state/store.h"

namespace cloister::ledger {
namespace {

size_t at(Family family) {
  return static_cast<size_t>(family);
}

std::optional<Bytes> value_of(const merkle::EntryPtr& entry) {
  return entry ? std::optional<Bytes>(entry->value) : std::nullopt;
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

Store Store::load(std::span<const StoreChange> values) {
  Store store;
  std::array<std::vector<merkle::Tree::Change>, kFamilyCount> leaves;
  for (const StoreChange& change : values) {
    if (!change.value) continue;
    auto entry = std::make_shared<const merkle::Entry>(merkle::Entry{change.key, *change.value});
    auto& family = store.values_[at(change.family)];
    family.insert_or_assign(family.end(), change.key, entry);  // rows mostly come in order
    leaves[at(change.family)].push_back(merkle::Tree::set(std::move(entry)));
  }
  for (size_t i = 0; i < kFamilyCount; ++i) {
    store.sealed_.trees_[i].update(std::move(leaves[i]));
    store.sealed_.roots_[i] = store.sealed_.trees_[i].root();
  }
  store.sealed_.app_hash_ = ledger::app_hash(store.sealed_.roots_);
  return store;
}

Store::EntryPtr Store::find(Family family, Bytes key) const {
  const auto& values = values_[at(family)];
  const auto found = values.find(key);
  return found == values.end() ? nullptr : found->second;
}

std::optional<Bytes> Store::get(Family family, Bytes key) const {
  return value_of(find(family, key));
}

void Store::set(Family family, Bytes key, EntryPtr entry) {
  auto& values = values_[at(family)];
  if (entry) {
    values.insert_or_assign(to_buffer(key), std::move(entry));
  } else if (const auto found = values.find(key); found != values.end()) {
    values.erase(found);
  }
}

void Store::put(Family family, Buffer key, Buffer value) {
  EntryPtr before = find(family, key);
  if (before && before->value == value) return;
  undo_.push_back({family, key, before});
  before_[at(family)].try_emplace(key, std::move(before));
  set(family, key, std::make_shared<const merkle::Entry>(merkle::Entry{key, std::move(value)}));
}

void Store::erase(Family family, Bytes key) {
  EntryPtr before = find(family, key);
  if (!before) return;
  undo_.push_back({family, to_buffer(key), before});
  before_[at(family)].try_emplace(to_buffer(key), before);
  set(family, undo_.back().key, nullptr);
}

void Store::for_each(Family family, Bytes prefix,
                     const std::function<bool(Bytes key, Bytes value)>& visit) const {
  const auto& values = values_[at(family)];
  for (auto i = values.lower_bound(prefix); i != values.end(); ++i) {
    if (!starts_with(i->first, prefix) || !visit(i->first, i->second->value)) return;
  }
}

void Store::mark() {
  undo_.clear();
}

void Store::rollback() {
  while (!undo_.empty()) {
    Undo last = std::move(undo_.back());
    undo_.pop_back();
    set(last.family, last.key, std::move(last.before));
  }
}

void Store::for_each_difference(const std::function<void(const Difference&)>& visit) const {
  for (size_t i = 0; i < kFamilyCount; ++i) {
    for (const auto& [key, before] : before_[i]) {
      const EntryPtr after = find(static_cast<Family>(i), key);
      const auto was = value_of(before), is = value_of(after);
      if (was.has_value() == is.has_value() && (!was || equal(*was, *is))) continue;
      visit({static_cast<Family>(i), key, was, is});
    }
  }
}

void Store::seal() {
  std::array<std::vector<merkle::Tree::Change>, kFamilyCount> changes;
  for_each_difference([&](const Difference& difference) {
    const size_t i = at(difference.family);
    const EntryPtr after = find(difference.family, difference.key);
    unsaved_[i].insert_or_assign(to_buffer(difference.key), after);
    changes[i].push_back(after ? merkle::Tree::set(after) : merkle::Tree::unset(difference.key));
  });
  for (size_t i = 0; i < kFamilyCount; ++i) {
    if (!changes[i].empty()) sealed_.trees_[i].update(std::move(changes[i]));
    sealed_.roots_[i] = sealed_.trees_[i].root();
    before_[i].clear();
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
