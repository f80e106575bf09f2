// The ledger as a page sees it: reads that are proven, transactions whose outcome is proven, and
// hints about when to look again. Nothing that an endpoint says is believed without a header that
// the chain's validators signed; what all endpoints together can do is refuse to answer or hide
// the newest blocks for at most `max_age_ms`. The twin of src/light/client in C++.
//
// One endpoint is asked, the others are its witnesses: each new header is compared with theirs. An
// endpoint that lies, lags or is silent gives way to the next. Two different headers of one height
// that both verify are an attack by the validators themselves: the client refuses for good.
import {type Bytes, to_hex} from '../../sealed/bytes';
import type {Family} from '../ledger/keys';
import {data_hash, header_hash, results_hash, sort_validators, tx_id as id_of} from './encoding';
import {blame, type EndpointState, LightError, type LightErrorCode} from './error';
import {at, to_base64} from './fields';
import {
  type BlockResults,
  type BroadcastResult,
  kValidatorsPerPage,
  parse_block_results,
  parse_block_txs,
  parse_broadcast_result,
  parse_query_response,
  parse_signed_header,
  parse_tx_place,
  parse_validators_page,
  type TxPlace,
} from './json';
import type {JsonValue} from './json_text';
import {verify_read} from './proof';
import {HttpRpc, type Rpc, type RpcParams} from './rpc';
import {Bisection} from './sync';
import {
  kMaxValidators,
  type LightBlock,
  same_bytes,
  type SignedHeader,
  type Validator,
} from './types';
import {
  check_fresh,
  kMaxPeriodSeconds,
  kTrustOptions,
  type TrustOptions,
  type VerifiedBlock,
  verify_genesis,
} from './verify';

const kMaxEndpoints = 8;
const kMaxVerifiedKept = 256;
const kLongestPollMs = 20_000;
const kMaxContradictions = 20;
const kReadTimeoutMs = 15_000;

export interface LightClientOptions {
  endpoints: string[]; // URLs that JSON-RPC is posted to; the first is asked first
  allow_single?: boolean; // one endpoint without a witness will do
  chain_id: string;
  genesis_validators: Validator[];
  // The genesis' validators are the only ones there will ever be (one embedded sequencer): they
  // cannot have left, so a start of any age is as good as a fresh one.
  fixed_validators: boolean;
  now: () => number; // Unix milliseconds
  max_age_ms?: number; // of the newest header, for an answer to be fresh
  trusting_period_s?: number;
  call_timeout_ms?: number; // of one exchange with an endpoint
  poll_interval_ms?: number; // between questions to an endpoint that cannot wait for us
  witness_timeout_ms?: number;
  witness_rest_ms?: number; // before a witness that did not answer is asked again
  rpc?: (url: string) => Rpc; // for tests
}

export interface ProvenValue {
  value?: Uint8Array; // missing: proven to be absent
  height: number; // of the state
  block_time_ms: number; // of the header that proves it
}

// A transaction in a block, with the code that the next header commits to.
export interface TxOutcomeProof {
  height: number;
  code: number;
  data: Uint8Array;
  log: string; // a hint
}

export interface EndpointReport {
  url: string;
  state: EndpointState;
  error?: LightErrorCode; // the last
  height: number; // of the newest block in which it agreed
}

interface Door {
  rpc: Rpc;
  report: EndpointReport;
  rests_until_ms: number; // as a witness
}

interface Limits {
  max_age_ms: number;
  call_timeout_ms: number;
  poll_interval_ms: number;
  witness_timeout_ms: number;
  witness_rest_ms: number;
}

function code_of(error: unknown): LightErrorCode {
  if (error instanceof LightError) return error.code;
  throw error; // a fault of our own
}

// Refusals that a later block may turn into an answer.
function may_come(code: LightErrorCode): boolean {
  return code === 'remote_refused' || code === 'not_yet';
}

function left_until(deadline: number): number {
  return deadline - performance.now();
}

function limits_of(options: LightClientOptions): Limits {
  return {
    max_age_ms: options.max_age_ms ?? 60_000,
    call_timeout_ms: options.call_timeout_ms ?? 10_000,
    poll_interval_ms: options.poll_interval_ms ?? 250,
    witness_timeout_ms: options.witness_timeout_ms ?? 3_000,
    witness_rest_ms: options.witness_rest_ms ?? 30_000,
  };
}

