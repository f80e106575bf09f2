#include "ledger/types/keys.h"

#include "ledger/types/domain.h"

namespace cloister::ledger {
namespace {

constexpr size_t kPoolKeyBytes = 32 + 2 + 2 + 1;
constexpr size_t kWeightKeyBytes = kPoolKeyBytes + 32;

}  // namespace

Buffer model_name_key(std::string_view model_name) {
  const Hash32 hash = crypto::sha256(tagged("cloister model name v1").text(model_name).view());
  return ByteWriter().bytes(hash).u8(0).take();
}

Buffer weight_key(const PoolKey& pool, const InstanceId& instance) {
  ByteWriter w;
  w.bytes(pool.model_root).u16_be(pool.formats).u16_be(pool.statuses).u8(pool.price_octave);
  return w.bytes(instance).take();
}

Buffer since_key(uint64_t height, const PoolKey& pool, const InstanceId& instance) {
  return ByteWriter().u64_be(height).bytes(weight_key(pool, instance)).take();
}

bool is_weight_key(Bytes key) {
  return key.size() == kWeightKeyBytes;
}
bool is_since_key(Bytes key) {
  return key.size() == 8 + kWeightKeyBytes;
}

Buffer weight_value(const merkle::Weight& weight) {
  return ByteWriter().u64_be(weight.value).u64_be(weight.tag).take();
}

std::pair<PoolKey, merkle::Weight> read_weight(Bytes key, Bytes value) {
  ByteReader k(key), v(value);
  PoolKey pool;
  merkle::Weight weight;
  pool.model_root = k.fixed<32>().value();
  pool.formats = k.u16_be().value();
  pool.statuses = k.u16_be().value();
  pool.price_octave = k.u8().value();
  weight.id = k.fixed<32>().value();
  weight.value = v.u64_be().value();
  weight.tag = v.u64_be().value();
  return {pool, weight};
}

}  // namespace cloister::ledger
