// Reads fields of parsed JSON; what does not have exactly its form is refused with bad_json. 64-bit
// integers are canonical decimal strings, hashes upper-case hex, keys and values base64, times
// RFC 3339 in UTC with up to nine fraction digits, as Go writes them.
import {type Bytes, from_hex, text_bytes} from '../../sealed/bytes';
import {LightError} from './error';
import type {JsonValue} from './json_text';
import type {Timestamp} from './types';

export const kMaxU32 = 0xffffffff;

export function demand(held: boolean): void {
  if (!held) throw new LightError('bad_json');
}

// A member of nested objects; null when any of them is missing.
export function at(value: JsonValue, ...path: string[]): JsonValue {
  let out = value;
  for (const key of path) out = out instanceof Map ? (out.get(key) ?? null) : null;
  return out;
}

export function int64(value: JsonValue): bigint {
  if (typeof value !== 'string' || !/^(0|-?[1-9][0-9]{0,18})$/.test(value)) {
    throw new LightError('bad_json');
  }
  const out = BigInt(value);
  demand(out === BigInt.asIntN(64, out));
  return out;
}

// An int64 that a number holds exactly.
export function height(value: JsonValue): number {
  const out = Number(int64(value));
  demand(Number.isSafeInteger(out));
  return out;
}

export function number(value: JsonValue, max: number): number {
  if (typeof value !== 'number' || value < 0 || value > max) throw new LightError('bad_json');
  return value;
}

export function text(value: JsonValue, max_bytes: number): string {
  if (typeof value !== 'string' || value.length > max_bytes) throw new LightError('bad_json');
  demand(text_bytes(value).length <= max_bytes);
  return value;
}

export function hex(value: JsonValue, max_bytes: number): Bytes {
  const digits = text(value, 2 * max_bytes);
  demand(/^[0-9A-F]*$/.test(digits) && digits.length % 2 === 0);
  return from_hex(digits);
}

export function base64(value: JsonValue, max_bytes: number): Bytes {
  const out = from_base64(text(value, 2 * max_bytes + 4));
  demand(out.length <= max_bytes);
  return out;
}

// What Go writes as null and as "" are the same empty bytes.
export function base64_or_null(value: JsonValue, max_bytes: number): Bytes {
  return value === null ? new Uint8Array() : base64(value, max_bytes);
}

export function list(value: JsonValue, max_count: number): JsonValue[] {
  if (!Array.isArray(value) || value.length > max_count) throw new LightError('bad_json');
  return value;
}

// Go writes an empty list as null.
export function list_or_null(value: JsonValue, max_count: number): JsonValue[] {
  return value === null ? [] : list(value, max_count);
}

// The one form of the bytes: padded, its unused bits zero.
export function from_base64(text: string): Bytes {
  demand(text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text));
  const plain = atob(text);
  const tail = text.slice(-4);
  demand(btoa(atob(tail)) === tail);
  const out = new Uint8Array(plain.length);
  for (let i = 0; i < plain.length; ++i) out[i] = plain.charCodeAt(i);
  return out;
}

export function to_base64(bytes: Uint8Array): string {
  let plain = '';
  for (const byte of bytes) plain += String.fromCharCode(byte);
  return btoa(plain);
}

const kTime =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{0,8}[1-9]))?Z$/;

export function time(value: JsonValue): Timestamp {
  const parts = kTime.exec(text(value, 35));
  if (parts === null) throw new LightError('bad_json');
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year!, month! - 1, day!); // Date.UTC takes the first years for 1900 on
  const real = date.getUTCMonth() === month! - 1 && date.getUTCDate() === day;
  demand(year! > 0 && real && hour! < 24 && minute! < 60 && second! < 60);
  const seconds = date.getTime() / 1000 + hour! * 3600 + minute! * 60 + second!;
  return {seconds, nanos: Number((parts[7] ?? '').padEnd(9, '0'))};
}
