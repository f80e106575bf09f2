// What each method of the JSON-RPC interface answers, from the blocks and states of one chain.
// Reads only committed states; the forms are CometBFT's.
#pragma once

#include "chain/local_chain.h"
#include "chain/rpc_call.h"

namespace cloister::chain {

using RpcAnswer = std::expected<JsonValue, RpcFault>;

class RpcMethods {
 public:
  // `genesis` is the application's part of the genesis, shown as it is.
  RpcMethods(LocalChain& chain, JsonValue genesis);

  RpcAnswer answer(const RpcCall& call);

 private:
  RpcAnswer status() const;
  RpcAnswer commit(const RpcCall& call) const;
  RpcAnswer validators(const RpcCall& call) const;
  RpcAnswer block(const RpcCall& call) const;
  RpcAnswer block_results(const RpcCall& call) const;
  RpcAnswer query(const RpcCall& call) const;
  RpcAnswer broadcast(const RpcCall& call);
  RpcAnswer tx(const RpcCall& call) const;
  std::expected<Block, RpcFault> block_of(const RpcCall& call) const;

  LocalChain& chain_;
  JsonValue genesis_;
};

}  // namespace cloister::chain
