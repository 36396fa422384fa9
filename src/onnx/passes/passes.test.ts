import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Graph } from '../graph.ts';
import { ARITHMETIC_FEEDS, arithmeticGraph, arithmeticPlan } from '../testing/arithmetic-graph.ts';
import { runGraph } from '../testing/run-graph.ts';
import { checkGraph } from './check-graph.ts';
import { foldConstants } from './fold-constants.ts';
import { mergeDuplicates } from './merge-duplicates.ts';
import { removeDeadNodes } from './remove-dead-nodes.ts';
import { removeIdentities } from './remove-identities.ts';
import { sortNodes } from './sort-nodes.ts';

const PASSES: Record<string, (graph: Graph) => Graph> = {
  sortNodes: (graph) => sortNodes({ ...graph, nodes: [...graph.nodes].reverse() }),
  removeDeadNodes,
  foldConstants: (graph) => foldConstants(graph),
  removeIdentities,
  mergeDuplicates,
  'all of them': (graph) =>
    removeDeadNodes(mergeDuplicates(removeIdentities(foldConstants(removeDeadNodes(graph))))),
};

describe('every pass', () => {
  it('leaves a graph that is well-formed, has the same signature and computes the same bits', async () => {
    await fc.assert(
      fc.asyncProperty(arithmeticPlan, async (plan) => {
        const graph = arithmeticGraph(plan);
        checkGraph(graph);
        const wanted = await runGraph(graph, ARITHMETIC_FEEDS);
        for (const [name, pass] of Object.entries(PASSES)) {
          const rewritten = pass(graph);
          checkGraph(rewritten);
          expect(rewritten.inputs, name).toEqual(graph.inputs);
          const names = rewritten.outputs.map((value) => value.name);
          expect(names, name).toEqual(graph.outputs.map((value) => value.name));
          expect(await runGraph(rewritten, ARITHMETIC_FEEDS), name).toEqual(wanted);
        }
      }),
      { numRuns: 40, seed: 7 },
    );
  });

  it.each(Object.entries(PASSES))('%s gives the same graph for the same graph', (_name, pass) => {
    fc.assert(
      fc.property(arithmeticPlan, (plan) => {
        expect(pass(arithmeticGraph(plan))).toEqual(pass(arithmeticGraph(plan)));
      }),
      { numRuns: 40, seed: 8 },
    );
  });

  it.each([
    ['sortNodes', sortNodes],
    ['removeDeadNodes', removeDeadNodes],
    ['foldConstants', foldConstants],
    ['removeIdentities', removeIdentities],
    ['mergeDuplicates', mergeDuplicates],
  ] as const)('%s returns what it has done as it is', (_name, pass) => {
    fc.assert(
      fc.property(arithmeticPlan, (plan) => {
        const once = pass(arithmeticGraph(plan));
        expect(pass(once)).toBe(once);
      }),
      { numRuns: 40, seed: 9 },
    );
  });
});
