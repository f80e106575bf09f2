#include "webui/webui.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace cloister::webui {
namespace {

TEST(WebUi, TheRootIsThePageAndEveryPathFindsItself) {
  if (assets().empty()) GTEST_SKIP() << "built with CLOISTER_UI=OFF";
  const Asset* page = find_asset("/");
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(page->path, "/index.html");
  EXPECT_EQ(page->content_type, "text/html; charset=utf-8");
  EXPECT_FALSE(page->immutable);
  for (const Asset& asset : assets()) EXPECT_EQ(find_asset(asset.path), &asset) << asset.path;
}

TEST(WebUi, PathsThatAreNotExactlyAnAssetAreRefused) {
  for (const char* path : {"", "/index.htm", "index.html", "/index.html/", "/../index.html",
                           "/INDEX.HTML", "/assets", "/assets/", "/%69ndex.html", "//"}) {
    EXPECT_EQ(find_asset(path), nullptr) << path;
  }
}

TEST(WebUi, AssetsAreSortedTaggedAndCompressedAndSmall) {
  if (assets().empty()) GTEST_SKIP() << "built with CLOISTER_UI=OFF";
  constexpr size_t kMaxPageBytes = 150'000;
  size_t sent = 0;
  std::string_view last;
  std::set<std::string_view> tags;
  for (const Asset& asset : assets()) {
    EXPECT_LT(last, asset.path);
    last = asset.path;
    EXPECT_FALSE(asset.identity.empty());
    EXPECT_TRUE(asset.etag.starts_with('"') && asset.etag.ends_with('"')) << asset.etag;
    EXPECT_TRUE(tags.insert(asset.etag).second) << "two files share a tag";
    if (!asset.gzip.empty()) {
      EXPECT_LT(asset.gzip.size(), asset.identity.size());
      EXPECT_TRUE(asset.gzip[0] == 0x1f && asset.gzip[1] == 0x8b) << asset.path;
    }
    sent += asset.gzip.empty() ? asset.identity.size() : asset.gzip.size();
  }
  EXPECT_LT(sent, kMaxPageBytes);
}

// It may stand under any path of any host: nothing in it is absolute, and it is small as well.
TEST(WebUi, ThePageWithoutAGatewayIsStaticAndRelative) {
  const Asset* page = find_chain_asset("/");
  if (page == nullptr) GTEST_SKIP() << "built with CLOISTER_UI=OFF";
  constexpr size_t kMaxPageBytes = 150'000;
  size_t sent = 0;
  for (const Asset& asset : chain_assets()) {
    EXPECT_EQ(find_chain_asset(asset.path), &asset) << asset.path;
    sent += asset.gzip.empty() ? asset.identity.size() : asset.gzip.size();
  }
  EXPECT_LT(sent, kMaxPageBytes);
  const std::string html(as_text(page->identity));
  EXPECT_EQ(html.find("<style"), std::string::npos);
  EXPECT_EQ(html.find("://"), std::string::npos) << "a link to another origin";
  EXPECT_EQ(html.find("=\"/"), std::string::npos) << "a path from the host's root";
  EXPECT_NE(html.find("<script type=\"module\""), std::string::npos);
}

TEST(WebUi, ThePageHasNoInlineScriptOrStyleWhichItsOwnPolicyWouldBlock) {
  const Asset* page = find_asset("/");
  if (page == nullptr) GTEST_SKIP() << "built with CLOISTER_UI=OFF";
  const std::string html(as_text(page->identity));
  EXPECT_EQ(html.find("<style"), std::string::npos);
  EXPECT_EQ(html.find(" style="), std::string::npos);
  EXPECT_EQ(html.find("://"), std::string::npos) << "a link to another origin";
  for (size_t at = html.find("<script"); at != std::string::npos;
       at = html.find("<script", at + 1)) {
    const std::string tag = html.substr(at, html.find("</script>", at) - at);
    EXPECT_NE(tag.find(" src=\"/"), std::string::npos) << tag;
    EXPECT_TRUE(tag.ends_with(">")) << "script with a body: " << tag;
  }
}

}  // namespace
}  // namespace cloister::webui
