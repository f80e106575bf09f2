// Deterministic CBOR (RFC 8949, 4.2.1), the subset the network uses: unsigned integers, byte and
// text strings, arrays, booleans, and maps with unsigned keys. The twin of src/base/cbor in C++.
// Refuses, with a CborError, the first item that is not canonical, not of the asked type, or past
// a bound; after an error a reader must not be used again.
import {type Bytes, join, text_bytes} from '../../sealed/bytes';

export class CborError extends Error {}

export const kMaxU64 = (1n << 64n) - 1n;

const kUnsigned = 0;
const kByteString = 2;
const kTextString = 3;
const kArray = 4;
const kMap = 5;
const kFalse = 0xf4;
const kTrue = 0xf5;

export function big_endian(value: bigint, bytes: number): Bytes {
  const out = new Uint8Array(bytes);
  for (let i = bytes - 1, rest = value; i >= 0; --i, rest >>= 8n) out[i] = Number(rest & 0xffn);
  return out;
}

function to_u64(value: bigint | number): bigint {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new CborError('the number is not a safe integer');
  }
  const out = BigInt(value);
  if (out < 0n || out > kMaxU64) throw new CborError('the number is out of its range');
  return out;
}

export class CborWriter {
  private readonly parts: Uint8Array[] = [];

  u64(value: bigint | number): this {
    return this.head(kUnsigned, to_u64(value));
  }
  boolean(value: boolean): this {
    this.parts.push(Uint8Array.of(value ? kTrue : kFalse));
    return this;
  }
  bytes(value: Uint8Array): this {
    this.head(kByteString, BigInt(value.length));
    this.parts.push(value);
    return this;
  }
  text(value: string): this {
    if (/\p{Surrogate}/u.test(value)) throw new CborError('the text has a lone surrogate');
    const encoded = text_bytes(value);
    this.head(kTextString, BigInt(encoded.length));
    this.parts.push(encoded);
    return this;
  }
  array(count: number): this {
    return this.head(kArray, to_u64(count));
  }
  map(count: number): this {
    return this.head(kMap, to_u64(count));
  }
  key(value: number): this {
    return this.u64(value);
  }
  take(): Bytes {
    return join(...this.parts.splice(0));
  }

  private head(major: number, value: bigint): this {
    const first = (info: number) => Uint8Array.of((major << 5) | info);
    if (value < 24n) {
      this.parts.push(first(Number(value)));
      return this;
    }
    const width = value <= 0xffn ? 0 : value <= 0xffffn ? 1 : value <= 0xffffffffn ? 2 : 3;
    this.parts.push(first(24 + width), big_endian(value, 1 << width));
    return this;
  }
}

export class CborReader {
  private at = 0;
  constructor(private readonly input: Uint8Array) {}

  u64(max: bigint = kMaxU64): bigint {
    const value = this.head(kUnsigned);
    if (value > max) throw new CborError('a number is out of its range');
    return value;
  }
  // A number of at most 32 bits, or whatever smaller bound is given.
  small(max = 0xffffffff): number {
    return Number(this.u64(BigInt(max)));
  }
  boolean(): boolean {
    const first = this.take(1)[0];
    if (first !== kTrue && first !== kFalse) throw new CborError('an item is not a boolean');
    return first === kTrue;
  }
  bytes(max_bytes: number): Bytes {
    return this.take(this.size(kByteString, max_bytes)).slice();
  }
  fixed(size: number): Bytes {
    const out = this.bytes(size);
    if (out.length !== size) throw new CborError('a string of bytes has the wrong length');
    return out;
  }
  text(max_bytes: number): string {
    const encoded = this.take(this.size(kTextString, max_bytes));
    try {
      return new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(encoded);
    } catch {
      throw new CborError('a text is not UTF-8');
    }
  }
  array(max_count: number): number {
    return this.size(kArray, max_count);
  }
  // Refuses any other count.
  map(exact_count: number): void {
    if (this.map_up_to(exact_count) !== exact_count) throw new CborError('a map is incomplete');
  }
  map_up_to(max_count: number): number {
    return this.size(kMap, max_count);
  }
  // Refuses any other key.
  key(expected: number): void {
    if (this.u64() !== BigInt(expected)) throw new CborError('a map has an unexpected key');
  }
  // All was read and nothing trails.
  finish(): void {
    if (this.at !== this.input.length) throw new CborError('bytes are left over');
  }

  private size(major: number, max: number): number {
    const value = this.head(major);
    if (value > BigInt(max)) throw new CborError('an item is larger than allowed');
    return Number(value);
  }
  private take(size: number): Uint8Array {
    if (size > this.input.length - this.at) throw new CborError('the bytes end too early');
    this.at += size;
    return this.input.subarray(this.at - size, this.at);
  }
  private head(major: number): bigint {
    const first = this.take(1)[0]!;
    if (first >> 5 !== major) throw new CborError('an item is of another type');
    const info = first & 31;
    if (info < 24) return BigInt(info);
    if (info > 27) throw new CborError('an item is not canonical');
    const width = 1 << (info - 24);
    let value = 0n;
    for (const byte of this.take(width)) value = (value << 8n) | BigInt(byte);
    const smallest = width === 1 ? 24n : 1n << BigInt(4 * width);
    if (value < smallest) throw new CborError('a number is not in its shortest form');
    return value;
  }
}
