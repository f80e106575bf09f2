// Random messages between the C++ side and the page's TypeScript over @hpke/core, both ways:
//   node run.mjs SEALED_PEER [COUNT]      COUNT messages each way, 500 by default
// The page's own code seals and opens; what an instance does is written here, over @hpke/core alone.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {randomBytes, randomInt} from 'node:crypto';
import {existsSync} from 'node:fs';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

const kWeb = fileURLToPath(new URL('../../web', import.meta.url));
if (!existsSync(`${kWeb}/node_modules/vite`)) {
  console.log('skipped: the page was not built, so its tools are not installed');
  process.exit(77);
}
const {runnerImport} = await import(`${kWeb}/node_modules/vite/dist/node/index.js`);
const load = async (name) =>
  (
    await runnerImport(`./sealed/${name}`, {
      configFile: false,
      root: kWeb,
      logLevel: 'error',
    })
  ).module;
const {seal_request, read_key_config, suite, header_of, info_of} = await load('request.ts');
const {derive_answer_key, numbered_nonce} = await load('answer.ts');
const {join, varint, Reader, text_bytes, to_hex, from_hex} = await load('bytes.ts');

const [peer_path, count = '500'] = process.argv.slice(2);
const peer = spawn(peer_path, {stdio: ['pipe', 'pipe', 'inherit']});
const lines = createInterface({input: peer.stdout})[Symbol.asyncIterator]();
async function ask(...words) {
  peer.stdin.write(words.map((word) => word || '-').join(' ') + '\n');
  const {value, done} = await lines.next();
  assert.ok(!done, 'the peer has ended');
  return value;
}

const kPaddings = ['off', 'default', 'strict'];
// Mostly short, sometimes over several chunks.
const random_content = () => randomBytes(randomInt(20) === 0 ? randomInt(200_000) : randomInt(2000));
const kInstance = '07' + '00'.repeat(31);

function random_profile() {
  return {
    chain_id: 'interop',
    payer: randomInt(2) === 0 ? 'session' : 'job',
    id: to_hex(randomBytes(32)),
    sequence: BigInt(randomInt(1, 1000)),
    instance: kInstance,
    model_root: to_hex(randomBytes(32)),
    deadline_ms: 1_800_000_000_000,
    max_units: 2n ** 64n - 1n,
    padding: kPaddings[randomInt(3)],
  };
}

// The page seals and C++ opens; the page's opener, and what C++ answered with `reply`.
async function answered(key, content, reply) {
  const profile = random_profile();
  const {message, answer} = await seal_request(key, profile, '/interop', content);
  const line = await ask('open', to_hex(message), to_hex(reply), profile.padding);
  assert.ok(!line.startsWith('error'), line);
  const [got, sealed] = line.split(' ');
  assert.equal(got, to_hex(content));
  return [answer, from_hex(sealed)];
}

// The page opens the answer, cut anywhere.
async function page_to_cpp(key) {
  const reply = randomBytes(randomInt(5000));
  const [answer, bytes] = await answered(key, random_content(), reply);
  const parts = [];
  for (let at = 0; at < bytes.length; ) {
    const size = randomInt(1, 3000);
    parts.push(await answer.feed(bytes.slice(at, at + size)));
    at += size;
  }
  parts.push(await answer.end());
  assert.equal(to_hex(join(...parts)), to_hex(reply));
}

// An answer with one bit changed, cut anywhere, or without its last chunk is none.
async function page_refuses(key) {
  const bends = [
    (bytes) => (bytes[randomInt(bytes.length)] ^= 1 << randomInt(8)) && bytes,
    (bytes) => bytes.slice(0, randomInt(bytes.length)),
    (bytes) => bytes.slice(0, bytes.length - (256 + 16 + 1)), // frames of one size
  ];
  for (const bend of bends) {
    const [answer, bytes] = await answered(key, randomBytes(10), randomBytes(600));
    const bent = bend(bytes.slice());
    // By its name: each loaded module has classes of its own.
    const refusal = (error) => error.constructor.name === 'AnswerError';
    await assert.rejects(async () => {
      await answer.feed(bent);
      await answer.end();
    }, refusal);
  }
}

