// Bytes in and out: joining, hex, and the variable-length integers of QUIC (RFC 9000, 16).

export type Bytes = Uint8Array<ArrayBuffer>;

export function join(...parts: Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function text_bytes(text: string): Bytes {
  return new TextEncoder().encode(text);
}

export function to_hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function from_hex(text: string): Bytes {
  if (!/^([0-9a-f]{2})*$/i.test(text)) throw new Error('not hexadecimal');
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

// The shortest encoding of a number below 2^32, more than any length here needs.
export function varint(value: number): Bytes {
  if (value < 0x40) return Uint8Array.of(value);
  if (value < 0x4000) return Uint8Array.of(0x40 | (value >> 8), value & 0xff);
  const out = new Uint8Array(value < 0x40000000 ? 4 : 8);
  new DataView(out.buffer).setUint32(out.length - 4, value);
  out[0]! |= out.length === 4 ? 0x80 : 0xc0;
  return out;
}

// Reads from the front. A read that is refused gives undefined and consumes nothing.
export class Reader {
  private at = 0;
  constructor(private readonly bytes: Uint8Array) {}

  get remaining(): number {
    return this.bytes.length - this.at;
  }
  get position(): number {
    return this.at;
  }
  take(size: number): Uint8Array | undefined {
    if (size > this.remaining) return undefined;
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }
  // Any encoding of a number. One past 2^53 - 1 reads as that, which passes every limit here.
  varint(): number | undefined {
    if (this.remaining === 0) return undefined;
    const width = 1 << (this.bytes[this.at]! >> 6);
    const bytes = this.take(width);
    if (bytes === undefined) return undefined;
    let value = bytes[0]! & 0x3f;
    for (let i = 1; i < width; ++i) value = value * 256 + bytes[i]!;
    return Math.min(value, Number.MAX_SAFE_INTEGER);
  }
}
