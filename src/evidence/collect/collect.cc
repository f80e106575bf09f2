#include "evidence/collect/collect.h"

#include <cerrno>

namespace cloister::evidence::collect {

std::string_view name(CollectError error) {
  switch (error) {
    case CollectError::not_available:
      return "not_available";
    case CollectError::no_permission:
      return "no_permission";
    case CollectError::busy:
      return "busy";
    case CollectError::refused:
      return "refused";
    case CollectError::bad_answer:
      return "bad_answer";
  }
  std::abort();
}

std::string_view describe(CollectError error) {
  switch (error) {
    case CollectError::not_available:
      return "This machine has not this interface.";
    case CollectError::no_permission:
      return "This process may not use the interface.";
    case CollectError::busy:
      return "Another process kept using the interface.";
    case CollectError::refused:
      return "The interface answered with an error.";
    case CollectError::bad_answer:
      return "The interface answered with something that is no evidence.";
  }
  std::abort();
}

CollectError error_of(int errno_value) {
  switch (errno_value) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case ENOTTY:
      return CollectError::not_available;
    case EACCES:
    case EPERM:
      return CollectError::no_permission;
    case EBUSY:
    case EAGAIN:
      return CollectError::busy;
    default:
      return CollectError::refused;
  }
}

}  // namespace cloister::evidence::collect