function key_config(id, public_key) {
  const one = (key_id, kem, key) => {
    const out = new Uint8Array(2 + 3 + key.length + 6);
    const view = new DataView(out.buffer);
    view.setUint16(0, out.length - 2);
    view.setUint8(2, key_id);
    view.setUint16(3, kem);
    out.set(key, 5);
    view.setUint16(5 + key.length, 4);
    view.setUint16(7 + key.length, 1);
    view.setUint16(9 + key.length, 2);
    return out;
  };
  return join(one(id, 0x647a, public_key), one(id + 1, 0x0020, randomBytes(32)));
}

function content_of(plaintext) {
  const reader = new Reader(plaintext);
  assert.equal(reader.varint(), 0);
  for (let i = 0; i < 5; ++i) reader.take(reader.varint()); // method to fields
  return reader.take(reader.varint());
}

// C++ seals, @hpke/core opens and answers, C++ opens the answer.
async function cpp_to_hpke_core(keys, config) {
  const content = random_content();
  const line = await ask('seal', to_hex(config), to_hex(content));
  assert.ok(!line.startsWith('error'), line);
  const message = from_hex(line);
  const enc = message.slice(7, 7 + 1120);
  assert.equal(to_hex(message.slice(0, 7)), to_hex(header_of(2)));
  const hpke = suite();
  const recipient = await hpke.createRecipientContext({
    recipientKey: keys,
    enc: enc.buffer,
    info: info_of(message.slice(0, 7)),
  });
  const reader = new Reader(message.slice(7 + 1120));
  const parts = [];
  for (let last = false; !last; ) {
    const size = reader.varint();
    last = size === 0;
    const sealed = reader.take(last ? reader.remaining : size).slice();
    parts.push(new Uint8Array(await recipient.open(sealed, text_bytes(last ? 'final' : ''))));
  }
  assert.equal(to_hex(content_of(join(...parts))), to_hex(content));

  const reply = randomBytes(randomInt(3000));
  const secret = await recipient.export(text_bytes('message/bhttp chunked response'), 32);
  const response_nonce = randomBytes(32);
  const {key, nonce} = await derive_answer_key(enc, new Uint8Array(secret), response_nonce);
  const seal = async (counter, plaintext, last) =>
    new Uint8Array(
      await crypto.subtle.encrypt(
        {
          name: 'AES-GCM',
          iv: numbered_nonce(nonce, counter),
          additionalData: text_bytes(last ? 'final' : ''),
        },
        key,
        plaintext,
      ),
    );
  const cell = join(Uint8Array.of(reply.length >> 8, reply.length & 0xff, 0, 0), reply);
  const first = await seal(0, join(varint(3), varint(200), varint(0)), false);
  const body = join(varint(cell.length), cell, varint(0), varint(0), new Uint8Array(9));
  const last = await seal(1, body, true);
  const answer = join(response_nonce, varint(first.length), first, varint(0), last);
  assert.equal(await ask('answer', to_hex(answer)), `data ${to_hex(reply)}`);
  answer[answer.length - 1] ^= 1;
  assert.equal(await ask('answer', to_hex(answer)), 'error not_authentic');
}

try {
  const config = from_hex(await ask('keys'));
  const key = await read_key_config(config);
  for (let i = 0; i < Number(count); ++i) {
    await page_to_cpp(key);
    if (i % 10 === 0) await page_refuses(key);
  }
  const hpke = suite();
  const pair = await hpke.kem.generateKeyPair();
  const public_key = new Uint8Array(await hpke.kem.serializePublicKey(pair.publicKey));
  const own = key_config(2, public_key);
  for (let i = 0; i < Number(count); ++i) await cpp_to_hpke_core(pair.privateKey, own);
  console.log(`${2 * Number(count)} messages crossed, half of them each way`);
} finally {
  peer.stdin.end();
  peer.kill();
}
