// The user's account: transactions signed in this page, sent with the nonce and the fee that the
// ledger proves, and followed to their proven outcome. Refuses fees above a bound of its own.
import type {Bytes} from '../sealed/bytes';
import {
  type Body,
  code_of,
  decode,
  id_key,
  kAccount,
  kParams,
  kParamsKey,
  make_tx,
  type SigningKey,
} from './ledger';
import type {BroadcastResult, LightClient} from './light';

const kMaxFeeMicro = 100_000n;
const kMaxTries = 3;
const kOutcomeMs = 60_000;

export type Ledger = Pick<
  LightClient,
  'read' | 'broadcast' | 'wait_tx' | 'watch' | 'newest' | 'reports'
>;

export class AccountError extends Error {}

export class Account {
  constructor(
    private readonly ledger: Ledger,
    private readonly key: SigningKey,
    private readonly chain_id: string,
  ) {}

  get id(): Bytes {
    return this.key.account;
  }

  private async state() {
    const {value} = await this.ledger.read('accounts', id_key(this.id));
    return value === undefined ? {balance_micro: 0n, nonce: 0n} : decode(kAccount, value);
  }

  async balance_micro(): Promise<bigint> {
    return (await this.state()).balance_micro;
  }

  private async fee(): Promise<bigint> {
    const {value} = await this.ledger.read('params', kParamsKey);
    if (value === undefined) throw new AccountError('the ledger has no parameters');
    const {min_fee_micro} = decode(kParams, value);
    if (min_fee_micro > kMaxFeeMicro) throw new AccountError('the ledger asks for too high a fee');
    return min_fee_micro;
  }

  // Until the ledger takes it: another program may use the same account meanwhile.
  private async broadcast<T>(kind: Body<T>, body: T): Promise<BroadcastResult> {
    for (let tries = 1; ; ++tries) {
      const options = {
        chain_id: this.chain_id,
        nonce: (await this.state()).nonce,
        fee_micro: await this.fee(),
      };
      const sent = await this.ledger.broadcast(await make_tx(kind, body, options, this.key));
      const again = ['wrong_nonce', 'fee_too_low'].includes(code_of(sent.code).name);
      if (!again || tries === kMaxTries) return sent;
    }
  }

  // What the transaction gave, and the height of its block, both proven.
  async send<T>(kind: Body<T>, body: T): Promise<{height: number; data: Uint8Array}> {
    const sent = await this.broadcast(kind, body);
    if (sent.code !== 0) throw new AccountError(`the ledger: ${code_of(sent.code).sentence}`);
    const {code, height, data} = await this.ledger.wait_tx(sent.tx_id, kOutcomeMs);
    if (code !== 0) throw new AccountError(`the ledger: ${code_of(code).sentence}`);
    return {height, data};
  }
}
