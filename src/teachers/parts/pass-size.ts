import type { CarriedValue } from './parted-model.ts';

/** How much a pass goes over. */
export interface PassSamples {
  readonly samples: number;
  /** Tokens that are kept of them: with padding, where that is kept. */
  readonly tokens: number;
}

/** The bytes that lie on the disk at once between the parts, at most: what a part reads, and what it makes meanwhile. */
export function diskAtOnce(carried: readonly CarriedValue[], { samples, tokens }: PassSamples): number {
  const last = Math.max(0, ...carried.map(({ until }) => until));
  let most = 0;
  for (let part = 0; part <= last; part++) {
    let bytes = 0;
    for (const { from, until, bytes: each, isByToken } of carried)
      if (from <= part && until >= part) bytes += each * (isByToken ? tokens : samples);
    most = Math.max(most, bytes);
  }
  return most;
}
