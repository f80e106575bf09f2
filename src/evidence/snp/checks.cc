#include "evidence/snp/checks.h"

#include <fmt/core.h>

#include <chrono>

namespace cloister::evidence::snp {

bool CheckList::require(std::string_view name, bool ok, Error error, std::string expected,
                        std::string found) {
  if (!ok && !appraisal_.error) {
    appraisal_.error = error;
    appraisal_.detail = fmt::format("{}: expected {}; found {}", name, expected, found);
  }
  appraisal_.checks.push_back({std::string(name), ok, std::move(expected), std::move(found)});
  return ok;
}

std::string utc_text(UnixSeconds time) {
  constexpr UnixSeconds kEndOfYear9999 = 253'402'300'799;
  if (time < 0 || time > kEndOfYear9999) return fmt::format("{} seconds", time);
  const std::chrono::sys_seconds at{std::chrono::seconds{time}};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{at - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace cloister::evidence::snp
