// The way from a trusted block to a target, over as few blocks in between as the signatures allow:
// try the target; where too little of the trusted power signed it, go to 9/16 of the way first. The
// fetching is left out: it says which height it wants and is fed what came. Refuses ways of more
// than 128 blocks.
import {LightError} from './error';
import type {LightBlock} from './types';
import {type TrustOptions, verify, type VerifiedBlock} from './verify';

const kMaxSteps = 128; // blocks fetched on one way, the target included

// Strictly between the two heights, which are not neighbours.
function pivot_between(low: number, high: number): number {
  const way = high - low;
  const pivot = low + Math.floor(way / 16) * 9 + Math.floor(((way % 16) * 9) / 16);
  return pivot > low ? pivot : low + 1;
}

export class Bisection {
  private readonly waiting: LightBlock[] = []; // the target first, the nearest last
  private next: number | undefined;
  private steps = 0;

  // `target` at or below the trusted one: nothing is wanted.
  constructor(
    private newest: VerifiedBlock,
    target: number,
    private readonly options: TrustOptions,
  ) {
    if (target > newest.height) this.next = target;
  }

  // The height of the block to feed next; nothing when the target is reached.
  get wanted(): number | undefined {
    return this.next;
  }
  // The highest block verified so far.
  get trusted(): VerifiedBlock {
    return this.newest;
  }

  // Verifies as far as `block` allows. After an error the object may not be used any further.
  async feed(block: LightBlock, now_ms: number): Promise<void> {
    const {height} = block.signed_header.header;
    if (this.next === undefined || height !== this.next) throw new LightError('wrong_height');
    if (++this.steps > kMaxSteps) throw new LightError('too_many_steps');
    this.waiting.push(block);
    this.next = undefined;
    while (this.waiting.length > 0) {
      if (await this.step(this.waiting.at(-1)!, now_ms)) this.waiting.pop();
      else return;
    }
  }

  private async step(block: LightBlock, now_ms: number): Promise<boolean> {
    try {
      this.newest = await verify(this.newest, block, now_ms, this.options);
      return true;
    } catch (error) {
      const far = error instanceof LightError && error.code === 'not_enough_trusted_power';
      if (!far) throw error;
      this.next = pivot_between(this.newest.height, block.signed_header.header.height);
      return false;
    }
  }
}