function url_of(endpoint: string): string {
  if (!/^https?:/i.test(endpoint) || !URL.canParse(endpoint)) throw new LightError('bad_options');
  return new URL(endpoint).href;
}

// An endpoint that is named twice is no witness of itself.
function doors_of(options: LightClientOptions): Door[] {
  const urls = options.endpoints.map(url_of);
  const fits =
    urls.length >= (options.allow_single ? 1 : 2) &&
    urls.length <= kMaxEndpoints &&
    new Set(urls).size === urls.length;
  if (!fits) throw new LightError('bad_options');
  const rpc_of = options.rpc ?? ((url: string) => new HttpRpc(url));
  return options.endpoints.map((url) => ({
    rpc: rpc_of(url),
    report: {url, state: 'unasked', height: 0},
    rests_until_ms: 0,
  }));
}

// Heights above 2^53 do not occur; the caller's own are checked before anybody is asked.
function check_height(height: number): void {
  if (!Number.isSafeInteger(height) || height < 1) throw new LightError('bad_options');
}

export class LightClient {
  private readonly doors: Door[];
  private readonly limits: Limits;
  private readonly trust: TrustOptions;
  private readonly genesis_validators: Validator[];
  private readonly verified: VerifiedBlock[] = []; // heights rising; the first is block 1
  private current = 0; // the door that last answered well
  private conflict = false; // two headers of one height were verified

  constructor(private readonly options: LightClientOptions) {
    this.genesis_validators = structuredClone(options.genesis_validators);
    this.doors = doors_of(options);
    this.limits = limits_of(options);
    const period = options.trusting_period_s ?? kTrustOptions.trusting_period_s;
    const trusting_period_s = options.fixed_validators ? kMaxPeriodSeconds : period;
    this.trust = {...kTrustOptions, trusting_period_s};
  }

  // The newest header, verified, fresh, and compared with the witnesses'.
  latest(): Promise<VerifiedBlock> {
    return this.ask((door) => this.refresh(door));
  }

  // The newest header that was verified so far, however old: for display.
  get newest(): VerifiedBlock | undefined {
    return this.verified.at(-1);
  }

  // The state's value at `key`, at the newest height whose header is there, or, with `min_height`,
  // not before that height: what a transaction of block h wrote is seen with min_height = h.
  async read(
    family: Family,
    key: Uint8Array,
    min_height = 0,
    timeout_ms = kReadTimeoutMs,
  ): Promise<ProvenValue> {
    const height = Math.max(min_height, 1) + 1;
    check_height(height);
    const deadline = performance.now() + timeout_ms;
    const copy = key.slice();
    const question = (door: Door) => this.do_read(door, family, copy, height, deadline);
    return this.ask_until(deadline, question);
  }

  // What an endpoint's mempool says: code 0 is a promise of nothing.
  async broadcast(tx: Uint8Array): Promise<BroadcastResult> {
    const copy = tx.slice();
    return this.ask((door) => this.do_broadcast(door, copy));
  }

  // Waits until the transaction stands in a block and its outcome is proven by the next header.
  async wait_tx(tx_id: Uint8Array, timeout_ms: number): Promise<TxOutcomeProof> {
    const deadline = performance.now() + timeout_ms;
    const copy = tx_id.slice();
    return this.ask((door) => this.do_wait_tx(door, copy, deadline));
  }

  // The transactions of block `height`, in order, as its verified header commits to them.
  async block_txs(height: number, timeout_ms = kReadTimeoutMs): Promise<Uint8Array[]> {
    check_height(height);
    const deadline = performance.now() + timeout_ms;
    return this.ask((door) => this.do_block_txs(door, height, deadline));
  }

  // Waits for block `height` and tells what it did. A hint: read with proof before acting on it.
  async watch(height: number, timeout_ms: number): Promise<BlockResults> {
    check_height(height);
    const deadline = performance.now() + timeout_ms;
    return this.ask((door) => this.do_watch(door, height, deadline));
  }

  // What each endpoint turned out to be, in the order in which they were given.
  reports(): EndpointReport[] {
    return this.doors.map(({report}) => ({...report}));
  }

  // --- whom to ask ------------------------------------------------------------------------------

  // First whoever answered well last, at the end whoever lied.
  private in_order(): Door[] {
    const turned = [...this.doors.slice(this.current), ...this.doors.slice(0, this.current)];
    const lies = (door: Door): boolean => door.report.state === 'lying';
    return [...turned.filter((door) => !lies(door)), ...turned.filter(lies)];
  }

