#include "ledger/types/checks.h"

#include "ledger/types/codec.h"
#include "ledger/types/domain.h"

namespace cloister::ledger {

BatchId batch_id(std::string_view chain_id, const InstanceId& instance, uint64_t epoch,
                 const ModelRoot& model_root) {
  ByteWriter out = tagged("cloister batch v1");
  out.bytes(chain_hash(chain_id)).bytes(instance).u64_be(epoch).bytes(model_root);
  return crypto::sha256(out.view());
}

CheckId check_id(const BatchId& batch, uint32_t number) {
  return crypto::sha256(tagged("cloister check v1").bytes(batch).u32_be(number).view());
}

Hash32 verdict_commitment(const CheckId& check, const InstanceId& checker, CheckVerdict verdict,
                          const Hash32& salt) {
  ByteWriter out = tagged("cloister verdict commitment v1");
  out.bytes(check).bytes(checker).u8(static_cast<uint8_t>(verdict)).bytes(salt);
  return crypto::sha256(out.view());
}

template struct Record<Batch>;
template struct Record<Audit>;
template struct Record<Checker>;
template struct Record<Check>;
template struct Record<CommitReceipts>;
template struct Record<OpenReceipt>;
template struct Record<CommitVerdict>;
template struct Record<RevealVerdict>;
template struct Record<Appeal>;

}  // namespace cloister::ledger
