// A gateway for the tests of the page: serves the built page under the real headers and plays every
// way in which an answer can come or fail. The prompt chooses the way; see kPlays.
//   node test/fake_gateway.mjs [DIST] [LEVEL] [PORT]   serves it for a look by hand
import {readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {extname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

import {bundle} from './report.mjs';

const kHere = fileURLToPath(new URL('.', import.meta.url));
const kTypes = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export const kAnswer = `A **trusted execution environment** is a part of a computer whose memory \
is encrypted by the processor itself. Whoever owns the machine, and whoever administers it, sees \
only ciphertext.

Three things make it useful here:

1. It can **prove** which program it runs, with a signature by the chip.
2. Keys that it makes inside never leave it.
3. A changed program gives another measurement, so it fails the check.

\`\`\`sh
cloister verify-receipt answer.json
\`\`\`

It does not make the answer *true*. It only makes sure nobody else could read or change it.`;

// The header that the real gateway sends, from the one place where it is written.
function content_security_policy() {
  const header = readFileSync(join(kHere, '../../src/webui/webui.h'), 'utf8');
  const value = /kContentSecurityPolicy =\s*((?:"[^"]*"\s*)+);/.exec(header)[1];
  return [...value.matchAll(/"([^"]*)"/g)].map(([, part]) => part).join('');
}

export async function start_gateway({
  dist,
  level = 'verified',
  port = 0,
  delay_ms = 0,
  answers = {},
  health_level = undefined,
}) {
  const gateway = {
    level,
    health_level, // what /health says, when that differs
    healthy: true,
    ready: true,
    refused: [],
    token: 'test-token-0123456789',
    log: [],
    answers,
    count: 0,
    delay_ms,
    paused: undefined, // what an answer waits for after each word
    models: ['smollm2-360m-instruct', 'qwen3-0.6b'],
    receipts: new Map(),
  };
  const csp = content_security_policy();
  const server = createServer((request, response) => {
    gateway.log.push({method: request.method, url: request.url, headers: request.headers});
    for (const [name, value] of Object.entries({
      'content-security-policy': csp,
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })) {
      response.setHeader(name, value);
    }
    route(gateway, dist, request, response).catch((error) => response.destroy(error));
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  gateway.origin = `http://127.0.0.1:${server.address().port}`;
  gateway.url = `${gateway.origin}/#${gateway.token}`;
  gateway.close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return gateway;
}

async function route(gateway, dist, request, response) {
  const {method} = request;
  const url = request.url.split('?')[0];
  if (method === 'GET' && url === '/health') return health(gateway, response);
  if (method === 'POST' && url === '/ui/login') return log_in(gateway, request, response);
  if (!url.startsWith('/v1/')) return file(dist, url, response);
  if (!request.headers.cookie?.includes(`cloister=${gateway.token}`)) {
    return error(response, 401, 'invalid_api_key', 'No key was given.');
  }
  if (url === '/v1/models') {
    const data = gateway.models.map((id) => ({
      id,
      object: 'model',
      created: 0,
      owned_by: 'cloister',
    }));
    return json(response, 200, {object: 'list', data});
  }
  if (method === 'POST' && url === '/v1/chat/completions') return chat(gateway, request, response);
  const text = gateway.receipts.get(url.replace('/v1/receipts/', ''));
  if (text === undefined)
    return error(response, 404, 'receipt_not_found', 'There is no such receipt.');
  response.setHeader('content-type', 'application/json');
  response.end(text);
}

function health(gateway, response) {
  if (!gateway.healthy) return response.destroy();
  return json(response, gateway.ready ? 200 : 503, {
    status: gateway.ready ? 'ok' : 'waiting',
    chain_id: gateway.level === 'development' ? 'cloister-dev' : 'cloister-1',
    height: 48213 + gateway.count,
    level: gateway.health_level ?? gateway.level,
    verified_nodes: 3,
    refused_nodes: gateway.refused,
  });
}

function log_in(gateway, request, response) {
  if (request.headers.authorization !== `Bearer ${gateway.token}`) {
    return error(response, 401, 'invalid_api_key', 'The key is wrong.');
  }
  response.setHeader('set-cookie', `cloister=${gateway.token}; HttpOnly; SameSite=Strict; Path=/`);
  response.statusCode = 204;
  return response.end();
}

function file(dist, url, response) {
  const path = url === '/' ? '/index.html' : url;
  if (path.includes('..')) return error(response, 404, 'unsupported_endpoint', 'No such page.');
  try {
    const bytes = readFileSync(join(dist, path));
    response.setHeader('content-type', kTypes[extname(path)]);
    return response.end(bytes);
  } catch {
    return error(response, 404, 'unsupported_endpoint', 'No such page.');
  }
}

// What the stream does, by the first word of the prompt.
const kPlays = {
  busy: {status: 429, code: 'node_busy', message: 'All 3 nodes are at work.'},
  unverified: {
    status: 503,
    code: 'no_verified_node',
    message: 'node kestrel-7: measurement is not an allowed release.',
  },
  signed_out: {status: 401, code: 'invalid_api_key', message: 'The key is wrong.'},
  cut: {parts: 3, end: 'destroy'},
  lost: {parts: 12, end: 'error'},
  no_done: {end: 'no_done'},
  no_finish: {end: 'no_finish'},
  garbage: {parts: 2, end: 'garbage'},
  hold: {parts: 40, end: 'hold'},
  length: {finish: 'length'},
  no_receipt: {receipt: false},
  wrong_receipt: {receipt: 'other'},
  contradiction: {receipt: 'contradiction'},
};

async function chat(gateway, request, response) {
  let body = '';
  for await (const part of request) body += part;
  const {messages, model, stream} = JSON.parse(body);
  if (stream !== true) throw new Error('the page must stream');
  gateway.last_messages = messages;
  const prompt = messages.at(-1).content;
  const play = kPlays[prompt.split(/\s/)[0]] ?? {};
  if (play.status) return error(response, play.status, play.code, play.message);

  const id = `r-${++gateway.count}`;
  if (play.receipt !== false) keep_receipt(gateway, play, id);
  response.setHeader('content-type', 'text/event-stream; charset=utf-8');
  response.setHeader('x-cloister-receipt-id', id);
  await stream_answer(gateway, response, play, model, gateway.answers[prompt] ?? kAnswer);
}

function keep_receipt(gateway, play, id) {
  const value = bundle(gateway.level, play.receipt === 'other' ? 'r-other' : id, gateway.count);
  if (play.receipt === 'contradiction') {
    value.trust.checks = value.trust.checks.filter(({name}) => name !== 'revocation');
    value.trust.checks[0].ok = false;
  }
  gateway.receipts.set(id, JSON.stringify(value, null, 1));
}

async function stream_answer(gateway, response, play, model, answer) {
  const send = (text) => response.write(text);
  const chunk = (choices, more = {}) =>
    send(
      `data: ${JSON.stringify({
        id: 'c1',
        object: 'chat.completion.chunk',
        created: 1795392000,
        model,
        choices,
        ...more,
      })}\n\n`,
    );
  const words = answer.match(/\s*\S+|\s+$/g) ?? [];
  send(': ping\n\n');
  chunk([{index: 0, delta: {role: 'assistant', content: ''}, finish_reason: null}]);
  for (const content of words.slice(0, play.parts)) {
    chunk([{index: 0, delta: {content}, finish_reason: null}]);
    await gateway.paused;
    if (gateway.delay_ms) await new Promise((resolve) => setTimeout(resolve, gateway.delay_ms));
  }
  if (play.end === 'hold') return;
  if (play.end === 'destroy') return setImmediate(() => response.destroy());
  if (play.end === 'garbage') return response.end('data: {"choices":[{"index\n\n');
  if (play.end === 'error') {
    const body = {
      message: 'node kestrel-7 closed the connection.',
      type: 'server_error',
      param: null,
      code: 'node_lost',
    };
    return response.end(`data: ${JSON.stringify({error: body})}\n\n`);
  }
  if (play.end !== 'no_finish')
    chunk([{index: 0, delta: {}, finish_reason: play.finish ?? 'stop'}]);
  if (play.end !== 'no_finish')
    chunk([], {
      usage: {prompt_tokens: 24, completion_tokens: words.length, total_tokens: 24 + words.length},
    });
  response.end(play.end === 'no_done' ? '' : 'data: [DONE]\n\n');
}

function error(response, status, code, message) {
  return json(response, status, {
    error: {message, type: 'invalid_request_error', param: null, code},
  });
}

function json(response, status, value) {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(value));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [dist = join(kHere, '../dist'), level = 'development', port = '0'] = process.argv.slice(2);
  const gateway = await start_gateway({dist, level, port: Number(port), delay_ms: 30});
  console.log(gateway.url);
}
