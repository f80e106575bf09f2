// SHA-256, and how the ledger keeps its uses apart: "tag" ‖ 00 before what is hashed or signed.
import {type Bytes, join, text_bytes} from '../../sealed/bytes';

export async function sha256(...parts: Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', join(...parts)));
}

export function tagged(tag: string, ...parts: Uint8Array[]): Bytes {
  return join(text_bytes(tag), Uint8Array.of(0), ...parts);
}

export function chain_hash(chain_id: string): Promise<Bytes> {
  return sha256(text_bytes(chain_id));
}
