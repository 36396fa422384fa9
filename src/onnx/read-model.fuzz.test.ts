import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LimbeckError } from '../errors.ts';
import { checkGraph } from './passes/check-graph.ts';
import { readModel } from './read-model.ts';
import { anyGraph } from './testing/any-graph.ts';
import { arithmeticGraph } from './testing/arithmetic-graph.ts';
import { writeModel } from './write-model.ts';

/** A model is read and well-formed, or refused by a LimbeckError: nothing else may come of any bytes. */
function survives(bytes: Uint8Array): 'read' | 'refused' {
  try {
    checkGraph(readModel(bytes));
    return 'read';
  } catch (error) {
    if (!(error instanceof LimbeckError)) throw error;
    expect(error.code).toMatch(/^model\./);
    return 'refused';
  }
}

const models = [
  writeModel(
    arithmeticGraph({
      steps: Array.from({ length: 34 }, (_, i) => ({ kind: i, left: i * 7, right: i * 11 })),
      outputs: [1, 5, 20],
    }),
  ),
  ...fc.sample(anyGraph, { numRuns: 4, seed: 5 }).map((graph) => writeModel(graph)),
];
const model = fc.constantFrom(...models);
const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('readModel on damaged bytes', () => {
  it('refuses files cut short', () => {
    fc.assert(
      fc.property(model, at, (bytes, where) => {
        survives(bytes.subarray(0, Math.floor(where * bytes.length)));
      }),
      { numRuns: 400, seed: 1 },
    );
  });

  it('survives flipped bits', () => {
    const outcomes = { read: 0, refused: 0 };
    fc.assert(
      fc.property(
        model,
        fc.array(fc.tuple(at, fc.nat(7)), { minLength: 1, maxLength: 6 }),
        (bytes, flips) => {
          const damaged = Uint8Array.from(bytes);
          for (const [where, bit] of flips) damaged[Math.floor(where * bytes.length)]! ^= 1 << bit;
          outcomes[survives(damaged)]++;
        },
      ),
      { numRuns: 1200, seed: 2 },
    );
    // The flips reach past the protobuf layer as well as into it.
    expect(outcomes.read).toBeGreaterThan(50);
    expect(outcomes.refused).toBeGreaterThan(200);
  });

  it('survives bytes that are overwritten, removed and repeated', () => {
    const edit = fc.tuple(at, fc.nat(20), fc.uint8Array({ maxLength: 12 }));
    fc.assert(
      fc.property(model, edit, (bytes, [where, removed, inserted]) => {
        const start = Math.floor(where * bytes.length);
        survives(
          Uint8Array.from([...bytes.subarray(0, start), ...inserted, ...bytes.subarray(start + removed)]),
        );
      }),
      { numRuns: 600, seed: 3 },
    );
  });

  it('survives random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        survives(bytes);
      }),
      { numRuns: 1000, seed: 4 },
    );
  });

  it('takes no memory on the word of a file', () => {
    // Each size of a tensor in turn becomes enormous; what the file holds stays small.
    const before = process.memoryUsage().arrayBuffers;
    for (const bytes of models) {
      for (let i = 0; i + 4 < bytes.length; i += 3) {
        const damaged = Uint8Array.from(bytes);
        damaged.set([0xff, 0xff, 0xff, 0x7f], i);
        survives(damaged);
      }
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200e6);
  });
});
