#include "ledger/state/context.h"

namespace cloister::ledger {
namespace {

void put(Context& c, const Model& model) {
  c.store.put(Family::models, id_key(model.root), model.encode());
}

}  // namespace

Verdict apply_register_model(Context& c, const Tx& tx, const RegisterModel& body) {
  const Model& model = body.model;
  if (model.owner != tx.account) return Code::not_model_owner;
  if (!valid(model, c.params) || model.deprecated) return Code::model_invalid;
  if (c.store.get(Family::models, model.root)) return Code::model_exists;
  const Buffer name_key = model_name_key(model.name);
  if (c.store.get(Family::models, name_key)) return Code::model_name_taken;
  if (!debit(c, tx.account, c.params.model_fee_micro)) return Code::insufficient_balance;
  credit(c, treasury_account(), c.params.model_fee_micro);
  put(c, model);
  c.store.put(Family::models, name_key, id_key(model.root));
  c.data = id_key(model.root);
  c.emit("model.registered", {{"model", to_hex(model.root)}, {"name", model.name}});
  return Code::ok;
}

Verdict apply_update_model(Context& c, const Tx& tx, const UpdateModel& body) {
  auto model = c.find<Model>(Family::models, body.root);
  if (!model) return Code::model_unknown;
  if (model->owner != tx.account) return Code::not_model_owner;
  model->owner = body.owner;
  model->owner_permille = body.owner_permille;
  model->licence = body.licence;
  model->key_policy_sha256 = body.key_policy_sha256;
  if (!valid(*model, c.params)) return Code::model_invalid;
  put(c, *model);
  c.emit("model.updated", {{"model", to_hex(body.root)}, {"owner", to_hex(body.owner)}});
  return Code::ok;
}

Verdict apply_deprecate_model(Context& c, const Tx& tx, const DeprecateModel& body) {
  auto model = c.find<Model>(Family::models, body.root);
  if (!model) return Code::model_unknown;
  if (model->owner != tx.account) return Code::not_model_owner;
  if (model->deprecated) return Code::model_deprecated;
  model->deprecated = true;
  put(c, *model);
  c.emit("model.deprecated", {{"model", to_hex(body.root)}});
  return Code::ok;
}

}  // namespace cloister::ledger
