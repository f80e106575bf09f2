#include "blob/error.h"

#include <cstdlib>

namespace cloister::blob {

std::string_view name(BlobError error) {
  switch (error) {
    case BlobError::not_found:
      return "not_found";
    case BlobError::wrong_content:
      return "wrong_content";
    case BlobError::too_large:
      return "too_large";
    case BlobError::quota_exceeded:
      return "quota_exceeded";
    case BlobError::unreachable:
      return "unreachable";
    case BlobError::refused:
      return "refused";
    case BlobError::bad_uri:
      return "bad_uri";
    case BlobError::not_writable:
      return "not_writable";
  }
  std::abort();
}

std::string_view describe(BlobError error) {
  switch (error) {
    case BlobError::not_found:
      return "no such blob";
    case BlobError::wrong_content:
      return "the content is not what its name says";
    case BlobError::too_large:
      return "the blob is too large";
    case BlobError::quota_exceeded:
      return "the store is full";
    case BlobError::unreachable:
      return "the store cannot be reached";
    case BlobError::refused:
      return "the store refused";
    case BlobError::bad_uri:
      return "this is no address of a blob";
    case BlobError::not_writable:
      return "the folder of blobs cannot be used";
  }
  std::abort();
}

}  // namespace cloister::blob
