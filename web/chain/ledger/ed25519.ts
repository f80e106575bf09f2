// Ed25519 as the network uses it, on WebCrypto. Refuses more than browsers agree on, as libsodium
// does in the nodes: a key or an R that is not canonical or of small order.
import {type Bytes, join} from '../../sealed/bytes';

const kSeedBytes = 32;
const kPkcs8Head = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
const kPrime = (1n << 255n) - 19n;
// The y of the points of order 8, but for its sign.
const kOrder8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
const kSmallOrder = [0n, 1n, kPrime - 1n, kOrder8, kPrime - kOrder8];

export class SignatureError extends Error {}

// A key that signs for an account, which is its public half.
export interface SigningKey {
  account: Bytes;
  sign(message: Uint8Array): Promise<Bytes>;
}

function from_base64url(text: string): Bytes {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0));
}

export async function signing_key(seed: Uint8Array): Promise<SigningKey> {
  if (seed.length !== kSeedBytes) throw new SignatureError('a seed has 32 bytes');
  const form = join(Uint8Array.from(kPkcs8Head), seed);
  try {
    const key = await crypto.subtle.importKey('pkcs8', form, 'Ed25519', false, ['sign']);
    const shown = await crypto.subtle.importKey('pkcs8', form, 'Ed25519', true, ['sign']);
    const account = from_base64url((await crypto.subtle.exportKey('jwk', shown)).x ?? '');
    if (account.length !== 32) throw new SignatureError('the key has no public half');
    return {
      account,
      sign: async (message) =>
        new Uint8Array(await crypto.subtle.sign('Ed25519', key, message.slice())),
    };
  } finally {
    form.fill(0);
  }
}

// Whether the bytes are the y of a point in its only form, and of a large order.
function acceptable(point: Uint8Array): boolean {
  let y = 0n;
  for (let i = 31; i >= 0; --i) y = (y << 8n) | BigInt(i === 31 ? point[i]! & 0x7f : point[i]!);
  return y < kPrime && !kSmallOrder.includes(y);
}

export async function verify_ed25519(
  public_key: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (public_key.length !== 32 || signature.length !== 64) return false;
  if (!acceptable(public_key) || !acceptable(signature.subarray(0, 32))) return false;
  let key: CryptoKey;
  try {
    const raw = public_key.slice();
    key = await crypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify']);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotSupportedError') throw error;
    return false; // not a point
  }
  return crypto.subtle.verify('Ed25519', key, signature.slice(), message.slice());
}
