// Writes a built page as one C++ source: node embed.mjs DIST OUTPUT FUNCTION. The same files always give
// the same bytes: sorted names, and gzip without a time or a name in its header.
import {createHash} from 'node:crypto';
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, extname, join} from 'node:path';
import {gzipSync} from 'node:zlib';

const kTypes = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const [dist, output, name] = process.argv.slice(2);
const paths = readdirSync(dist, {recursive: true, withFileTypes: true})
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(dist.length))
  .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
if (!paths.includes('/index.html')) throw new Error(`${dist} holds no index.html`);

const assets = paths.map((path, i) => asset(path, i));
mkdirSync(dirname(output), {recursive: true});
writeFileSync(
  output,
  `// Generated from web/ by web/embed.mjs.
#include "webui/webui.h"

namespace cloister::webui {
namespace {

${assets.map(({arrays}) => arrays).join('\n')}
const Asset kAssets[] = {
${assets.map(({entry}) => entry).join('\n')}
};

}  // namespace

std::span<const Asset> ${name}() { return kAssets; }

}  // namespace cloister::webui
`,
);

function asset(path, i) {
  const type = kTypes[extname(path)];
  if (type === undefined) throw new Error(`no content type is known for ${path}`);
  const identity = readFileSync(join(dist, path));
  const gzip = gzipSync(identity, {level: 9});
  gzip[9] = 255; // "unknown system": zlib writes the one it was built on
  const smaller = gzip.length < identity.length;
  const etag = createHash('sha256').update(identity).digest('hex').slice(0, 32);
  const immutable = /^\/assets\/.+-[\w-]{8}\.\w+$/.test(path);
  return {
    arrays: array(`kIdentity${i}`, identity) + (smaller ? array(`kGzip${i}`, gzip) : ''),
    entry:
      `    {${JSON.stringify(path)}, "${type}", "\\"${etag}\\"", ${immutable}, kIdentity${i}, ` +
      `${smaller ? `kGzip${i}` : '{}'}},`,
  };
}

function array(name, bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 24)
    lines.push(`    ${[...bytes.subarray(at, at + 24)]},`);
  return `constexpr uint8_t ${name}[] = {\n${lines.join('\n')}\n};\n`;
}
