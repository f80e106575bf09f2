// Bodies about models.
#pragma once

#include "ledger/types/params.h"
#include "ledger/types/tx.h"

namespace cloister::ledger {

struct RegisterModel : Record<RegisterModel> {
  static constexpr TxKind kKind = TxKind::register_model;
  Model model;  // the owner is whoever sends it

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "model", r.model);
  }
  bool operator==(const RegisterModel&) const = default;
};

// What an owner may change. The weights and what they need to be read never change: they would be
// another model. Sessions keep the share that they were drawn with.
struct UpdateModel : Record<UpdateModel> {
  static constexpr TxKind kKind = TxKind::update_model;
  ModelRoot root{};
  AccountId owner{};  // another account: the model is given away
  uint32_t owner_permille = 0;
  std::string licence;
  Hash32 key_policy_sha256{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "root", r.root);
    v(2, "owner", r.owner);
    v(3, "owner_permille", r.owner_permille);
    v(4, "licence", r.licence, kMaxNameBytes);
    v(5, "key_policy_sha256", r.key_policy_sha256);
  }
  bool operator==(const UpdateModel&) const = default;
};

// No new sessions and registrations; those that run go on. There is no way back.
struct DeprecateModel : Record<DeprecateModel> {
  static constexpr TxKind kKind = TxKind::deprecate_model;
  ModelRoot root{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "root", r.root);
  }
  bool operator==(const DeprecateModel&) const = default;
};

}  // namespace cloister::ledger
