// Seals a request for one instance: chunked Oblivious HTTP (RFC 9458 and
// draft-ietf-ohai-chunked-ohttp) around binary HTTP (RFC 9292), with X-Wing, HKDF-SHA256 and
// AES-256-GCM. The twin of src/channel/sealed in C++; both read what the other writes.
import {Aes256Gcm, CipherSuite, HkdfSha256} from '@hpke/core';
import {XWing} from '@hpke/hybridkem-x-wing';

import {AnswerOpener} from './answer';
import {type Bytes, join, text_bytes, to_hex, varint} from './bytes';

export const kRequestMediaType = 'message/ohttp-chunked-req';

const kXWing = 0x647a;
const kHkdfSha256 = 0x0001;
const kAes256Gcm = 0x0002;
const kXWingPublicBytes = 1216;
const kMaxChunkBytes = 64 * 1024;
const kMaxMessageBytes = 16 * 1024 * 1024;

// What every request says beside its content. Hashes and ids are 32 bytes in hexadecimal.
export interface Profile {
  chain_id: string;
  payer: 'session' | 'job';
  id: string;
  sequence: bigint;
  instance: string;
  model_root: string;
  deadline_ms: number;
  max_units: bigint;
  padding: 'off' | 'default' | 'strict';
}

// One X-Wing key of an instance, out of a key configuration that the ledger has.
export interface SealingKey {
  id: number;
  public_key: Bytes;
  config_sha256: string;
}

export function suite(): CipherSuite {
  return new CipherSuite({kem: new XWing(), kdf: new HkdfSha256(), aead: new Aes256Gcm()});
}

// The first key of a configuration (RFC 9458, 3), which must be X-Wing with our algorithms alone.
export async function read_key_config(config: Bytes): Promise<SealingKey> {
  const view = new DataView(config.buffer, config.byteOffset, config.byteLength);
  const size = 1 + 2 + kXWingPublicBytes + 2 + 4;
  const ours =
    config.length > 2 + size &&
    view.getUint16(0) === size &&
    view.getUint16(3) === kXWing &&
    view.getUint16(5 + kXWingPublicBytes) === 4 &&
    view.getUint16(7 + kXWingPublicBytes) === kHkdfSha256 &&
    view.getUint16(9 + kXWingPublicBytes) === kAes256Gcm;
  if (!ours) throw new Error('the key configuration is not well-formed');
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', config));
  return {
    id: config[2]!,
    public_key: config.slice(5, 5 + kXWingPublicBytes),
    config_sha256: to_hex(hash),
  };
}

export function header_of(key_id: number): Bytes {
  const out = new Uint8Array(7);
  const view = new DataView(out.buffer);
  view.setUint8(0, key_id);
  view.setUint16(1, kXWing);
  view.setUint16(3, kHkdfSha256);
  view.setUint16(5, kAes256Gcm);
  return out;
}

export function info_of(header: Uint8Array): Bytes {
  return join(text_bytes('message/bhttp chunked request'), Uint8Array.of(0), header);
}

// 512, a power of two up to 64 KiB, or a multiple of 64 KiB.
export function request_bucket(size: number): number {
  let bucket = 512;
  while (bucket < size && bucket < kMaxChunkBytes) bucket *= 2;
  return size <= bucket ? bucket : Math.ceil(size / kMaxChunkBytes) * kMaxChunkBytes;
}

function length_prefixed(bytes: Uint8Array): Bytes {
  return join(varint(bytes.length), bytes);
}

function fields_of(profile: Profile, config_sha256: string): [string, string][] {
  return [
    ['chain-id', profile.chain_id],
    [`${profile.payer}-id`, profile.id],
    ['seq', String(profile.sequence)],
    ['instance-id', profile.instance],
    ['key-config-hash', config_sha256],
    ['model-root', profile.model_root],
    ['deadline', String(profile.deadline_ms)],
    ['max-units', String(profile.max_units)],
    ['padding', profile.padding],
  ];
}

// A request of known length (RFC 9292, 3.1), padded with zeros to its bucket.
function binary_request(
  key: SealingKey,
  profile: Profile,
  path: string,
  content: Uint8Array,
): Bytes {
  const fields = fields_of(profile, key.config_sha256).flatMap(([name, value]) => [
    length_prefixed(text_bytes(name)),
    length_prefixed(text_bytes(value)),
  ]);
  const head = ['POST', 'https', profile.instance, path];
  const message = join(
    varint(0),
    ...head.map((text) => length_prefixed(text_bytes(text))),
    length_prefixed(join(...fields)),
    length_prefixed(content),
    varint(0),
  );
  return join(message, new Uint8Array(request_bucket(message.length) - message.length));
}

export interface SealedRequest {
  message: Bytes;
  answer: AnswerOpener;
}

export async function seal_request(
  key: SealingKey,
  profile: Profile,
  path: string,
  content: Uint8Array,
): Promise<SealedRequest> {
  let plaintext = binary_request(key, profile, path, content);
  const header = header_of(key.id);
  const hpke = suite();
  const sender = await hpke.createSenderContext({
    recipientPublicKey: await hpke.kem.deserializePublicKey(key.public_key.buffer),
    info: info_of(header),
  });
  const enc = new Uint8Array(sender.enc);
  const parts: Uint8Array[] = [header, enc];
  while (plaintext.length > kMaxChunkBytes) {
    const sealed = new Uint8Array(await sender.seal(plaintext.slice(0, kMaxChunkBytes)));
    parts.push(varint(sealed.length), sealed);
    plaintext = plaintext.slice(kMaxChunkBytes);
  }
  parts.push(varint(0), new Uint8Array(await sender.seal(plaintext, text_bytes('final'))));
  const message = join(...parts);
  if (message.length > kMaxMessageBytes) throw new Error('the request is too large');
  const secret = await sender.export(text_bytes('message/bhttp chunked response'), 32);
  return {message, answer: new AnswerOpener(enc, new Uint8Array(secret))};
}
