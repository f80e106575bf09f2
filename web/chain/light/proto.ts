// Protocol-buffer bytes as CometBFT hashes and signs them (proto3): fields in rising order, zero
// scalars and empty strings left out, messages ALWAYS written even when empty. Writing is total.
import {type Bytes, join, text_bytes} from '../../sealed/bytes';

const kWireVarint = 0;
const kWireFixed64 = 1;
const kWireBytes = 2;

// Unsigned LEB128 of the low 64 bits: a negative number takes ten bytes.
export function uvarint(value: bigint | number): Bytes {
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  while (rest >= 0x80n) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Uint8Array.from(out);
}

function tag(field: number, wire: number): Bytes {
  return uvarint((field << 3) | wire);
}

export class ProtoWriter {
  private readonly parts: Uint8Array[] = [];

  varint(field: number, value: bigint | number): this {
    if (BigInt(value) !== 0n) this.parts.push(tag(field, kWireVarint), uvarint(value));
    return this;
  }
  sfixed64(field: number, value: number): this {
    if (value === 0) return this;
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
    this.parts.push(tag(field, kWireFixed64), bytes);
    return this;
  }
  bytes(field: number, value: Uint8Array): this {
    return value.length === 0 ? this : this.message(field, value);
  }
  text(field: number, value: string): this {
    return this.bytes(field, text_bytes(value));
  }
  message(field: number, encoded: Uint8Array): this {
    this.parts.push(tag(field, kWireBytes), uvarint(encoded.length), encoded);
    return this;
  }
  take(): Bytes {
    return join(...this.parts);
  }
}

// uvarint(length) and the message: what a vote's signature covers.
export function length_prefixed(message: Uint8Array): Bytes {
  return join(uvarint(message.length), message);
}
