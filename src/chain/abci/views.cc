#include "chain/abci/views.h"

#include "chain/abci/convert.h"
#include "chain/block.h"
#include "chain/local_chain.h"
#include "chain/mempool.h"
#include "ledger/types/enums.h"

namespace cloister::chain::abci {
namespace {

constexpr std::string_view kStorePath = "/store/";
constexpr const char* kCodespace = "cloister";
constexpr size_t kMaxKeyBytes = 1024;
constexpr uint32_t kQueryRefused = 1;

ResponseQuery refused(std::string_view why) {
  ResponseQuery out;
  out.set_code(kQueryRefused);
  out.set_codespace(kCodespace);
  out.set_log(std::string(why));
  return out;
}

ResponseCheckTx refused(uint32_t code, Admission why) {
  ResponseCheckTx out;
  out.set_code(code);
  out.set_log(std::string(describe(why)));
  return out;
}

}  // namespace

bool fits(const std::string& tx) {
  return !tx.empty() && tx.size() <= kMaxTxBytes;
}

const StateView* CommittedViews::Views::at(int64_t wanted) const {
  const int64_t oldest = height + 1 - static_cast<int64_t>(states.size());
  if (wanted < oldest || wanted > height) return nullptr;
  return states[static_cast<size_t>(wanted - oldest)].get();
}

std::shared_ptr<const CommittedViews::Views> CommittedViews::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

void CommittedViews::publish(int64_t height, std::shared_ptr<const StateView> view) {
  auto next = std::make_shared<Views>();
  const auto before = now();
  next->height = height;
  if (before && before->height + 1 == height) next->states = before->states;
  if (next->states.size() == kViewsKept) next->states.erase(next->states.begin());
  next->states.push_back(std::move(view));
  {
    const std::lock_guard lock(mutex_);
    now_ = next;
  }
  waiting_.begin(height);
}

ResponseQuery CommittedViews::query(const RequestQuery& request) const {
  const auto views = now();
  const int64_t height = request.height() == 0 ? views->height : request.height();
  const StateView* view = views->at(height);
  if (!view) return refused("the state of this height is not here");
  if (!request.path().starts_with(kStorePath)) return refused("paths are /store/FAMILY");
  if (request.data().size() > kMaxKeyBytes) return refused("the key is too long");
  const auto read = view->read(request.path().substr(kStorePath.size()), bytes_of(request.data()));
  if (!read) return refused("no such family of records");
  ResponseQuery out;
  out.set_key(request.data());
  out.set_height(height);
  if (read->value) out.set_value(string_of(*read->value));
  if (!request.prove()) return out;
  for (const light::ProofOp& op : read->proof) {
    ProofOp& form = *out.mutable_proof_ops()->add_ops();
    form.set_type(op.type);
    form.set_key(string_of(op.key));
    form.set_data(string_of(op.data));
  }
  return out;
}

ResponseCheckTx CommittedViews::check_tx(const RequestCheckTx& request) {
  if (!fits(request.tx())) {
    return refused(static_cast<uint32_t>(ledger::Code::too_large), Admission::too_large);
  }
  const Bytes tx = bytes_of(request.tx());
  const Hash32 id = light::tx_id(tx);
  const bool again = waiting_.knows(id);
  for (;;) {
    const auto views = now();
    const TxCheck check = again ? views->newest().check_again(tx) : views->newest().check(tx);
    ResponseCheckTx out;
    out.set_code(check.code);
    out.set_log(check.log);
    if (check.code != 0) return out;
    switch (waiting_.add(id, check, views->height)) {
      case WaitingNonces::Verdict::accepted:
        return out;
      case WaitingNonces::Verdict::wrong_nonce:
        return refused(check.wrong_nonce_code, Admission::wrong_nonce);
      case WaitingNonces::Verdict::too_many:
        return refused(static_cast<uint32_t>(ledger::Code::too_many_waiting), Admission::full);
      case WaitingNonces::Verdict::another_height:
        break;  // a block was committed meanwhile: once more, on its state
    }
  }
}

}  // namespace cloister::chain::abci
