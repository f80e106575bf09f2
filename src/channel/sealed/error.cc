#include "channel/sealed/error.h"

#include <cstdlib>

namespace cloister::sealed {

std::string_view name(SealedError error) {
  switch (error) {
    case SealedError::malformed:
      return "malformed";
    case SealedError::too_large:
      return "too_large";
    case SealedError::too_many_chunks:
      return "too_many_chunks";
    case SealedError::unknown_key:
      return "unknown_key";
    case SealedError::suite_mismatch:
      return "suite_mismatch";
    case SealedError::kem_not_allowed:
      return "kem_not_allowed";
    case SealedError::bad_encapsulated:
      return "bad_encapsulated";
    case SealedError::not_authentic:
      return "not_authentic";
    case SealedError::truncated:
      return "truncated";
    case SealedError::replayed:
      return "replayed";
    case SealedError::replay_set_full:
      return "replay_set_full";
    case SealedError::inner_malformed:
      return "inner_malformed";
    case SealedError::profile_malformed:
      return "profile_malformed";
    case SealedError::wrong_key_config:
      return "wrong_key_config";
    case SealedError::wrong_instance:
      return "wrong_instance";
    case SealedError::padding_malformed:
      return "padding_malformed";
    case SealedError::answer_refused:
      return "answer_refused";
    case SealedError::key_config_malformed:
      return "key_config_malformed";
  }
  std::abort();
}

std::string_view describe(SealedError error) {
  switch (error) {
    case SealedError::malformed:
      return "the message has not the outer shape of one";
    case SealedError::too_large:
      return "the message or one of its chunks is too large";
    case SealedError::too_many_chunks:
      return "the message has too many chunks";
    case SealedError::unknown_key:
      return "the message is for a key that does not live";
    case SealedError::suite_mismatch:
      return "the message names other algorithms than its key is for";
    case SealedError::kem_not_allowed:
      return "the message must be sealed with X-Wing";
    case SealedError::bad_encapsulated:
      return "the encapsulated key is not one of its kind";
    case SealedError::not_authentic:
      return "the message does not authenticate";
    case SealedError::truncated:
      return "the message ends without its final chunk";
    case SealedError::replayed:
      return "the message was opened before";
    case SealedError::replay_set_full:
      return "no further message of this epoch can be remembered";
    case SealedError::inner_malformed:
      return "the sealed content is not well-formed";
    case SealedError::profile_malformed:
      return "the sealed fields are not those of a request";
    case SealedError::wrong_key_config:
      return "the sealed fields name another key configuration";
    case SealedError::wrong_instance:
      return "the sealed fields name another instance";
    case SealedError::padding_malformed:
      return "the padding is not well-formed";
    case SealedError::answer_refused:
      return "the answer says that it is none";
    case SealedError::key_config_malformed:
      return "the key configuration is not well-formed";
  }
  std::abort();
}

}  // namespace cloister::sealed
