// Linux's one interface for reports of confidential guests: a folder of configfs,
// /sys/kernel/config/tsm/report (Documentation/ABI/testing/configfs-tsm-report, Linux 6.7 and
// later). Making a folder in it makes the files; writing `inblob` asks, reading `outblob` answers,
// and `generation` counts the writes of everybody, so that a race is seen.
#pragma once

#include <filesystem>
#include <functional>

#include "evidence/collect/collect.h"

namespace cloister::evidence::collect {

// The file operations that the interface consists of. Each returns 0 or an errno value.
struct TsmFiles {
  std::function<int(const std::filesystem::path&)> make_folder, remove_folder;
  std::function<int(const std::filesystem::path&, Bytes)> write;
  std::function<int(const std::filesystem::path&, size_t max_bytes, Buffer&)> read;
  static TsmFiles of_system();
};

constexpr std::string_view kTsmReports = "/sys/kernel/config/tsm/report";

// A report that carries `report_data`. Asked again when another write came in between, up to three
// times. The folder made for it is removed whatever happens.
Collected<GuestEvidence> tsm_report(const ReportData& report_data,
                                    const std::filesystem::path& reports = kTsmReports,
                                    const TsmFiles& files = TsmFiles::of_system());

}  // namespace cloister::evidence::collect