  // Who lied once is not believed to have become honest.
  private note({report}: Door, code?: LightErrorCode): void {
    if (report.state === 'lying') return;
    const state = code === undefined ? 'agrees' : blame(code);
    if (state === undefined) return;
    report.state = state;
    if (code === undefined) delete report.error;
    else report.error = code;
  }

  private check_conflict(): void {
    if (this.conflict) throw new LightError('conflicting_headers');
  }

  // Asks one door after the other until one answers well, or the question has no answer yet.
  private async ask<T>(question: (door: Door) => Promise<T>): Promise<T> {
    let last: LightErrorCode = 'unreachable';
    for (const door of this.in_order()) {
      try {
        this.check_conflict();
        const answer = await question(door);
        this.check_conflict();
        this.note(door);
        this.current = this.doors.indexOf(door);
        return answer;
      } catch (error) {
        last = code_of(error);
        this.note(door, last);
        if (blame(last) === undefined) break;
      }
    }
    throw new LightError(last);
  }

  // Those of a network that has just been started answer, and may have the state soon.
  private async ask_until<T>(
    deadline: number,
    question: (door: Door) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      try {
        return await this.ask(question);
      } catch (error) {
        const soon = code_of(error) === 'remote_refused';
        if (!soon || left_until(deadline) <= this.limits.poll_interval_ms) throw error;
      }
      await this.pause();
    }
  }

  // --- reads ------------------------------------------------------------------------------------

  // The header of height h + 1 carries the root of the state after block h.
  private async do_read(
    door: Door,
    family: Family,
    key: Uint8Array,
    wanted: number,
    deadline: number,
  ): Promise<ProvenValue> {
    const block = await this.reach(door, wanted, deadline);
    const height = block.height - 1;
    const params = {
      path: `/store/${family}`,
      data: to_hex(key),
      height: String(height),
      prove: true,
    };
    const result = await this.call(door, 'abci_query', params, deadline);
    const response = parse_query_response(at(result, 'response'));
    if (response.code !== 0) throw new LightError('remote_refused');
    if (response.height !== height) throw new LightError('wrong_height');
    await verify_read(response.proof, family, key, response.value, block.header.app_hash);
    const proven = {height, block_time_ms: block.time_ms};
    return response.value === undefined ? proven : {...proven, value: response.value};
  }

  private async reach(door: Door, height: number, deadline: number): Promise<VerifiedBlock> {
    for (let contradictions = 0; ; ) {
      const newest = await this.refresh(door);
      if (newest.height >= height) return newest;
      if (left_until(deadline) <= 0) throw new LightError('not_yet');
      // It says that the block is there, and has no header as new as that.
      if (contradictions === kMaxContradictions) throw new LightError('stale');
      if (contradictions > 0) await this.pause();
      if (await this.came(door, height, deadline)) ++contradictions;
    }
  }

  private async came(door: Door, height: number, deadline: number): Promise<boolean> {
    try {
      await this.do_watch(door, height, deadline);
      return true;
    } catch (error) {
      if (!may_come(code_of(error))) throw error;
      return false;
    }
  }

  // --- transactions -----------------------------------------------------------------------------

  private async do_broadcast(door: Door, tx: Uint8Array): Promise<BroadcastResult> {
    const params = {tx: to_base64(tx)};
    const timeout = this.limits.call_timeout_ms;
    const said = parse_broadcast_result(await door.rpc.call('broadcast_tx_sync', params, timeout));
    if (!same_bytes(said.tx_id, await id_of(tx))) throw new LightError('bad_json');
    return said;
  }

  private async do_wait_tx(
    door: Door,
    tx_id: Uint8Array,
    deadline: number,
  ): Promise<TxOutcomeProof> {
    for (;;) {
      const place = await this.find_tx(door, tx_id, deadline);
      if (place !== undefined) return this.prove_tx(door, tx_id, place, deadline);
      if (left_until(deadline) <= 0) throw new LightError('not_yet');
      await this.pause();
    }
  }

  private async find_tx(
    door: Door,
    tx_id: Uint8Array,
    deadline: number,
  ): Promise<TxPlace | undefined> {
    try {
      const params = {hash: to_base64(tx_id), prove: false};
      return parse_tx_place(await this.call(door, 'tx', params, deadline));
    } catch (error) {
      if (!may_come(code_of(error))) throw error;
      return undefined;
    }
  }

  // The block's header commits to its transactions, the next one to their outcomes.
  private async prove_tx(
    door: Door,
    tx_id: Uint8Array,
    place: TxPlace,
    deadline: number,
  ): Promise<TxOutcomeProof> {
    await this.reach(door, place.height + 1, deadline);
    const next = await this.verify_at(door, place.height + 1);
    const txs = await this.proven_txs(door, place.height, deadline);
    const params = {height: String(place.height)};
    const reports = parse_block_results(await this.call(door, 'block_results', params, deadline));
    const outcomes = reports.txs.map(({outcome}) => outcome);
    const report = reports.txs[place.index];
    const tx = txs[place.index];
    const held =
      same_bytes(await results_hash(outcomes), next.header.last_results_hash) &&
      outcomes.length === txs.length &&
      tx !== undefined &&
      same_bytes(await id_of(tx), tx_id);
    if (!held || report === undefined) throw new LightError('wrong_root');
    const {code, data} = report.outcome;
    return {height: place.height, code, data, log: report.log};
  }

  private async do_block_txs(door: Door, height: number, deadline: number): Promise<Bytes[]> {
    await this.reach(door, height, deadline);
    return this.proven_txs(door, height, deadline);
  }

  // Of a block that the newest verified header has reached.
  private async proven_txs(door: Door, height: number, deadline: number): Promise<Bytes[]> {
    const own = await this.verify_at(door, height);
    const block = await this.call(door, 'block', {height: String(height)}, deadline);
    const txs = parse_block_txs(block);
    if (!same_bytes(await data_hash(txs), own.header.data_hash)) {
      throw new LightError('wrong_root');
    }
    return txs;
  }

  private async do_watch(door: Door, height: number, deadline: number): Promise<BlockResults> {
    for (;;) {
      const wait = Math.min(Math.floor(left_until(deadline)), kLongestPollMs);
      if (wait <= 0) throw new LightError('not_yet');
      try {
        const params = {height: String(height), wait: String(wait)};
        const timeout = wait + this.limits.call_timeout_ms;
        return parse_block_results(await door.rpc.call('block_results', params, timeout));
      } catch (error) {
        if (!may_come(code_of(error))) throw error;
      }
      await this.pause();
    }
  }

  // --- headers ----------------------------------------------------------------------------------

  private async begin(door: Door): Promise<void> {
    if (this.verified.length > 0) return;
    const validators = await sort_validators(this.genesis_validators);
    const block = await this.fetch(door, 1, this.limits.call_timeout_ms);
    this.keep(await verify_genesis(this.options.chain_id, validators, block));
  }

  // The newest block of the endpoint, verified and fresh.
  private async refresh(door: Door): Promise<VerifiedBlock> {
    await this.begin(door);
    const timeout = this.limits.call_timeout_ms;
    const result = await door.rpc.call('commit', {}, timeout);
    const signed_header = parse_signed_header(at(result, 'signed_header'));
    const {height} = signed_header.header;
    // An endpoint that lags behind what was verified already has nothing new to say, but may lie.
    const known = this.verified.find((block) => block.height === height);
    if (known && !same_bytes(known.hash, await header_hash(signed_header.header))) {
      throw new LightError('wrong_header_hash');
    }
    if (known) door.report.height = Math.max(door.report.height, height);
    if (height > this.best().height) await this.advance(door, signed_header, timeout);
    const best = this.best();
    check_fresh(best, this.options.now(), this.limits.max_age_ms);
    return best;
  }

  private best(): VerifiedBlock {
    return this.verified.at(-1)!;
  }

  // Nothing of the way is kept before the witnesses were heard.
  private async advance(door: Door, target: SignedHeader, timeout: number): Promise<void> {
    const {height} = target.header;
    const before = this.best();
    const way = new Bisection(before, height, this.trust);
    const steps = await this.walk(door, way, timeout, await this.complete(door, target, timeout));
    await this.compare(door, before, way.trusted);
    for (const step of steps) this.keep(step);
    door.report.height = Math.max(door.report.height, height);
  }

  // A block of the past: at most as high as the newest one that is verified.
  private async verify_at(door: Door, height: number): Promise<VerifiedBlock> {
    const from = this.verified.filter((block) => block.height <= height).at(-1);
    if (from === undefined) throw new LightError('height_not_newer');
    if (from.height === height) return from;
    const way = new Bisection(from, height, this.trust);
    const steps = await this.walk(door, way, this.limits.call_timeout_ms);
    await this.compare(door, from, way.trusted);
    for (const step of steps) this.keep(step);
    return way.trusted;
  }

  // Feeds the way to its end; what was verified on it.
  private async walk(
    door: Door,
    way: Bisection,
    timeout: number,
    first?: LightBlock,
  ): Promise<VerifiedBlock[]> {
    const steps: VerifiedBlock[] = [];
    let block = first;
    for (let wanted = way.wanted; wanted !== undefined; wanted = way.wanted) {
      block ??= await this.fetch(door, wanted, timeout);
      const before = way.trusted;
      await way.feed(block, this.options.now());
      block = undefined;
      if (way.trusted !== before) steps.push(way.trusted);
    }
    return steps;
  }

  // Compares `newest`, which was verified from `before`, with what the other endpoints have.
  private async compare(door: Door, before: VerifiedBlock, newest: VerifiedBlock): Promise<void> {
    const awake = this.doors.filter(
      (witness) =>
        witness !== door &&
        witness.report.state !== 'lying' &&
        this.options.now() >= witness.rests_until_ms,
    );
    await Promise.all(awake.map((witness) => this.compare_with(witness, before, newest)));
    this.check_conflict();
  }

  // Another header of the same height is a lie of the witness, unless it verifies as well.
  private async compare_with(
    witness: Door,
    before: VerifiedBlock,
    newest: VerifiedBlock,
  ): Promise<void> {
    const timeout = this.limits.witness_timeout_ms;
    try {
      const theirs = await this.fetch(witness, newest.height, timeout);
      if (!same_bytes(await header_hash(theirs.signed_header.header), newest.hash)) {
        await this.walk(witness, new Bisection(before, newest.height, this.trust), timeout, theirs);
        this.conflict = true;
        return;
      }
      this.note(witness);
      witness.report.height = Math.max(witness.report.height, newest.height);
    } catch (error) {
      const code = code_of(error);
      if (code !== 'pruned') this.note(witness, code);
      if (witness.report.state !== 'unreachable') return;
      witness.rests_until_ms = this.options.now() + this.limits.witness_rest_ms;
    }
  }

  // Block 1 stays, and with it every later height can be verified; then the oldest go first.
  private keep(block: VerifiedBlock): void {
    const known = this.verified.find(({height}) => height === block.height);
    if (known && !same_bytes(known.hash, block.hash)) this.conflict = true;
    this.check_conflict();
    if (known) return;
    this.verified.push(block);
    this.verified.sort((a, b) => a.height - b.height);
    if (this.verified.length > kMaxVerifiedKept) this.verified.splice(1, 1);
  }

  private async fetch(door: Door, height: number, timeout: number): Promise<LightBlock> {
    const result = await door.rpc.call('commit', {height: String(height)}, timeout);
    const signed_header = parse_signed_header(at(result, 'signed_header'));
    if (signed_header.header.height !== height) throw new LightError('wrong_height');
    return this.complete(door, signed_header, timeout);
  }

  // Adds the validator set: a known one when the header names it by its hash. Which set it really
  // is, the verifier computes again.
  private async complete(
    door: Door,
    signed_header: SignedHeader,
    timeout: number,
  ): Promise<LightBlock> {
    const wanted = signed_header.header.validators_hash;
    const known = this.verified.find((block) => same_bytes(block.header.validators_hash, wanted));
    if (known) return {signed_header, validators: [...known.validators]};
    const {height} = signed_header.header;
    return {signed_header, validators: await this.fetch_validators(door, height, timeout)};
  }

  private async fetch_validators(
    door: Door,
    height: number,
    timeout: number,
  ): Promise<Validator[]> {
    const out: Validator[] = [];
    for (let page = 1; ; ++page) {
      const params = {
        height: String(height),
        page: String(page),
        per_page: String(kValidatorsPerPage),
      };
      const parsed = parse_validators_page(await door.rpc.call('validators', params, timeout));
      if (parsed.height !== height) throw new LightError('wrong_height');
      out.push(...parsed.validators);
      if (out.length > kMaxValidators) throw new LightError('too_many_validators');
      if (out.length >= parsed.total) return out;
      if (parsed.validators.length === 0) throw new LightError('bad_json');
    }
  }

  private call(
    door: Door,
    method: string,
    params: RpcParams,
    deadline: number,
  ): Promise<JsonValue> {
    const timeout = Math.min(Math.max(left_until(deadline), 1), this.limits.call_timeout_ms);
    return door.rpc.call(method, params, timeout);
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.limits.poll_interval_ms));
  }
}
